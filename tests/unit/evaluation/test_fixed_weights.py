"""Which weight is taken where several are equally good."""

import numpy as np
import pytest

from qafm.evaluation.fixed_weights import best_per_query, best_scoring
from qafm.evaluation.ranking import Labels, Retrieval

GRID = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.3], 0.75),
        ([0.4, 0.1, 0.1, 0.4, 0.1], 0.75),
        ([0.1, 0.4, 0.2, 0.1, 0.4], 0.25),
        ([0.4, 0.1, 0.1, 0.1, 0.4], 0.0),  # equally far: the lower one
        ([0.3] * 5, 0.5),
    ],
)
def test_among_equal_scores_the_weight_nearest_to_a_half(scores: list[float], expected: float) -> None:
    assert best_scoring(GRID, np.array(scores)) == expected


def test_among_equal_aps_the_weight_nearest_to_the_querys_own() -> None:
    # Queries a to d by weight; d has no valid match.
    ap = np.array([[0.9, 0.2, 0.5], [0.1, 0.2, 0.5], [0.9, 0.7, 0.5], [0.1, 0.2, 0.5], [0.9, 0.2, 0.5]])
    valid = np.array([True, True, True, False])
    padded = np.concatenate([ap, np.full((5, 1), np.nan)], axis=1)
    labels = Labels(np.arange(4, dtype=np.int32), np.ones(4, np.int16), np.array(["a", "b", "c", "d"]))
    found = [Retrieval(labels, valid, np.full(4, 10 * k), row, row / 2, row / 3) for k, row in enumerate(padded)]
    best, weights = best_per_query(GRID, found, np.array([0.9, 0.1, 0.3, 0.6]))
    assert weights.tolist() == [1.0, 0.5, 0.25, 0.6]
    assert best.ap[:3].tolist() == [0.9, 0.7, 0.5]
    assert best.first_rank[:3].tolist() == [40, 20, 10]  # all of a query's measures are those of its weight
    assert best.ap_trapezoid[:3].tolist() == pytest.approx([0.45, 0.35, 0.25])
    assert best.inp[:3].tolist() == pytest.approx([0.3, 0.7 / 3, 0.5 / 3])
