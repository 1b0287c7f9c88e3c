"""The visual weight of each image in stage 6, and what the MLP behind it learns from (paper section III-D; Eq. 2, Eq. 6)."""

import logging
from typing import NamedTuple, Protocol

import torch

from qafm.config.fusion import TrainFusionConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.branch_vectors import branch_vectors
from qafm.images.image_set import ImageSet
from qafm.models.qafm import Qafm
from qafm.training.alpha_table import describe_table, holdout_table, train_table
from qafm.training.best_fixed import best_fixed_weight
from qafm.training.fusion_losses import AlphaTable, Fused, Losses, alpha_losses, fused_id_loss

LOGGER = logging.getLogger("qafm")


class ScoredImages(NamedTuple):
    """Images and their Q."""

    images: ImageSet  # [N]
    q: torch.Tensor  # float32 [N], on the device


class VisualWeight(Protocol):
    """What stage 6 asks of the weight."""

    def before_epoch(self, epoch: int, /) -> dict[str, float]:
        """Prepare an epoch (0-based); what it returns goes into the history."""
        ...

    def of(self, batch: torch.Tensor, /) -> torch.Tensor:
        """The weight [B] of the train images with indices `batch` [B]."""
        ...

    def losses(self, fused: Fused, labels: torch.Tensor, /) -> Losses:
        """The weight's own losses on a batch, cut so that they reach nothing else."""
        ...


class FixedWeight:
    """The same weight for every image; it learns nothing."""

    def __init__(self, weight: float, device: torch.device) -> None:
        self._weight = torch.tensor(weight, device=device)

    def before_epoch(self, _epoch: int, /) -> dict[str, float]:
        """Nothing."""
        return {}

    def of(self, batch: torch.Tensor, /) -> torch.Tensor:
        """The weight, B times."""
        return self._weight.expand(len(batch))

    def losses(self, _fused: Fused, _labels: torch.Tensor, /) -> Losses:
        """None."""
        return {}


class LearnedWeight:
    """The MLP's weight. It learns after `freeze_epochs`, once both branches do; before, v_s can be a random projection still, and the weight is 0.5 for all.

    Args:
        model: with its MLP, on the device.
        config: of stage 6.
        train: the train images that are not held out.
        holdout: the held-out ones; None where `config.needs_holdout` is false.
        device: where the model is.
        runtime: precision.
    """

    def __init__(
        self, model: Qafm, config: TrainFusionConfig, train: ScoredImages, holdout: ScoredImages | None, device: torch.device, runtime: RuntimeConfig
    ) -> None:
        if model.weight_mlp is None:
            raise ValueError("a model with a fixed weight has no MLP to train")
        self.model, self.mlp, self.config = model, model.weight_mlp, config
        self.train, self.holdout = train, holdout
        self.device, self.runtime = device, runtime
        self.learns = False
        self.table: AlphaTable | None = None

    def before_epoch(self, epoch: int, /) -> dict[str, float]:
        """In the first epoch in which the MLP learns, set where it starts; in each, measure the branch losses that teach it."""
        self.learns = epoch >= self.config.freeze_epochs
        if not self.learns:
            return {}
        if epoch == self.config.freeze_epochs and self.config.alpha.start == "best_fixed":
            self.mlp.start_at(self._best_fixed())
        if self.config.taught_on is None:
            return {}
        if self.config.taught_on == "train":
            self.table = train_table(self.model, *self.train, self.device, self.runtime)
        else:
            self.table = holdout_table(self.model, *self._held_out(), self.device, self.runtime)
        return describe_table(self.model, self.table)

    def of(self, batch: torch.Tensor, /) -> torch.Tensor:
        """The MLP's weight, a constant for the losses until it learns."""
        weights = self.mlp.weight(self.train.q[batch])
        return weights if self.learns else weights.detach()

    def losses(self, fused: Fused, labels: torch.Tensor, /) -> Losses:
        """The MLP's loss; in the original code it has none and learns from the global loss alone."""
        if not self.learns or self.config.gradients == "original":
            return {}
        if self.table is None:
            return fused_id_loss(self.model, fused, labels, self.config.loss)
        return alpha_losses(self.mlp, self.table, self.config.alpha)

    def _best_fixed(self) -> float:
        images = self._held_out().images
        v_a, v_s = branch_vectors(self.model, images.pixels, self.device, self.runtime)
        weight, score = best_fixed_weight(v_a.cpu().numpy(), v_s.cpu().numpy(), images)
        LOGGER.info("best fixed visual weight on held-out identities: %.2f (mAP %.2f)", weight, score)
        return weight

    def _held_out(self) -> ScoredImages:
        if self.holdout is None:
            raise ValueError("this weight needs held-out images")
        return self.holdout
