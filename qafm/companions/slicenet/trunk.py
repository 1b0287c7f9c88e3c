"""The convolutions that BigNet and both SliceNets share: 15 weighted layers with the dense one, pre-activated residual blocks, ELU (report, Table 3).

Shapes: N images or strips of images, H and W the input size, multiples of 8.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (32, 32, 64, 64, 128, 128)  # of the blocks r4 .. r9; where they double, the map is halved
OUT_CHANNELS = CHANNELS[-1]


def pad_end(x: Tensor) -> Tensor:
    """One row and one column of zeros below and right of the maps: a 3 x 3 window of stride 2 then halves an even size exactly."""
    return functional.pad(x, (0, 1, 0, 1))


class Residual(nn.Module):
    """A pre-activated residual block: x + conv_2(dropout(ELU(BN(conv_1(ELU(BN(x))))))).

    The first block of the trunk gets what is activated already and has no `bn_0`. Where the channels double, conv_1 has stride 2 and the shortcut is a
    1 x 1 convolution of stride 2 of the raw input.

    Args:
        channels_in: channels of the input.
        channels: channels of the output.
        dropout: probability.
        first: whether it is the trunk's first block.
    """

    def __init__(self, channels_in: int, channels: int, dropout: float, *, first: bool = False) -> None:
        super().__init__()
        self.halves = channels != channels_in
        self.bn_0 = None if first else nn.BatchNorm2d(channels_in)
        self.conv_1 = nn.Conv2d(channels_in, channels, 3, stride=2 if self.halves else 1, padding=0 if self.halves else 1)
        self.bn_1 = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(dropout)
        self.conv_2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride=2) if self.halves else None

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N, channels_in, H, W] -> [N, channels, H, W], H and W halved where the channels double."""
        y = x if self.bn_0 is None else functional.elu(self.bn_0(x))
        y = self.conv_1(pad_end(y) if self.halves else y)
        y = self.conv_2(self.dropout(functional.elu(self.bn_1(y))))
        return y + (x if self.shortcut is None else self.shortcut(x))


class Trunk(nn.Module):
    """Two convolutions, a pooling, six residual blocks: [N, 3, H, W] -> [N, 128, H/8, W/8].

    Args:
        dropout: probability within the blocks.
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(3, 32, 3, padding=1)
        self.bn_1 = nn.BatchNorm2d(32)
        self.conv_2 = nn.Conv2d(32, 32, 3, padding=1)
        self.bn_2 = nn.BatchNorm2d(32)
        self.pool = nn.MaxPool2d(3, stride=2)
        for number, (before, channels) in enumerate(zip((32, *CHANNELS), CHANNELS, strict=False), start=4):
            self.add_module(f"r{number}", Residual(before, channels, dropout, first=number == 4))

    def forward(self, images: Tensor) -> Tensor:
        """Return the last map."""
        x = functional.elu(self.bn_1(self.conv_1(images)))
        x = functional.elu(self.bn_2(self.conv_2(x)))
        x = self.pool(pad_end(x))  # [N, 32, H/2, W/2]
        for number in range(4, 4 + len(CHANNELS)):
            x = self.get_submodule(f"r{number}")(x)
        return x


class Dense(nn.Module):
    """The last weighted layer: flatten, dropout, linear, batch normalisation, ELU.

    Args:
        features: length of a flattened map.
        dim: length of the output.
        dropout: probability.
    """

    def __init__(self, features: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features, dim)
        self.bn = nn.BatchNorm1d(dim)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [N, 128, h, w] -> [N, dim]."""
        return functional.elu(self.bn(self.linear(self.dropout(torch.flatten(maps, 1)))))
