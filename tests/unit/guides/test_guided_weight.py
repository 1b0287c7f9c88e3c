"""Places and rules, by hand and against loops."""

import numpy as np
import pytest

from qafm.guides.guided_weight import Rule, ap_at, fit_rule, nearest_on, places

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 1.0, 2.0], [1, -1, 0]),
        ([5.0, NAN, 1.0, 1.0], [1, 0, -0.5, -0.5]),
        ([2.0, 2.0], [0, 0]),
        ([7.0, NAN], [0, 0]),
        ([], []),
    ],
)
def test_places_by_hand(values: list[float], expected: list[float]) -> None:
    assert places(np.array(values)) == pytest.approx(expected)


def test_the_weight_follows_the_place_and_stays_between_0_and_1() -> None:
    assert Rule(0.5, 0.25).weights(np.array([-1.0, 0.0, 1.0])) == pytest.approx([0.25, 0.5, 0.75])
    assert Rule(0.9, -0.5).weights(np.array([-1.0, 1.0])) == pytest.approx([1.0, 0.4])
    grid = np.linspace(0, 1, 5)
    assert nearest_on(grid, np.array([0.0, 0.13, 0.375, 1.0])).tolist() == [0, 1, 1, 4]


def test_the_rule_is_the_best_of_all_against_a_loop() -> None:
    rng = np.random.default_rng(2)
    grid, place = np.linspace(0, 1, 5), rng.uniform(-1, 1, 40)
    ap = rng.random((5, 40))
    best = 0.0
    for base in grid:
        for slope in (-0.5, -0.25, 0.0, 0.25, 0.5):
            of_queries = [ap[min(range(5), key=lambda k: (abs(grid[k] - min(max(base + slope * p, 0), 1)), k)), i] for i, p in enumerate(place)]
            best = max(best, float(np.mean(of_queries)))
    rule = fit_rule(place, ap, grid)
    assert ap_at(ap, nearest_on(grid, rule.weights(place))).mean() == pytest.approx(best)


def test_among_equal_rules_the_flattest_nearest_to_a_half() -> None:
    assert fit_rule(np.array([-1.0, 0.3, 1.0]), np.full((5, 3), 0.4), np.linspace(0, 1, 5)) == Rule(0.5, 0.0)
    ap = np.zeros((5, 2))
    ap[1, 0] = ap[3, 1] = 1.0  # weights 0.25 and 0.75 for places -1 and 1: base 0.5 and slope 0.25, nothing flatter
    assert fit_rule(np.array([-1.0, 1.0]), ap, np.linspace(0, 1, 5)) == Rule(0.5, 0.25)


@pytest.mark.parametrize("count", [2, 3, 20, 21])
def test_no_rule_is_worse_than_one_weight_for_all_whatever_the_grid(count: int) -> None:
    grid, place = np.linspace(0, 1, count), np.array([-1.0, 0.0, 1.0])
    ap = np.zeros((count, 3))
    ap[-1] = 1.0  # everybody is best found by the first descriptor alone
    assert fit_rule(place, ap, grid) == Rule(1.0, 0.0)
