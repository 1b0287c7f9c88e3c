"""Settings of one BigNet, SliceNet1 or SliceNet2 and of its training: all that companion c2's weights depend on."""

from typing import Literal

from pydantic import Field, model_validator

from qafm.config.base import Settings

Network = Literal["bignet", "slicenet1", "slicenet2"]
EMBEDDING, REDUCTION = 128, 8  # length of a descriptor; input height / height of the last map


class NetworkConfig(Settings):
    """One network: what its weights fit."""

    network: Network = Field(default="bignet", description="bignet: the whole image; slicenet1: the image is cut; slicenet2: the last map is cut")
    height: int = Field(default=128, ge=8, description="input height, pixels; a multiple of 8 x slices")
    width: int = Field(default=48, ge=8, description="input width, pixels; a multiple of 8")
    slices: int = Field(default=1, ge=1, description="K horizontal strips; 1 for bignet; a divisor of 128")
    dropout: float = Field(default=0.4, ge=0, lt=1, description="in every residual block and before the dense layer")

    @model_validator(mode="after")
    def _divides_evenly(self) -> "NetworkConfig":
        if self.network == "bignet" and self.slices != 1:
            raise ValueError("bignet has one slice, the whole image")
        if EMBEDDING % self.slices or self.height % (REDUCTION * self.slices) or self.width % REDUCTION:
            raise ValueError(
                f"input {self.height} x {self.width} in {self.slices} slices: height must be a multiple of 8 x slices, width of 8, and 128 of slices"
            )
        return self


class TrainSlicenetConfig(Settings):
    """The slice of rule train_slicenet."""

    network: NetworkConfig = NetworkConfig()
    flip: bool = Field(default=True, description="a mirrored copy of every train image is added once, before training")
    epochs: int = Field(default=60, ge=1)
    batch_size: int = Field(default=16, ge=2)
    lr: float = Field(default=1e-3, gt=0)
    check_every: int = Field(default=5, ge=1)
