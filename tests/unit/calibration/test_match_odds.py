"""From a distance to a probability: Bayes by hand, false matches by counting, one line for bad input."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.calibration.calibrate_match import false_match_table
from qafm.calibration.match_odds import Calibration, MatchOdds, read_calibration
from qafm.calibration.pairs import EDGES
from qafm.errors import InputError

NEAR, FAR = math.log(4), -math.log(9)
CALIBRATION = Calibration(
    knots=np.array([0.5, 1.0, 1.5]),
    llr=np.array([NEAR, 0.0, FAR]),
    table_distance=np.array([0.3, 0.4, 0.9, 1.8]),
    table_pairs=np.array([0, 2, 10, 40]),
    identity_pairs=25,
    prior=0.5,
    set="made up",
)
CONTENT = {
    "format": 1,
    "set": "made up",
    "reason": None,
    "prior": 0.25,
    "identities": 8,
    "images": 20,
    "cameras": 2,
    "genuine_pairs": 9,
    "impostor_pairs": 40,
    "identity_pairs": 25,
    "model": {"distance": [0.5, 1.0, 1.5], "llr": [NEAR, 0.0, FAR]},
    "false_matches": {"distance": [0.3, 0.4, 0.9, 1.8], "pairs": [0, 2, 10, 40]},
    "measures": {
        "cllr": {"value": 0.5, "low": 0.4, "high": 0.6},
        "cllr_min": 0.4,
        "ece": 0.1,
        "ece_by_chance": 0.1,
        "eer": {"value": 0.1, "low": 0, "high": 0.2},
    },
}


@pytest.mark.parametrize(
    ("distance", "prior", "probability"),
    [
        (0.5, None, 4 / 5),  # odds 4 : 1
        (0.5, 0.2, 1 / 2),  # 4 x 1 : 4
        (1.0, None, 1 / 2),
        (1.0, 0.01, 0.01),  # evidence that says nothing leaves the prior
        (1.5, None, 1 / 10),
        (0.75, None, 2 / 3),  # half way in the logarithm: odds 2 : 1
        (0.0, None, 4 / 5),  # no more than at the first knot
        (2.0, None, 1 / 10),
    ],
)
def test_bayes_by_hand(distance: float, prior: float | None, probability: float) -> None:
    found = CALIBRATION.at(distance, prior)
    assert found.probability == pytest.approx(probability, rel=1e-12)
    assert found.prior == (0.5 if prior is None else prior)


@pytest.mark.parametrize(
    ("distance", "rate"),
    [(0.0, 1 / 25), (0.3, 1 / 25), (0.35, 2 / 40), (0.4, 2 / 40), (0.41, 10 / 40), (0.9, 10 / 40), (0.91, 1.0), (1.8, 1.0), (2.0, 1.0)],
)
def test_false_match_rate_by_hand(distance: float, rate: float) -> None:
    assert CALIBRATION.at(distance).false_match_rate == pytest.approx(rate)


def test_false_match_rate_is_the_count_of_nearer_pairs_rounded_up_to_the_next_step() -> None:
    rng = np.random.default_rng(0)
    distances = rng.beta(6, 3, 5000) * 2
    counts = np.bincount(np.ceil(distances / 0.001).astype(int), minlength=len(EDGES))
    table = false_match_table(counts)
    calibration = Calibration(np.array([1.0]), np.array([0.0]), np.array(table.distance), np.array(table.pairs), 10**9, 0.5, "")
    asked = np.concatenate([rng.uniform(0, 2, 300), EDGES[[0, 1, 700, 2000]]])
    for distance, rate in zip(asked, calibration.false_match_rate(asked), strict=True):
        assert np.mean(distances <= distance) - 1e-9 <= rate <= max(np.mean(distances <= distance + 0.001), 1e-9) + 1e-9


@given(st.lists(st.floats(0, 2), min_size=2, max_size=20), st.floats(0.001, 0.999))
def test_farther_is_never_likelier_nor_safer(distances: list[float], prior: float) -> None:
    ordered = np.sort(distances)
    assert (np.diff(CALIBRATION.probability(ordered, prior)) <= 1e-15).all()
    assert (np.diff(CALIBRATION.false_match_rate(ordered)) >= 0).all()
    assert CALIBRATION.at(float(ordered[0]), prior) == MatchOdds(CALIBRATION.probability(ordered, prior)[0], CALIBRATION.false_match_rate(ordered)[0], prior)


@pytest.mark.parametrize("distance", [-0.1, 2.1, float("nan"), float("inf")])
def test_a_distance_that_is_none(distance: float) -> None:
    with pytest.raises(InputError, match=rf"distance: {distance} is not in 0\.\.2, as of unit descriptors"):
        CALIBRATION.at(distance)


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.5, float("nan")])
def test_a_prior_that_is_none(prior: float) -> None:
    with pytest.raises(InputError, match=rf"prior: {prior} does not lie between 0 and 1"):
        CALIBRATION.at(1.0, prior)


def test_read_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(CONTENT))
    found = read_calibration(path)
    assert found is not None
    assert found.at(0.5) == pytest.approx((4 / 7, 10 / 40, 0.25))  # 4 x 1 : 3
    assert found.set == "made up" and found.identity_pairs == 25
    path.write_text(json.dumps(CONTENT | {"model": None, "false_matches": None, "measures": None, "reason": "no cameras"}))
    assert read_calibration(path) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "is no calibration (format: Input should be 1)"),
        ({"model": {"distance": [0.5, 1.0], "llr": [0.0, 1.0]}}, "is no calibration (the log likelihood ratio does not fall with the distance)"),
        ({"model": {"distance": [0.5, 1.0], "llr": [0.0]}}, "is no calibration (columns differ in length)"),
        ({"false_matches": {"distance": [0.5, 1.0], "pairs": [3, 2]}}, "is no calibration (the false matches do not rise with the distance)"),
        ({"reason": "none"}, "is no calibration (either a model or the reason why there is none)"),
        ({"measures": None}, "is no calibration (a model without false matches or measures)"),
        ({"prior": 1.0}, "is no calibration (prior: Input should be less than 1)"),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(CONTENT | change))
    with pytest.raises(InputError) as told:
        read_calibration(path)
    assert str(told.value) == f"{path}: {message}"


def test_a_missing_file_and_one_that_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: cannot be read"):
        read_calibration(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("not JSON")
    with pytest.raises(InputError, match=r"text\.json: is no calibration \(Invalid JSON"):
        read_calibration(tmp_path / "text.json")
