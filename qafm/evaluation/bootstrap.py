"""How sure a mean AP is: the bootstrap over identities, since the queries of one identity succeed and fail together."""

import numpy as np
from scipy.stats import rankdata


def identity_interval(values: np.ndarray, pid: np.ndarray, *, samples: int, seed: int, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of the mean of `values`, identities drawn with replacement, each with all its queries.

    For a difference between two methods give the differences per query: the draws are then paired.

    Args:
        values: one per query, for example its AP, float64 [Q].
        pid: identity of each query, int [Q].
        samples: number of draws.
        seed: seed of the draws.
        level: coverage, in (0, 1).

    Returns:
        The lower and the upper end. With a single identity both are its mean: nothing can be said of others.
    """
    identities, owner = np.unique(pid, return_inverse=True)
    n = len(identities)
    totals, counts = np.bincount(owner, values, n), np.bincount(owner, minlength=n)  # [I]
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=samples)  # [samples, I]
    means = (drawn @ totals) / (drawn @ counts)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def spearman(x: np.ndarray, y: np.ndarray) -> float | None:
    """Spearman's rank correlation of x [N] and y [N], ties averaged; None where one of them is constant."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def spearman_interval(x: np.ndarray, y: np.ndarray, pid: np.ndarray, *, samples: int, seed: int, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of Spearman's correlation, identities drawn with replacement, each with all its queries.

    Args:
        x, y: one value per query, float64 [N]; neither constant.
        pid: identity of each query, int [N].
        samples: number of draws; one in which x or y is constant counts as 0.
        seed: seed of the draws.
        level: coverage, in (0, 1).

    Returns:
        The lower and the upper end.
    """
    _, owner = np.unique(pid, return_inverse=True)
    members = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[:-1])  # rows of each identity
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(samples):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        found.append(spearman(x[rows], y[rows]) or 0.0)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
