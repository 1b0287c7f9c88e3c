"""Stage 6, the paper's stage 2: train fusion head, weight and both branches together (paper sections III-D, IV)."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from qafm.config.branches import PretrainApanConfig, Stage1Losses
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.config.runtime import RuntimeConfig
from qafm.losses.branches import apan_losses, apn_losses
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.alpha_table import branch_vectors, describe_table, holdout_table, train_table
from qafm.training.backbone_start import start_backbone
from qafm.training.best_fixed import best_fixed_weight
from qafm.training.freezing import Freezing, trained_before
from qafm.training.fusion_losses import AlphaTable, Fused, Losses, alpha_losses, fused_id_loss, global_losses
from qafm.training.image_set import ImageSet, load_image_set, select_rows
from qafm.training.loop import Task, train
from qafm.training.read_quality import read_quality, read_reference
from qafm.training.schedule import build_adam
from qafm.training.stage import TrainData, TrainingOutputs, write_outputs
from qafm.training.weights import load_part, load_weights

LOGGER = logging.getLogger("qafm")


@dataclass(frozen=True)
class FusionInputs:
    """The files stage 6 starts from; None where a branch was not trained alone, or the extractor is not used."""

    images: Path
    quality: Path
    summary: Path
    apn: Path | None
    apan: Path | None
    extractor: Path | None

    @classmethod
    def of(cls, images: str, quality: str, summary: str, apn: str | None, apan: str | None, extractor: str | None) -> "FusionInputs":
        """From paths as text; an empty one stands for a file that is not used."""
        return cls(Path(images), Path(quality), Path(summary), *(Path(path) if path else None for path in (apn, apan, extractor)))


def train_fusion(
    inputs: FusionInputs, architecture: ArchitectureConfig, config: TrainFusionConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs
) -> None:
    """Train QAFM on the train identities that are not held out.

    Args:
        inputs: images, Q, and the weights of the branches.
        architecture: backbone, APN, APAN.
        config: schedule, gradients, head, weight.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights (`visual.*`, `attribute.*`, `head.*`, `weight_mlp.*`) and learning curve go.

    Raises:
        InputError: an input is missing, damaged or does not fit the configuration.
    """
    device = prepare_torch(runtime)
    seed_everything("train_fusion", seed)
    run = _FusionRun(inputs, architecture, config, runtime, seed, device)
    task = Task(
        name="train_fusion",
        seed=seed,
        model=run.model,
        optimizer=run.build_optimizer(),
        loss=run.loss,
        train_mode=run.freezing.train_mode,
        before_epoch=run.before_epoch,
    )
    curve = train(task, run.data.labels, epochs=config.epochs, batch=config.batch, schedule=config.optimizer, resume=outputs.resume)
    write_outputs(run.model, curve, outputs)


class _FusionRun:
    """Everything one run of stage 6 holds on to between steps: model, data, Q, and the table the MLP learns from."""

    def __init__(
        self, inputs: FusionInputs, architecture: ArchitectureConfig, config: TrainFusionConfig, runtime: RuntimeConfig, seed: int, device: torch.device
    ) -> None:
        self.config, self.runtime, self.seed, self.device = config, runtime, seed, device
        self.attribute_weight = architecture.apan.attribute_weight
        backbone = architecture.backbone
        self.data = TrainData(inputs.images, backbone, config.augment, device)
        self.model = Qafm(architecture, config.head, self.data.images.num_ids, None)
        apan_losses = _load_branches(self.model, architecture, inputs)
        self.model = place(self.model, device)
        self.table: AlphaTable | None = None
        self.weight_learns = False
        self.holdout: ImageSet | None = None
        if config.alpha.fixed is None:
            mean, sd = read_reference(inputs.summary)
            if config.alpha.target == "holdout" or config.alpha.start == "best_fixed":
                self.holdout = load_image_set(select_rows(inputs.images, fold="holdout"), backbone.height, backbone.width)
                self.holdout_q = self._q_of(inputs.quality, self.holdout, mean)
            self.q = self._q_of(inputs.quality, self.data.images, mean)
            self.model.weight_mlp = WeightMlp(mean=mean, sd=sd, start_weight=0.5).to(device)
        before = trained_before(self.model, architecture.apan, apn_trained=inputs.apn is not None, apan_losses=apan_losses)
        self.freezing = Freezing(self.model, before, config)

    def _q_of(self, quality: Path, images: ImageSet, mean: float) -> torch.Tensor:
        """Q of each image, float32 [N] on the device; an image without Q gets the mean and so the average weight."""
        q = read_quality(quality, images.image_ids)
        missing = int(np.isnan(q).sum())
        if missing:
            LOGGER.warning("%d of %d images have no Q and are taken as average", missing, len(q))
        return torch.from_numpy(np.nan_to_num(q, nan=mean)).float().to(self.device)

    def _start_weight(self) -> float:
        if self.config.alpha.start == "half" or self.holdout is None:
            return 0.5
        v_a, v_s = branch_vectors(self.model, self.holdout, self.device, self.runtime)
        weight, score = best_fixed_weight(v_a.cpu().numpy(), v_s.cpu().numpy(), self.holdout)
        LOGGER.info("best fixed visual weight on held-out identities: %.2f (mAP %.2f)", weight, score)
        return weight

    def build_optimizer(self) -> torch.optim.Adam:
        """One Adam: what was trained before learns slower, the MLP at its own rate and without weight decay."""
        mlp = list(self.model.weight_mlp.parameters()) if self.model.weight_mlp is not None else []
        of_mlp = {id(parameter) for parameter in mlp}
        groups = [
            {"params": self.freezing.slow, "factor": self.config.branch_lr_factor},
            {"params": [parameter for parameter in self.freezing.fast if id(parameter) not in of_mlp]},
            {"params": mlp, "base_lr": self.config.alpha.lr, "weight_decay": 0.0},
        ]
        return build_adam(groups, self.config.optimizer)

    def before_epoch(self, epoch: int) -> dict[str, float]:
        """Measure the branch losses the MLP learns from in this epoch.

        It learns once the branches do: before, v_s is still a random projection, and the weight is 0.5 for all. Its start is set then.
        """
        mlp = self.model.weight_mlp
        self.weight_learns = mlp is not None and epoch >= self.config.freeze_epochs
        if mlp is None or not self.weight_learns:
            return {}
        if epoch == self.config.freeze_epochs:
            mlp.start_at(self._start_weight())
        if self.config.gradients == "original" or self.config.alpha.loss == "fused_id":
            return {}
        if self.config.alpha.target == "holdout":
            assert self.holdout is not None
            self.table = holdout_table(self.model, self.holdout, self.holdout_q, self.device, self.runtime)
        else:
            self.table = train_table(self.model, self.data.images, self.q, self.device, self.runtime)
        return describe_table(self.model, self.table)

    def loss(self, batch: torch.Tensor) -> Losses:
        """All losses of one batch, cut so that one backward pass gives each part its own gradient."""
        model, settings, labels = self.model, self.config.loss, self.data.labels[batch]
        with autocast(self.device, self.runtime):
            images = self.data.augmented(batch)
            visual, attribute = model.visual(images), model.attribute(images)
        fused = Fused(visual.v_a.float(), attribute.v_s.float(), self._weights(batch))
        losses = {
            **apn_losses(visual, labels, settings),
            **apan_losses(attribute, labels, self.data.attributes[batch], settings, self.attribute_weight),
            **global_losses(model, fused, labels, settings, self.config.gradients),
        }
        return losses | self._alpha_losses(fused, labels)

    def _alpha_losses(self, fused: Fused, labels: torch.Tensor) -> Losses:
        """The MLP's own loss; in the original code it has none and learns from the global loss alone."""
        if not self.weight_learns or self.config.gradients == "original":
            return {}
        if self.config.alpha.loss == "fused_id":
            return fused_id_loss(self.model, fused, labels, self.config.loss)
        return alpha_losses(self.model, self.table, self.config.alpha)

    def _weights(self, batch: torch.Tensor) -> torch.Tensor:
        if self.model.weight_mlp is None:
            return torch.full((len(batch),), self.config.alpha.fixed or 0.0, device=self.device)
        weights = self.model.weight_mlp.weight(self.q[batch])
        return weights if self.weight_learns else weights.detach()


def _load_branches(model: Qafm, architecture: ArchitectureConfig, inputs: FusionInputs) -> Stage1Losses | None:
    """Give each branch the weights of stage 5, or its backbone the configured first weights; return the losses APAN was trained on."""
    stage_1: Stage1Losses | None = None
    for branch, weights, head in ((model.visual, inputs.apn, "apn"), (model.attribute, inputs.apan, "apan")):
        if weights is None:
            start_backbone(branch.backbone, architecture.backbone, inputs.extractor)
        else:
            tensors, provenance = load_weights(weights)
            load_part(branch.backbone, tensors, "backbone", weights)
            load_part(getattr(branch, head), tensors, head, weights)
            if head == "apan":
                stage_1 = PretrainApanConfig.model_validate(provenance["config"]).stage_1
    return stage_1
