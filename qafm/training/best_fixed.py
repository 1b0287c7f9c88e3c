"""The best fixed visual weight of two branches that are not fused yet: where the MLP starts."""

from pathlib import Path

import numpy as np

from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.fixed_weights import best_weight
from qafm.evaluation.fuse import concat
from qafm.evaluation.ranking import Labels, Matches, dot_similarity, evaluate_retrieval
from qafm.images.image_set import ImageSet

GRID = np.linspace(0.0, 1.0, 21)


def require_matches(images: ImageSet, source: Path) -> None:
    """That a search among these images can find anything, asked before hours of training lead to it.

    Args:
        images: the held-out images, as `best_fixed_weight` gets them.
        source: the file they are listed in.

    Raises:
        InputError: no identity is seen by two cameras (or, without cameras, in two images).
    """
    labels = _labels(images)
    matches = Matches(labels, labels, _same_camera(images))
    if not any(len(right) for right, _ in map(matches.of, range(len(labels)))):
        what = "is seen by two cameras" if _same_camera(images) == "drop" else "has two images"
        raise InputError(f"{source}: none of the held-out identities {what}, so they tell no weight to start from; set model.fusion.alpha.start to half")


def best_fixed_weight(v_a: np.ndarray, v_s: np.ndarray, images: ImageSet) -> tuple[float, float]:
    """The weight with the best mAP of the plain concatenation [w v_a, (1-w) v_s] on held-out identities, each image searched among the others.

    Args:
        v_a: float32 [N, Da], any norm.
        v_s: float32 [N, Ds], any norm.
        images: the N images.

    Returns:
        The weight, and its mAP in percent.

    Raises:
        InputError: no image has a match in another camera (or, without cameras, another image).
    """
    labels = _labels(images)
    fused = (concat(v_a, v_s, w) for w in GRID)  # one at a time in memory
    found = [evaluate_retrieval(labels, labels, dot_similarity(vectors, vectors), same_camera=_same_camera(images)) for vectors in fused]
    weight = best_weight(GRID, found)
    return weight, found[int(np.argmin(np.abs(GRID - weight)))].summary()["mAP"]


def _labels(images: ImageSet) -> Labels:
    return Labels(images.pids, images.camids, np.array(images.image_ids))


def _same_camera(images: ImageSet) -> SameCamera:
    return "keep" if (images.camids < 0).any() else "drop"
