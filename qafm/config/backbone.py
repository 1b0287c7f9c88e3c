"""Settings of a ResNet backbone (paper section III: ResNet-50, ImageNet)."""

from typing import Literal

from pydantic import Field

from qafm.config.base import Settings


class BackboneConfig(Settings):
    """Which ResNet, at which input size, and where its first weights come from."""

    name: Literal["resnet10", "resnet18", "resnet34", "resnet50"] = Field(default="resnet50", description="resnet10: one basic block per stage")
    last_stride: Literal[1, 2] = Field(default=2, description="stride of layer4; 1 doubles the height and width of its map")
    init: Literal["imagenet", "extractor", "random"] = Field(
        default="imagenet", description="imagenet: torchvision's weights; extractor: the extractor of stage 3; never a silent fallback"
    )
    height: int = Field(default=384, ge=32, description="input height, pixels")
    width: int = Field(default=128, ge=16, description="input width, pixels")
