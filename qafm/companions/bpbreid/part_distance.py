"""Distance of two people over the parts that both images show (Somers et al. 2023, section 3.4), in bounded memory.

Q queries, G gallery images, E embeddings that are compared one by one, D their length.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from qafm.errors import InputError
from qafm.evaluation.ranking import Labels, Similarity

VisibilityMode: TypeAlias = Literal["none", "binary", "continuous"]
NOTHING_COMMON = 3.0  # farther than anything: unit vectors are at most 2 apart


@dataclass(frozen=True)
class PartSide:
    """One side of a search.

    Args:
        labels: who the images are [N].
        distractor: always-wrong images, bool [N].
        vectors: L2-normalised, float32 [E, N, D], 0 where the model gave 0; one block of memory per embedding.
        visible: whether an image shows what the embedding is of, bool [E, N].
        confidence: how surely it does, float32 [E, N] in [0, 1].
    """

    labels: Labels
    distractor: np.ndarray
    vectors: np.ndarray
    visible: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "PartSide":
        """The images at `rows`: indices or a bool mask [N]."""
        return PartSide(self.labels.take(rows), self.distractor[rows], self.vectors[:, rows], self.visible[:, rows], self.confidence[:, rows])

    def weights(self, mode: VisibilityMode) -> np.ndarray:
        """This side's factor of the weights of a pair, float32 [E, N]: 1, visible or not, or the root of the confidence."""
        if mode == "none":
            return np.ones(self.visible.shape, np.float32)
        return self.visible.astype(np.float32) if mode == "binary" else np.sqrt(self.confidence)


def part_similarity(query: PartSide, gallery: PartSide, mode: VisibilityMode) -> Similarity:
    """Minus the mean Euclidean distance of the embeddings, each weighted by how visible it is in both images.

    Args:
        query: the queries [Q].
        gallery: the gallery [G].
        mode: "none": every embedding counts alike; "binary": those visible in both images; "continuous": each by sqrt(c_q c_g), c the confidence.

    Returns:
        A function of a slice of queries that gives float32 [q, G]; a pair with nothing in common gets -3, below all others. Beside the descriptors it
        needs the memory of four such results, whatever E is.

    Raises:
        InputError: both sides do not have the same embeddings, or a vector is not finite.
    """
    if query.vectors.shape[0] != gallery.vectors.shape[0] or query.vectors.shape[2] != gallery.vectors.shape[2]:
        raise InputError(
            f"part embeddings: query has {query.vectors.shape[0]} x {query.vectors.shape[2]}, gallery {gallery.vectors.shape[0]} x {gallery.vectors.shape[2]}"
        )
    for name, side in (("query", query), ("gallery", gallery)):
        bad = np.flatnonzero(~np.isfinite(np.einsum("end,end->n", side.vectors, side.vectors)))
        if len(bad):
            raise InputError(f"{name} part embeddings: those of {side.labels.image_id[bad[0]]} are not finite")
    of_query, of_gallery = query.weights(mode), gallery.weights(mode)

    def similarity(queries: slice) -> np.ndarray:
        total, weight = np.zeros((2, queries.stop - queries.start, len(gallery)), np.float32)  # [q, G] each
        for vectors, others, own, other in zip(query.vectors[:, queries], gallery.vectors, of_query[:, queries], of_gallery, strict=True):
            apart = euclidean(vectors, others)  # [q, G]
            both = own[:, None] * other[None]
            weight += both
            apart *= both
            total += apart
        total[weight == 0], weight[weight == 0] = NOTHING_COMMON, 1
        return np.negative(np.divide(total, weight, out=total), out=total)

    return similarity


def euclidean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distances float32 [q, G] of rows of norm 1 (or 0), [q, D] and [G, D]."""
    dots = one @ other.T
    dots *= -2
    dots += np.einsum("qd,qd->q", one, one)[:, None]
    dots += np.einsum("gd,gd->g", other, other)[None]
    return np.sqrt(np.maximum(dots, 0, out=dots), out=dots)
