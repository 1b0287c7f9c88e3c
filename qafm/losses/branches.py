"""The losses that reach one branch only: APN's (Eq. 7) and APAN's."""

import torch

from qafm.config.training import IdentityLossConfig
from qafm.losses.attributes import attribute_loss
from qafm.losses.identity import identity_loss
from qafm.losses.triplet import batch_hard_triplet
from qafm.models.apan import ApanOutput
from qafm.models.apn import ApnOutput


def apn_losses(output: ApnOutput, labels: torch.Tensor, config: IdentityLossConfig) -> dict[str, torch.Tensor]:
    """Label-smoothed cross-entropy and triplet loss of v_a, and the mean cross-entropy of the stripe classifiers (Eq. 7).

    Args:
        output: of a batch of N images.
        labels: identities as class indices, int64 [N].
        config: label smoothing and margin.

    Returns:
        Named scalars; "apn_stripes" only where there are stripes.
    """
    losses = {
        "apn_identity": identity_loss(output.logits.float(), labels, config.label_smoothing),
        "apn_triplet": batch_hard_triplet(output.v_a.float(), labels, config.triplet_margin),
    }
    if output.stripe_logits:
        stripes = [identity_loss(logits.float(), labels, config.label_smoothing) for logits in output.stripe_logits]
        losses["apn_stripes"] = torch.stack(stripes).mean()
    return losses


def apan_losses(
    output: ApanOutput, labels: torch.Tensor, attributes: torch.Tensor, config: IdentityLossConfig, attribute_weight: float
) -> dict[str, torch.Tensor]:
    """Identity cross-entropy and triplet loss of v_s (with an identity head), and the weighted mean of the known attribute heads.

    Args:
        output: of a batch of N images.
        labels: identities as class indices, int64 [N].
        attributes: class codes, int64 [N, 12], -1 = unknown.
        config: label smoothing and margin.
        attribute_weight: lambda_attr.

    Returns:
        Named scalars; "apan_identity" and "apan_triplet" only with an identity head.
    """
    losses = {"apan_attributes": attribute_weight * attribute_loss(output.attribute_logits, attributes, reduce="mean")[0]}
    if output.logits is not None:
        losses["apan_identity"] = identity_loss(output.logits.float(), labels, config.label_smoothing)
        losses["apan_triplet"] = batch_hard_triplet(output.v_s.float(), labels, config.triplet_margin)
    return losses
