"""Stage 5, the paper's stage 1: train APAN alone, on its 12 attribute heads (Eq. 5) or on all its losses."""

from pathlib import Path

import torch

from qafm.config.branches import PretrainApanConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.losses.attributes import attribute_loss
from qafm.losses.branches import apan_losses
from qafm.models.branch import AttributeBranch
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.backbone_start import start_backbone
from qafm.training.loop import Losses
from qafm.training.stage import TrainData, TrainingOutputs, train_alone


def pretrain_apan(images: Path, extractor: Path | None, config: PretrainApanConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs) -> None:
    """Train APAN and its backbone on the sum of its attribute heads, or on all that APAN learns from in stage 6 (`stage_1`).

    Args:
        images: images.parquet.
        extractor: weights of stage 3, for `backbone.init: extractor`.
        config: architecture and training.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights (`backbone.*`, `apan.*`) and learning curve go.

    Raises:
        InputError: no training image, no attribute known in the whole train split where nothing else is learned, or first weights that cannot be had.
    """
    device = prepare_torch(runtime)
    seed_everything("pretrain_apan", seed)
    data = TrainData(images, config.backbone, config.training.augment, device)
    if config.stage_1 == "attributes" and not (data.attributes >= 0).any():
        raise InputError(f"{images}: no attribute of any train image is known, so there is nothing to pretrain APAN on")
    model = AttributeBranch(config.backbone, config.apan, data.images.num_ids)
    start_backbone(model.backbone, config.backbone, extractor)
    model = place(model, device)

    def loss(batch: torch.Tensor) -> Losses:
        with autocast(device, runtime):
            output = model(data.augmented(batch))
        if config.stage_1 == "all":
            return apan_losses(output, data.labels[batch], data.attributes[batch], config.training.loss, config.apan.attribute_weight)
        return {"attributes": attribute_loss(output.attribute_logits, data.attributes[batch], reduce="sum")[0]}

    train_alone("pretrain_apan", seed, model, loss, data, config.training, outputs)
