"""Where the body parts are: a learned pixel classifier, or fixed stripes (Somers et al. 2023, section 3.1).

Shapes: N images, C channels, K parts, h x w the feature map; channel 0 of K + 1 is the background.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qafm.companions.bpbreid.part_labels import stripe_labels


class Attention(NamedTuple):
    """Part maps, and the scores they come from where they are learned."""

    maps: Tensor  # [N, K + 1, h, w], probabilities
    logits: Tensor | None  # [N, K + 1, h, w]


class PixelClassifier(nn.Module):
    """Batch normalisation, a 1x1 convolution to K + 1 scores started near 0, softmax."""

    def __init__(self, *, channels: int, parts: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.scores = nn.Conv2d(channels, parts + 1, 1)
        nn.init.normal_(self.scores.weight, std=0.001)
        nn.init.zeros_(self.scores.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, features: Tensor) -> Attention:
        """Classify every place of [N, C, h, w]; in float32."""
        logits = self.scores(self.norm(features)).float()  # [N, K + 1, h, w]
        return Attention(logits.softmax(dim=1), logits)


class Stripes(nn.Module):
    """K equal horizontal stripes and no background, the same for every image."""

    def __init__(self, *, parts: int) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, features: Tensor) -> Attention:
        """Stripes for [N, C, h, w]."""
        rows, columns = features.shape[2:]
        maps = F.one_hot(stripe_labels(self.parts, rows, columns), self.parts + 1).permute(2, 0, 1)  # [K + 1, h, w]
        return Attention(maps.to(features.device, torch.float32).expand(len(features), -1, -1, -1), None)


class Visibility(NamedTuple):
    """Which parts an image shows."""

    visible: Tensor  # bool [N, K]: the part is the likeliest class somewhere
    confidence: Tensor  # float [N, K]: its largest probability


def visibility(maps: Tensor) -> Visibility:
    """Visibility of the parts from their maps [N, K + 1, h, w]."""
    winners = F.one_hot(maps.argmax(dim=1), maps.shape[1])  # [N, h, w, K + 1]
    return Visibility(winners.amax(dim=(1, 2))[:, 1:].bool(), maps.amax(dim=(2, 3))[:, 1:])
