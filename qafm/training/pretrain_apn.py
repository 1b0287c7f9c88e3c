"""Stage 5: train APN alone (as MSPA does before fusing; N18)."""

from pathlib import Path

import torch

from qafm.config.branches import PretrainApnConfig
from qafm.config.runtime import RuntimeConfig
from qafm.losses.branches import apn_losses
from qafm.models.branch import VisualBranch
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.backbone_start import start_backbone
from qafm.training.loop import Losses
from qafm.training.stage import TrainData, TrainingOutputs, train_alone


def pretrain_apn(images: Path, extractor: Path | None, config: PretrainApnConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs) -> None:
    """Train APN and its backbone on identity cross-entropy, triplet and stripe losses (Eq. 7).

    Args:
        images: images.parquet.
        extractor: weights of stage 3, for `backbone.init: extractor`.
        config: architecture and training.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights (`backbone.*`, `apn.*`) and learning curve go.

    Raises:
        InputError: no training image, or first weights that cannot be had.
    """
    device = prepare_torch(runtime)
    seed_everything("pretrain_apn", seed)
    data = TrainData(images, config.backbone, config.training.augment, device)
    model = VisualBranch(config.backbone, config.apn, data.images.num_ids)
    start_backbone(model.backbone, config.backbone, extractor)
    model = place(model, device)

    def loss(batch: torch.Tensor) -> Losses:
        with autocast(device, runtime):
            output = model(data.augmented(batch))
        return apn_losses(output, data.labels[batch], config.training.loss)

    train_alone("pretrain_apn", seed, model, loss, data, config.training, outputs)
