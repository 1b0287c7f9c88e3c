"""LAM, the local attention module, and LTN, the network of LAM blocks on a grid of tiles (paper section III-A).

Shapes: N images, C channels, h x w the map or the tile.
"""

import torch
from torch import Tensor, nn

from qafm.models.conv_norm import ConvNorm
from qafm.models.residual import Residual

REDUCTION = 16  # of the channel attention's hidden layer
LEAST_HIDDEN = 8  # what 128 channels have; fewer hidden units often start dead all together (pooled ReLU maps are one-sided)


class ChannelAttention(nn.Module):
    """Weight per channel: sigmoid of a shared two-layer MLP, without biases, on the average and on the maximum of the map."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        hidden = max(LEAST_HIDDEN, channels // REDUCTION)
        self.mlp = nn.Sequential(nn.Conv2d(channels, hidden, 1, bias=False), nn.ReLU(), nn.Conv2d(hidden, channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Return the map x [N, C, h, w], weighted."""
        average = self.mlp(x.mean(dim=(2, 3), keepdim=True))  # [N, C, 1, 1]
        maximum = self.mlp(x.amax(dim=(2, 3), keepdim=True))  # [N, C, 1, 1]
        return x * torch.sigmoid(average + maximum)


class SpatialAttention(nn.Module):
    """Weight per position: sigmoid of a 7x7 convolution over the mean and the maximum of the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map x [N, C, h, w], weighted."""
        pooled = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)  # [N, 2, h, w]
        return x * torch.sigmoid(self.conv(pooled))


class LamBlock(nn.Sequential):
    """Two 3x3 convolutions with batch norm and ReLU, then channel and spatial attention."""

    def __init__(self, *, in_channels: int, out_channels: int) -> None:
        super().__init__(
            ConvNorm(in_channels, out_channels, kernel_size=3),
            ConvNorm(out_channels, out_channels, kernel_size=3),
            ChannelAttention(channels=out_channels),
            SpatialAttention(),
        )


class Ltn(nn.Module):
    """1x1 stem, then two LAM blocks in a row for each tile of a grid; no block is shared and nothing crosses the borders of a tile.

    Args:
        in_channels: channels of the incoming map.
        channels: channels after the stem and the first LAM blocks, and after the second ones.
        grid: rows and columns of tiles. Tiles of a map that does not divide evenly differ by one; a map smaller than the grid
            has fewer tiles, and the blocks of the missing ones rest.
        residual: a shortcut around each LAM block.
    """

    def __init__(self, *, in_channels: int, channels: tuple[int, int], grid: tuple[int, int], residual: bool = False) -> None:
        super().__init__()
        narrow, wide = channels
        self.rows, self.columns = grid
        self.stem = ConvNorm(in_channels, narrow, kernel_size=1)
        tiles = range(self.rows * self.columns)
        self.stage1 = nn.ModuleList([_lam_block(narrow, narrow, residual) for _ in tiles])
        self.stage2 = nn.ModuleList([_lam_block(narrow, wide, residual) for _ in tiles])
        self.out_channels = wide

    def forward(self, x: Tensor) -> Tensor:
        """Return the map [N, channels[1], h, w] of the map x [N, in_channels, h, w]."""
        x = self.stem(x)  # [N, channels[0], h, w]
        rows = []
        for row, strip in enumerate(x.tensor_split(min(self.rows, x.shape[2]), dim=2)):
            tiles = strip.tensor_split(min(self.columns, x.shape[3]), dim=3)
            rows.append(torch.cat([self._tile(row * self.columns + column, tile) for column, tile in enumerate(tiles)], dim=3))
        return torch.cat(rows, dim=2)

    def _tile(self, index: int, tile: Tensor) -> Tensor:
        return self.stage2[index](self.stage1[index](tile))


def _lam_block(in_channels: int, out_channels: int, residual: bool) -> nn.Module:
    block = LamBlock(in_channels=in_channels, out_channels=out_channels)
    return Residual(block, in_channels=in_channels, out_channels=out_channels) if residual else block
