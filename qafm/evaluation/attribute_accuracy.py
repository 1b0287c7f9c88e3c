"""Accuracy of predicted attributes: the official Market-1501 score, and accuracy, macro F1 and majority baseline of one's own predictions.

Official score: evaluate_market_attribute.m of Lin et al., "Improving person re-identification by attribute and identity learning",
Pattern Recognition 95, 2019.

N images, 12 attributes. Everywhere but in official predictions a code is the 0-based index into the attribute's classes, UNKNOWN = not known.
"""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from qafm.evaluation.class_scores import commonest, score_classes
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTE_SIZES, ATTRIBUTES

UNKNOWN = -1
# Columns of the official prediction matrix (gallery_market.mat); codes count from 1.
OFFICIAL_COLUMNS = ("gender", "hair", "age", "up", "down", "clothes", "hat", "backpack", "bag", "handbag", "up_color", "down_color")
# Its colour codes stand in an order of their own: neither that of the .mat fields nor that of qafm.tables.attributes.
OFFICIAL_COLORS = {
    "up_color": ("black", "white", "red", "purple", "gray", "blue", "green", "yellow"),
    "down_color": ("black", "white", "pink", "gray", "blue", "green", "brown", "yellow", "purple"),
}


@dataclass(frozen=True)
class AttributeScore:
    """Scores of one attribute in percent; None where no image has a known label."""

    n: int  # images with a known label
    accuracy: float | None
    macro_f1: float | None  # unweighted mean over the classes that are labelled or predicted at least once
    majority: float | None  # accuracy of always answering the class most frequent in training
    n_images: int  # with or without a known label
    official: float | None  # right answers among all n_images, as the official script counts: an unknown label makes the answer wrong
    official_majority: float | None  # the same of always answering the class most frequent in training


# Columns of the CSVs that rule score_attributes writes.
SCORE_COLUMNS = ("set", "attribute", *(field.name for field in fields(AttributeScore)))


def attribute_codes(images: pa.Table) -> np.ndarray:
    """The 12 attribute columns of images.parquet as int8 [N, 12], UNKNOWN for null."""
    columns = [images.column(name).to_pylist() for name in ATTRIBUTE_NAMES]
    return np.array([[UNKNOWN if code is None else code for code in column] for column in columns], np.int8).T


def official_accuracy(predicted: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Score predictions as the official script does: an image without a labelled colour counts as wrong.

    Args:
        predicted: [N, 12] codes from 1, columns and colours in the official order (as in gallery_market.mat), one row per labelled
            gallery image in file-name order.
        labels: [N, 12] codes of the same images, columns as ATTRIBUTES.

    Returns:
        Percent right per attribute, in the official order, and their unweighted mean as "average".

    Raises:
        ValueError: wrong shapes, or a predicted code that no class has.
    """
    _check_shapes(predicted, labels)
    scores = {}
    for column, name in enumerate(OFFICIAL_COLUMNS):
        attribute = ATTRIBUTE_NAMES.index(name)
        classes = ATTRIBUTES[attribute].classes
        codes = np.array([classes.index(word) for word in OFFICIAL_COLORS.get(name, classes)])
        answers = predicted[:, column].astype(np.int64) - 1
        if answers.min() < 0 or answers.max() >= len(codes):
            raise ValueError(f"{name}: predicted codes must lie in 1..{len(codes)}")
        scores[name] = 100 * float(np.mean(codes[answers] == labels[:, attribute]))
    return scores | {"average": float(np.mean(list(scores.values())))}


def to_official(codes: np.ndarray) -> np.ndarray:
    """Codes as this project has them, [N, 12] without UNKNOWN, in the official order of columns and colours, counted from 1."""
    columns = []
    for name in OFFICIAL_COLUMNS:
        attribute = ATTRIBUTE_NAMES.index(name)
        classes = ATTRIBUTES[attribute].classes
        official = OFFICIAL_COLORS.get(name, classes)
        columns.append(np.array([official.index(word) + 1 for word in classes])[codes[:, attribute]])
    return np.stack(columns, axis=1)


def score_codes(predicted: np.ndarray, labels: np.ndarray, train_labels: np.ndarray) -> dict[str, AttributeScore]:
    """Score predictions where the label is known, and as the official script does over all images.

    Args:
        predicted: [N, 12] codes, columns as ATTRIBUTES.
        labels: [N, 12] codes or UNKNOWN.
        train_labels: [M, 12] codes or UNKNOWN of the training images, for the majority baseline.

    Returns:
        One score per attribute, in the order of ATTRIBUTES.

    Raises:
        ValueError: wrong shapes, or a code that no class has.
    """
    _check_shapes(predicted, labels)
    sizes = np.array(ATTRIBUTE_SIZES)
    for name, codes, lowest in (("predicted", predicted, 0), ("labels", labels, UNKNOWN), ("train_labels", train_labels, UNKNOWN)):
        if np.any(codes < lowest) or np.any(codes >= sizes):
            raise ValueError(f"{name}: a code lies outside its attribute's classes")
    common = [commonest(train_labels[:, i], size) for i, size in enumerate(ATTRIBUTE_SIZES)]
    always = np.tile([code or 0 for code in common], (len(labels), 1))  # [N, 12]; the 0 of an unknown class is never used
    official, official_majority = (official_accuracy(to_official(answers), labels) for answers in (predicted, always))
    scores = {}
    for i, name in enumerate(ATTRIBUTE_NAMES):
        n, known = int((labels[:, i] != UNKNOWN).sum()), score_classes(predicted[:, i], labels[:, i], ATTRIBUTE_SIZES[i], "labelled or predicted")
        if known is None:
            scores[name] = AttributeScore(0, None, None, None, len(labels), None, None)
            continue
        majority = None if common[i] is None else 100 * float((labels[:, i] == common[i]).sum()) / n
        of_all = None if common[i] is None else official_majority[name]
        scores[name] = AttributeScore(n, known.accuracy, known.macro_f1, majority, len(labels), official[name], of_all)
    return scores


def _check_shapes(predicted: np.ndarray, labels: np.ndarray) -> None:
    n = len(ATTRIBUTES)
    if predicted.ndim != 2 or predicted.shape != labels.shape or predicted.shape[1] != n or not len(predicted):
        raise ValueError(f"predictions {predicted.shape} and labels {labels.shape} must both be [N, {n}], N > 0")
