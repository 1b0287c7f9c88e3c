"""The network below the parts: the core's ResNet, or HRNet-W32.

Shapes: N images, C channels, h x w the map: 1/16 of the input for a ResNet with last stride 1, 1/4 for HRNet.
"""

from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qafm.config.bpbreid import PartBackboneConfig
from qafm.models.resnet import ResNetTrunk, build_resnet

SCALES = (1, 2, 3, 4)  # of timm's five feature maps: 1/4 to 1/32


class HrnetTrunk(nn.Module):
    """HRNet-W32 (Wang et al. 2020) without its classifier: the maps of its four scales, brought to the largest and concatenated.

    timm is imported here alone: that takes longer than most jobs that have no use for it.
    """

    def __init__(self, *, imagenet: bool = False) -> None:
        super().__init__()
        import timm

        scales: Any = timm.create_model("hrnet_w32", pretrained=imagenet, features_only=True, out_indices=SCALES)
        self.scales: nn.Module = scales
        self.out_channels = sum(scales.feature_info.channels())  # 1920

    def forward(self, images: Tensor) -> Tensor:
        """Return [N, 1920, H/4, W/4] of normalised images [N, 3, H, W]; H and W are multiples of 32."""
        maps = self.scales(images)  # [N, 128, H/4, W/4] to [N, 1024, H/32, W/32]
        size = maps[0].shape[2:]
        return torch.cat([maps[0], *(F.interpolate(scale, size=size, mode="bilinear", align_corners=False) for scale in maps[1:])], dim=1)


PartBackbone: TypeAlias = ResNetTrunk | HrnetTrunk


def build_backbone(config: PartBackboneConfig) -> PartBackbone:
    """The backbone with random weights."""
    return HrnetTrunk() if config.name == "hrnet_w32" else build_resnet(config.name, last_stride=1, channels=config.channels, ibn=config.ibn)
