"""Batch-hard triplet loss on distances averaged over body parts (Somers et al. 2023, section 3.3).

Shapes: N images, K parts, D dimensions, M anchors with a positive and a negative.
"""

import torch
from torch import Tensor

from qafm.losses.triplet import SMALLEST_SQUARE


def part_triplet(parts: Tensor, pids: Tensor, margin: float, visible: Tensor | None = None) -> Tensor:
    """Return the mean over anchors of max(0, d(farthest positive) - d(nearest negative) + margin), d the mean Euclidean distance of the parts, in float32.

    Args:
        parts: [N, K, D].
        pids: [N].
        margin: > 0.
        visible: bool [N, K]: distances are averaged over the parts that both images show, pairs without any are neither positive nor negative;
            None: over all parts.

    Returns:
        A scalar. Anchors without a positive or a negative are left out; without any anchor it is 0, with a gradient of 0.
    """
    parts = parts.float()
    common = torch.ones(len(parts), len(parts), parts.shape[1], device=parts.device) if visible is None else (visible[:, None] & visible[None]).float()
    same = pids[:, None] == pids[None, :]  # [N, N]
    comparable = common.any(dim=2)  # [N, N]
    positive = same & comparable & ~torch.eye(len(pids), dtype=torch.bool, device=pids.device)
    negative = ~same & comparable
    anchors = torch.nonzero(positive.any(dim=1) & negative.any(dim=1)).squeeze(1)  # [M]
    if len(anchors) == 0:
        return (parts * 0).sum()
    with torch.no_grad():
        apart = torch.cdist(parts.transpose(0, 1), parts.transpose(0, 1), compute_mode="donot_use_mm_for_euclid_dist").permute(1, 2, 0)  # [N, N, K]
        distances = _mean(apart, common)  # [N, N]
        farthest = distances.masked_fill(~positive, -torch.inf).argmax(dim=1)[anchors]  # [M]
        nearest = distances.masked_fill(~negative, torch.inf).argmin(dim=1)[anchors]  # [M]
    gap = _distance(parts, common, anchors, farthest) - _distance(parts, common, anchors, nearest)  # [M]
    return torch.relu(gap + margin).mean()


def _distance(parts: Tensor, common: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Distance of the images `one` [M] and `other` [M], from differences: exact, and with a gradient where it is 0."""
    apart = (parts[one] - parts[other]).square().sum(dim=2).clamp(min=SMALLEST_SQUARE).sqrt()  # [M, K]
    return _mean(apart, common[one, other])


def _mean(apart: Tensor, common: Tensor) -> Tensor:
    """Mean of `apart` over its last axis, weighted by `common`; 0 where nothing is common."""
    return (apart * common).sum(dim=-1) / common.sum(dim=-1).clamp(min=1)
