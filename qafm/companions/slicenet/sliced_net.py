"""BigNet, SliceNet1 and SliceNet2: one trunk, cut into horizontal strips nowhere, before, or behind (COL780 report).

Shapes: N images, K slices, H and W the input size, C identities. A descriptor has 128 values.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from qafm.companions.slicenet.trunk import OUT_CHANNELS, Dense, Trunk
from qafm.config.sliced_net import EMBEDDING, REDUCTION, Network, NetworkConfig


class CosineSoftmax(nn.Module):
    """Logits kappa r . w_c / |w_c|, kappa one learned number that starts at 1 (Wojke and Bewley 2018).

    Args:
        dim: length of r.
        classes: number of identities.
    """

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dim, classes))
        self.kappa = nn.Parameter(torch.ones(()))

    def forward(self, vectors: Tensor) -> Tensor:
        """Descriptors [N, dim] -> logits [N, C]."""
        return self.kappa * (vectors @ functional.normalize(self.weight, dim=0))


class Output(NamedTuple):
    """What a network returns."""

    vector: Tensor  # [N, 128]; norm 1, of SliceNet1 sqrt(K)
    logits: Tensor  # [N, C]


def cut(maps: Tensor, slices: int) -> Tensor:
    """Cut images or maps [N, c, H, W] into `slices` strips, an image's own from top to bottom: [N * slices, c, H / slices, W]."""
    if slices == 1:
        return maps
    n, channels, height, width = maps.shape
    strips = maps.reshape(n, channels, slices, height // slices, width).transpose(1, 2)  # [N, K, c, h, W]
    return strips.reshape(n * slices, channels, height // slices, width).contiguous(memory_format=torch.channels_last)


def strip_descriptors(images: Tensor, network: Network, slices: int, trunk: nn.Module, dense: nn.Module) -> Tensor:
    """Descriptors of a batch by the strips of each image.

    Args:
        images: normalised, [N, 3, H, W].
        network: slicenet1 cuts the image, the others the trunk's map; bignet has one strip.
        slices: K.
        trunk: images -> maps [n, c, h, w].
        dense: a strip's map -> its 128 / K values.

    Returns:
        [N, 128]: the strips' values joined; of slicenet1 every strip has norm 1, else the whole.
    """
    if network == "slicenet1":
        parts = dense(trunk(cut(images, slices)))  # [N * K, 128 / K]
        return functional.normalize(parts).reshape(len(images), EMBEDDING)
    parts = dense(cut(trunk(images), slices))
    return functional.normalize(parts.reshape(len(images), EMBEDDING))


class SlicedNet(nn.Module):
    """One of the three networks with its normalisation of images and its classifier.

    bignet: the whole map, 128 values, L2-normalised. slicenet1: strips of the image through one trunk, 128 / K values each, L2-normalised one by one and
    joined. slicenet2: strips of the map, 128 / K values each, joined, then L2-normalised. All strips of a batch pass the dense layer together, so that its
    batch normalisation sees in training what it sees in use: strips from every height.

    Args:
        config: which network, at which size.
        classes: number of identities.
    """

    mean: Tensor  # of the train split's pixels per channel, in [0, 1]
    std: Tensor

    def __init__(self, config: NetworkConfig, classes: int) -> None:
        super().__init__()
        self.network: Network = config.network
        self.slices = config.slices
        features = OUT_CHANNELS * (config.height // REDUCTION) * (config.width // REDUCTION) // config.slices
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("std", torch.ones(3))
        self.trunk = Trunk(config.dropout)
        self.dense_10 = Dense(features, EMBEDDING // config.slices, config.dropout)
        self.classifier = CosineSoftmax(EMBEDDING, classes)

    def forward(self, pixels: Tensor) -> Output:
        """Return the descriptors and identity logits of images: uint8 [N, 3, H, W]."""
        images = ((pixels.float() / 255 - self.mean.view(3, 1, 1)) / self.std.view(3, 1, 1)).contiguous(memory_format=torch.channels_last)
        vector = strip_descriptors(images, self.network, self.slices, self.trunk, self.dense_10)
        return Output(vector, self.classifier(vector))
