"""A shortcut around a module, as in a ResNet block (He et al. 2016).

Shapes: N images, C channels, h x w the map.
"""

import torch
from torch import Tensor, nn

from qafm.models.conv_norm import ConvNorm


class Residual(nn.Module):
    """relu(shortcut(x) + module(x)); the shortcut is the identity, or a 1x1 convolution with batch norm where the channels differ.

    Args:
        module: maps [N, in_channels, h, w] to [N, out_channels, h, w].
        in_channels: channels of x.
        out_channels: channels of the result.
    """

    def __init__(self, module: nn.Module, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.module = module
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else ConvNorm(in_channels, out_channels, kernel_size=1, relu=False)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return the map [N, out_channels, h, w] of the map x [N, in_channels, h, w]."""
        return torch.relu(self.shortcut(x) + self.module(x))
