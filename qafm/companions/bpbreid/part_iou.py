"""How well predicted part maps agree with the masks: intersection over union per part."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment


class PartIou(NamedTuple):
    """Mean intersection over union of the parts that the masks show, in percent; None where they show none."""

    named: float | None  # map k against part k
    matched: float | None  # maps assigned to parts one to one, as well as possible: what can be said of maps that nobody named


def part_iou(confusion: np.ndarray) -> PartIou:
    """Mean IoU from counts of places.

    Args:
        confusion: int [K + 1, K + 1], true class by predicted class, 0 = background.
    """
    union = confusion.sum(axis=1, keepdims=True) + confusion.sum(axis=0, keepdims=True) - confusion  # [K + 1, K + 1]
    iou = np.where(union > 0, confusion / np.maximum(union, 1), 0.0)[1:, 1:]  # [true part, predicted part]
    shown = confusion[1:].sum(axis=1) > 0  # [K]
    if not shown.any():
        return PartIou(None, None)
    rows, columns = linear_sum_assignment(iou[shown], maximize=True)
    return PartIou(100 * float(iou.diagonal()[shown].mean()), 100 * float(iou[shown][rows, columns].mean()))
