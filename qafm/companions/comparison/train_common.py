"""Companion c4: train a companion's network under the common recipe."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

from qafm.companions.comparison.alike_triplets import alike_triplets
from qafm.companions.comparison.common_nets import CommonSlicedNet, build_common
from qafm.companions.par.colour_clusters import colour_histograms, find_clusters
from qafm.companions.par.losses import triplet_loss
from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.config.common_recipe import SiameseHead, TrainCommonConfig
from qafm.config.runtime import RuntimeConfig
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.backbone_start import start_backbone
from qafm.training.loop import Losses
from qafm.training.stage import TrainData, TrainingOutputs, train_alone

Loss = Callable[[torch.Tensor], Losses]


def train_common(
    system: str, images: Path, extractor: Path | None, config: TrainCommonConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs
) -> None:
    """Train on the train identities that are not held out, to the last epoch, in the batches of P identities x K images of every stage.

    Args:
        system: what is trained; with `seed` it decides all draws.
        images: images.parquet.
        extractor: weights of stage 3, for `backbone.init: extractor`.
        config: backbone, the companion's own part, schedule.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights and learning curve go.

    Raises:
        InputError: no training image, first weights that cannot be had, or strips that do not divide the map.
    """
    device = prepare_torch(runtime)
    seed_everything(task_name(system), seed)
    data = TrainData(images, config.backbone, config.training.augment, device)
    model = build_common(config, data.images.num_ids)
    start_backbone(model.trunk, config.backbone, extractor)
    model = place(model, device)
    if config.head.kind == "siamese":
        assert isinstance(model, SiameseNetwork)
        loss = _siamese_loss(model, data, config.head, runtime, device)
    else:
        assert isinstance(model, CommonSlicedNet)
        loss = _sliced_loss(model, data, runtime, device)
    train_alone(task_name(system), seed, model, loss, data, config.training, outputs)


def task_name(system: str) -> str:
    """What the training is called; with the seed it decides all draws."""
    return f"train_common_{system}"


def _siamese_loss(model: SiameseNetwork, data: TrainData, head: SiameseHead, runtime: RuntimeConfig, device: torch.device) -> Loss:
    """The triplet loss on triplets within the batch, whose negatives look like the anchor in colour."""
    histograms = colour_histograms(data.images.pixels.permute(0, 2, 3, 1).numpy(), head.clusters)
    clusters = torch.from_numpy(find_clusters(histograms, head.clusters).of(histograms))

    def loss(batch: torch.Tensor) -> Losses:
        with autocast(device, runtime):
            found = model(data.augmented(batch))  # [B, D]
        triplets = alike_triplets(data.images.labels[batch.cpu()], clusters[batch.cpu()]).to(device)
        anchor, positive, negative = (found[triplets[:, column]] for column in range(3))
        return {"triplet": triplet_loss(anchor, positive, negative, head.margin)}

    return loss


def _sliced_loss(model: CommonSlicedNet, data: TrainData, runtime: RuntimeConfig, device: torch.device) -> Loss:
    """Cross-entropy of the cosine softmax."""

    def loss(batch: torch.Tensor) -> Losses:
        with autocast(device, runtime):
            output = model(data.augmented(batch))
        return {"cross_entropy": functional.cross_entropy(output.logits.float(), data.labels[batch])}

    return loss
