"""Descriptors of images by one of the three networks, in eval mode."""

import numpy as np
import torch
from torch.nn import functional

from qafm.companions.slicenet.sliced_net import SlicedNet
from qafm.config.runtime import RuntimeConfig
from qafm.images.forward import forward_batches


def describe_images(model: SlicedNet, pixels: torch.Tensor, device: torch.device, runtime: RuntimeConfig) -> np.ndarray:
    """L2-normalised descriptors, float32 [N, 128].

    Args:
        model: put into eval mode.
        pixels: uint8 [N, 3, H, W].
        device: where the model is.
        runtime: precision.
    """
    model.eval()
    found = forward_batches(lambda batch: model(batch).vector.float(), pixels, device, runtime, prepare=lambda batch: batch)  # it normalises by itself
    return functional.normalize(torch.cat([vectors.cpu() for vectors in found])).numpy()
