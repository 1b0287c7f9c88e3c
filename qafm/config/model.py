"""The `model` section of a preset: everything below results/{d}/{f}/{m}. The rules hand each stage its own part."""

from pydantic import Field

from qafm.config.backbone import BackboneConfig
from qafm.config.base import RunName, Settings
from qafm.config.baseline import BaselineConfig
from qafm.config.branches import ApanConfig, ApnConfig, PretrainApanConfig, PretrainApnConfig, Stage1Losses
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.config.training import BranchTrainingConfig, TrainingConfig


class ApnSection(Settings):
    """APN and its training alone."""

    architecture: ApnConfig = ApnConfig()
    pretrain: bool = Field(default=True, description="false: APN starts untrained in stage 2 and is neither frozen nor slowed")
    training: BranchTrainingConfig = BranchTrainingConfig()


class ApanSection(Settings):
    """APAN and its training alone (stage 1)."""

    architecture: ApanConfig = ApanConfig()
    pretrain: bool = Field(default=True, description="false: no stage 1, as in the original code; APAN is then neither frozen nor slowed in stage 2")
    stage_1: Stage1Losses = Field(default="attributes", description="losses of stage 1: the sum of the attribute heads (Eq. 5), or all losses of stage 2")
    training: BranchTrainingConfig = BranchTrainingConfig()


class BaselineSection(Settings):
    """The Bag-of-Tricks baseline beside both branches."""

    training: TrainingConfig = TrainingConfig()


class ModelConfig(Settings):
    """Stages 5 and 6."""

    name: RunName = Field(description="the {m} of the result paths")
    backbone: BackboneConfig = BackboneConfig()
    apn: ApnSection = ApnSection()
    apan: ApanSection = ApanSection()
    fusion: TrainFusionConfig = TrainFusionConfig()
    baseline: BaselineSection = BaselineSection()

    def pretrain_apn(self) -> PretrainApnConfig:
        """The slice of rule pretrain_apn."""
        return PretrainApnConfig(backbone=self.backbone, apn=self.apn.architecture, training=self.apn.training)

    def pretrain_apan(self) -> PretrainApanConfig:
        """The slice of rule pretrain_apan."""
        return PretrainApanConfig(backbone=self.backbone, apan=self.apan.architecture, stage_1=self.apan.stage_1, training=self.apan.training)

    def train_baseline(self) -> BaselineConfig:
        """The slice of rule train_baseline."""
        return BaselineConfig(backbone=self.backbone, training=self.baseline.training)

    def architecture(self) -> ArchitectureConfig:
        """The slice of stage 6 beside `fusion`."""
        return ArchitectureConfig(backbone=self.backbone, apn=self.apn.architecture, apan=self.apan.architecture)
