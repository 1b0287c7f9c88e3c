"""From APAN's attribute logits to class codes."""

from collections.abc import Sequence

import torch


def attribute_codes_of(attribute_logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """The most likely class of each group.

    Args:
        attribute_logits: one per group: [N] for a binary group (logit of class 1), else [N, K].

    Returns:
        int64 [N, groups], 0-based class codes.
    """
    return torch.stack([logits.argmax(dim=1) if logits.ndim == 2 else (logits > 0).long() for logits in attribute_logits], dim=1)
