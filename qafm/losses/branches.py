"""The losses that reach one branch only: APN's (Eq. 7) and APAN's."""

import torch

from qafm.config.training import BranchLossConfig
from qafm.losses.attributes import attribute_loss
from qafm.losses.descriptor import descriptor_losses
from qafm.losses.identity import identity_loss
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
    losses = {f"apn_{name}": loss for name, loss in descriptor_losses(output.logits, output.v_a, labels, config).items()}
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
        losses |= {f"apan_{name}": loss for name, loss in descriptor_losses(output.logits, output.v_s, labels, config).items()}
    return losses
