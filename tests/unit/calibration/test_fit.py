"""The fit finds the log likelihood ratio where it is known, falls always, and says no more than the data bear out."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from qafm.calibration.fit import SEGMENTS, fit_polyline, hats, place_knots
from qafm.calibration.pairs import EDGES
from qafm.calibration.reliability import CENTRES
from qafm.tables.calibration import Polyline

LIMITS = (-8.0, 12.0)


def expected_counts(mean: float, sd: float, pairs: float) -> np.ndarray:
    """Pairs in each bin of a normal distribution of distances."""
    return pairs * np.diff(norm.cdf(EDGES, mean, sd), prepend=0)


def drawn_counts(mean: float, sd: float, pairs: int, seed: int) -> np.ndarray:
    distances = np.clip(np.random.default_rng(seed).normal(mean, sd, pairs), 0.0005, 2)
    return np.bincount(np.ceil(distances / 0.001).astype(int), minlength=len(EDGES))


def at(line: Polyline, distances: np.ndarray) -> np.ndarray:
    return np.interp(distances, line.distance, line.llr)


def log_loss(llr: np.ndarray, genuine: np.ndarray, impostor: np.ndarray) -> float:
    return float(genuine @ np.logaddexp(0, -llr) / genuine.sum() + impostor @ np.logaddexp(0, llr) / impostor.sum())


@pytest.mark.parametrize(("sd_genuine", "sd_impostor"), [(0.15, 0.15), (0.2, 0.12)])
def test_gaussian_distances_whose_ratio_is_known(sd_genuine: float, sd_impostor: float) -> None:
    line = fit_polyline(CENTRES, expected_counts(0.8, sd_genuine, 1e4), expected_counts(1.2, sd_impostor, 1e7), LIMITS)
    asked = np.linspace(0.75, 1.15, 50)
    true = norm.logpdf(asked, 0.8, sd_genuine) - norm.logpdf(asked, 1.2, sd_impostor)
    assert np.abs(at(line, asked) - true).max() < 0.55
    assert np.abs(at(line, asked) - true).mean() < 0.12


def test_a_sample_finds_the_ratio_about_as_well() -> None:
    line = fit_polyline(CENTRES, drawn_counts(0.8, 0.15, 3000, 1), drawn_counts(1.2, 0.15, 300_000, 2), LIMITS)
    asked = np.linspace(0.8, 1.2, 30)
    true = norm.logpdf(asked, 0.8, 0.15) - norm.logpdf(asked, 1.2, 0.15)
    assert np.abs(at(line, asked) - true).max() < 0.3


def test_it_bends_where_a_straight_line_is_wrong() -> None:
    genuine, impostor = expected_counts(0.7, 0.3, 1e4), expected_counts(1.3, 0.1, 1e6)
    bent = log_loss(at(fit_polyline(CENTRES, genuine, impostor, LIMITS), CENTRES), genuine, impostor)
    straight = min(log_loss(a * (c - CENTRES), genuine, impostor) for a in np.linspace(1, 60, 60) for c in np.linspace(0.8, 1.3, 51))
    assert bent < straight - 0.005


def test_the_number_of_pairs_of_a_kind_does_not_matter() -> None:
    genuine, impostor = expected_counts(0.8, 0.2, 1e5), expected_counts(1.2, 0.2, 1e5)
    few = fit_polyline(CENTRES, genuine, impostor, LIMITS)
    many = fit_polyline(CENTRES, genuine, 1e-3 * impostor, LIMITS)
    asked = np.linspace(0.7, 1.3, 20)
    assert np.abs(at(few, asked) - at(many, asked)).max() < 0.15


def test_no_more_evidence_than_the_limits() -> None:
    genuine, impostor = drawn_counts(0.3, 0.02, 200, 1), drawn_counts(1.4, 0.02, 2000, 2)
    line = fit_polyline(CENTRES, genuine, impostor, (-math.log(20), math.log(190)))
    assert at(line, np.array([0.0, 0.3])) == pytest.approx(math.log(190), abs=0.3)
    assert at(line, np.array([1.4, 2.0])) == pytest.approx(-math.log(20), abs=0.3)
    assert 0.3 < np.interp(0, -np.array(line.llr), line.distance) < 1.4


def test_distances_that_know_nothing_give_no_evidence() -> None:
    line = fit_polyline(CENTRES, expected_counts(1.0, 0.2, 1e4), expected_counts(1.0, 0.2, 1e6), LIMITS)
    assert np.abs(line.llr).max() < 0.01


def test_distances_the_wrong_way_round_give_none_either() -> None:
    line = fit_polyline(CENTRES, expected_counts(1.3, 0.1, 1e4), expected_counts(0.7, 0.1, 1e6), LIMITS)
    assert np.abs(line.llr).max() < 0.01


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 30), st.integers(0, 3000)), min_size=2, max_size=30))
@example([(26, 0, 55), (1, 0, 11)])  # a quasi-Newton search stops here above the loss of no evidence at all
def test_it_always_falls_within_the_limits(cells: list[tuple[int, int, int]]) -> None:
    genuine, impostor = np.zeros((2, len(EDGES)))
    for place, own, other in cells:
        genuine[place] += own
        impostor[place] += other
    genuine[cells[0][0]] += 1
    impostor[cells[1][0]] += 1
    line = fit_polyline(CENTRES, genuine, impostor, (-2.0, 3.0))
    assert (np.diff(line.llr) <= 0).all() and (np.diff(line.distance) > 0).all()
    assert min(line.llr) >= -2 and max(line.llr) <= 3
    uninformed = log_loss(np.zeros(len(EDGES)), genuine, impostor)
    assert log_loss(at(line, CENTRES), genuine, impostor) <= uninformed + 1e-3


def test_knots_lie_where_both_kinds_are() -> None:
    genuine, impostor = drawn_counts(0.8, 0.1, 1000, 1), drawn_counts(1.2, 0.1, 10_000, 2)
    first, *knots, last = place_knots(CENTRES, genuine, impostor)
    assert genuine[first >= CENTRES].sum() == pytest.approx(10, abs=3)
    assert impostor[last <= CENTRES].sum() == pytest.approx(10, abs=3)
    assert impostor[knots[0] >= CENTRES].sum() == pytest.approx(10, abs=3)
    assert genuine[knots[-1] <= CENTRES].sum() == pytest.approx(10, abs=3)
    between = [(a < CENTRES) & (b >= CENTRES) for a, b in pairwise(knots)]
    mass = [genuine[inside].sum() / 1000 + impostor[inside].sum() / 10_000 for inside in between]
    assert len(mass) == SEGMENTS and max(mass) < 1.35 * min(mass)


def test_hats_make_the_line_of_its_values() -> None:
    knots, asked = np.array([0.2, 0.5, 1.4]), np.array([0.0, 0.2, 0.35, 0.5, 0.95, 1.4, 2.0])
    np.testing.assert_allclose(hats(asked, knots) @ [3.0, 1.0, -2.0], [3, 3, 2, 1, -0.5, -2, -2])
