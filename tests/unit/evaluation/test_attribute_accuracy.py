"""Attribute scores: the official one against its authors' own numbers, ours against plain loops."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import loadmat

from qafm.datasets.market1501 import parse_name
from qafm.datasets.market_attributes import read_market_attributes
from qafm.evaluation.attribute_accuracy import (
    OFFICIAL_COLORS,
    OFFICIAL_COLUMNS,
    UNKNOWN,
    AttributeScore,
    attribute_codes,
    official_accuracy,
    score_codes,
    to_official,
)
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTE_SIZES, ATTRIBUTES

GOLDEN = {
    "gender": 86.4506,
    "hair": 83.6523,
    "age": 87.0759,
    "up": 93.6637,
    "down": 93.3206,
    "clothes": 91.4602,
    "hat": 97.1331,
    "backpack": 82.7907,
    "bag": 75.0667,
    "handbag": 89.9809,
    "up_color": 73.3969,
    "down_color": 69.9123,
    "average": 85.3253,
}


@pytest.fixture(scope="module")
def gallery_labels(shared: Path) -> np.ndarray:
    folder = shared / "data" / "market1501"
    test = read_market_attributes(folder / "market_attribute.mat")["test"]
    parts = [parse_name(name) for name in sorted((folder / "filenames.txt").read_text().split())]
    rows = [test[part.pid] for part in parts if part and part.pid in test and part.box != 0]
    return np.array([[UNKNOWN if code is None else code for code in row] for row in rows], np.int8)


def test_the_authors_prediction_scores_what_their_script_says(shared: Path, gallery_labels: np.ndarray) -> None:
    predicted = loadmat(shared / "data" / "market1501" / "gallery_market.mat")["gallery"]
    scores = official_accuracy(predicted, gallery_labels)
    assert {name: round(score, 4) for name, score in scores.items()} == GOLDEN
    assert list(scores) == list(GOLDEN)


def slow_to_official(codes: np.ndarray) -> np.ndarray:
    """Project codes as official ones, by plain look-up; unknown becomes class 1."""
    rows = []
    for row in codes:
        values = []
        for name in OFFICIAL_COLUMNS:
            attribute = ATTRIBUTES[ATTRIBUTE_NAMES.index(name)]
            code = row[ATTRIBUTE_NAMES.index(name)]
            word = attribute.classes[0] if code == UNKNOWN else attribute.classes[code]
            values.append(OFFICIAL_COLORS.get(name, attribute.classes).index(word) + 1)
        rows.append(values)
    return np.array(rows, np.uint8)


def test_perfect_predictions_reach_the_ceilings(gallery_labels: np.ndarray) -> None:
    scores = official_accuracy(slow_to_official(gallery_labels), gallery_labels)
    ceilings = {"up_color": 91.24, "down_color": 93.99}
    assert {name: round(score, 2) for name, score in scores.items() if name != "average"} == {name: ceilings.get(name, 100.0) for name in OFFICIAL_COLUMNS}


def from_official(predicted: np.ndarray) -> np.ndarray:
    """Official codes as project ones, by plain look-up."""
    codes = np.zeros(predicted.shape, np.int64)
    for i, row in enumerate(predicted):
        for name, answer in zip(OFFICIAL_COLUMNS, row, strict=True):
            classes = ATTRIBUTES[ATTRIBUTE_NAMES.index(name)].classes
            codes[i, ATTRIBUTE_NAMES.index(name)] = classes.index(OFFICIAL_COLORS.get(name, classes)[answer - 1])
    return codes


def test_the_authors_prediction_scores_the_same_by_our_own_codes(shared: Path, gallery_labels: np.ndarray) -> None:
    predicted = loadmat(shared / "data" / "market1501" / "gallery_market.mat")["gallery"]
    scores = score_codes(from_official(predicted), gallery_labels, gallery_labels)
    assert {name: round(scores[name].official or 0, 4) for name in OFFICIAL_COLUMNS} == {name: GOLDEN[name] for name in OFFICIAL_COLUMNS}
    assert round(float(np.mean([score.official for score in scores.values()])), 4) == GOLDEN["average"]
    assert {score.n_images for score in scores.values()} == {13115}
    assert round(scores["hat"].official_majority or 0, 4) == 97.1331  # their column is constant
    assert (scores["up_color"].n, round(scores["up_color"].official_majority or 0, 2)) == (13115 - 1149, 26.62)


@given(seed=st.integers(0, 1000))
def test_official_codes_of_our_codes(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, ATTRIBUTE_SIZES, (5, 12))
    assert np.array_equal(to_official(codes), slow_to_official(codes))
    assert np.array_equal(from_official(to_official(codes)), codes)


def test_official_colours_are_all_the_colours() -> None:
    for name, colors in OFFICIAL_COLORS.items():
        assert sorted(colors) == sorted(ATTRIBUTES[ATTRIBUTE_NAMES.index(name)].classes)
    assert sorted(OFFICIAL_COLUMNS) == sorted(ATTRIBUTE_NAMES)


@pytest.mark.parametrize("bad", [0, 5])
def test_official_codes_outside_their_classes_are_refused(bad: int) -> None:
    predicted = np.ones((2, 12), np.uint8)
    predicted[1, 2] = bad
    with pytest.raises(ValueError, match=r"^age: predicted codes must lie in 1\.\.4$"):
        official_accuracy(predicted, np.zeros((2, 12), np.int8))


@pytest.mark.parametrize("shapes", [((3, 12), (2, 12)), ((2, 11), (2, 11)), ((0, 12), (0, 12)), ((12,), (12,))])
def test_shapes_are_checked(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    predicted, labels = (np.ones(shape, np.int8) for shape in shapes)
    with pytest.raises(ValueError, match="must both be"):
        official_accuracy(predicted, labels)
    with pytest.raises(ValueError, match="must both be"):
        score_codes(predicted, labels, labels)


def slow_score(predicted: list[int], labels: list[int], train: list[int]) -> tuple[int, float | None, float | None, float | None]:
    pairs = [(p, t) for p, t in zip(predicted, labels, strict=True) if t != UNKNOWN]
    if not pairs:
        return 0, None, None, None
    accuracy = 100 * sum(p == t for p, t in pairs) / len(pairs)
    f1 = []
    for c in sorted({c for pair in pairs for c in pair}):
        hits = sum(p == t == c for p, t in pairs)
        precision = hits / max(1, sum(p == c for p, _ in pairs))
        recall = hits / max(1, sum(t == c for _, t in pairs))
        f1.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    known = [t for t in train if t != UNKNOWN]
    majority = None
    if known:
        most = max(sorted(set(known)), key=known.count)
        majority = 100 * sum(t == most for _, t in pairs) / len(pairs)
    return len(pairs), accuracy, 100 * sum(f1) / len(f1), majority


@given(n=st.integers(1, 30), m=st.integers(0, 10), seed=st.integers(0, 1000), unknown=st.sampled_from([0.0, 0.3, 1.0]))
def test_scores_against_loops(n: int, m: int, seed: int, unknown: float) -> None:
    rng = np.random.default_rng(seed)
    predicted, labels = (rng.integers(0, ATTRIBUTE_SIZES, (n, 12)).astype(np.int8) for _ in range(2))
    train = rng.integers(0, ATTRIBUTE_SIZES, (m, 12)).astype(np.int8)
    labels[rng.random(labels.shape) < unknown] = UNKNOWN
    train[rng.random(train.shape) < unknown] = UNKNOWN
    scores = score_codes(predicted, labels, train)
    assert list(scores) == list(ATTRIBUTE_NAMES)
    for i, name in enumerate(ATTRIBUTE_NAMES):
        n_known, *values = slow_score(predicted[:, i].tolist(), labels[:, i].tolist(), train[:, i].tolist())
        assert scores[name].n == n_known
        for found, expected in zip((scores[name].accuracy, scores[name].macro_f1, scores[name].majority), values, strict=True):
            assert found == (None if expected is None else pytest.approx(expected))
        hits = sum(p == t for p, t in zip(predicted[:, i], labels[:, i], strict=True) if t != UNKNOWN)
        assert scores[name].n_images == n
        assert scores[name].official == (pytest.approx(100 * hits / n) if n_known else None)
        majority = values[2]
        assert scores[name].official_majority == (None if majority is None else pytest.approx(majority * n_known / n))


def test_a_head_without_labels_has_no_accuracy() -> None:
    labels = np.zeros((4, 12), np.int8)
    labels[:, 9] = UNKNOWN
    predicted = np.zeros((4, 12), np.int8)
    predicted[0, 0] = 1
    scores = score_codes(predicted, labels, labels)
    assert scores["age"] == AttributeScore(0, None, None, None, 4, None, None)
    assert (scores["gender"].accuracy, scores["gender"].majority) == (75.0, 100.0)
    assert scores["gender"].macro_f1 == pytest.approx(100 * (6 / 7 + 0) / 2)


def test_the_majority_is_that_of_training() -> None:
    labels = np.zeros((3, 12), np.int8)
    train = np.array([[1] * 12, [1] * 12, [0] * 12], np.int8)
    assert score_codes(labels, labels, train)["hat"].majority == 0.0


@pytest.mark.parametrize(("name", "code"), [("predicted", -1), ("predicted", 2), ("labels", -2), ("labels", 2), ("train_labels", 2)])
def test_codes_outside_their_classes_are_refused(name: str, code: int) -> None:
    arrays = {key: np.zeros((1, 12), np.int8) for key in ("predicted", "labels", "train_labels")}
    arrays[name][0, 0] = code
    with pytest.raises(ValueError, match=f"^{name}: a code lies outside its attribute's classes$"):
        score_codes(**arrays)


def test_codes_of_a_table() -> None:
    columns = {name: pa.array([i % 2, None], pa.int8()) for i, name in enumerate(ATTRIBUTE_NAMES)}
    codes = attribute_codes(pa.table({"image_id": ["a", "b"], **columns}))
    assert codes.dtype == np.int8
    assert codes.tolist() == [[i % 2 for i in range(12)], [UNKNOWN] * 12]


def test_torch_is_not_imported(project: Path) -> None:
    code = "import sys, qafm.evaluation.attribute_accuracy, qafm.datasets.parse_dataset; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project).stdout.strip() == "False"
