"""Q of an image that no run has seen: in all, by family of perturbations, and beside the reference images of the bundle.

V variants with the original, C feature length, F families, P = V (V - 1) / 2 pairs.
"""

import numpy as np
import torch

from qafm.config.bundle import QReference
from qafm.config.runtime import RuntimeConfig
from qafm.features.new_images import Extractor, variant_features
from qafm.inference.pictures import content_key
from qafm.inference.results import Score
from qafm.perturbations.catalog import variant_families
from qafm.quality.identifiability import pair_distances, pair_weights
from qafm.tables.quality import FAMILIES


class NewQuality:
    """Computes Q as stages 2 to 4 do, except that the noise is seeded by the picture's pixels where a run takes its image_id.

    Args:
        extractor: the bundle's network behind Q with its settings, on the device.
        device: where it is.
        runtime: precision.
    """

    def __init__(self, extractor: Extractor, device: torch.device, runtime: RuntimeConfig) -> None:
        self.extractor, self.device, self.runtime = extractor, device, runtime
        self.weights = pair_weights(variant_families(extractor.perturb), extractor.quality.mode)  # [1 + F, P]

    def scores(self, picture: np.ndarray, key: str | None = None) -> np.ndarray:
        """Q, and Q within each of FAMILIES, float64 [1 + F]; NaN for a family without a variant.

        Args:
            picture: uint8 [H, W, 3].
            key: what seeds the noise; None: the pixels.
        """
        features = variant_features(picture, content_key(picture) if key is None else key, self.extractor, self.device, self.runtime)  # [V, C]
        distances = pair_distances(features)
        return self.weights @ (distances.normalized if self.extractor.quality.normalize == "l2" else distances.raw)


def score_of(scores: np.ndarray | None, reference: QReference, visual_weight: float) -> Score:
    """What is told of an image.

    Args:
        scores: of `NewQuality`, [1 + F]; None: Q was not computed. Families without a variant are left out.
        reference: the images that Q is set beside.
        visual_weight: w in 0..1.
    """
    if scores is None:
        return Score(None, None, None, {}, visual_weight, 1 - visual_weight)
    q, *families = (float(score) for score in scores)
    rank = float(np.interp(q, reference.quantiles, np.linspace(0, 1, len(reference.quantiles))))
    by_family = {name: value for name, value in zip(FAMILIES, families, strict=True) if np.isfinite(value)}
    return Score(q, (q - reference.mean) / reference.sd, rank, by_family, visual_weight, 1 - visual_weight)
