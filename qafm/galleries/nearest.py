"""The nearest gallery rows of each query so far, while the gallery streams by.

Shapes: Q queries, n rows of a block, D length of a descriptor, k rows kept per query, P pairs of a query and a row.

The order is that of a stable full sort: by Euclidean distance in double precision, equal distances in the order of the gallery. A product in single
precision decides which rows come into question at all; it may be off by `slack`, so everything within `slack` of the k-th best is measured again, exactly.
Matrix products give equal rows unequal last bits, depending on where in the block they lie; the exact distance does not.
"""

import numpy as np

from qafm.galleries.unit_vectors import NORM_TOLERANCE

PAIR_BYTES = 32 * 2**20  # double-precision differences held at a time


class Nearest:
    """The k nearest rows of each query among those offered.

    Attributes:
        distance: Euclidean, ascending, float64 [Q, k]; infinite where fewer than k rows were offered.
        row: rows of the gallery, int64 [Q, k]; -1 where there is none.
    """

    def __init__(self, queries: np.ndarray, top: int) -> None:
        self._queries, self._top = queries, top
        # Twice the largest error of a sum of D rounded products of unit vectors, and what their lengths may be off.
        self._slack = queries.shape[1] * float(np.finfo(np.float32).eps) + 4 * NORM_TOLERANCE
        self.distance = np.full((len(queries), top), np.inf)
        self.row = np.full((len(queries), top), -1)

    def offer(self, queries: slice, similarity: np.ndarray, vectors: np.ndarray, first_row: int) -> None:
        """Offer all rows of a block to some queries; rows must come in the order of the gallery.

        Args:
            queries: which queries, q of them.
            similarity: their products with the rows, float32 [q, n]; -inf for a row that does not count.
            vectors: the rows' descriptors, float32 [n, D].
            first_row: row of the gallery of the first of them.
        """
        limit = 1 - self.distance[queries, -1] ** 2 / 2 - self._slack  # [q]
        asked = similarity >= limit[:, None]  # [q, n]
        asked &= similarity > -np.inf
        crowded = np.flatnonzero(asked.sum(axis=1) > self._top)
        if len(crowded):
            place = similarity.shape[1] - self._top
            kth = np.partition(similarity[crowded], place, axis=1)[:, place] if place > 0 else np.full(len(crowded), -np.inf, np.float32)
            asked[crowded] &= similarity[crowded] >= (kth - self._slack)[:, None]
        query, column = np.nonzero(asked)
        if len(query):
            self.add(query + queries.start, column, vectors, first_row)

    def add(self, query: np.ndarray, column: np.ndarray, vectors: np.ndarray, first_row: int) -> None:
        """Measure pairs exactly and keep the nearest rows.

        Args:
            query: query of each pair, int64 [P].
            column: row of `vectors` of each pair [P].
            vectors: float32 [n, D].
            first_row: row of the gallery of the first of `vectors`.
        """
        distance = self._exact(query, vectors, column)  # [P]
        touched = np.unique(query)
        all_query = np.concatenate([np.repeat(touched, self._top), query])
        all_distance = np.concatenate([self.distance[touched].reshape(-1), distance])
        all_row = np.concatenate([self.row[touched].reshape(-1), column + first_row])
        order = np.lexsort((np.where(all_row < 0, np.iinfo(np.int64).max, all_row), all_distance, all_query))
        _, starts = np.unique(all_query[order], return_index=True)
        best = order[starts[:, None] + np.arange(self._top)]  # [touched, k]
        self.distance[touched], self.row[touched] = all_distance[best], all_row[best]

    def _exact(self, query: np.ndarray, vectors: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Euclidean distance of each pair in double precision; it depends on nothing but the two vectors."""
        distance = np.empty(len(query))
        step = max(1, PAIR_BYTES // (8 * vectors.shape[1]))
        for start in range(0, len(query), step):
            pairs = slice(start, start + step)
            difference = self._queries[query[pairs]].astype(np.float64) - vectors[column[pairs]]  # [p, D]
            distance[pairs] = np.sqrt((difference * difference).sum(axis=1))
        return distance
