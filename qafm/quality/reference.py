"""The reference distribution of Q, and Q relative to it."""

# N images

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUANTILES = 101


@dataclass(frozen=True)
class QualityReference:
    """The Q values that every Q is compared with.

    Attributes:
        values: float64 [N], ascending.
        mean: their mean.
        sd: their population standard deviation, > 0.
    """

    values: NDArray[np.float64]
    mean: float
    sd: float

    def z(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """(q - mean) / sd, what the MLP of the weight is fed with."""
        return (q - self.mean) / self.sd

    def rank(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of reference images with a lower q, 0..1."""
        return np.searchsorted(self.values, q, side="left") / len(self.values)

    def quantiles(self) -> NDArray[np.float64]:
        """The quantiles 0, 0.01, ..., 1 (linear interpolation), float64 [101]."""
        return np.quantile(self.values, np.linspace(0, 1, QUANTILES))


def quality_reference(q: NDArray[np.float64]) -> QualityReference:
    """The reference distribution of the values `q`.

    Args:
        q: float64 [N] of the reference images.

    Returns:
        Their distribution.

    Raises:
        ValueError: there are no values, or all are equal, so that they give no scale.
    """
    if len(q) == 0:
        raise ValueError("no images")
    if q.min() == q.max():
        raise ValueError(f"the Q of all {len(q)} images is {q[0]:.6g}, which gives no scale")
    return QualityReference(values=np.sort(q), mean=float(q.mean()), sd=float(q.std()))
