"""Images that no stage has seen: as input of a network, and the features of their variants, from which Q follows.

N images of any size, V variants with the original, C feature length.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.runtime import RuntimeConfig
from qafm.images.network_input import normalize, to_input
from qafm.models.reid_baseline import ReidBaseline
from qafm.perturbations.stack import perturb
from qafm.runtime.torch_setup import autocast


class Extractor(NamedTuple):
    """The network behind Q, in eval mode on the device, with what it is shown."""

    model: ReidBaseline
    backbone: BackboneConfig
    perturb: PerturbConfig


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
