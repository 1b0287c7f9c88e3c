"""ICC(1) against the analysis of variance written out, and its interval against drawing identities one by one."""

import numpy as np
import pytest

from qafm.quality.repeatability import intraclass_correlation, intraclass_interval


def slow_icc(groups: list[list[float]]) -> float:
    everything = [value for group in groups for value in group]
    n, k, mean = len(everything), len(groups), sum(everything) / len(everything)
    between = sum(len(group) * (sum(group) / len(group) - mean) ** 2 for group in groups) / (k - 1)
    within = sum((value - sum(group) / len(group)) ** 2 for group in groups for value in group) / (n - k)
    size = (n - sum(len(group) ** 2 for group in groups) / n) / (k - 1)
    return (between - within) / (between + (size - 1) * within)


def made_up(seed: int, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """values, groups and identities of 8 identities with 1 to 4 groups of 1 to 5 images, numbers in no order."""
    rng = np.random.default_rng(seed)
    rows = []
    for pid in range(8):
        for part in range(int(rng.integers(1, 5))):
            centre = effect * rng.normal()
            rows += [(11 + centre + rng.normal(), 100 - 10 * pid - part, 7 * pid % 8) for _ in range(int(rng.integers(1, 6)))]
    values, groups, pid = map(np.array, zip(*[rows[i] for i in rng.permutation(len(rows))], strict=True))
    return values, groups, pid


def lists(values: np.ndarray, groups: np.ndarray) -> list[list[float]]:
    return [values[groups == group].tolist() for group in np.unique(groups)]


def test_counted_by_hand() -> None:
    assert intraclass_correlation(np.array([1.0, 2.0, 3.0, 4.0]), np.array([5, 5, 2, 2])) == pytest.approx((4 - 0.5) / (4 + 0.5))
    assert intraclass_correlation(np.array([1.0, 1.0, 3.0, 3.0]), np.array([1, 1, 2, 2])) == pytest.approx(1)
    assert intraclass_correlation(np.array([1.0, 3.0, 3.0, 1.0]), np.array([1, 1, 2, 2])) == pytest.approx(-1)


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_unequal_size(seed: int) -> None:
    values, groups, _ = made_up(seed)
    assert intraclass_correlation(values, groups) == pytest.approx(slow_icc(lists(values, groups)))
    assert intraclass_correlation(1e6 + values, groups) == pytest.approx(slow_icc(lists(values, groups)), abs=1e-6)  # no cancellation


def test_it_finds_the_share_it_was_made_with() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(2000), 4)
    values = 2 * rng.normal(size=2000)[groups] + rng.normal(size=8000)
    assert intraclass_correlation(values, groups) == pytest.approx(0.8, abs=0.02)
    assert intraclass_correlation(rng.normal(size=8000), groups) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize(
    ("values", "groups"),
    [([], []), ([1.0], [1]), ([1.0, 2.0], [1, 1]), ([1.0, 2.0, 4.0], [1, 2, 3]), ([0.1] * 6, [1, 1, 1, 2, 2, 2])],
    ids=["nothing", "one image", "one group", "groups of one", "equal values"],
)
def test_none_where_there_is_nothing_to_tell(values: list[float], groups: list[int]) -> None:
    assert intraclass_correlation(np.array(values), np.array(groups, np.int64)) is None
    assert intraclass_interval(np.array(values), np.array(groups, np.int64), np.array(groups, np.int64), samples=20, seed=1) is None


@pytest.mark.parametrize("of_identities", [False, True])
def test_interval_agrees_with_drawing_identities_one_by_one(of_identities: bool) -> None:
    values, groups, pid = made_up(3)
    groups = pid if of_identities else groups
    drawn = np.random.default_rng(4).multinomial(8, np.full(8, 1 / 8), size=300)
    found = []
    for counts in drawn:
        chosen = [group for p, count in enumerate(counts) for _ in range(count) for group in lists(values[pid == p], groups[pid == p])]
        if len(chosen) > 1 and any(len(group) > 1 for group in chosen):
            found.append(slow_icc(chosen))
    expected = np.quantile(found, [0.05, 0.95])
    assert intraclass_interval(values, groups, pid, samples=300, seed=4, level=0.9) == pytest.approx(expected)
    assert intraclass_interval(values, groups, pid, samples=300, seed=5, level=0.9) != pytest.approx(expected)
