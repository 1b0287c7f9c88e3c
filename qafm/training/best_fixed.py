"""The best fixed visual weight of two branches that are not fused yet: where the MLP starts."""

import numpy as np

from qafm.evaluation.fixed_weights import best_weight
from qafm.evaluation.fuse import concat
from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval
from qafm.images.image_set import ImageSet

GRID = np.linspace(0.0, 1.0, 21)


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
    labels = Labels(images.pids, images.camids, np.array(images.image_ids))
    same_camera = "keep" if (images.camids < 0).any() else "drop"
    fused = (concat(v_a, v_s, w) for w in GRID)  # one at a time in memory
    found = [evaluate_retrieval(labels, labels, dot_similarity(vectors, vectors), same_camera=same_camera) for vectors in fused]
    weight = best_weight(GRID, found)
    return weight, found[int(np.argmin(np.abs(GRID - weight)))].summary()["mAP"]
