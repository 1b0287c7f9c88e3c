"""What a random ranking is expected to achieve.

N ranked images of one query, K right ones among them.
"""

import numpy as np

from qafm.evaluation.ranking import Labels


def expected_average_precision(ranked: int, right: int) -> float:
    """Expected AP of a random order of `ranked` images, `right` of which are right: (H_N + (K - 1) / (N - 1) (N - H_N)) / N."""
    harmonic = float(np.sum(1 / np.arange(1, ranked + 1)))
    others = (right - 1) / (ranked - 1) if ranked > 1 else 0.0
    return (harmonic + others * (ranked - harmonic)) / ranked


def chance_level(query: Labels, gallery: Labels) -> tuple[float, float]:
    """Expected mAP and Rank-1 of a random ranking, in [0, 1].

    Gallery images of the query's identity and camera are removed, queries without a match are left out.
    """
    expected = []
    for pid, camid in zip(query.pid, query.camid, strict=True):
        same = gallery.pid == pid
        right = int((same & (gallery.camid != camid)).sum())
        ranked = len(gallery) - int((same & (gallery.camid == camid)).sum())
        if right:
            expected.append((expected_average_precision(ranked, right), right / ranked))
    precision, first = np.mean(expected, axis=0)
    return float(precision), float(first)
