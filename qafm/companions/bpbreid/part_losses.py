"""The losses of BPBReID: GiLt, identity losses on some embeddings and triplet losses on others, and the body-part attention loss.

Shapes: N images, K parts, h x w the feature map.
"""

import torch
from torch import Tensor

from qafm.companions.bpbreid.attention import visibility
from qafm.companions.bpbreid.part_model import Embedded, PartOutput
from qafm.companions.bpbreid.part_triplet import part_triplet
from qafm.config.bpbreid import EmbeddingWeights, PartLossConfig
from qafm.config.training import IdentityLossConfig
from qafm.losses.identity import identity_loss
from qafm.losses.triplet import batch_hard_triplet

EMBEDDINGS = tuple(EmbeddingWeights.model_fields)


def gilt_losses(output: PartOutput, pids: Tensor, config: PartLossConfig, settings: IdentityLossConfig) -> dict[str, Tensor]:
    """Weighted identity and triplet losses (GiLt; Somers et al. 2023, section 3.3); those of weight 0 are left out.

    Args:
        output: of a batch of N images.
        pids: identities as class indices, int64 [N].
        config: weights, and whether the triplet loss of the parts heeds their visibility.
        settings: label smoothing and margin.

    Returns:
        Named scalars, "identity_whole" to "triplet_parts".
    """
    losses = {}
    for name in EMBEDDINGS:
        found: Embedded = getattr(output, name)
        weight = getattr(config.identity, name)
        if weight:
            losses[f"identity_{name}"] = weight * _identity(found.logits, pids, settings.label_smoothing)
        weight = getattr(config.triplet, name)
        if weight and name == "parts":
            visible = visibility(output.maps.detach()).visible if config.triplet_visibility else None
            losses["triplet_parts"] = weight * part_triplet(found.vector, pids, settings.triplet_margin, visible)
        elif weight:
            losses[f"triplet_{name}"] = weight * batch_hard_triplet(found.vector.float(), pids, settings.triplet_margin)
    return losses


def attention_loss(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of the pixel classifier over all places of all images, in float32.

    Args:
        logits: [N, K + 1, h, w].
        labels: part of each place, 0 for background, int64 [N, h, w].
        smoothing: label smoothing, in [0, 1).
    """
    return torch.nn.functional.cross_entropy(logits.float(), labels, label_smoothing=smoothing)


def _identity(logits: Tensor, pids: Tensor, smoothing: float) -> Tensor:
    """Of one classifier [N, ids]; the mean over parts for [N, K, ids]."""
    if logits.dim() == 2:
        return identity_loss(logits, pids, smoothing)
    return identity_loss(logits.flatten(0, 1), pids.repeat_interleave(logits.shape[1]), smoothing)
