"""What is exported: both branches, the fusion head and, if asked for, the MLP that makes the weight of Q, as one network from pixels to descriptors.

N images, D the length of a descriptor, H x W the input size.
"""

import copy
from typing import get_args

import torch
from torch import Tensor, nn

from qafm.errors import InputError
from qafm.export.choices import Weight
from qafm.images.network_input import IMAGENET_MEAN, IMAGENET_STD
from qafm.models.qafm import Qafm


class DescriptorNetwork(nn.Module):
    """Pixels and a number per image -> descriptor.

    The pixels are uint8, RGB, 0..255, and the normalisation is inside: mean, sd, range and the order of the channels are what goes wrong when a network moves
    to another runtime.

    Args:
        model: a trained model; it is copied, not changed.
        weight: "visual_weight": the second input is the weight of the visual branch; "q": it is Q(I), from which the MLP makes the weight.

    Raises:
        InputError: there is no such `weight`, or `q` for a model whose weight is fixed.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, model: Qafm, weight: Weight) -> None:
        super().__init__()
        if weight not in get_args(Weight):
            raise InputError(f"weight: {weight!r} is none of {', '.join(get_args(Weight))}")
        if weight == "q" and model.weight_mlp is None:
            raise InputError("weight: this model's weight is fixed, it makes none of q; choose visual_weight")
        copied = copy.deepcopy(model).cpu().float().eval().requires_grad_(False)
        self.visual, self.attribute, self.head = copied.visual, copied.attribute, copied.head
        self.weight_mlp = copied.weight_mlp if weight == "q" else None
        self.visual.apn.horizontal, self.visual.apn.vertical = nn.ModuleList(), nn.ModuleList()  # for training only
        for neck in (self.visual.apn.neck, self.attribute.apan.neck, self.head.neck):
            if neck is not None:
                neck.register_module("classifier", nn.Identity())  # its logits are not asked for
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("sd", 255 * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def forward(self, images: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        """Describe.

        Args:
            images: uint8 [N, 3, H, W], RGB, resized.
            weight: float32 [N]: visual weights in [0, 1], or Q(I), where NaN stands for the mean Q.

        Returns:
            L2-normalised descriptors, float32 [N, D]; where the weight is made of Q, the visual weights, too, float32 [N].
        """
        pixels = (images.float() - self.mean) / self.sd
        v_a, v_s = self.visual(pixels).v_a, self.attribute(pixels).v_s  # [N, Da], [N, Ds]
        if self.weight_mlp is None:
            return (self.head(v_a, v_s, weight).descriptor,)
        w = self.weight_mlp.weight(torch.where(torch.isnan(weight), self.weight_mlp.mean, weight))  # [N]
        return self.head(v_a, v_s, w).descriptor, w
