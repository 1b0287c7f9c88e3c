"""The four losses of the report, each summed over the attribute heads, and the triplet loss of its siamese network.

Shapes: N images, K classes of a head, M triplets, D length of a descriptor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from qafm.config.par import LossName
from qafm.tables.attributes import ATTRIBUTE_NAMES

SMALLEST = 1e-12  # a root of 1 - p has no gradient below it: that at p = 1 is infinite


@dataclass(frozen=True)
class ParLoss:
    """One of the losses.

    Args:
        name: ce: -log p of the labelled class; focal: (1 - p)^gamma times that; weighted_ce and alpha_focal: either times the weight of the class.
        weights: per head the weights of its classes, float [K]; looked at by the weighted losses alone.
        gamma: exponent of the focal losses.
        divide_by: what the sum over images of a weighted loss is divided by: the sum of the weights, or the number of images.
    """

    name: LossName
    weights: Mapping[str, Tensor]
    gamma: float
    divide_by: Literal["weights", "images"]

    def __call__(self, logits: Mapping[str, Tensor], codes: Tensor) -> Tensor:
        """The sum over the heads of each head's mean over the images with a known label.

        Args:
            logits: head -> [N, K].
            codes: class codes, int64 [N, 12] in the order of ATTRIBUTES, -1 = unknown.

        Returns:
            A scalar. A head adds nothing where no label is known, or where all labelled classes weigh 0 and the weights divide; without any head left it
            is a 0 that can be differentiated and reaches nothing.
        """
        losses = [self._of_head(name, values.float(), codes[:, ATTRIBUTE_NAMES.index(name)]) for name, values in logits.items()]
        found = [loss for loss in losses if loss is not None]
        return torch.stack(found).sum() if found else torch.zeros((), device=codes.device, requires_grad=True)

    def _of_head(self, name: str, logits: Tensor, codes: Tensor) -> Tensor | None:
        known = codes >= 0
        codes = codes[known]  # [n]
        if not len(codes):
            return None
        log_p = F.log_softmax(logits[known], dim=1).gather(1, codes[:, None]).squeeze(1)  # [n]
        losses = -log_p
        if self.name in ("focal", "alpha_focal"):
            losses = losses * (-torch.expm1(log_p)).clamp(min=SMALLEST).pow(self.gamma)
        if self.name in ("ce", "focal"):
            return losses.mean()
        weights = self.weights[name][codes]  # [n]
        total = weights.sum() if self.divide_by == "weights" else torch.tensor(float(len(codes)), device=codes.device)
        return (weights * losses).sum() / total if total > 0 else None


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Mean of max(0, |a - p|^2 - |a - n|^2 + margin), each argument [M, D]."""
    return torch.relu((anchor - positive).square().sum(dim=1) - (anchor - negative).square().sum(dim=1) + margin).mean()
