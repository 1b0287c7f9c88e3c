"""Similarities where the visual weight belongs to the search, not to the image (N14 in docs/method.md): to the query, or to the pair.

Shapes: q queries of a slice, G gallery images, D descriptor length. A = visual part, B = attribute part, e(w) = w A + (1 - w) B. Without an activation
every product e_q(w) . e_g(w) and every norm is a polynomial in w, so a few matrix products serve a weight per query or per pair; with a ReLU the gallery is
fused again for every query, which is slow (G * D operations per query) and exact.
"""

import numpy as np
from tqdm import tqdm

from qafm.evaluation.fuse import Parts
from qafm.evaluation.ranking import Similarity

_TINY = np.float32(np.finfo(np.float32).tiny)
_BLOCK = 128  # gallery images fused at a time


def query_scope(query: Parts, gallery: Parts, query_weight: np.ndarray) -> Similarity:
    """Cosine of both sides fused at the query's weight.

    Args:
        query: parts of the queries [Q, D].
        gallery: parts of the gallery [G, D].
        query_weight: visual weight of the queries in [0, 1], [Q].

    Returns:
        A function of a slice of queries that gives float32 [q, G].
    """
    w = query_weight.astype(np.float32)
    if gallery.relu:
        return lambda queries: _fused_anew(query, gallery, queries, w[queries, None])
    norms = _Norms(gallery)

    def similarity(queries: slice) -> np.ndarray:
        weight = w[queries, None]  # [q, 1]
        own = query.take(np.arange(len(query))[queries]).at(w[queries])  # [q, D]
        product = (weight * own) @ gallery.visual.T  # [q, G]
        product += ((1 - weight) * own) @ gallery.attribute.T
        return product / norms.at(weight)

    return similarity


def pair_scope(query: Parts, gallery: Parts, query_weight: np.ndarray, gallery_weight: np.ndarray) -> Similarity:
    """Cosine of both sides fused at the pair's weight: the sigmoid of the mean of both logits.

    Args:
        query: parts of the queries [Q, D].
        gallery: parts of the gallery [G, D].
        query_weight: visual weight of the queries in [0, 1], [Q].
        gallery_weight: visual weight of the gallery in [0, 1], [G].

    Returns:
        A function of a slice of queries that gives float32 [q, G].
    """
    if gallery.relu:
        return lambda queries: _fused_anew(query, gallery, queries, pair_weight(query_weight[queries], gallery_weight))
    query_norms, gallery_norms = _Norms(query), _Norms(gallery)

    def similarity(queries: slice) -> np.ndarray:
        a, b = query.visual[queries], query.attribute[queries]  # [q, D]
        w = pair_weight(query_weight[queries], gallery_weight)  # [q, G]
        product = w**2 * (a @ gallery.visual.T) + (1 - w) ** 2 * (b @ gallery.attribute.T)  # [q, G]
        product += w * (1 - w) * (a @ gallery.attribute.T + b @ gallery.visual.T)
        return product / (query_norms.at(w, queries) * gallery_norms.at(w))

    return similarity


def pair_weight(query_weight: np.ndarray, gallery_weight: np.ndarray) -> np.ndarray:
    """The weight of every pair, float32 [q, G]: sigmoid((logit(w_q) + logit(w_g)) / 2) of weights [q] and [G] in [0, 1]."""
    # = sqrt(w_q w_g) / (sqrt(w_q w_g) + sqrt((1-w_q)(1-w_g))): no logit, so 0 and 1 are fine; a pair of 0 and 1 gets 1/2.
    for_visual = np.sqrt(query_weight)[:, None] * np.sqrt(gallery_weight)  # [q, G]
    for_attribute = np.sqrt(1 - query_weight)[:, None] * np.sqrt(1 - gallery_weight)
    total = for_visual + for_attribute
    return np.divide(for_visual, total, out=np.full_like(total, 0.5), where=total > 0).astype(np.float32)


def _fused_anew(query: Parts, gallery: Parts, queries: slice, weight: np.ndarray) -> np.ndarray:
    """Cosines [q, G] after a ReLU, both sides fused for every query at `weight` [q, 1] or [q, G]; blocks of the gallery stay in the cache."""
    visual, attribute = query.visual[queries], query.attribute[queries]  # [q, D]
    scores = np.empty((len(visual), len(gallery)), np.float32)
    for start in tqdm(range(0, len(gallery), _BLOCK), desc="fuse gallery", leave=False, disable=None):
        block = slice(start, start + _BLOCK)
        for k in range(len(visual)):
            w = weight[k, :, None] if weight.shape[1] == 1 else weight[k, block, None]  # [1, 1] or [b, 1]
            own = np.maximum(w * visual[k] + (1 - w) * attribute[k], 0)  # [1, D] or [b, D]
            other = np.maximum(w * gallery.visual[block] + (1 - w) * gallery.attribute[block], 0)  # [b, D]
            squared = np.einsum("bd,bd->b", own, own) * np.einsum("bd,bd->b", other, other)
            scores[k, block] = np.einsum("bd,bd->b", other, np.broadcast_to(own, other.shape)) / np.sqrt(np.maximum(squared, _TINY))
    return scores


class _Norms:
    """|w A + (1 - w) B| of every image at any weight, from |A|^2, A.B and |B|^2."""

    def __init__(self, parts: Parts) -> None:
        self.aa = np.einsum("nd,nd->n", parts.visual, parts.visual)
        self.ab = np.einsum("nd,nd->n", parts.visual, parts.attribute)
        self.bb = np.einsum("nd,nd->n", parts.attribute, parts.attribute)

    def at(self, w: np.ndarray, rows: slice | None = None) -> np.ndarray:
        """Norms [q, G] at `w` [q, 1] or [q, G]: of this side as the gallery, or of its images `rows` as the queries."""
        aa, ab, bb = (term[None] if rows is None else term[rows, None] for term in (self.aa, self.ab, self.bb))
        squared = w**2 * aa + 2 * w * (1 - w) * ab + (1 - w) ** 2 * bb
        return np.sqrt(np.maximum(squared, _TINY))
