"""BNNeck: batch normalisation between the embedding and the identity classifier (Luo et al. 2019; paper section IV).

Shapes: N images, D dimensions, K classes.
"""

from typing import NamedTuple

from torch import Tensor, nn


class NeckOutput(NamedTuple):
    """What a BNNeck returns."""

    normalized: Tensor  # [N, D], after batch normalisation
    logits: Tensor  # [N, K]


class BNNeck(nn.Module):
    """BatchNorm1d whose bias stays 0, then a linear classifier without bias, started from N(0, 0.001)."""

    def __init__(self, *, dim: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim)
        self.norm.bias.requires_grad_(False)
        self.classifier = nn.Linear(dim, classes, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, embedding: Tensor) -> NeckOutput:
        """Normalise and classify.

        Args:
            embedding: [N, D]; at least 2 images in training.
        """
        normalized = self.norm(embedding)
        return NeckOutput(normalized, self.classifier(normalized))
