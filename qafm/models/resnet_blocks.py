"""The two blocks of a ResNet (He et al. 2016; the stride is on the 3x3 convolution), with torchvision's parameter names.

Shapes: N images, C channels of the incoming map, h x w the map; the result has `expansion * channels` channels and h/stride x w/stride positions.
"""

from typing import ClassVar

from torch import Tensor, nn

from qafm.models.ibn import Ibn


class Block(nn.Module):
    """relu(shortcut(x) + convolutions(x)): what BasicBlock and Bottleneck share."""

    expansion: ClassVar[int]
    relu: nn.ReLU
    downsample: nn.Module | None

    def convolve(self, x: Tensor) -> Tensor:
        """Return the convolutions' result for the map x, before the shortcut is added."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return the map [N, expansion * channels, h/stride, w/stride] of the map x [N, C, h, w]."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.convolve(x) + shortcut)


class BasicBlock(Block):
    """Two 3x3 convolutions (ResNet-18 and -34).

    Args:
        in_channels: C.
        channels: of both convolutions.
        stride: 1 or 2.
        ibn: `Ibn` in place of the first norm (IBN-a).
    """

    expansion = 1

    def __init__(self, in_channels: int, channels: int, *, stride: int, ibn: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False), _first_norm(channels, ibn=ibn)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _projection(in_channels, channels, stride)

    def convolve(self, x: Tensor) -> Tensor:
        """Return the map of the second convolution's norm."""
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Bottleneck(Block):
    """1x1 to fewer channels, 3x3, 1x1 to four times as many (ResNet-50).

    Args:
        in_channels: C.
        channels: of the first two convolutions.
        stride: 1 or 2.
        ibn: `Ibn` in place of the first norm (IBN-a).
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, *, stride: int, ibn: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(in_channels, channels, 1, bias=False), _first_norm(channels, ibn=ibn)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.conv3, self.bn3 = nn.Conv2d(channels, 4 * channels, 1, bias=False), nn.BatchNorm2d(4 * channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _projection(in_channels, 4 * channels, stride)

    def convolve(self, x: Tensor) -> Tensor:
        """Return the map of the third convolution's norm."""
        x = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.bn3(self.conv3(x))


def _first_norm(channels: int, *, ibn: bool) -> nn.Module:
    return Ibn(channels) if ibn else nn.BatchNorm2d(channels)


def _projection(in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    """The shortcut of a block whose result has another shape than its input."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels))
