"""Exact search: the whole gallery streams by once, two row groups in memory at a time.

Shapes: Q queries, n rows of a row group, D length of a descriptor, k hits per query.
"""

import numpy as np

from qafm.galleries.exclusions import Exclusions, Removed
from qafm.galleries.gallery import Block, Gallery
from qafm.galleries.nearest import Nearest

SIMILARITY_BYTES = 32 * 2**20


def exact_search(gallery: Gallery, queries: np.ndarray, top: int, exclusions: Exclusions) -> Nearest:
    """The `top` nearest rows of each query.

    Memory: the queries, two row groups, and two tables of at most 32 MiB, whatever the size of the gallery.

    Args:
        gallery: an open gallery.
        queries: L2-normalised, float32 [Q, D].
        top: k.
        exclusions: what does not count.

    Raises:
        InputError: the gallery is damaged.
    """
    found, removed = Nearest(queries, top), Removed(exclusions, len(queries))
    for block in gallery.blocks([*exclusions.columns, "descriptor"]):
        offer_block(found, queries, block, removed)
    return found


def offer_block(found: Nearest, queries: np.ndarray, block: Block, removed: Removed) -> None:
    """Offer the rows of one block, which come in the order of the gallery, to all queries [Q, D]."""
    vectors, rows = block.descriptor, np.arange(len(block))
    chunk = max(1, SIMILARITY_BYTES // (4 * len(block)))
    for start in range(0, len(queries), chunk):
        some = slice(start, min(start + chunk, len(queries)))
        similarity = queries[some] @ vectors.T  # [q, n]
        if removed.columns:
            similarity[removed.pairs(block.table, np.arange(some.start, some.stop)[:, None], rows)] = -np.inf
        found.offer(some, similarity, vectors, block.first)
