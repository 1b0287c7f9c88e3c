"""The Bag-of-Tricks baseline: ResNet, global pooling, BNNeck (Luo et al. 2019). Its pooled feature gives Q(I) (paper section III-C).

Shapes: N images, C channels of the last map (2048 for ResNet-50).
"""

from typing import NamedTuple

from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.models.bnneck import BNNeck
from qafm.models.global_pool import GlobalPool
from qafm.models.resnet import build_resnet


class BaselineOutput(NamedTuple):
    """What the baseline returns."""

    feature: Tensor  # [N, C], pooled, before the BNNeck
    logits: Tensor  # [N, ids]


class ReidBaseline(nn.Module):
    """ResNet up to layer4 -> global pooling (the feature) -> BNNeck -> identity classifier, with random weights."""

    def __init__(self, *, backbone: BackboneConfig, num_ids: int) -> None:
        super().__init__()
        self.trunk = build_resnet(backbone.name, last_stride=backbone.last_stride, channels=backbone.channels, ibn=backbone.ibn)
        self.pool = GlobalPool(backbone.pooling)
        self.neck = BNNeck(dim=self.trunk.out_channels, classes=num_ids)

    def forward(self, images: Tensor) -> BaselineOutput:
        """Return the pooled features and the identity logits of images [N, 3, H, W]."""
        feature = self.pool(self.trunk(images))  # [N, C]
        return BaselineOutput(feature, self.neck(feature).logits)
