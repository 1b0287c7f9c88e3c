"""Settings shared by every training stage: batch, augmentation, optimiser, schedule (paper section V)."""

from typing import Annotated, Literal

from pydantic import Field

from qafm.config.base import Settings

Probability = Annotated[float, Field(ge=0, le=1)]


class BatchConfig(Settings):
    """P identities x K images per batch."""

    ids: int = Field(default=8, ge=2, description="identities per batch, P")
    images_per_id: int = Field(default=4, ge=2, description="images per identity, K; drawn with replacement where an identity has fewer")


class AugmentConfig(Settings):
    """Training augmentation, in the order applied."""

    flip: Probability = Field(default=0.5, description="probability of a horizontal flip")
    pad_px: int = Field(default=10, ge=0, description="zero padding in pixels before a random crop back to the input size")
    brightness: float = Field(default=0.2, ge=0, lt=1, description="jitter range: factor in [1-x, 1+x]")
    contrast: float = Field(default=0.15, ge=0, lt=1, description="jitter range")
    saturation: float = Field(default=0.1, ge=0, lt=1, description="jitter range")
    erase: Probability = Field(default=0.5, description="probability of random erasing (area 2-40 percent, aspect 0.3-3.3)")


class OptimizerConfig(Settings):
    """Adam with linear warm-up and cosine decay."""

    lr: float = Field(default=3.5e-4, gt=0, description="learning rate after warm-up")
    weight_decay: float = Field(default=5e-4, ge=0, description="L2 penalty, as Adam adds it to the gradient")
    warmup_epochs: int = Field(default=10, ge=0, description="epochs of linear warm-up: lr x (e+1)/warmup")


class IdentityLossConfig(Settings):
    """Label-smoothed cross-entropy and batch-hard triplet loss."""

    label_smoothing: float = Field(default=0.1, ge=0, lt=1, description="share of the target that all identities have in common")
    triplet_margin: float = Field(default=0.3, gt=0, description="margin on Euclidean distances")


TripletOn = Literal["unit", "raw", "none"]


class DescriptorLossConfig(IdentityLossConfig):
    """Both losses of one network's descriptor."""

    triplet_on: TripletOn = Field(default="raw", description="the descriptor in the triplet loss: L2-normalised, or as it is; none: no such loss")


class BranchLossConfig(DescriptorLossConfig):
    """Both losses of v_a and of v_s."""

    triplet_on: TripletOn = Field(
        default="unit",
        description="v_a and v_s in the triplet loss: L2-normalised, as they are fused, or as they are; none: no such loss, as in the original code",
    )


class ScheduleConfig(Settings):
    """How long, on what batches, and by which steps."""

    epochs: int = Field(default=60, ge=1, description="passes over the train identities")
    batch: BatchConfig = BatchConfig()
    augment: AugmentConfig = AugmentConfig()
    optimizer: OptimizerConfig = OptimizerConfig()


class TrainingConfig(ScheduleConfig):
    """One training run of a plain network."""

    loss: DescriptorLossConfig = DescriptorLossConfig()


class BranchTrainingConfig(ScheduleConfig):
    """One training run of a branch."""

    loss: BranchLossConfig = BranchLossConfig()
