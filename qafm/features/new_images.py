"""Images that no stage has seen: as input of a network, and the features of their variants, from which Q follows.

N images of any size, V variants with the original, C feature length.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality import QualityConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.load_baseline import load_baseline
from qafm.images.network_input import normalize, to_input
from qafm.models.reid_baseline import ReidBaseline
from qafm.perturbations.stack import perturb
from qafm.quality.identifiability import identifiability
from qafm.runtime.torch_setup import autocast, place


class Extractor(NamedTuple):
    """The network behind Q, in eval mode on the device, with what it is shown and how Q follows from its features."""

    model: ReidBaseline
    backbone: BackboneConfig
    perturb: PerturbConfig
    quality: QualityConfig


class QSource(NamedTuple):
    """How Q of a new image is computed: the weights of stage 3, and what is made with them."""

    weights: Path
    network: QNetwork

    def load(self, device: torch.device) -> Extractor:
        """Its network, on the device.

        Raises:
            InputError: the weights cannot be read or do not fit.
        """
        backbone, perturbations, quality = self.network.extractor, self.network.perturb, self.network.quality
        return Extractor(place(load_baseline(self.weights, backbone), device), backbone, perturbations, quality)


def resized(pictures: Sequence[np.ndarray], backbone: BackboneConfig) -> torch.Tensor:
    """Pictures uint8 [H, W, 3] of any sizes as input of the backbone, uint8 [N, 3, height, width]."""
    return torch.cat([to_input(picture[None], backbone.height, backbone.width) for picture in pictures])


@torch.no_grad()
def variant_features(picture: np.ndarray, key: str, extractor: Extractor, device: torch.device, runtime: RuntimeConfig) -> np.ndarray:
    """Features of a picture and its variants as stages 2 and 3 compute them, float32 [V, C].

    Args:
        picture: uint8 [H, W, 3].
        key: what the noise depends on beside its seed: image_id in the chain.
        extractor: network and settings.
        device: where the network is.
        runtime: precision.
    """
    stack = perturb(picture, key, extractor.perturb)  # [V, H, W, 3]
    with autocast(device, runtime):
        pixels = to_input(stack, extractor.backbone.height, extractor.backbone.width)
        return extractor.model(normalize(pixels.to(device))).feature.float().cpu().numpy()


def q_of(picture: np.ndarray, key: str, extractor: Extractor, device: torch.device, runtime: RuntimeConfig) -> float:
    """Q(I) of a picture, uint8 [H, W, 3], as stages 2 to 4 compute it (Eq. 1); `key` as in `variant_features`."""
    features, quality = variant_features(picture, key, extractor, device, runtime), extractor.quality
    return identifiability(features, normalize=quality.normalize, mode=quality.mode)
