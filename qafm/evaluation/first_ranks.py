"""Which gallery images stand first for every query, noted while a similarity is asked.

Shapes: Q queries, G gallery images.
"""

from dataclasses import dataclass, field

import numpy as np

from qafm.evaluation.ranking import Matches, Similarity


@dataclass
class FirstRanks:
    """A similarity that notes, while it is asked, which gallery images stand first for every query.

    Args:
        similarity: gives the scores.
        matches: which gallery images are right, and which the protocol removes.
        depth: ranks to note.
    """

    similarity: Similarity
    matches: Matches
    depth: int
    places: list[np.ndarray] = field(default_factory=list)  # per query: gallery indices [at most depth], nearest first
    scores: list[np.ndarray] = field(default_factory=list)  # their scores, alike
    relevant: list[np.ndarray] = field(default_factory=list)  # per query: gallery indices of all right images

    def __call__(self, queries: slice) -> np.ndarray:
        """The scores of a slice of queries, float32 [q, G]; slices must come once each, in order."""
        scores = self.similarity(queries)
        for row, i in zip(scores, range(queries.start, queries.stop), strict=True):
            relevant, removed = self.matches.of(i)
            order = np.argsort(-row, kind="stable")  # [G]; equal scores keep the gallery's order, as in the metrics
            first = order[~np.isin(order, removed)][: self.depth]
            self.places.append(first)
            self.scores.append(row[first].copy())
            self.relevant.append(relevant)
        return scores
