"""The AP of every query at every weight between two descriptors, of all its right images and of each half of them.

Two L2-normalised descriptors concatenated as [w a, (1-w) b] rank as w^2 a.a' + (1-w)^2 b.b' does: two matrix products serve every weight.

Shapes: Q queries, G gallery images, W weights, K right images of one query.
"""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import DescriptorSide
from qafm.evaluation.ranking import Matches, places_of, precision_at

CHUNK = 128


@dataclass(frozen=True)
class WeightSweep:
    """What each query achieved; NaN where a query has no right image, in `half` where it has fewer than two, or none were asked for.

    Args:
        ap: AP at each weight of the first descriptor, float64 [W, Q] in [0, 1].
        half: AP of each random half of the right images, the other half removed from the gallery, float64 [2, W, Q].
    """

    ap: np.ndarray
    half: np.ndarray


def sweep_weights(
    query: tuple[DescriptorSide, DescriptorSide],
    gallery: tuple[DescriptorSide, DescriptorSide],
    grid: np.ndarray,
    *,
    same_camera: SameCamera,
    seed: int | None = None,
) -> WeightSweep:
    """Rank the gallery for every query at every weight.

    Args:
        query: the queries by the first and by the second descriptor, the same images.
        gallery: the gallery, likewise.
        grid: weights of the first descriptor, float64 [W] in [0, 1].
        same_camera: "drop" or "keep", as in `evaluate_retrieval`.
        seed: decides the halves; None: there are none.

    Raises:
        InputError: the sides hold different images, or `drop` meets images without a camera.
    """
    for sides in (query, gallery):
        if not np.array_equal(sides[0].labels.image_id, sides[1].labels.image_id):
            raise InputError("two descriptors: they are of different images")
    matches = Matches(query[0].labels, gallery[0].labels, same_camera)
    rng = None if seed is None else np.random.default_rng(seed)
    found = WeightSweep(np.full((len(grid), len(query[0])), np.nan), np.full((2, len(grid), len(query[0])), np.nan))
    for start in tqdm(range(0, len(query[0]), CHUNK), desc="weights", unit="chunk", disable=None):
        rows = slice(start, min(start + CHUNK, len(query[0])))
        first, second = (query[k].descriptor[rows] @ gallery[k].descriptor.T for k in (0, 1))  # [chunk, G] each
        for row, i in enumerate(range(rows.start, rows.stop)):
            relevant, removed = matches.of(i)
            if len(relevant):
                halves = None if rng is None or len(relevant) < 2 else rng.permutation(len(relevant)) % 2 == 0
                for k, w in enumerate(grid):
                    places = places_of(np.float32(w * w) * first[row] + np.float32((1 - w) ** 2) * second[row], relevant, removed)
                    found.ap[k, i] = precision_at(np.sort(places))[0]
                    if halves is not None:
                        found.half[:, k, i] = half_precision(places, halves)
    return found


def half_precision(places: np.ndarray, halves: np.ndarray) -> tuple[float, float]:
    """AP of the right images where `halves` holds, and of the others; each time the other half is taken out of the gallery.

    Args:
        places: 0-based places of all right images, int [K].
        halves: bool [K], both values occur.
    """
    found = []
    for mine in (halves, ~halves):
        own, other = np.sort(places[mine]), np.sort(places[~mine])
        found.append(precision_at(own - np.searchsorted(other, own))[0])
    return found[0], found[1]
