"""Companion c3: train BPBReID on the train identities that are not held out."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from qafm.companions.bpbreid.part_fields import mirrored_channels
from qafm.companions.bpbreid.part_labels import enlarge_maps, load_part_maps, map_labels, stripe_labels
from qafm.companions.bpbreid.part_losses import attention_loss, gilt_losses
from qafm.companions.bpbreid.part_model import PartReid
from qafm.companions.bpbreid.start_weights import start_weights
from qafm.config.backbone import BackboneConfig
from qafm.config.bpbreid import TrainBpbreidConfig, Variant
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.augment_maps import augment_with_maps
from qafm.training.loop import Losses
from qafm.training.stage import TrainData, TrainingOutputs, train_alone


@dataclass(frozen=True)
class PartInputs:
    """The files the training starts from; None where they are not used."""

    images: Path
    extractor: Path | None  # weights of stage 3, for `init: extractor`
    masks: Path | None  # folder of the part masks, for the variant "masks"


def train_bpbreid(inputs: PartInputs, variant: Variant, config: TrainBpbreidConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs) -> None:
    """Train one variant of BPBReID.

    Args:
        inputs: images, first weights, part masks.
        variant: where the part attention comes from: "masks", "stripes" (fixed), "learned" (from the ReID losses alone), "stripe_labels".
        config: backbone, parts, losses, schedule.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights and learning curve go.

    Raises:
        InputError: no training image, part masks that are missing or broken, or first weights that cannot be had.
    """
    device = prepare_torch(runtime)
    seed_everything("train_bpbreid", seed)
    size = BackboneConfig(height=config.backbone.height, width=config.backbone.width)
    data = TrainData(inputs.images, size, config.training.augment, device)
    model = PartReid(config, variant, data.images.num_ids)
    start_weights(model.backbone, config.backbone, inputs.extractor)
    model = place(model, device)
    masked = _Masked(data, inputs.masks, config, device) if variant == "masks" else None

    def loss(batch: Tensor) -> Losses:
        pixels, maps = (data.augmented(batch), None) if masked is None else masked.augmented(batch)
        with autocast(device, runtime):
            output = model(pixels)
        losses = gilt_losses(output, data.labels[batch], config.loss, config.training.loss)
        if variant in ("masks", "stripe_labels") and config.loss.attention_weight:
            labels = _labels(maps, output.maps, model.num_parts)
            losses["attention"] = config.loss.attention_weight * attention_loss(output.attention_logits, labels, config.loss.attention_smoothing)
        return losses

    train_alone("train_bpbreid", seed, model, loss, data, config.training, outputs)


class _Masked:
    """Train images together with their part masks."""

    def __init__(self, data: TrainData, masks: Path | None, config: TrainBpbreidConfig, device: torch.device) -> None:
        if masks is None:
            raise InputError("bpbreid: variant masks needs part masks, and the data set has none")
        grouping, backbone = config.parts.grouping, config.backbone
        self.data, self.augment = data, config.training.augment
        self.mirrored = mirrored_channels(grouping)
        self.maps = load_part_maps(masks, data.images.image_ids, grouping, backbone.height, backbone.width).to(device)

    def augmented(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Augmented images [B, 3, H, W] and their maps, moved along, [B, K + 1, H, W]."""
        pixels = self.data.pixels[batch]
        return augment_with_maps(pixels, enlarge_maps(self.maps[batch], *pixels.shape[2:]), self.mirrored, self.augment)


def _labels(maps: Tensor | None, predicted: Tensor, parts: int) -> Tensor:
    """What the pixel classifier has to say: the part masks on its own grid, or stripes, which stay where they are; int64 [N, h, w]."""
    rows, columns = predicted.shape[2:]
    if maps is not None:
        return map_labels(maps, rows, columns)
    return stripe_labels(parts, rows, columns).to(predicted.device).expand(len(predicted), -1, -1)
