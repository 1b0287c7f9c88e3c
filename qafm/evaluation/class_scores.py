"""Accuracy and macro F1 of answers from K classes, and the class that is commonest.

N images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class ClassScores:
    """Scores in percent over the images with a known label."""

    accuracy: float  # share of right answers
    macro_f1: float  # unweighted mean over classes


def score_classes(
    predicted: np.ndarray, labels: np.ndarray, size: int, f1_over: Literal["labelled", "labelled or predicted"], learned: np.ndarray | None = None
) -> ClassScores | None:
    """Score answers.

    Args:
        predicted: codes in [0, K), [N].
        labels: codes, -1 = unknown, [N].
        size: K.
        f1_over: classes in the mean of macro F1: those that a label has, where the answer of another class is wrong and has no F1 of its own; or, as is usual,
            also those that are only answered, whose F1 is 0.
        learned: which classes were seen in training, bool [K]: the others have no part in macro F1, unless none is left; None: all of them.

    Returns:
        The scores; None where no label is known.
    """
    known = labels >= 0
    if not known.any():
        return None
    confusion = np.zeros((size, size), np.int64)  # [label, answer]
    np.add.at(confusion, (labels[known], predicted[known]), 1)
    right, labelled, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    counted = labelled > 0 if f1_over == "labelled" else labelled + answered > 0
    counted = counted & learned if learned is not None and (counted & learned).any() else counted
    f1 = 2 * right[counted] / (labelled + answered)[counted]
    return ClassScores(100 * float(right.sum() / labelled.sum()), 100 * float(f1.mean()))


def commonest(codes: np.ndarray, size: int) -> int | None:
    """The most frequent class of `codes` [N] (-1 = unknown), the lowest one of several; None where none is known."""
    counts = np.bincount(codes[codes >= 0], minlength=size)
    return int(counts.argmax()) if counts.any() else None


def mean_scores(scores: Sequence[ClassScores]) -> ClassScores | None:
    """Unweighted means over attributes; None where there are none."""
    if not scores:
        return None
    return ClassScores(float(np.mean([score.accuracy for score in scores])), float(np.mean([score.macro_f1 for score in scores])))
