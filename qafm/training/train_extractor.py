"""Stage 3: train the ReID extractor whose features give Q(I) ("pretrained on Market-1501", paper section III-C)."""

from pathlib import Path

import torch

from qafm.config.features import ExtractorConfig
from qafm.config.runtime import RuntimeConfig
from qafm.losses.identity import identity_loss
from qafm.losses.triplet import batch_hard_triplet
from qafm.models.reid_baseline import ReidBaseline
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.backbone_start import start_backbone
from qafm.training.loop import Losses
from qafm.training.stage import TrainData, TrainingOutputs, train_alone


def train_extractor(images: Path, config: ExtractorConfig, runtime: RuntimeConfig, outputs: TrainingOutputs) -> None:
    """Train the Bag-of-Tricks baseline on the train identities that are not held out.

    Args:
        images: images.parquet.
        config: backbone, schedule, batch, losses.
        runtime: threads, device, precision.
        outputs: where weights (`trunk.*`, `neck.*`) and learning curve go.

    Raises:
        InputError: no training image, or first weights that cannot be had.
    """
    device = prepare_torch(runtime)
    seed_everything("train_extractor", config.seed)
    data = TrainData(images, config.backbone, config.training.augment, device)
    model = ReidBaseline(backbone=config.backbone, num_ids=data.images.num_ids)
    start_backbone(model.trunk, config.backbone, extractor=None)
    model = place(model, device)
    settings = config.training.loss

    def loss(batch: torch.Tensor) -> Losses:
        with autocast(device, runtime):
            output = model(data.augmented(batch))
        return {
            "identity": identity_loss(output.logits.float(), data.labels[batch], settings.label_smoothing),
            "triplet": batch_hard_triplet(output.feature.float(), data.labels[batch], settings.triplet_margin),
        }

    train_alone("train_extractor", config.seed, model, loss, data, config.training, outputs)
