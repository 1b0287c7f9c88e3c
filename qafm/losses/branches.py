"""The losses that reach one branch only: APN's (Eq. 7) and APAN's."""

import torch
import torch.nn.functional as F

from qafm.config.training import BranchLossConfig
from qafm.losses.attributes import attribute_loss
from qafm.losses.identity import identity_loss
from qafm.losses.triplet import batch_hard_triplet
from qafm.models.apan import ApanOutput
from qafm.models.apn import ApnOutput


def apn_losses(output: ApnOutput, labels: torch.Tensor, config: BranchLossConfig) -> dict[str, torch.Tensor]:
    """Label-smoothed cross-entropy and triplet loss of v_a, and the mean cross-entropy of the stripe classifiers (Eq. 7).

    Args:
        output: of a batch of N images.
        labels: identities as class indices, int64 [N].
        config: label smoothing, margin, and which vectors the triplet loss sees.

    Returns:
        Named scalars; "apn_stripes" only where there are stripes, "apn_triplet" unless `triplet_on` is none.
    """
    losses = {"apn_identity": identity_loss(output.logits.float(), labels, config.label_smoothing)}
    if config.triplet_on != "none":
        losses["apn_triplet"] = _triplet(output.v_a, labels, config)
    if output.stripe_logits:
        stripes = [identity_loss(logits.float(), labels, config.label_smoothing) for logits in output.stripe_logits]
        losses["apn_stripes"] = torch.stack(stripes).mean()
    return losses


def apan_losses(
    output: ApanOutput, labels: torch.Tensor, attributes: torch.Tensor, config: BranchLossConfig, attribute_weight: float
) -> dict[str, torch.Tensor]:
    """Identity cross-entropy and triplet loss of v_s (with an identity head), and the weighted mean of the known attribute heads.

    Args:
        output: of a batch of N images.
        labels: identities as class indices, int64 [N].
        attributes: class codes, int64 [N, 12], -1 = unknown.
        config: label smoothing, margin, and which vectors the triplet loss sees.
        attribute_weight: lambda_attr.

    Returns:
        Named scalars; "apan_identity" and "apan_triplet" (unless `triplet_on` is none) only with an identity head.
    """
    losses = {"apan_attributes": attribute_weight * attribute_loss(output.attribute_logits, attributes, reduce="mean")[0]}
    if output.logits is not None:
        losses["apan_identity"] = identity_loss(output.logits.float(), labels, config.label_smoothing)
    if output.logits is not None and config.triplet_on != "none":
        losses["apan_triplet"] = _triplet(output.v_s, labels, config)
    return losses


def _triplet(vectors: torch.Tensor, labels: torch.Tensor, config: BranchLossConfig) -> torch.Tensor:
    """Batch-hard triplet loss. A branch's vector leaves a batch norm: as it is, its distances are some 20, and a margin of 0.3 asks for almost nothing."""
    vectors = vectors.float()
    return batch_hard_triplet(F.normalize(vectors, dim=1) if config.triplet_on == "unit" else vectors, labels, config.triplet_margin)
