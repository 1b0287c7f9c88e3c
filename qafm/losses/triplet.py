"""Batch-hard triplet loss (Hermans et al. 2017; paper section IV, margin 0.3).

Shapes: N images, D dimensions, M anchors with a positive and a negative.
"""

import torch
from torch import Tensor

SMALLEST_SQUARE = 1e-12  # squared distances below it have no gradient: that of a square root is infinite at 0


def batch_hard_triplet(embeddings: Tensor, pids: Tensor, margin: float) -> Tensor:
    """Return the mean over anchors of max(0, d(farthest positive) - d(nearest negative) + margin), Euclidean distances in float32.

    Args:
        embeddings: [N, D].
        pids: [N].
        margin: on distances, > 0.

    Returns:
        A scalar. Anchors without a positive or a negative are left out; without any anchor it is 0, with a gradient of 0.
    """
    embeddings = embeddings.float()
    anchors, positives, negatives = _hardest(embeddings.detach(), pids)
    if len(anchors) == 0:
        return (embeddings * 0).sum()
    anchor = embeddings[anchors]  # [M, D]
    gap = _distance(anchor, embeddings[positives]) - _distance(anchor, embeddings[negatives])  # [M]
    return torch.relu(gap + margin).mean()


def _hardest(embeddings: Tensor, pids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the indices [M] of the valid anchors, of their farthest positives and of their nearest negatives."""
    distances = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")  # [N, N]
    same = pids[:, None] == pids[None, :]  # [N, N]
    positive = same & ~torch.eye(len(pids), dtype=torch.bool, device=pids.device)
    anchors = torch.nonzero(positive.any(dim=1) & ~same.all(dim=1)).squeeze(1)  # [M]
    farthest = distances.masked_fill(~positive, -torch.inf).argmax(dim=1)  # [N]
    nearest = distances.masked_fill(same, torch.inf).argmin(dim=1)  # [N]
    return anchors, farthest[anchors], nearest[anchors]


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distance of rows, [M, D] and [M, D] -> [M], from differences: |a|^2 + |b|^2 - 2ab is inexact where it is small."""
    return (a - b).square().sum(dim=1).clamp(min=SMALLEST_SQUARE).sqrt()
