"""IBN, half instance and half batch norm (Pan et al. 2018).

Shapes: N images, C channels, h x w the map.
"""

import torch
from torch import Tensor, nn


class Ibn(nn.Module):
    """Instance norm on the first half of the channels, batch norm on the rest: what light and camera change is taken out early, and told apart still."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.instance_channels = channels // 2
        self.instance = nn.InstanceNorm2d(self.instance_channels, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.instance_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [N, C, h, w]."""
        return torch.cat([self.instance(x[:, : self.instance_channels]), self.batch(x[:, self.instance_channels :])], dim=1)
