"""Which loss reaches what in stage 2 (N3, N4, N5). One backward pass over the sum of these losses gives all gradients.

B images of a batch, T images of the alpha table.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch.func import functional_call

from qafm.config.fusion import AlphaConfig
from qafm.config.training import IdentityLossConfig
from qafm.losses.alpha import expected_loss, ratio_bce, ratio_target
from qafm.losses.identity import identity_loss
from qafm.losses.triplet import batch_hard_triplet
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp

Losses = dict[str, torch.Tensor]


class AlphaTable(NamedTuple):
    """What the MLP learns from in one epoch: Q and both branches' identity losses of the same images."""

    q: torch.Tensor  # [T]
    l_apn: torch.Tensor  # [T], >= 0
    l_apan: torch.Tensor  # [T], >= 0


class Fused(NamedTuple):
    """Both branch vectors of a batch, and the visual weight of each image."""

    v_a: torch.Tensor  # [B, Da]
    v_s: torch.Tensor  # [B, Ds]
    w: torch.Tensor  # [B]


def cut(fused: Fused, gradients: Literal["isolated", "coupled"]) -> Fused:
    """Detach what the global loss must not reach: both branches and w (isolated), or w alone (coupled)."""
    w = fused.w.detach()
    return Fused(fused.v_a, fused.v_s, w) if gradients == "coupled" else Fused(fused.v_a.detach(), fused.v_s.detach(), w)


def global_losses(model: Qafm, fused: Fused, labels: torch.Tensor, config: IdentityLossConfig, gradients: Literal["isolated", "coupled", "original"]) -> Losses:
    """Identity cross-entropy and triplet loss of the fused vector.

    Args:
        model: its head is used in train mode.
        fused: vectors and weights of the batch.
        labels: class indices, int64 [B].
        config: label smoothing and margin.
        gradients: see `cut`; for `original`, `_original_losses`.
    """
    if gradients == "original":
        return _original_losses(model, fused, labels, config)
    output = model.head(*cut(fused, gradients))
    return {
        "global_identity": identity_loss(output.logits.float(), labels, config.label_smoothing),
        "global_triplet": batch_hard_triplet(output.fused.float(), labels, config.triplet_margin),
    }


def _original_losses(model: Qafm, fused: Fused, labels: torch.Tensor, config: IdentityLossConfig) -> Losses:
    """The original code's (N5): no BNNeck before the global logits; a second pass, through the BNNeck, to the detached classifier for L_mix."""
    head, classifier = model.head, model.head.neck.classifier
    vector = head.fuse(*fused)
    mixed = F.linear(head.neck.norm(head.fuse(*fused)), classifier.weight.detach())
    return {
        "global_identity": identity_loss(classifier(vector).float(), labels, config.label_smoothing),
        "global_triplet": batch_hard_triplet(vector.float(), labels, config.triplet_margin),
        "mix": identity_loss(mixed.float(), labels, config.label_smoothing),
    }


def alpha_losses(mlp: WeightMlp, table: AlphaTable, config: AlphaConfig) -> Losses:
    """The MLP's own loss on the epoch's table (Eq. 2 or Eq. 6)."""
    logit = mlp(table.q)
    if config.loss == "expected_loss":
        return {"alpha": expected_loss(torch.sigmoid(logit), table.l_apn, table.l_apan)}
    return {"alpha": ratio_bce(logit, ratio_target(table.l_apn, table.l_apan))}


def fused_id_loss(model: Qafm, fused: Fused, labels: torch.Tensor, config: IdentityLossConfig) -> Losses:
    """The fused identity loss as a function of w alone: head and vectors are held fixed, running statistics too."""
    head = {name: tensor.detach().clone() for name, tensor in (*model.head.named_parameters(), *model.head.named_buffers())}
    output = functional_call(model.head, head, (fused.v_a.detach(), fused.v_s.detach(), fused.w))
    return {"alpha": identity_loss(output.logits.float(), labels, config.label_smoothing)}
