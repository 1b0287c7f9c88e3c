"""COL780's own metric, and what is left of it under stricter protocols.

The report looks at the ten nearest gallery images by cosine, whatever their camera, and leaves an image identical to the query in the gallery. The average
precision of a query is the mean of the precision at the right images among these ten, 0 without any: one right image at rank 1, and nine wrong ones, give 1.

Shapes: Q queries, G gallery images.
"""

from dataclasses import replace
from typing import TypeAlias

import numpy as np

from qafm.config.choices import SameCamera
from qafm.evaluation.first_ranks import FirstRanks
from qafm.evaluation.ranking import Labels, Matches, Similarity, evaluate_retrieval, precision_at

DEPTH = 10
RANKS = (1, 5)
# top10: the report's metric. full: the same gallery, AP over the whole list. no_copies: as full, images identical to the query removed.
# market: Market-1501's rule, images of the query's identity and camera removed as well.
PROTOCOLS = ("top10", "full", "no_copies", "market")
_CHUNK = 256
Metrics: TypeAlias = dict[str, float]


def measure_protocols(query: Labels, gallery: Labels, similarity: Similarity) -> dict[str, Metrics | None]:
    """Measure all protocols.

    Args:
        query: labels of the queries [Q].
        gallery: labels of the gallery [G], distractors included, without junk.
        similarity: gives the scores of a slice of queries, float32 [q, G], higher = closer.

    Returns:
        Protocol -> rank1, rank5 and mAP in percent, and n_queries, the queries that count: in `top10` all of them, one without a right image in the
        gallery as 0; elsewhere those that have one. None where no query counts, and for `market` where a camera is unknown.
    """
    plain = [replace(side, sha256=None) for side in (query, gallery)]  # without hashes no image is identical to a query
    return {
        "top10": _top10(first_hits(plain[0], plain[1], similarity)),
        "full": _whole_list(plain[0], plain[1], similarity, "keep"),
        "no_copies": _whole_list(query, gallery, similarity, "keep"),
        "market": _whole_list(query, gallery, similarity, "drop") if _cameras_known(query, gallery) else None,
    }


def first_hits(query: Labels, gallery: Labels, similarity: Similarity) -> list[np.ndarray]:
    """Which of the first ten ranks are right, per query, bool [at most 10]; equal scores keep the gallery's order."""
    first = FirstRanks(similarity, Matches(query, gallery, "keep"), DEPTH)
    for start in range(0, len(query), _CHUNK):
        first(slice(start, min(start + _CHUNK, len(query))))
    return [np.isin(places, relevant) for places, relevant in zip(first.places, first.relevant, strict=True)]


def top10_ap(hits: np.ndarray) -> float:
    """The report's average precision of one query from its first ranks, bool [at most 10]; in [0, 1]."""
    places = np.flatnonzero(hits)
    return precision_at(places)[0] if len(places) else 0.0


def _top10(hits: list[np.ndarray]) -> Metrics:
    ranks = {f"rank{rank}": 100 * float(np.mean([found[:rank].any() for found in hits])) for rank in RANKS}
    return {**ranks, "mAP": 100 * float(np.mean([top10_ap(found) for found in hits])), "n_queries": len(hits)}


def _whole_list(query: Labels, gallery: Labels, similarity: Similarity, same_camera: SameCamera) -> Metrics | None:
    matches = Matches(query, gallery, same_camera)
    if not any(len(matches.of(i)[0]) for i in range(len(query))):
        return None
    summary = evaluate_retrieval(query, gallery, similarity, same_camera=same_camera).summary(RANKS)
    return {name: summary[name] for name in (*(f"rank{rank}" for rank in RANKS), "mAP", "n_queries")}


def _cameras_known(query: Labels, gallery: Labels) -> bool:
    """Whether every query, and every gallery image of a query's identity, has a camera."""
    return bool((query.camid >= 0).all() and (gallery.camid[np.isin(gallery.pid, query.pid)] >= 0).all())
