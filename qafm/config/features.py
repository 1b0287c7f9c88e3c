"""Settings of stage 3: the ReID extractor and the features of all perturbed images (paper section III-C)."""

from typing import Literal

from pydantic import Field

from qafm.config.backbone import BackboneConfig
from qafm.config.base import RunName, Settings
from qafm.config.training import TrainingConfig


class ExtractorConfig(Settings):
    """The Bag-of-Tricks ReID baseline whose pooled features give Q(I)."""

    backbone: BackboneConfig = BackboneConfig()
    seed: int = Field(default=1, ge=0, description="of the extractor's weights and batches; one extractor serves all `seeds`")
    training: TrainingConfig = TrainingConfig()


class ExtractConfig(Settings):
    """How features are computed and stored."""

    images_per_batch: int = Field(default=4, ge=1, description="source images per forward pass; each brings its variants along")
    dtype: Literal["float32", "float16"] = Field(default="float32", description="type of the stored features")


class FeaturesConfig(Settings):
    """Stage 3 as a whole."""

    name: RunName = Field(description="the {f} of the result paths; presets that differ here must differ in this name")
    extractor: ExtractorConfig = ExtractorConfig()
    extract: ExtractConfig = ExtractConfig()
