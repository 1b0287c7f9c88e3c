"""Settings of the companion BPBReID: body-part based ReID (Somers et al., WACV 2023)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qafm.config.backbone import LEAST_CHANNELS, PUBLISHED_CHANNELS, BackboneConfig, ResNetName
from qafm.config.base import RunName, Settings
from qafm.config.training import IdentityLossConfig, ScheduleConfig

Variant = Literal["masks", "stripes", "learned", "stripe_labels"]
Weight = Annotated[float, Field(ge=0)]
PARTS = {"five_v": 5, "eight": 8}  # grouping -> K


class PartBackboneConfig(Settings):
    """The network below the parts: a ResNet whose last stride is 1, or HRNet-W32."""

    name: Literal[ResNetName, "hrnet_w32"] = Field(default="resnet50", description="hrnet_w32: timm's")
    channels: int = Field(default=PUBLISHED_CHANNELS, ge=LEAST_CHANNELS, multiple_of=2, description="of a ResNet's stem, as in features.extractor.backbone")
    ibn: bool = Field(default=False, description="IBN-a in a ResNet, as in features.extractor.backbone")
    init: Literal["imagenet", "extractor", "random"] = Field(
        default="extractor", description="imagenet: torchvision's or timm's weights; extractor: the extractor of stage 3; never a silent fallback"
    )
    height: int = Field(default=128, ge=32, description="input height, pixels")
    width: int = Field(default=64, ge=16, description="input width, pixels")

    @model_validator(mode="after")
    def _size_fits(self) -> "PartBackboneConfig":
        if self.name == "hrnet_w32" and (self.height % 32 or self.width % 32):
            raise ValueError(f"hrnet_w32 needs a height and width divisible by 32, not {self.height} x {self.width}")
        if self.name == "hrnet_w32" and self.init == "extractor":
            raise ValueError("hrnet_w32 cannot start from the extractor, which is a ResNet; choose imagenet or random")
        if self.name == "hrnet_w32" and (self.ibn or self.channels != PUBLISHED_CHANNELS):
            raise ValueError("channels and ibn are settings of a ResNet, not of hrnet_w32")
        if self.name != "hrnet_w32":
            self.resnet()
        return self

    @property
    def map_rows(self) -> int:
        """Height of the feature map: 1/16 of the input, 1/4 for HRNet."""
        return self.height // 4 if self.name == "hrnet_w32" else self.resnet().map_size()[0]

    def resnet(self) -> BackboneConfig:
        """The core's settings of the same backbone, which must be a ResNet."""
        return BackboneConfig.model_validate(self.model_dump() | {"last_stride": 1})


class PartsConfig(Settings):
    """From the feature map to one embedding per body part."""

    grouping: Literal["five_v", "eight"] = Field(default="five_v", description="parts the 36 PifPaf fields are grouped into, K = 5 or 8")
    stripes: int = Field(default=5, ge=1, le=16, description="K of the variants stripes and stripe_labels")
    pooling: Literal["gwap", "gap", "gmp"] = Field(default="gwap", description="of the parts: weighted average, plain average or maximum of map x features")
    reduction: Literal["after_pooling", "before_pooling", "before_and_after", "none"] = Field(
        default="after_pooling", description="where features are reduced to `dim`; before_and_after: to 2 x dim, then to dim; none: not at all"
    )
    dim: int = Field(default=512, ge=2, description="length of an embedding; not used with reduction none")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="after the reduction behind the pooling")
    shared_classifier: bool = Field(default=False, description="one BNNeck and classifier for all parts instead of one each")


class EmbeddingWeights(Settings):
    """Weight of a loss on each embedding; 0 leaves it out."""

    whole: Weight = Field(default=0.0, description="on the embedding of the whole map")
    foreground: Weight = Field(default=0.0, description="on that of the foreground")
    concatenated: Weight = Field(default=0.0, description="on those of all parts, joined")
    parts: Weight = Field(default=0.0, description="on those of the parts, averaged over them")


class PartLossConfig(Settings):
    """GiLt and the body-part attention loss. Defaults: the paper's table; the released Market-1501 settings add triplet.foreground 1."""

    identity: EmbeddingWeights = EmbeddingWeights(whole=1, foreground=1, concatenated=1)
    triplet: EmbeddingWeights = EmbeddingWeights(parts=1)
    triplet_visibility: bool = Field(default=False, description="average part distances over the parts that both images show")
    attention_weight: Weight = Field(default=0.35, description="weight of the pixel classification; variants masks and stripe_labels")
    attention_smoothing: float = Field(default=0.1, ge=0, lt=1, description="label smoothing of the pixel classification")


class PartModelConfig(Settings):
    """What builds the network again from its weights."""

    backbone: PartBackboneConfig = PartBackboneConfig()
    parts: PartsConfig = PartsConfig()

    def num_parts(self, variant: Variant) -> int:
        """K of a variant."""
        return self.parts.stripes if variant in ("stripes", "stripe_labels") else PARTS[self.parts.grouping]


class PartTrainingConfig(ScheduleConfig):
    """One training run; which vectors have which loss says `PartLossConfig`."""

    loss: IdentityLossConfig = IdentityLossConfig()


class TrainBpbreidConfig(PartModelConfig):
    """Rule train_bpbreid."""

    loss: PartLossConfig = PartLossConfig()
    training: PartTrainingConfig = PartTrainingConfig()

    def model_slice(self) -> PartModelConfig:
        """What rule embed_bpbreid needs of it."""
        return PartModelConfig(backbone=self.backbone, parts=self.parts)


class BpbreidConfig(TrainBpbreidConfig):
    """The companion as a whole."""

    name: RunName = Field(default="small", description="heads the variants' folders; presets that differ here must differ in it")
    variants: tuple[Variant, ...] = Field(
        default=("masks", "stripes", "learned"),
        min_length=1,
        description="what the part attention is: learned from masks, fixed stripes, learned without labels, learned from stripes",
    )
    mask_folder: str | None = Field(
        default="masks/pifpaf_maskrcnn_filtering", description="PifPaf masks, below the folder of the images; null or missing: no variant masks"
    )
    foreground: bool = Field(default=True, description="compare the foreground's embedding beside the parts at test time")
    halves: Literal["filled", "stretched"] = Field(
        default="filled", description="a half of an image, in partial.csv: grey in place of the other half, or stretched to the input"
    )
    ranks: int = Field(default=5, ge=1, le=10, description="ranks of the picture with part maps")

    @model_validator(mode="after")
    def _fits(self) -> "BpbreidConfig":
        if len(set(self.variants)) != len(self.variants):
            raise ValueError("variants: one is named twice")
        if self.parts.stripes > self.backbone.map_rows:
            raise ValueError(f"parts.stripes: {self.parts.stripes} stripes do not fit on the {self.backbone.map_rows} rows of the backbone's map")
        return self

    def training_slice(self) -> TrainBpbreidConfig:
        """The slice of rule train_bpbreid."""
        return TrainBpbreidConfig(backbone=self.backbone, parts=self.parts, loss=self.loss, training=self.training)
