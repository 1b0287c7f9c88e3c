"""A weight that follows a guide: w = base + slope * place, where the place of a query tells how its value of the guide compares with all others.

Shapes: Q queries, W weights of the grid.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

STEEPEST = 0.5  # from the lowest to the highest value the weight then goes from base - 0.5 to base + 0.5


def places(values: np.ndarray) -> np.ndarray:
    """Where each value stands among all, from -1 (lowest) to 1 (highest), equal values at their mean place; 0 where a value is NaN, or alone. float64 [Q]."""
    found = np.zeros(len(values))
    known = np.isfinite(values)
    n = int(known.sum())
    if n > 1:
        found[known] = (rankdata(values[known]) - 1) / (n - 1) * 2 - 1
    return found


@dataclass(frozen=True)
class Rule:
    """How the weight follows the guide.

    Args:
        base: weight of the first descriptor at place 0, in [0, 1].
        slope: what the weight gains from place 0 to place 1; 0: one weight for all.
    """

    base: float
    slope: float

    def weights(self, place: np.ndarray) -> np.ndarray:
        """Weight of the first descriptor of each query, float64 [Q] in [0, 1]."""
        return np.clip(self.base + self.slope * place, 0.0, 1.0)


def nearest_on(grid: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Index of the weight of `grid` (ascending [W]) nearest to each of `weights` [Q]; of two equally near ones the lower."""
    return np.argmin(np.abs(grid[:, None] - weights), axis=0)


def ap_at(ap: np.ndarray, index: np.ndarray) -> np.ndarray:
    """AP of each query at its own weight [Q], from its AP at all of them [W, Q]."""
    return ap[index, np.arange(ap.shape[1])]


def fit_rule(place: np.ndarray, ap: np.ndarray, grid: np.ndarray) -> Rule:
    """The rule with the highest mAP; among equals the flattest one, then the one whose base is nearest to 0.5.

    Args:
        place: places of the queries by one guide, [Q], Q > 0.
        ap: their AP at each weight of the first descriptor, [W, Q].
        grid: the weights, ascending [W] from 0 to 1; tried as bases, each with as many slopes from -STEEPEST to STEEPEST, and with 0: one weight for all.
    """
    slopes = sorted({0.0, *np.linspace(-STEEPEST, STEEPEST, len(grid))}, key=lambda slope: (abs(slope), slope))  # an even number of slopes has no 0
    bases = sorted(grid, key=lambda base: (abs(base - 0.5), base))
    rules = [Rule(float(base), float(slope)) for slope in slopes for base in bases]
    scores = np.array([ap_at(ap, nearest_on(grid, rule.weights(place))).sum() for rule in rules])
    return rules[int(np.argmax(scores))]
