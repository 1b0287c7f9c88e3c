"""Settings of stage 6: the fusion of both branches and the weight between them (paper sections III-D and IV)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qafm.config.backbone import BackboneConfig
from qafm.config.base import Settings
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.training import BranchTrainingConfig


class ArchitectureConfig(Settings):
    """What stage 6 builds both branches from."""

    backbone: BackboneConfig
    apn: ApnConfig
    apan: ApanConfig


class HeadConfig(Settings):
    """The fusion head: [w v_a, (1-w) v_s] -> FC -> BNNeck -> classifier (Eq. 3)."""

    dim: int | None = Field(default=1000, ge=2, description="length of the fused descriptor; null: no FC, the weighted vectors side by side are the descriptor")
    activation: Literal["none", "relu"] = Field(default="none", description="relu: FC + BN + ReLU, descriptor before the BNNeck, as in the original code")
    normalize: bool = Field(default=True, description="L2-normalise v_a and v_s before they are weighted")

    @model_validator(mode="after")
    def _relu_needs_an_fc(self) -> Self:
        if self.dim is None and self.activation == "relu":
            raise ValueError("activation relu follows an FC, and dim null has none; choose a dim, or activation none")
        return self

    def length(self, architecture: ArchitectureConfig) -> int:
        """Length of the descriptor."""
        return architecture.apn.embedding_dim + architecture.apan.embedding_dim if self.dim is None else self.dim


class AlphaConfig(Settings):
    """The weight w of the visual branch and how it is learned from Q (Eq. 2, Eq. 6)."""

    fixed: float | None = Field(default=None, ge=0, le=1, description="train and test at this visual weight; null: the MLP decides")
    loss: Literal["ratio_bce", "expected_loss", "fused_id"] = Field(
        default="ratio_bce", description="what teaches the MLP: Eq. 2's ratio as a target, Eq. 6, or the fused identity loss; see docs/method.md, stage 6"
    )
    target: Literal["holdout", "train"] = Field(default="holdout", description="images whose branch losses teach the MLP")
    lr: float = Field(default=0.01, gt=0, description="learning rate of the MLP, before warm-up and cosine")
    start: Literal["best_fixed", "half"] = Field(default="best_fixed", description="where the MLP starts: the best fixed weight on held-out identities, or 0.5")


class FusedModelConfig(Settings):
    """What builds QAFM again from its weights: the slice of everything that uses a trained model."""

    architecture: ArchitectureConfig
    head: HeadConfig
    fixed_weight: float | None = Field(ge=0, le=1, description="the visual weight of every image; null: it depends on Q")


class TrainFusionConfig(BranchTrainingConfig):
    """Rule train_fusion."""

    freeze_epochs: int = Field(default=10, ge=0, description="epochs in which branches trained before stay frozen, batch-norm statistics too")
    branch_lr_factor: float = Field(default=0.1, gt=0, description="learning rate of branches trained before, after freezing")
    gradients: Literal["isolated", "coupled", "original"] = Field(default="isolated", description="which loss reaches what: see docs/method.md")
    head: HeadConfig = HeadConfig()
    alpha: AlphaConfig = AlphaConfig()

    def model_slice(self, architecture: ArchitectureConfig) -> FusedModelConfig:
        """What the trained model is built from."""
        return FusedModelConfig(architecture=architecture, head=self.head, fixed_weight=self.alpha.fixed)

    @property
    def taught_on(self) -> Literal["holdout", "train"] | None:
        """The images whose branch losses teach the MLP; None where it learns from the fused losses, or the weight is fixed."""
        alone = self.alpha.fixed is not None or self.gradients == "original" or self.alpha.loss == "fused_id"
        return None if alone else self.alpha.target

    @property
    def needs_holdout(self) -> bool:
        """Whether the weight is learned or started with the help of held-out identities."""
        return self.alpha.fixed is None and (self.taught_on == "holdout" or self.alpha.start == "best_fixed")
