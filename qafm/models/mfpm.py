"""MFPM, the multi-scale feature pyramid module of APN (paper section III-A).

Shapes: N images, C channels, h x w the map (24 x 8 for 384 x 128 at layer3). Every block keeps h x w.
"""

from torch import Tensor, nn

from qafm.models.conv_norm import ConvNorm

DILATIONS = (2, 3, 4)


class Mfpm(nn.Module):
    """Sum of a 1x1 path, three dilated 3x3 paths and a global context path; 1x1 fusion; decoder.

    The paper's bilinear resizing is absent: a 1 x 1 map resized to h x w is a broadcast, and the decoder keeps h x w.

    Args:
        in_channels: channels of the backbone's map.
        channels: channels of each path.
        decoder_channels: channels after each decoder convolution.
        decoder_kernel: 1 (paper) or 3 (original code).
        decoder_last_linear: the last decoder convolution is 1x1 without batch norm and ReLU (original code).
    """

    def __init__(self, *, in_channels: int, channels: int, decoder_channels: tuple[int, ...], decoder_kernel: int, decoder_last_linear: bool) -> None:
        super().__init__()
        self.paths = nn.ModuleList([ConvNorm(in_channels, channels, kernel_size=1, bias=True)])
        for dilation in DILATIONS:
            self.paths.append(ConvNorm(in_channels, channels, kernel_size=3, dilation=dilation, bias=True))
        self.context = ConvNorm(in_channels, channels, kernel_size=1, bias=True)
        self.merge = ConvNorm(channels, channels, kernel_size=1, bias=True)
        self.decoder = nn.Sequential()
        before = channels
        for i, after in enumerate(decoder_channels):
            linear = decoder_last_linear and i == len(decoder_channels) - 1
            self.decoder.append(nn.Conv2d(before, after, 1, bias=False) if linear else ConvNorm(before, after, decoder_kernel))
            before = after
        self.out_channels = before

    def forward(self, x: Tensor) -> Tensor:
        """Return the decoded map [N, decoder_channels[-1], h, w] of the map x [N, in_channels, h, w]; at least 2 images in training."""
        total = self.context(x.mean(dim=(2, 3), keepdim=True))  # [N, C, 1, 1], broadcast below
        for path in self.paths:
            total = total + path(x)  # [N, C, h, w]
        return self.decoder(self.merge(total))
