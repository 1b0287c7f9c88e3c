"""Attribute loss: binary or softmax cross-entropy per attribute group, unknown labels left out (paper section III-B, Eq. 5).

Shapes: N images, K classes of a group.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def attribute_loss(attribute_logits: Sequence[Tensor], codes: Tensor, reduce: Literal["sum", "mean"] = "sum") -> tuple[Tensor, int]:
    """Return the sum (Eq. 5) or the mean over the heads of each head's mean loss over its known labels.

    Args:
        attribute_logits: one per group, in the order of ATTRIBUTES: [N] for a binary group (logit of class 1), else [N, K].
        codes: int64 [N, groups], class codes; -1 is unknown.
        reduce: over the heads that have a known label.

    Returns:
        The loss, and the number of heads with a known label. A head without one gets no gradient at all (not one of 0, which would
        let weight decay act on it); without any head the loss is a 0 that can be differentiated and reaches nothing.
    """
    known = (codes >= 0).any(dim=0).tolist()
    losses = [_head_loss(logits.float(), codes[:, k]) for k, logits in enumerate(attribute_logits) if known[k]]
    if not losses:
        return torch.zeros((), device=codes.device, requires_grad=True), 0
    total = torch.stack(losses).sum()
    return (total if reduce == "sum" else total / len(losses)), len(losses)


def _head_loss(logits: Tensor, codes: Tensor) -> Tensor:
    """Mean over the known labels: logits [N] or [N, K], codes [N], at least one known."""
    if logits.ndim == 2:
        return F.cross_entropy(logits, codes, ignore_index=-1)
    known = (codes >= 0).float()  # [N]
    losses = F.binary_cross_entropy_with_logits(logits, codes.clamp(min=0).float(), reduction="none")  # [N]
    return (losses * known).sum() / known.sum()
