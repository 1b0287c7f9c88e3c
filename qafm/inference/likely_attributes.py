"""The attribute classes that a network finds most likely.

N images.
"""

from collections.abc import Sequence

import torch

from qafm.inference.results import Attribute
from qafm.tables.attributes import ATTRIBUTES


def likely_attributes(logits: Sequence[torch.Tensor], names: Sequence[str]) -> list[dict[str, Attribute]]:
    """The first class of each attribute of `names`, image by image, from the logits of all attributes: [N] of class 1, or [N, classes]."""
    columns: dict[str, list[Attribute]] = {}
    for attribute, given in zip(ATTRIBUTES, logits, strict=True):
        if attribute.name in names:
            of_class = given if given.ndim == 2 else torch.stack([torch.zeros_like(given), given], dim=1)  # [N, classes]; sigmoid(x) is softmax(0, x)
            best = of_class.double().softmax(dim=1).max(dim=1)
            classes = [attribute.classes[code] for code in best.indices.tolist()]
            columns[attribute.name] = [Attribute(value, p) for value, p in zip(classes, best.values.tolist(), strict=True)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
