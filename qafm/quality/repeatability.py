"""How well a value of single images repeats within a group of them: the intraclass correlation ICC(1), one-way random effects (Shrout and Fleiss, 1979).

Shapes: N images, K groups, I identities.
"""

import numpy as np
from numpy.typing import NDArray

CONSTANT = 1e-12  # variance, relative to the mean square, below which values are equal but for rounding


def intraclass_correlation(values: NDArray[np.float64], groups: NDArray[np.int64]) -> float | None:
    """Share of the variance of a single image's value that lies between groups: 1 = images of a group agree, 0 = they are as unlike as any others.

    (MSB - MSW) / (MSB + (m - 1) MSW) of the one-way analysis of variance, m = (N - sum of squared group sizes / N) / (K - 1) for groups of unequal size. A
    group of one image counts between groups. Slightly negative values are possible where groups do not matter.

    Args:
        values: [N].
        groups: a number per image [N].

    Returns:
        ICC(1) <= 1; None where there are fewer than two groups, none has two images, or all values are equal.
    """
    found = _from_sums(_sums(values, groups, groups).sum(axis=0))
    return float(found) if np.isfinite(found) else None


def intraclass_interval(
    values: NDArray[np.float64], groups: NDArray[np.int64], pid: NDArray[np.int64], *, samples: int, seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile interval of `intraclass_correlation`, identities drawn with replacement, each with all its groups.

    An identity drawn twice counts as two. With few identities the draws lie low: those drawn twice are no further persons.

    Args:
        values: [N].
        groups: a number per image [N]; a group is of one identity.
        pid: identity of each image [N].
        samples: number of draws; one without an ICC is left out.
        seed: seed of the draws.
        level: coverage, in (0, 1).

    Returns:
        The lower and the upper end; None where no draw has an ICC.
    """
    sums = _sums(values, groups, pid)  # [I, 6]
    n = len(sums)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=samples) if n else np.empty((samples, 0))  # [samples, I]
    found = _from_sums(drawn @ sums)
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _sums(values: NDArray[np.float64], groups: NDArray[np.int64], owners: NDArray[np.int64]) -> NDArray[np.float64]:
    """Per owner of groups: groups, images, squared group sizes, sum, sum of squares, and sum of (group sum)^2 / group size; float64 [owners, 6]."""
    centred = values - values.mean() if len(values) else values  # else the squares cancel
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    size, total, square = np.bincount(group), np.bincount(group, centred), np.bincount(group, centred**2)  # [K]
    per_group = np.column_stack([np.ones(len(size)), size, size**2, total, square, total**2 / size])  # [K, 6]
    _, owner = np.unique(owners[first], return_inverse=True)
    return np.column_stack([np.bincount(owner, column).astype(np.float64) for column in per_group.T])


def _from_sums(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """ICC(1) from the six sums [..., 6] over all owners; NaN where there is none."""
    n_groups, n, squared_sizes, total, square, between_sums = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        defined = (n_groups > 1) & (n > n_groups) & (square - total**2 / n > CONSTANT * square)
        within = np.maximum(square - between_sums, 0) / (n - n_groups)
        between = np.maximum(between_sums - total**2 / n, 0) / (n_groups - 1)
        size = (n - squared_sizes / n) / (n_groups - 1)
        return np.where(defined, (between - within) / (between + (size - 1) * within), np.nan)
