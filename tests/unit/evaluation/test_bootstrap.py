"""The bootstrap over identities."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from qafm.evaluation.bootstrap import identity_interval, spearman, spearman_interval


def loop_interval(values: np.ndarray, pid: np.ndarray, samples: int, level: float) -> tuple[float, float]:
    rng = np.random.default_rng(123)
    identities = np.unique(pid)
    means = []
    for _ in range(samples):
        drawn = [value for one in rng.choice(identities, len(identities)) for value in values[pid == one]]
        means.append(np.mean(drawn))
    tail = 100 * (1 - level) / 2
    return float(np.percentile(means, tail)), float(np.percentile(means, 100 - tail))


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_agrees_with_drawing_identities_one_by_one(level: float):
    rng = np.random.default_rng(0)
    pid = np.repeat(np.arange(20), rng.integers(1, 6, 20))
    values = rng.uniform(size=20)[pid] + 0.1 * rng.normal(size=len(pid))
    found = identity_interval(values, pid, samples=4000, seed=1, level=level)
    assert found == pytest.approx(loop_interval(values, pid, 4000, level), abs=0.02)
    assert found[0] < values.mean() < found[1]


def test_is_wider_than_drawing_queries():
    pid = np.repeat(np.arange(10), 8)
    values = (np.arange(10) % 2)[pid].astype(float)  # all queries of one identity succeed or fail together
    clustered = identity_interval(values, pid, samples=2000, seed=0)
    single = identity_interval(values, np.arange(80), samples=2000, seed=0)
    assert clustered[1] - clustered[0] > 1.8 * (single[1] - single[0])


def test_seed_and_samples_count():
    rng = np.random.default_rng(0)
    values, pid = rng.uniform(size=50), np.arange(50)
    base = identity_interval(values, pid, samples=50, seed=0)
    assert base == identity_interval(values, pid, samples=50, seed=0)
    assert base != identity_interval(values, pid, samples=50, seed=1)
    assert base != identity_interval(values, pid, samples=51, seed=0)


def test_one_identity():
    assert identity_interval(np.array([0.2, 0.4]), np.array([5, 5]), samples=10, seed=0) == pytest.approx((0.3, 0.3))


def test_spearman_is_scipys_and_none_for_a_constant():
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 6, 30).astype(float), rng.integers(0, 6, 30).astype(float)  # many ties
    assert spearman(x, y) == pytest.approx(spearmanr(x, y)[0])
    assert spearman(x, np.ones(30)) is None


def test_spearman_interval_agrees_with_drawing_identities_one_by_one():
    rng = np.random.default_rng(5)
    pid = np.repeat(np.arange(25), rng.integers(1, 5, 25))
    x = rng.normal(size=25)[pid] + 0.2 * rng.normal(size=len(pid))
    y = 0.5 * x + rng.normal(size=len(pid))
    found = []
    for _ in range(2000):
        rows = [row for one in rng.choice(25, 25) for row in np.flatnonzero(pid == one)]
        found.append(spearmanr(x[rows], y[rows])[0])
    assert spearman_interval(x, y, pid, samples=2000, seed=1, level=0.9) == pytest.approx(np.percentile(found, [5, 95]), abs=0.04)
