"""Q(I): how far apart the features of an image's variants lie (Eq. 1). Low Q = stable features = good."""

# V variants with the original, D feature length, P = V (V - 1) / 2 pairs, F families

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from qafm.tables.quality import FAMILIES

BLOCK = 192  # columns per matrix product: OpenBLAS starts threads for larger ones, which on a busy machine takes 100 times as long
CLOSE = 1e-6  # squared distance, relative to the squared norms, below which it is computed from the difference


@dataclass(frozen=True)
class PairDistances:
    """Euclidean distances of all pairs of variants.

    Attributes:
        raw: float64 [P], between the features.
        normalized: float64 [P], between the L2-normalised features.
        mean_norm: mean norm of the V features.
    """

    raw: NDArray[np.float64]
    normalized: NDArray[np.float64]
    mean_norm: float


@lru_cache(maxsize=8)
def _pairs(variants: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and second variant of each pair: (0, 1), (0, 2), ..., (V - 2, V - 1)."""
    first, second = np.triu_indices(variants, k=1)
    return first, second


def _gram(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inner products of the rows of `vectors` [V, D], float64 [V, V]."""
    gram = np.zeros((len(vectors), len(vectors)))
    for start in range(0, vectors.shape[1], BLOCK):
        block = vectors[:, start : start + BLOCK]  # [V, BLOCK]
        gram += block @ block.T
    return gram


def _distances(squared: NDArray[np.float64], scale: NDArray[np.float64], vectors: NDArray[np.float64], divisors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square roots of `squared` [P]; what cancellation spoilt is computed again from the `vectors` [V, D] over `divisors` [V]."""
    close = np.flatnonzero(squared < CLOSE * scale)
    if close.size:
        first, second = (index[close] for index in _pairs(len(vectors)))
        difference = vectors[first] / divisors[first, None] - vectors[second] / divisors[second, None]  # [close pairs, D]
        squared[close] = np.einsum("pd,pd->p", difference, difference)
    return np.sqrt(squared)


def pair_distances(features: NDArray[Any], work: NDArray[np.float64] | None = None) -> PairDistances:
    """Distances of all pairs of one image's feature vectors, raw and L2-normalised.

    Both come from one Gram matrix in float64: |a - b|^2 = |a|^2 + |b|^2 - 2 ab. Pairs that nearly coincide are
    computed from their difference, so that equal vectors are exactly 0 apart. A zero vector stays zero when
    normalised.

    Args:
        features: float16, float32 or float64 [V, D], V >= 2, finite.
        work: float64 [V, D] to work in, overwritten; one for many images saves the memory system 3/4 of the time.

    Returns:
        The distances in the order of `numpy.triu_indices`.

    Raises:
        ValueError: `features` is not a finite [V, D].
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features are {list(features.shape)}, expected [V, D] with V >= 2")
    vectors = np.empty(features.shape) if work is None else work
    np.copyto(vectors, features)
    gram = _gram(vectors)
    if not np.isfinite(gram).all():
        raise ValueError("features are not finite")
    norms = np.sqrt(np.diagonal(gram))  # [V]
    lengths = (norms > 0).astype(np.float64)  # norms of the normalised vectors
    divisors = np.where(norms > 0, norms, 1)
    first, second = _pairs(len(vectors))
    products = gram[first, second]  # [P]
    scale = norms[first] ** 2 + norms[second] ** 2
    raw = _distances(scale - 2 * products, scale, vectors, np.ones_like(norms))
    unit_scale = lengths[first] + lengths[second]
    normalized = _distances(unit_scale - 2 * products / (divisors[first] * divisors[second]), unit_scale, vectors, divisors)
    return PairDistances(raw=raw, normalized=normalized, mean_norm=float(norms.mean()))


def pair_weights(families: tuple[str, ...], mode: Literal["all_pairs", "reference"] = "all_pairs") -> NDArray[np.float64]:
    """Weights that turn distances into mean distances: over all variants, and over the original and each family.

    Args:
        families: the family of each variant 1, 2, ..., each one of `FAMILIES`.
        mode: "all_pairs": all pairs (Eq. 1); "reference": only those with the original (section V).

    Returns:
        float64 [1 + F, P]: row 0 is Q(I), row 1 + f that of FAMILIES[f]. Rows sum to 1; a family without variants is NaN.

    Raises:
        ValueError: an unknown family.
    """
    unknown = sorted(set(families) - set(FAMILIES))
    if unknown:
        raise ValueError(f"unknown families {unknown}, expected {list(FAMILIES)}")
    first, second = _pairs(1 + len(families))
    allowed = first == 0 if mode == "reference" else np.ones(len(first), dtype=bool)
    labels = np.array(["original", *families])
    rows = [allowed]
    for family in FAMILIES:
        member = (labels == family) | (labels == "original")
        rows.append(allowed & member[first] & member[second])
    counts = np.array(rows, dtype=np.float64)  # [1 + F, P]
    sums = counts.sum(axis=1, keepdims=True)
    return counts / np.where(sums > 0, sums, np.nan)


def identifiability(features: NDArray[Any], *, normalize: Literal["l2", "none"] = "l2", mode: Literal["all_pairs", "reference"] = "all_pairs") -> float:
    """Q(I) of one image (Eq. 1): the mean Euclidean distance of the features of its variants.

    Args:
        features: [V, D], the original first.
        normalize: "l2": of the L2-normalised features; "none": of the raw ones, Eq. 1 verbatim.
        mode: "all_pairs": over all V (V - 1) / 2 pairs; "reference": over the V - 1 pairs with the original.

    Returns:
        Q >= 0; the lower, the better the image.

    Raises:
        ValueError: `features` is not a finite [V, D].
    """
    distances = pair_distances(features)
    chosen = distances.normalized if normalize == "l2" else distances.raw
    return float(chosen[: len(features) - 1].mean() if mode == "reference" else chosen.mean())
