"""Companion c1: train the siamese network on triplets whose negatives look like the anchor in colour."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from qafm.companions.par.colour_clusters import colour_histograms, find_clusters
from qafm.companions.par.losses import triplet_loss
from qafm.companions.par.plain_plan import plain_plan
from qafm.companions.par.query_gallery import choose_queries
from qafm.companions.par.siamese_network import SiameseNetwork
from qafm.companions.par.split_images import TrainSplit, augmented, load_train_split
from qafm.companions.par.triplets import TripletDraw
from qafm.config.par import TrainSiameseConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import OptimizerConfig
from qafm.errors import InputError
from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval
from qafm.images.forward import forward_all
from qafm.models.weights import load_part, load_weights
from qafm.runtime.torch_setup import autocast, derived_seed, place, prepare_torch, seed_everything
from qafm.tables.learning_curve import images_seen
from qafm.training.backbone_start import start_backbone
from qafm.training.batches import shuffled_batches
from qafm.training.loop import Losses, Task, train_plan
from qafm.training.schedule import build_adam
from qafm.training.stage import TrainingOutputs, write_outputs

LOGGER = logging.getLogger("qafm")


def train_siamese(
    images: Path,
    par: Path | None,
    config: TrainSiameseConfig,
    runtime: RuntimeConfig,
    seed: int,
    outputs: TrainingOutputs,
    as_long_as: Sequence[Path] = (),
) -> None:
    """Train on the identities that the PAR network was trained on, and stop on the others.

    Args:
        images: images.parquet.
        par: weights of `train_par` whose backbone is the start; None: the configured first weights.
        config: network, clusters, schedule.
        runtime: threads, device, precision.
        seed: of first weights, triplets and augmentation.
        outputs: where the weights (`trunk.*`, `project.1.*`) and the learning curve go.
        as_long_as: learning curves; the training has as many epochs as they have together, and goes on to the last one; none: as configured.

    Raises:
        InputError: a curve cannot be read; no triplet on either side of the split, no validation query where mAP decides, or first weights that do not fit.
    """
    if as_long_as:
        epochs = sum(images_seen(path)[0] for path in as_long_as)
        config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs, "patience": epochs})})
    device = prepare_torch(runtime)
    seed_everything("train_siamese", seed)
    run = _SiameseRun(images, par, config, runtime, seed, device)
    task = Task(
        name="train_siamese",
        seed=seed,
        model=run.model,
        optimizer=build_adam([{"params": run.model.parameters()}], OptimizerConfig(lr=config.training.lr, weight_decay=config.training.weight_decay)),
        loss=run.loss,
        train_mode=lambda _epoch: run.model.train(),
        after_epoch=run.validate,
    )
    curve = train_plan(task, plain_plan(config.training, run.batches), device, outputs.resume)
    write_outputs(run.model, curve, outputs)


class _SiameseRun:
    """What one run holds on to between steps: model, images, triplets, and the search among validation images."""

    def __init__(self, images: Path, par: Path | None, config: TrainSiameseConfig, runtime: RuntimeConfig, seed: int, device: torch.device) -> None:
        self.config, self.runtime, self.device = config, runtime, device
        data = load_train_split(images, config.backbone, config.split)
        self.model = SiameseNetwork(config.backbone, config.dim)
        if par is None:
            start_backbone(self.model.trunk, config.backbone, extractor=None)
        else:
            trained = load_weights(par)[0]
            load_part(self.model.trunk, trained, "trunk", par)
            load_part(self.model.pool, trained, "pool", par)
        self.model = place(self.model, device)
        self.triplets, of_validation = _draws(images, data, config)
        self.validation_triplets = of_validation.draw(np.random.default_rng(derived_seed("validation triplets", seed)))
        self.pixels, self.fit = data.images.pixels.to(device), torch.from_numpy(data.fit).to(device)
        self.validation_pixels = data.images.pixels[data.validation]
        self.labels = _labels(data)
        self.is_query = choose_queries(self.labels, config.search.queries_per_camera, config.search.seed)
        if config.training.stop_on == "val_mAP" and not self.is_query.any():
            raise InputError(f"{images}: stop_on: val_mAP needs queries, and no validation identity has two images")

    def batches(self, rng: np.random.Generator) -> list[np.ndarray]:
        """An epoch's triplets, one per anchor, int64 [B, 3] each; numbers among the trained images."""
        triplets = self.triplets.draw(rng)
        return [triplets[rows] for rows in shuffled_batches(len(triplets), self.config.training.batch_size, rng)]

    def loss(self, batch: torch.Tensor) -> Losses:
        """The triplet loss; the three images of all triplets go through the network together."""
        with autocast(self.device, self.runtime):
            found = self.model(augmented(self.pixels[self.fit[batch.T.flatten()]], self.config.training))  # [3 B, D]
        anchor, positive, negative = found.chunk(3)
        return {"loss": triplet_loss(anchor, positive, negative, self.config.margin)}

    def validate(self, _epoch: int) -> dict[str, float]:
        """Loss of fixed validation triplets, and mAP of the search among validation images (NaN without a query that has a right image)."""
        self.model.eval()
        found = forward_all(self.model, self.validation_pixels, self.device, self.runtime)  # [V, D]
        anchor, positive, negative = (found[rows] for rows in self.validation_triplets.T)
        loss = triplet_loss(anchor, positive, negative, self.config.margin)
        return {"val_loss": float(loss), "val_mAP": self._mean_ap(found.numpy())}

    def _mean_ap(self, descriptors: np.ndarray) -> float:
        query, gallery = self.labels.take(self.is_query), self.labels.take(~self.is_query)
        similarity = dot_similarity(descriptors[self.is_query], descriptors[~self.is_query])
        try:
            return evaluate_retrieval(query, gallery, similarity, same_camera=self.config.search.same_camera).summary()["mAP"]
        except InputError:
            if self.config.training.stop_on == "val_mAP":
                raise
            return float("nan")


def _draws(images: Path, data: TrainSplit, config: TrainSiameseConfig) -> tuple[TripletDraw, TripletDraw]:
    """The triplets of trained and of validation images; clusters are found among the trained ones."""
    pixels = data.images.pixels.permute(0, 2, 3, 1).numpy()
    histograms = colour_histograms(pixels, config.clusters)
    clusters = find_clusters(histograms[data.fit], config.clusters)
    draws = []
    for side, rows in (("trained", data.fit), ("validation", data.validation)):
        members = clusters.of(histograms[rows])
        try:
            draw = TripletDraw(data.images.pids[rows], members)
        except ValueError as error:
            raise InputError(f"{images}: {side} images: {error}") from error
        LOGGER.info(
            "%s images: %d in %d colour clusters; %d triplets an epoch; %d images are no anchor, their identity has no other; for %d anchors the cluster "
            "holds no other identity, their negatives come from all %s images",
            *(side, len(rows), len(np.unique(members)), len(draw.anchors), draw.without_positive, draw.without_negative, side),
        )
        draws.append(draw)
    return draws[0], draws[1]


def _labels(data: TrainSplit) -> Labels:
    of, rows = data.images, data.validation
    return Labels(of.pids[rows], of.camids[rows], np.array(of.image_ids)[rows])
