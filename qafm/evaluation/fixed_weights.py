"""One visual weight for every image: a sweep over many, the best one for all, and the best one per query.

Shapes: Q queries, G gallery images, W weights of the grid.
"""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from qafm.config.choices import SameCamera
from qafm.evaluation.fuse import Parts
from qafm.evaluation.ranking import Labels, Retrieval, dot_similarity, evaluate_retrieval


def sweep(query: Parts, gallery: Parts, query_labels: Labels, gallery_labels: Labels, grid: np.ndarray, same_camera: SameCamera) -> list[Retrieval]:
    """The retrieval with every image fused at one weight, for each visual weight of `grid` [W]."""
    return [
        evaluate_retrieval(query_labels, gallery_labels, dot_similarity(query.at(w), gallery.at(w)), same_camera=same_camera)
        for w in tqdm(grid, desc="fixed weights", leave=False, disable=None)
    ]


def best_weight(grid: np.ndarray, found: Sequence[Retrieval]) -> float:
    """The weight of `grid` [W] with the highest mAP; among equals the one nearest to 0.5."""
    return best_scoring(grid, np.array([retrieval.summary()["mAP"] for retrieval in found]))


def best_scoring(grid: np.ndarray, scores: np.ndarray) -> float:
    """The weight of `grid` [W] with the highest of `scores` [W]; among equals the one nearest to 0.5."""
    ties = grid[scores == scores.max()]
    return float(ties[np.argmin(np.abs(ties - 0.5))])


def best_per_query(grid: np.ndarray, found: Sequence[Retrieval], own_weight: np.ndarray) -> tuple[Retrieval, np.ndarray]:
    """Each query at the weight of `grid` [W] where its own AP is highest; among equals the one nearest to `own_weight` [Q].

    It looks at the labels of the very query it scores: a ceiling, no method.

    Returns:
        The retrieval so composed, and the chosen weights [Q] (a query without a valid match keeps its own weight).
    """
    ap = np.stack([np.nan_to_num(retrieval.ap) for retrieval in found])  # [W, Q]
    distance = np.where(ap == ap.max(axis=0), np.abs(grid[:, None] - own_weight), np.inf)  # [W, Q]
    choice = np.argmin(distance, axis=0)  # [Q]
    valid = found[0].valid

    def chosen(name: str) -> np.ndarray:
        return np.stack([getattr(retrieval, name) for retrieval in found])[choice, np.arange(len(choice))]

    best = Retrieval(found[0].query, valid, chosen("first_rank"), chosen("ap"), chosen("ap_trapezoid"), chosen("inp"))
    return best, np.where(valid, grid[choice], own_weight)
