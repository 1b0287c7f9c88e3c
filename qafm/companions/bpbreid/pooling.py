"""Pooling of a feature map under part maps (Somers et al. 2023, section 3.2).

Shapes: N images, C channels, P maps, h x w.
"""

from typing import Literal

import torch
from torch import Tensor

SMALLEST_MASS = 1e-6


def pool_maps(features: Tensor, maps: Tensor, pooling: Literal["gwap", "gap", "gmp"]) -> Tensor:
    """One vector per map.

    Args:
        features: [N, C, h, w].
        maps: [N, P, h, w], >= 0.
        pooling: "gwap": weighted mean, sum of map x features over the sum of the map (at least 1e-6); "gap": mean of map x features over all places;
            "gmp": their maximum.

    Returns:
        [N, P, C].
    """
    if pooling == "gmp":
        return torch.stack([(features * maps[:, p : p + 1]).amax(dim=(2, 3)) for p in range(maps.shape[1])], dim=1)
    total = torch.einsum("nchw,nphw->npc", features, maps.to(features.dtype))
    if pooling == "gap":
        return total / (maps.shape[2] * maps.shape[3])
    return total / maps.sum(dim=(2, 3)).clamp(min=SMALLEST_MASS)[..., None].to(total.dtype)
