"""Identity loss: cross-entropy with label smoothing (paper section IV).

Shapes: N images.
"""

import torch.nn.functional as F
from torch import Tensor


def identity_loss(logits: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    """Return the mean cross-entropy, computed in float32.

    Args:
        logits: [N, ids].
        targets: int64 [N], in [0, ids).
        label_smoothing: share of the target spread evenly over all identities, in [0, 1).
    """
    return F.cross_entropy(logits.float(), targets, label_smoothing=label_smoothing)
