"""What a random ranking is expected to achieve.

N ranked images of one query, K right ones among them.
"""

import numpy as np

from qafm.config.choices import SameCamera
from qafm.evaluation.ranking import Labels, Matches


def expected_average_precision(ranked: int, right: int) -> float:
    """Expected AP of a random order of `ranked` images, `right` of which are right: (H_N + (K - 1) / (N - 1) (N - H_N)) / N."""
    harmonic = float(np.sum(1 / np.arange(1, ranked + 1)))
    others = (right - 1) / (ranked - 1) if ranked > 1 else 0.0
    return (harmonic + others * (ranked - harmonic)) / ranked


def chance_level(query: Labels, gallery: Labels, same_camera: SameCamera) -> tuple[float, float]:
    """Expected mAP and Rank-1 of a random ranking, in [0, 1], by the rules of `evaluate_retrieval`; queries without a match are left out."""
    matches = Matches(query, gallery, same_camera)
    expected = []
    for i in range(len(query)):
        right, removed = matches.of(i)
        ranked = len(gallery) - len(removed)
        if len(right):
            expected.append((expected_average_precision(ranked, len(right)), len(right) / ranked))
    precision, first = np.mean(expected, axis=0)
    return float(precision), float(first)
