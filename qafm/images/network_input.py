"""What a network is shown of an image: the one resize and the one normalisation of the project.

N images, H W input size.
"""

import numpy as np
import torch

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def to_input(images: np.ndarray, height: int, width: int) -> torch.Tensor:
    """The one resize of the project, bilinear with antialiasing: PIL's, within one of 255 levels.

    Args:
        images: uint8 [N, h, w, 3].
        height: input height, pixels.
        width: input width, pixels.

    Returns:
        uint8 [N, 3, height, width].
    """
    stack = torch.from_numpy(images).permute(0, 3, 1, 2)
    if stack.shape[2:] == (height, width):
        return stack
    return torch.nn.functional.interpolate(stack, size=(height, width), mode="bilinear", antialias=True)


def normalize(pixels: torch.Tensor) -> torch.Tensor:
    """Values 0..255, uint8 or float [N, 3, H, W] -> float32 in ImageNet's normalisation, channels last in memory."""
    mean = torch.tensor(IMAGENET_MEAN, device=pixels.device).view(1, 3, 1, 1) * 255
    std = torch.tensor(IMAGENET_STD, device=pixels.device).view(1, 3, 1, 1) * 255
    return ((pixels.float() - mean) / std).contiguous(memory_format=torch.channels_last)
