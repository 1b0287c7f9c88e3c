"""Settings of a ResNet backbone (paper section III: ResNet-50, ImageNet)."""

from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from qafm.config.base import Settings

ResNetName: TypeAlias = Literal["resnet10", "resnet18", "resnet34", "resnet50"]  # those of qafm.models.resnet.BLOCKS
Pooling: TypeAlias = Literal["mean", "gem"]

PUBLISHED_CHANNELS = 64
# With fewer, torch's backward pass of a channels-last 1x1 convolution with stride 2 corrupts the heap, on CPUs with AMX or AVX-512 and more than one thread.
LEAST_CHANNELS = 16


class BackboneConfig(Settings):
    """Which ResNet, at which input size, and where its first weights come from."""

    name: ResNetName = Field(default="resnet50", description="resnet10: one basic block per stage")
    last_stride: Literal[1, 2] = Field(default=2, description="stride of layer4; 1 doubles the height and width of its map")
    channels: int = Field(
        default=PUBLISHED_CHANNELS,
        ge=LEAST_CHANNELS,
        multiple_of=2,
        description="channels of the stem and layer1, each later layer has twice as many; 64: as published",
    )
    ibn: bool = Field(
        default=False, description="IBN-a: half the channels of each block's first norm in layers 1 to 3 are instance-normalised; no ImageNet weights"
    )
    pooling: Pooling = Field(
        default="mean", description="of the last map to a vector, in APN, past APAN's ConvLSTM and in a plain network; gem: generalised mean, learned exponent"
    )
    init: Literal["imagenet", "extractor", "random"] = Field(
        default="imagenet", description="imagenet: torchvision's weights; extractor: the extractor of stage 3; never a silent fallback"
    )
    height: int = Field(default=384, ge=32, description="input height, pixels")
    width: int = Field(default=128, ge=16, description="input width, pixels")

    @property
    def architecture(self) -> str:
        """What decides whether weights fit, in words."""
        return self.name + (" with ibn" if self.ibn else "") + ("" if self.channels == PUBLISHED_CHANNELS else f" from {self.channels} channels")

    def map_size(self, height: int | None = None) -> tuple[int, int]:
        """Rows and columns of the last map: 1/16 of the input with last_stride 1, else 1/32, rounded up.

        Args:
            height: of the input, pixels; None: the configured one.
        """
        reduction = 16 if self.last_stride == 1 else 32
        return -(-(self.height if height is None else height) // reduction), -(-self.width // reduction)

    @model_validator(mode="after")
    def _imagenet_has_its_weights(self) -> Self:
        if self.init == "imagenet" and (self.ibn or self.channels != PUBLISHED_CHANNELS):
            raise ValueError(f"there are no ImageNet weights for {self.architecture}; set init to random or extractor")
        return self
