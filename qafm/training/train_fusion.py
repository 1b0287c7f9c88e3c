"""Stage 6, the paper's stage 2: train fusion head, weight and both branches together (paper sections III-D, IV)."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import PretrainApanConfig, Stage1Losses
from qafm.config.choices import SameCamera
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.images.image_set import ImageSet, load_image_set, select_rows
from qafm.losses.branches import apan_losses, apn_losses
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import load_part, load_weights
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.tables.quality import read_quality, read_reference
from qafm.training.backbone_start import start_backbone
from qafm.training.best_fixed import require_matches
from qafm.training.freezing import Freezing, trained_before
from qafm.training.fusion_losses import Fused, Losses, global_losses
from qafm.training.loop import Task, train
from qafm.training.schedule import build_adam
from qafm.training.stage import TrainData, TrainingOutputs, write_outputs
from qafm.training.visual_weight import FixedWeight, LearnedWeight, ScoredImages, VisualWeight

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
    inputs: FusionInputs,
    architecture: ArchitectureConfig,
    config: TrainFusionConfig,
    same_camera: SameCamera,
    runtime: RuntimeConfig,
    seed: int,
    outputs: TrainingOutputs,
) -> None:
    """Train QAFM on the train identities that are not held out.

    Args:
        inputs: images, Q, and the weights of the branches.
        architecture: backbone, APN, APAN.
        config: schedule, gradients, head, weight.
        same_camera: whether a search drops images of the query's own camera; the weight is taught for that search.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights (`visual.*`, `attribute.*`, `head.*`, `weight_mlp.*`) and learning curve go.

    Raises:
        InputError: an input is missing, damaged or does not fit the configuration.
    """
    device = prepare_torch(runtime)
    seed_everything("train_fusion", seed)
    data = TrainData(inputs.images, architecture.backbone, config.augment, device)
    model, before = build_model(inputs, architecture, config, data.images.num_ids)
    model = place(model, device)
    weight: VisualWeight
    if config.alpha.fixed is not None:
        weight = FixedWeight(config.alpha.fixed, device)
    else:
        held_out = _held_out(inputs, architecture.backbone, same_camera, device) if config.needs_holdout else None
        if held_out is not None and config.alpha.start == "best_fixed":
            require_matches(held_out.images, inputs.images)
        weight = LearnedWeight(model, config, _scored(inputs, data.images, device), held_out, device, runtime)
    freezing = Freezing(model, before, config)

    def loss(batch: torch.Tensor) -> Losses:
        """All losses of one batch, cut so that one backward pass gives each part its own gradient."""
        labels = data.labels[batch]
        with autocast(device, runtime):
            images = data.augmented(batch)
            visual, attribute = model.visual(images), model.attribute(images)
        fused = Fused(visual.v_a.float(), attribute.v_s.float(), weight.of(batch))
        return {
            **apn_losses(visual, labels, config.loss),
            **apan_losses(attribute, labels, data.attributes[batch], config.loss, architecture.apan.attribute_weight),
            **global_losses(model, fused, labels, config.loss, config.gradients),
            **weight.losses(fused, labels),
        }

    optimizer = build_optimizer(model, freezing, config)
    task = Task("train_fusion", seed, model, optimizer, loss, freezing.train_mode, weight.before_epoch)
    curve = train(task, data.labels, epochs=config.epochs, batch=config.batch, schedule=config.optimizer, resume=outputs.resume)
    write_outputs(model, curve, outputs)


def build_model(inputs: FusionInputs, architecture: ArchitectureConfig, config: TrainFusionConfig, num_ids: int) -> tuple[Qafm, list[nn.Module]]:
    """QAFM with its first weights, on the CPU, and the parts of it that stage 5 has trained.

    Args:
        inputs: weights of the branches or of the extractor; mean and sd of Q.
        architecture: backbone, APN, APAN.
        config: head, and whether the weight is fixed.
        num_ids: train identities.

    Raises:
        InputError: weights or summary are missing, damaged or do not fit.
    """
    model = Qafm(architecture, config.head, num_ids, None)
    apan_trained_on = _load_branches(model, architecture, inputs)
    if config.alpha.fixed is None:
        mean, sd = read_reference(inputs.summary)
        model.weight_mlp = WeightMlp(mean=mean, sd=sd)
    return model, trained_before(model, architecture.apan, apn_trained=inputs.apn is not None, apan_losses=apan_trained_on)


def build_optimizer(model: Qafm, freezing: Freezing, config: TrainFusionConfig) -> torch.optim.Adam:
    """One Adam: what was trained before learns slower, the MLP at its own rate and without weight decay."""
    mlp = list(model.weight_mlp.parameters()) if model.weight_mlp is not None else []
    of_mlp = {id(parameter) for parameter in mlp}
    groups = [
        {"params": freezing.slow, "factor": config.branch_lr_factor},
        {"params": [parameter for parameter in freezing.fast if id(parameter) not in of_mlp]},
        {"params": mlp, "base_lr": config.alpha.lr, "weight_decay": 0.0},
    ]
    return build_adam(groups, config.optimizer)


def _held_out(inputs: FusionInputs, backbone: BackboneConfig, same_camera: SameCamera, device: torch.device) -> ScoredImages:
    """The held-out images; where a search keeps images of the query's own camera, cameras do not matter and all are unknown (-1)."""
    images = load_image_set(select_rows(inputs.images, fold="holdout"), backbone.height, backbone.width)
    if same_camera == "keep":
        images = replace(images, camids=np.full_like(images.camids, -1))
    return _scored(inputs, images, device)


def _scored(inputs: FusionInputs, images: ImageSet, device: torch.device) -> ScoredImages:
    """With their Q; an image without one gets the reference mean and so the average weight."""
    q = read_quality(inputs.quality, images.image_ids)
    missing = int(np.isnan(q).sum())
    if missing:
        LOGGER.warning("%d of %d images have no Q and are taken as average", missing, len(q))
    mean, _ = read_reference(inputs.summary)
    return ScoredImages(images, torch.from_numpy(np.nan_to_num(q, nan=mean)).float().to(device))


def _load_branches(model: Qafm, architecture: ArchitectureConfig, inputs: FusionInputs) -> Stage1Losses | None:
    """Give each branch the weights of stage 5, or its backbone the configured first weights; return the losses APAN was trained on."""
    trained_on: Stage1Losses | None = None
    for branch, weights, head in ((model.visual, inputs.apn, "apn"), (model.attribute, inputs.apan, "apan")):
        if weights is None:
            start_backbone(branch.backbone, architecture.backbone, inputs.extractor)
        else:
            tensors, provenance = load_weights(weights)
            load_part(branch.backbone, tensors, "backbone", weights)
            load_part(getattr(branch, head), tensors, head, weights)
            if head == "apan":
                trained_on = _losses_of(provenance, weights)
    return trained_on


def _losses_of(provenance: dict[str, Any], weights: Path) -> Stage1Losses:
    try:
        return PretrainApanConfig.model_validate(provenance["config"]).stage_1
    except (KeyError, TypeError, ValidationError):
        raise InputError(f"{weights}: its header does not say what APAN was trained on; train it with stage 5") from None
