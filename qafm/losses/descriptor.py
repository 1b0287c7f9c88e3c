"""Both losses of one descriptor: identity and triplet (Bag of Tricks, Luo et al. 2019; paper section IV)."""

import torch
import torch.nn.functional as F

from qafm.config.training import DescriptorLossConfig
from qafm.losses.identity import identity_loss
from qafm.losses.triplet import batch_hard_triplet


def descriptor_losses(logits: torch.Tensor, vectors: torch.Tensor, labels: torch.Tensor, config: DescriptorLossConfig) -> dict[str, torch.Tensor]:
    """Label-smoothed cross-entropy, and batch-hard triplet loss of the vectors.

    The margin is on distances: those of unit vectors are at most 2. As it is, a branch's vector leaves a batch norm, where distances are some 20 and a margin
    of 0.3 asks for almost nothing.

    Args:
        logits: of the identity classifier, [N, ids].
        vectors: the descriptors, [N, D].
        labels: identities as class indices, int64 [N].
        config: label smoothing, margin, and which vectors the triplet loss sees.

    Returns:
        Scalars "identity" and, unless `triplet_on` is none, "triplet"; computed in float32.
    """
    losses = {"identity": identity_loss(logits, labels, config.label_smoothing)}
    if config.triplet_on != "none":
        vectors = vectors.float()
        losses["triplet"] = batch_hard_triplet(F.normalize(vectors, dim=1) if config.triplet_on == "unit" else vectors, labels, config.triplet_margin)
    return losses
