"""Accuracy and macro F1 of one head, and what always answering the commonest class would score.

N images, K classes.
"""

from dataclasses import dataclass

import numpy as np

from qafm.companions.par.class_weights import class_counts


@dataclass(frozen=True)
class HeadScore:
    """Scores in percent over the images with a known label.

    Args:
        accuracy: share of right answers.
        macro_f1: unweighted mean over the classes that a label has; an answer of another class is wrong and has no F1 of its own.
    """

    accuracy: float
    macro_f1: float


def score_head(predicted: np.ndarray, labels: np.ndarray, size: int) -> HeadScore | None:
    """Score the answers of one head.

    Args:
        predicted: codes in [0, K), [N].
        labels: codes, -1 = unknown, [N].
        size: K.

    Returns:
        The scores; None where no label is known.
    """
    known = labels >= 0
    if not known.any():
        return None
    confusion = np.zeros((size, size), np.int64)  # [label, answer]
    np.add.at(confusion, (labels[known], predicted[known]), 1)
    right, labelled, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    there = labelled > 0
    f1 = 2 * right[there] / (labelled + answered)[there]
    return HeadScore(100 * float(right.sum() / labelled.sum()), 100 * float(f1.mean()))


def commonest(codes: np.ndarray, size: int) -> int | None:
    """The most frequent class of `codes` [N], the lowest one of several; None where none is known."""
    counts = class_counts(codes, size)
    return int(counts.argmax()) if counts.any() else None


def mean_scores(scores: list[HeadScore]) -> HeadScore | None:
    """The report's "Global": unweighted means over the heads that have a score; None where none has."""
    if not scores:
        return None
    return HeadScore(float(np.mean([score.accuracy for score in scores])), float(np.mean([score.macro_f1 for score in scores])))
