"""Descriptors of images by one of the three networks, in eval mode."""

import numpy as np
import torch
from torch.nn import functional

from qafm.companions.slicenet.sliced_net import SlicedNet
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.torch_setup import autocast

IMAGES_PER_BATCH = 128


@torch.no_grad()
def describe_images(model: SlicedNet, pixels: torch.Tensor, device: torch.device, runtime: RuntimeConfig) -> np.ndarray:
    """L2-normalised descriptors, float32 [N, 128].

    Args:
        model: put into eval mode.
        pixels: uint8 [N, 3, H, W].
        device: where the model is.
        runtime: precision.
    """
    model.eval()
    vectors = []
    for batch in pixels.split(IMAGES_PER_BATCH):
        with autocast(device, runtime):
            vectors.append(functional.normalize(model(batch.to(device)).vector.float()).cpu())
    return torch.cat(vectors).numpy()
