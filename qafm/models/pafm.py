"""PAFM, the pyramid attention module of APAN (paper section III-B).

Shapes: N images, C channels, h x w the map (12 x 4 for 384 x 128 at layer4).
"""

import torch
from torch import Tensor, nn

from qafm.models.conv_norm import ConvNorm

KERNELS = (3, 5, 7)
SECOND_KERNEL = 7


class Pafm(nn.Module):
    """Attention per pixel and channel from a pyramid of 3x3, 5x5 and 7x7 convolutions plus global context; the map is multiplied by it.

    Args:
        in_channels: channels of the backbone's map, kept by the module.
        channels: channels inside.
    """

    def __init__(self, *, in_channels: int, channels: int) -> None:
        super().__init__()
        self.project = ConvNorm(in_channels, channels, kernel_size=1)
        self.pyramid = nn.ModuleList([_pyramid_path(channels, kernel) for kernel in KERNELS])
        self.pyramid_norm = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.context = ConvNorm(in_channels, channels, kernel_size=1)
        self.attention = ConvNorm(channels, in_channels, kernel_size=1, relu=False)
        self.out_channels = in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map [N, in_channels, h, w] of the map x; at least 2 images in training."""
        projected = self.project(x)  # [N, C, h, w]
        pyramid = self.pyramid_norm(torch.stack([path(projected) for path in self.pyramid]).sum(dim=0))  # [N, C, h, w]
        context = self.context(x.mean(dim=(2, 3), keepdim=True))  # [N, C, 1, 1]
        return x * torch.sigmoid(self.attention(pyramid + context))  # [N, in_channels, h, w]


def _pyramid_path(channels: int, kernel: int) -> nn.Sequential:
    first = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
    second = nn.Conv2d(channels, channels, SECOND_KERNEL, padding=SECOND_KERNEL // 2, bias=False)
    return nn.Sequential(first, second)
