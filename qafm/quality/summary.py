"""Statistics of Q per set of images, side by side."""

# N images, I identities

from typing import Any

import numpy as np
from numpy.typing import NDArray

SETS = ("fit", "holdout", "query", "gallery", "distractor")


def image_set(split: str, fold: str | None, distractor: bool) -> str:
    """The set of `SETS` that an image is counted in; `gallery` is without distractors."""
    if distractor:
        return "distractor"
    if split == "train":
        return "holdout" if fold == "holdout" else "fit"
    return split


def identity_spread(q: NDArray[np.float64], pids: NDArray[np.int64]) -> tuple[float, float]:
    """Standard deviation of Q within and between identities: within^2 + between^2 is the population variance.

    Args:
        q: [N].
        pids: [N].

    Returns:
        Within: root of the mean squared deviation from the mean of the own identity. Between: population sd of
        these means, each counted once per image.
    """
    _, identity = np.unique(pids, return_inverse=True)  # [N] -> 0..I-1
    means = np.bincount(identity, weights=q) / np.bincount(identity)  # [I]
    return float(np.sqrt(np.mean((q - means[identity]) ** 2))), float(means[identity].std())


def set_statistics(q: NDArray[np.float64], pids: NDArray[np.int64], *, identified: bool = True) -> dict[str, Any]:
    """Statistics of Q of one set.

    Args:
        q: [N].
        pids: [N].
        identified: whether `pids` are identities; distractors share one pid and are many persons.

    Returns:
        images, identities, mean, sd (population), median, min, max, sd_within_identity, sd_between_identities;
        null where there is nothing to compute.
    """
    names = ("mean", "sd", "median", "min", "max")
    values = (q.mean(), q.std(), np.median(q), q.min(), q.max()) if len(q) else (None,) * len(names)
    statistics: dict[str, Any] = {name: None if value is None else float(value) for name, value in zip(names, values, strict=True)}
    within, between = identity_spread(q, pids) if identified and len(q) else (None, None)
    identities = len(np.unique(pids)) if identified else None
    return {"images": len(q), "identities": identities, **statistics, "sd_within_identity": within, "sd_between_identities": between}
