"""Triplets within a batch, for the siamese network under the common recipe: the negative is a look-alike of the anchor, as in its own one.

B images of a batch, M triplets.
"""

import torch
from torch import Tensor


def alike_triplets(labels: Tensor, clusters: Tensor) -> Tensor:
    """One triplet for each image that can be an anchor; all draws come from torch's global generator on the CPU.

    Args:
        labels: identity of each image, int64 [B].
        clusters: colour cluster of each image, int64 [B].

    Returns:
        int64 [M, 3] on the CPU: anchor, another image of its identity, an image of another identity from the anchor's cluster, or from any where the
        batch holds none in it. Without a second image of the anchor's identity, or without another identity, there is no triplet.
    """
    labels, clusters = labels.cpu(), clusters.cpu()
    same = labels[:, None] == labels  # [B, B]
    others = same & ~torch.eye(len(labels), dtype=torch.bool)
    draws = torch.rand(2, len(labels), len(labels))
    positive = draws[0].masked_fill(~others, -1).argmax(dim=1)
    alike = (clusters[:, None] == clusters).float()
    negative = (draws[1] + alike).masked_fill(same, -1).argmax(dim=1)
    usable = others.any(dim=1) & (~same).any(dim=1)
    return torch.stack([torch.arange(len(labels)), positive, negative], dim=1)[usable]
