"""Settings of rule train_baseline: the Bag-of-Tricks baseline that stands beside both branches (Luo et al. 2019)."""

from qafm.config.backbone import BackboneConfig
from qafm.config.base import Settings
from qafm.config.training import TrainingConfig


class BaselineConfig(Settings):
    """The branches' own backbone and first weights, global average pooling, BNNeck."""

    backbone: BackboneConfig = BackboneConfig()
    training: TrainingConfig = TrainingConfig()
