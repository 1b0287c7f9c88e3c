"""The companions' networks on the common backbone: what the comparison's common recipe trains.

Shapes: N images, K strips, H and W the input size, C channels and h x w the size of the backbone's last map, I identities.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.companions.slicenet.sliced_net import CosineSoftmax, Output, strip_descriptors
from qafm.companions.slicenet.trunk import Dense
from qafm.config.backbone import BackboneConfig
from qafm.config.common_recipe import CommonNetworkConfig, SlicedHead
from qafm.config.sliced_net import EMBEDDING, Network
from qafm.errors import InputError
from qafm.models.resnet import build_resnet


class CommonSlicedNet(nn.Module):
    """BigNet, SliceNet1 or SliceNet2 with a ResNet in place of their own convolutions; its input is normalised as every ResNet's here.

    Args:
        backbone: the ResNet; its weights are random here.
        head: which network, its strips and dropout; BigNet has one strip, the whole image.
        classes: I.

    Raises:
        InputError: the strips do not divide the rows of what is cut, or the length of the descriptor.
    """

    def __init__(self, backbone: BackboneConfig, head: SlicedHead, classes: int) -> None:
        super().__init__()
        self.network: Network = head.network
        self.slices = 1 if head.network == "bignet" else head.slices
        self.trunk = build_resnet(backbone.name, last_stride=backbone.last_stride, channels=backbone.channels, ibn=backbone.ibn)
        of_image = self.network == "slicenet1"
        rows, columns = backbone.map_size(backbone.height // self.slices if of_image else None)
        whole = backbone.height if of_image else rows
        if whole % self.slices or EMBEDDING % self.slices:
            what = "input" if of_image else "backbone's map"
            raise InputError(f"companions.slicenet.slices: {self.slices} strips do not divide the {whole} rows of the {what}, or {EMBEDDING} values")
        if not of_image:
            rows //= self.slices
        self.dense_10 = Dense(self.trunk.out_channels * rows * columns, EMBEDDING // self.slices, head.dropout)
        self.classifier = CosineSoftmax(EMBEDDING, classes)

    def forward(self, images: Tensor) -> Output:
        """Return the descriptors and identity logits of normalised images [N, 3, H, W]."""
        vector = strip_descriptors(images, self.network, self.slices, self.trunk, self.dense_10)
        return Output(vector, self.classifier(vector))


def build_common(config: CommonNetworkConfig, classes: int) -> SiameseNetwork | CommonSlicedNet:
    """The network with random weights; its `trunk` is the common backbone."""
    if config.head.kind == "siamese":
        return SiameseNetwork(config.backbone, config.head.dim)
    return CommonSlicedNet(config.backbone, config.head, classes)


def common_descriptors(model: SiameseNetwork | CommonSlicedNet, images: Tensor) -> Tensor:
    """L2-normalised descriptors, float32 [N, D], of normalised images [N, 3, H, W]."""
    found = model(images)
    return found if isinstance(found, torch.Tensor) else functional.normalize(found.vector.float())
