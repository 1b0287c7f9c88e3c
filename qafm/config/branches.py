"""Settings of stage 5: the two branches and how each is trained alone (paper sections III-A, III-B and IV)."""

from typing import Literal, TypeAlias

from pydantic import Field, field_validator

from qafm.config.backbone import BackboneConfig
from qafm.config.base import Settings, Width
from qafm.config.training import BranchTrainingConfig

Stage1Losses: TypeAlias = Literal["attributes", "all"]
ATTRIBUTE_ORDER = ("gender", "hair", "age", "up", "down", "clothes", "hat", "backpack", "bag", "handbag", "up_color", "down_color")


class ApnConfig(Settings):
    """APN: MFPM, LTN of LAM blocks, v_a. Defaults: the paper's widths, decoder of 1x1 convolutions."""

    mfpm_channels: int = Field(default=1024, ge=1, description="channels of each MFPM path")
    decoder_channels: tuple[Width, ...] = Field(default=(512, 512, 256), min_length=1, description="the last value is what the LTN sees")
    decoder_kernel: Literal[1, 3] = Field(default=1, description="the paper's series of 1x1 convolutions; the original code has 3")
    decoder_last_linear: bool = Field(default=False, description="the last decoder convolution is 1x1 without BN and ReLU, as in the original code")
    lam_channels: tuple[Width, Width] = Field(default=(128, 512), description="channels after the stem and LAM stage 1, and after LAM stage 2")
    lam_grid: tuple[Width, Width] = Field(default=(2, 2), description="rows and columns of tiles")
    residual: bool = Field(default=False, description="shortcuts around MFPM and each LAM block; not in the paper: from random weights they learn slowly")
    embedding_dim: int = Field(default=1024, ge=2, description="length of v_a")
    horizontal_stripes: int = Field(default=2, ge=0, description="H of Eq. 7: stripe classifiers; 0 for none")
    vertical_stripes: int = Field(default=2, ge=0, description="V of Eq. 7")


class ApanConfig(Settings):
    """APAN: PAFM, ConvLSTM over the 12 attribute groups, v_s."""

    pafm_channels: int = Field(default=256, ge=1, description="channels of PAFM's map")
    step_channels: int = Field(default=256, ge=0, description="shared 1x1 projection of the PAFM map; 0: none, the cell sees the map itself")
    gates: bool = Field(default=True, description="modulate x_t by a learned gate of attribute group t")
    hidden_channels: int = Field(default=256, ge=1, description="ConvLSTM hidden channels")
    steps: Literal[1, 12] = Field(default=12, description="1: the original's single step, all heads read h_1")
    group_order: tuple[str, ...] = Field(default=ATTRIBUTE_ORDER, description="order of the attribute groups in the ConvLSTM")
    embedding_dim: int = Field(default=1024, ge=2, description="length of v_s")
    residual: bool = Field(
        default=False, description="shortcut around the ConvLSTM: v_s reads the pooled map of PAFM beside the hidden states; not in the paper"
    )
    heads: Literal["separate", "single"] = Field(default="separate", description="single: one linear layer on v_s after BNNeck, as in the original code")
    identity_head: bool = Field(default=True, description="identity classifier beside the 12 attribute heads (Eq. 2 and 4)")
    attribute_weight: float = Field(default=1.0, ge=0, description="lambda_attr: weight of the mean attribute loss in stage 2")

    @field_validator("group_order")
    @classmethod
    def _each_group_once(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        if sorted(order) != sorted(ATTRIBUTE_ORDER):
            raise ValueError(f"must name each of {', '.join(ATTRIBUTE_ORDER)} once")
        return order


class PretrainApnConfig(Settings):
    """Rule pretrain_apn."""

    backbone: BackboneConfig = BackboneConfig()
    apn: ApnConfig = ApnConfig()
    training: BranchTrainingConfig = BranchTrainingConfig()


class PretrainApanConfig(Settings):
    """Rule pretrain_apan."""

    backbone: BackboneConfig = BackboneConfig()
    apan: ApanConfig = ApanConfig()
    stage_1: Stage1Losses = "attributes"
    training: BranchTrainingConfig = BranchTrainingConfig()
