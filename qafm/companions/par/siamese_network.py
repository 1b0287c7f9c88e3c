"""The siamese network: the PAR network up to, but without, its last layer, then ReLU and Linear (the report's Figure 2).

Shapes: N images, C channels of the last map, D length of the descriptor.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.models.global_pool import GlobalPool
from qafm.models.resnet import build_resnet


class SiameseNetwork(nn.Module):
    """ResNet -> global pooling -> ReLU -> Linear -> L2 normalisation.

    The pooled feature is never negative, so the report's ReLU changes nothing. The report has no normalisation; with it a distance lies in [0, 2] and a
    squared one in [0, 4] whatever the network, and the margin means the same in every run.

    Args:
        backbone: architecture; its weights are random here.
        dim: D.
    """

    def __init__(self, backbone: BackboneConfig, dim: int) -> None:
        super().__init__()
        self.trunk = build_resnet(backbone.name, last_stride=backbone.last_stride, channels=backbone.channels, ibn=backbone.ibn)
        self.pool = GlobalPool(backbone.pooling)
        self.project = nn.Sequential(nn.ReLU(), nn.Linear(self.trunk.out_channels, dim))

    def forward(self, images: Tensor) -> Tensor:
        """L2-normalised descriptors, float32 [N, D], of images [N, 3, H, W]."""
        feature = self.pool(self.trunk(images))  # [N, C]
        return F.normalize(self.project(feature).float(), dim=1)
