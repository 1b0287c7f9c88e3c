"""Mean and standard deviation of the pixels of a set of images, per channel: the normalisation of SliceNet's input."""

import torch
from torch import Tensor


def pixel_statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and population standard deviation over all pixels of all images, exact but for the last rounding.

    Args:
        pixels: uint8 [N, 3, H, W].

    Returns:
        Both float32 [3], of values in [0, 1]; a channel that is constant has the standard deviation 1, so that dividing by it changes nothing.
    """
    values = torch.arange(256, dtype=torch.float64) / 255
    counts = torch.stack([torch.bincount(pixels[:, channel].flatten(), minlength=256) for channel in range(3)]).double()  # [3, 256]
    shares = counts / counts.sum(dim=1, keepdim=True)
    mean = shares @ values  # [3]
    deviation = (shares * (values - mean[:, None]) ** 2).sum(dim=1).sqrt()
    return mean.float(), torch.where(deviation > 0, deviation, 1.0).float()
