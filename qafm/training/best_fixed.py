"""The best fixed visual weight of two branches that are not fused yet: where the MLP starts."""

import numpy as np

from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval
from qafm.training.image_set import ImageSet

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
    unit_a, unit_s = (v / np.linalg.norm(v, axis=1, keepdims=True).clip(1e-12) for v in (v_a, v_s))
    labels = Labels(images.pids, images.camids, np.array(images.image_ids))
    same_camera = "keep" if (images.camids < 0).any() else "drop"
    scores = []
    for w in GRID:
        fused = np.concatenate([w * unit_a, (1 - w) * unit_s], axis=1)
        fused /= np.linalg.norm(fused, axis=1, keepdims=True)
        fused = fused.astype(np.float32)
        scores.append(evaluate_retrieval(labels, labels, dot_similarity(fused, fused), same_camera=same_camera).summary()["mAP"])
    best = int(np.argmax(scores))
    return float(GRID[best]), float(scores[best])
