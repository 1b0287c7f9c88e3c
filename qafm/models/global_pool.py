"""Global pooling: one number per channel of a map.

Shapes: N images, C channels, h x w the map.
"""

import torch
from torch import Tensor, nn

from qafm.config.backbone import Pooling

START = 3.0
SMALLEST = 1e-6  # a power's derivative at 0 is not finite


class GlobalPool(nn.Module):
    """The mean over the positions, or the generalised mean (mean of x^p)^(1/p) with one learned p for all channels, 3 at the start (Radenovic et al. 2019).

    The larger p, the nearer the maximum. Powers are taken in float32 whatever the map's type.

    Args:
        kind: mean or gem.
    """

    def __init__(self, kind: Pooling) -> None:
        super().__init__()
        self.exponent = nn.Parameter(torch.tensor(START)) if kind == "gem" else None

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, C] of the map x [N, C, h, w]; gem takes what is below 0 for 0."""
        if self.exponent is None:
            return x.mean(dim=(2, 3))
        powers = x.float().clamp(min=SMALLEST).pow(self.exponent)
        return powers.mean(dim=(2, 3)).pow(1 / self.exponent).to(x.dtype)
