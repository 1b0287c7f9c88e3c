"""Training of the Bag-of-Tricks baseline: the extractor behind Q(I), and the single network that stands beside both branches."""

from pathlib import Path

import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import TrainingConfig
from qafm.losses.descriptor import descriptor_losses
from qafm.models.reid_baseline import ReidBaseline
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.backbone_start import start_backbone
from qafm.training.loop import Losses
from qafm.training.stage import TrainData, TrainingOutputs, train_alone


def train_bag_of_tricks(
    name: str,
    images: Path,
    extractor: Path | None,
    backbone: BackboneConfig,
    training: TrainingConfig,
    runtime: RuntimeConfig,
    seed: int,
    outputs: TrainingOutputs,
) -> None:
    """Train on identity cross-entropy and triplet loss, on the train identities that are not held out.

    Args:
        name: of the job; with `seed` it decides all draws.
        images: images.parquet.
        extractor: weights of stage 3, for `init: extractor`.
        backbone: architecture and first weights.
        training: schedule, batch, losses.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights (`trunk.*`, `neck.*`) and learning curve go.

    Raises:
        InputError: no training image, or first weights that cannot be had.
    """
    device = prepare_torch(runtime)
    seed_everything(name, seed)
    data = TrainData(images, backbone, training.augment, device)
    model = ReidBaseline(backbone=backbone, num_ids=data.images.num_ids)
    start_backbone(model.trunk, backbone, extractor)
    model = place(model, device)

    def loss(batch: torch.Tensor) -> Losses:
        with autocast(device, runtime):
            output = model(data.augmented(batch))
        return descriptor_losses(output.logits, output.feature, data.labels[batch], training.loss)

    train_alone(name, seed, model, loss, data, training, outputs)
