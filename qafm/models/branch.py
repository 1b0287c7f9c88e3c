"""A branch = a ResNet-50 of its own + APN or APAN (the two branches share nothing)."""

import torch
from torch import nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.models.apan import Apan, ApanOutput
from qafm.models.apn import Apn, ApnOutput
from qafm.models.resnet import build_resnet


class VisualBranch(nn.Module):
    """Backbone up to layer3, then APN. Its vector is v_a."""

    def __init__(self, backbone: BackboneConfig, apn: ApnConfig, num_ids: int) -> None:
        super().__init__()
        self.backbone = build_resnet(backbone.name, last_stride=backbone.last_stride, channels=backbone.channels, ibn=backbone.ibn, layers="layer3")
        self.apn = Apn(config=apn, in_channels=self.backbone.out_channels, num_ids=num_ids, pooling=backbone.pooling)

    def forward(self, images: torch.Tensor) -> ApnOutput:
        """Normalised images [N, 3, H, W] -> v_a [N, Da] and logits."""
        return self.apn(self.backbone(images))


class AttributeBranch(nn.Module):
    """Backbone up to layer4, then APAN. Its vector is v_s."""

    def __init__(self, backbone: BackboneConfig, apan: ApanConfig, num_ids: int) -> None:
        super().__init__()
        self.backbone = build_resnet(backbone.name, last_stride=backbone.last_stride, channels=backbone.channels, ibn=backbone.ibn, layers="layer4")
        self.apan = Apan(config=apan, in_channels=self.backbone.out_channels, num_ids=num_ids, pooling=backbone.pooling)

    def forward(self, images: torch.Tensor) -> ApanOutput:
        """Normalised images [N, 3, H, W] -> v_s [N, Ds], identity logits and 12 attribute logits."""
        return self.apan(self.backbone(images))
