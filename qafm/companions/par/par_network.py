"""The PAR network: a ResNet and a head of its own for every attribute (the report's Figure 1).

Shapes: N images, C channels of the last map, K classes of a head.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.models.global_pool import GlobalPool
from qafm.models.resnet import build_resnet


class ParNetwork(nn.Module):
    """ResNet -> global pooling -> per attribute Dropout and Linear.

    Args:
        backbone: architecture; its weights are random here.
        heads: name of an attribute -> number of its classes.
        dropout: probability of dropping a pooled feature, drawn for each head.
    """

    def __init__(self, backbone: BackboneConfig, heads: Mapping[str, int], dropout: float) -> None:
        super().__init__()
        self.trunk = build_resnet(backbone.name, last_stride=backbone.last_stride, channels=backbone.channels, ibn=backbone.ibn)
        self.pool = GlobalPool(backbone.pooling)
        self.heads = nn.ModuleDict({name: nn.Sequential(nn.Dropout(dropout), nn.Linear(self.trunk.out_channels, size)) for name, size in heads.items()})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits [N, K] of every head, of images [N, 3, H, W]."""
        feature = self.pool(self.trunk(images))  # [N, C]
        return {name: head(feature) for name, head in self.heads.items()}
