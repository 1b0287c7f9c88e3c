"""Convolution, batch norm, ReLU: what every module here is made of. Its parameters have the names of torchvision's Conv2dNormActivation."""

from torch import nn


class ConvNorm(nn.Sequential):
    """A convolution that keeps h x w, a batch norm and, unless told otherwise, a ReLU.

    Args:
        in_channels: channels of the map.
        out_channels: channels of the result.
        kernel_size: odd.
        dilation: spacing of the kernel's taps.
        bias: of the convolution; the batch norm takes it out again, the original code has it in some places.
        relu: end with a ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, dilation: int = 1, bias: bool = False, relu: bool = True) -> None:
        padding = (kernel_size - 1) // 2 * dilation
        layers = [nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, dilation=dilation, bias=bias), nn.BatchNorm2d(out_channels)]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if relu else []))
