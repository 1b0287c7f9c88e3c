"""The ConvLSTM cell that carries APAN's memory from one attribute group to the next (Shi et al. 2015; paper section III-B).

Shapes: N images, C input channels, D hidden channels, h x w the map.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class LstmState(NamedTuple):
    """Hidden state and memory."""

    h: Tensor  # [N, D, h, w]
    c: Tensor  # [N, D, h, w]


class ConvLstmCell(nn.Module):
    """One 3x3 convolution of (x, h) gives the gates i, f, o and the candidate g, in this order. The forget gate's bias starts at 1."""

    def __init__(self, *, in_channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.hidden_channels = hidden_channels
        self.conv = nn.Conv2d(in_channels + hidden_channels, 4 * hidden_channels, 3, padding=1)
        assert self.conv.bias is not None
        with torch.no_grad():
            self.conv.bias[hidden_channels : 2 * hidden_channels] = 1

    def start(self, x: Tensor) -> LstmState:
        """Return the state before the first step, all zeros, for inputs like x [N, C, h, w]."""
        zeros = x.new_zeros(x.shape[0], self.hidden_channels, *x.shape[2:])  # [N, D, h, w]
        return LstmState(zeros, zeros)

    def forward(self, x: Tensor, state: LstmState) -> LstmState:
        """Take one step: c' = f c + i g, h' = o tanh(c').

        Args:
            x: [N, C, h, w].
            state: that of the step before, or `start(x)`.
        """
        gates = self.conv(torch.cat([x, state.h], dim=1))  # [N, 4D, h, w]
        i, f, o, g = gates.chunk(4, dim=1)  # 4 x [N, D, h, w]
        c = torch.sigmoid(f) * state.c + torch.sigmoid(i) * torch.tanh(g)
        return LstmState(torch.sigmoid(o) * torch.tanh(c), c)
