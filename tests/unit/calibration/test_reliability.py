"""The measures against loops over pairs and draws, and against cases known by hand."""

import math

import numpy as np
import pytest

from qafm.calibration.pairs import EDGES, People, count_pairs, deal_folds, group_people, pairs_of
from qafm.calibration.reliability import (
    CENTRES,
    Sums,
    cross_fitted,
    draw_identities,
    equal_error,
    least_cllr,
    make_columns,
    measure,
    measured,
    operating_points,
    pick_thresholds,
    reliability,
    sum_pairs,
)
from qafm.tables.calibration import Polyline

LINES = [Polyline(distance=(0.4, 1.6), llr=(3.0, -3.0)), Polyline(distance=(0.4, 1.6), llr=(2.0, -4.0)), Polyline(distance=(0.4, 1.6), llr=(1.0, -1.0))]
PRIOR, BINS = 0.3, 4
THRESHOLDS = EDGES[[600, 1000, 1400]]


@pytest.fixture(scope="module")
def people() -> People:
    rng = np.random.default_rng(0)
    pid, camid = np.repeat(np.arange(9), 6), np.tile([1, 2, 3], 18)
    vectors = rng.normal(size=(9, 5))[pid] + 0.8 * rng.normal(size=(54, 5))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return group_people(vectors, pid, camid, np.arange(54).astype(str))


@pytest.fixture(scope="module")
def fold(people: People) -> np.ndarray:
    return deal_folds(people, 3, 1)


def every_pair(people: People, drawn: np.ndarray) -> list[tuple[int, int, int]]:
    """(identity, identity, distance bin) of the pairs of a draw, identity i written down drawn[i] times; copies of one person make no pair of two."""
    found = []
    for i in range(len(people)):
        for j, b in zip(*pairs_of(people, i), strict=True):
            times = drawn[i] if i == j else drawn[i] * drawn[j]
            found += [(i, int(j), int(b))] * int(times)
    return found


def slow_measures(people: People, fold: np.ndarray, drawn: np.ndarray) -> dict[str, object]:
    """Cllr, share of one person and mean prediction per probability bin, both errors: pair by pair."""
    costs: tuple[list[float], list[float]] = ([], [])
    held = [[[], []] for _ in range(BINS)]
    distances: tuple[list[float], list[float]] = ([], [])
    for i, j, b in every_pair(people, drawn):
        two = int(i != j)
        distances[two].append(EDGES[b])
        if fold[i] == fold[j]:
            line = LINES[fold[i]]
            llr = float(np.interp(CENTRES[b], line.distance, line.llr))
            costs[two].append(math.log2(1 + math.exp(llr if two else -llr)))
            p = 1 / (1 + math.exp(-llr - math.log(PRIOR / (1 - PRIOR))))
            held[min(math.ceil(p * BINS), BINS) - 1][two].append(p)
    share = (PRIOR / len(costs[0]), (1 - PRIOR) / len(costs[1]))
    mass = [sum(share[two] * len(held[r][two]) for two in (0, 1)) for r in range(BINS)]
    return {
        "cllr": (np.mean(costs[0]) + np.mean(costs[1])) / 2,
        "mass": mass,
        "observed": [share[0] * len(held[r][0]) / mass[r] if mass[r] else None for r in range(BINS)],
        "predicted": [sum(share[two] * sum(held[r][two]) for two in (0, 1)) / mass[r] if mass[r] else None for r in range(BINS)],
        "counts": [(len(held[r][0]), len(held[r][1])) for r in range(BINS)],
        "fmr": [np.mean(np.array(distances[1]) <= t + 1e-9) for t in THRESHOLDS],
        "fnmr": [np.mean(np.array(distances[0]) > t + 1e-9) for t in THRESHOLDS],
    }


def sums_of(people: People, fold: np.ndarray, draws: np.ndarray) -> Sums:
    return sum_pairs(people, fold, make_columns(cross_fitted(LINES), PRIOR, BINS, THRESHOLDS), draws)


@pytest.mark.parametrize("drawn", [np.ones(9), np.array([0, 2, 1, 1, 0, 3, 1, 1, 0])])
def test_measures_as_loops_over_the_pairs_of_a_draw(people: People, fold: np.ndarray, drawn: np.ndarray) -> None:
    expected = slow_measures(people, fold, drawn)
    sums = sums_of(people, fold, np.stack([drawn, drawn]))
    found = reliability(sums, PRIOR)
    shown = [r for r in range(BINS) if expected["mass"][r]]
    assert [(part.genuine, part.impostor) for part in found.bins] == [expected["counts"][r] for r in shown]
    np.testing.assert_allclose([part.observed.value for part in found.bins], [expected["observed"][r] for r in shown], rtol=1e-5)
    np.testing.assert_allclose([part.predicted for part in found.bins], [expected["predicted"][r] for r in shown], rtol=1e-5)
    assert [(part.start, part.end) for part in found.bins] == [(r / BINS, (r + 1) / BINS) for r in shown]
    ece = sum(expected["mass"][r] * abs(expected["observed"][r] - expected["predicted"][r]) for r in shown)
    assert found.ece == pytest.approx(ece, rel=1e-5) and found.ece_by_chance == 0  # both draws are the same
    points = operating_points(sums, THRESHOLDS)
    np.testing.assert_allclose([point.false_match_rate.value for point in points], expected["fmr"], rtol=1e-5)
    np.testing.assert_allclose([point.false_non_match_rate.value for point in points], expected["fnmr"], rtol=1e-5, atol=1e-6)
    assert [point.distance for point in points] == pytest.approx(THRESHOLDS)


def test_cllr_and_equal_error_as_loops_find_them(people: People, fold: np.ndarray) -> None:
    counts = count_pairs(people, fold, 3)
    genuine, impostor = counts.all()
    thresholds = np.append(THRESHOLDS, EDGES[equal_error(genuine, impostor)])
    thresholds = np.unique(thresholds)
    draws = draw_identities(len(people), 30, 5)
    sums = sum_pairs(people, fold, make_columns(cross_fitted(LINES), PRIOR, BINS, thresholds), draws)
    found = measure(sums, reliability(sums, PRIOR), counts, thresholds)
    slow = [slow_measures(people, fold, drawn)["cllr"] for drawn in draws]
    assert found.cllr.value == pytest.approx(slow[0], rel=1e-5)
    assert (found.cllr.low, found.cllr.high) == pytest.approx(np.quantile(slow[1:], [0.025, 0.975]), rel=1e-5)
    assert found.cllr_min < found.cllr.value
    pairs = every_pair(people, draws[0])
    errors = []
    for edge in EDGES:
        false_match = np.mean([EDGES[b] <= edge for i, j, b in pairs if i != j])
        missed = np.mean([EDGES[b] > edge for i, j, b in pairs if i == j])
        errors.append((abs(false_match - missed), (false_match + missed) / 2))
    assert found.eer.value == pytest.approx(min(errors)[1], abs=0.002)
    assert found.eer.low < found.eer.value < found.eer.high


def test_draws_are_of_people_with_replacement() -> None:
    draws = draw_identities(20, 400, 3)
    assert draws.shape == (401, 20) and (draws[0] == 1).all() and (draws.sum(axis=1) == 20).all()
    assert draws[1:].mean(axis=0) == pytest.approx(1, abs=0.25) and draws[1:].var() == pytest.approx(0.95, abs=0.05)
    assert (draws == draw_identities(20, 400, 3)).all() and (draws != draw_identities(20, 400, 4)).any()


def test_a_perfect_calibration_has_an_ece_no_larger_than_chance(people: People, fold: np.ndarray) -> None:
    sums = sums_of(people, fold, draw_identities(len(people), 50, 1))
    found = reliability(sums, PRIOR)
    assert found.ece_by_chance > 0.01
    counts, true = sums.inside[:, :, 2 : 2 + BINS], sums.inside.copy()
    weights = np.array([PRIOR, 1 - PRIOR]) / counts[:, 0].sum(axis=1)
    share = weights[0] * counts[0, 0] / np.maximum(weights @ counts[:, 0], 1e-12)  # [R]: what was observed
    true[:, :, 2 + BINS :] = counts * share
    assert reliability(Sums(true, sums.everywhere), PRIOR).ece == pytest.approx(0, abs=1e-9)


def test_undefined_draws_are_left_out() -> None:
    found = measured(np.array([0.5, np.nan, 0.2, 0.4]))
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.205, 0.395))
    alone = measured(np.array([0.5, np.nan]))
    assert (alone.value, alone.low, alone.high) == (0.5, 0.5, 0.5)


def test_least_cllr_by_hand() -> None:
    genuine, impostor = np.array([3, 1, 0, 0]), np.array([0, 1, 1, 2])
    # Shares by bin, both kinds of one mass: 1, 1/2, 0, 0: only the second bin costs, one bit for a quarter of either kind.
    assert least_cllr(genuine, impostor) == pytest.approx(0.25)
    assert least_cllr(np.array([1, 0, 5]), np.array([0, 7, 0])) > least_cllr(np.array([6, 0, 0]), np.array([0, 7, 0])) == 0
    assert least_cllr(np.array([0, 4]), np.array([9, 0])) == pytest.approx(1)  # the wrong way round: nothing to be had


def test_thresholds_have_the_false_match_rates_asked_for() -> None:
    rng = np.random.default_rng(0)
    genuine, impostor = (np.bincount((rng.beta(a, b, n) * 2000).astype(int), minlength=len(EDGES)) for a, b, n in ((4, 8, 500), (9, 5, 100_000)))
    thresholds = pick_thresholds(genuine, impostor, 5000)
    rates = [impostor[t >= EDGES].sum() / impostor.sum() for t in thresholds]
    for wanted in (0.1, 0.01, 0.001, 0.9):
        assert max(rate for rate in rates if rate <= wanted) > 0.9 * wanted
    assert min(rates) > 0.8 / 5000 and (np.diff(thresholds) > 0).all()
    both = [abs(impostor[: b + 1].sum() / impostor.sum() - genuine[b + 1 :].sum() / genuine.sum()) for b in range(len(EDGES))]
    assert EDGES[np.argmin(both)] in thresholds
