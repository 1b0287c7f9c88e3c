"""Companion c1: train the PAR network on one of the report's losses."""

import logging
from pathlib import Path

import numpy as np
import torch

from qafm.companions.par.class_weights import class_counts, class_weights
from qafm.companions.par.classes import head_classes, par_codes
from qafm.companions.par.losses import ParLoss
from qafm.companions.par.par_network import ParNetwork
from qafm.companions.par.plain_plan import plain_plan
from qafm.companions.par.split_images import TrainSplit, augmented, load_train_split
from qafm.config.par import TrainParConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import OptimizerConfig
from qafm.errors import InputError
from qafm.evaluation.class_scores import mean_scores, score_classes
from qafm.images.forward import forward_all
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.training.backbone_start import start_backbone
from qafm.training.batches import shuffled_batches
from qafm.training.loop import Losses, Task, train_plan
from qafm.training.schedule import build_adam
from qafm.training.stage import TrainingOutputs, write_outputs

LOGGER = logging.getLogger("qafm")


def train_par(images: Path, config: TrainParConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs) -> None:
    """Train on 60 percent of the train identities and stop on the others.

    The losses share first weights, batches and augmentation, so that they are compared on equal terms. An attribute of which no trained identity has a
    label has no head.

    Args:
        images: images.parquet.
        config: loss, split, network, schedule.
        runtime: threads, device, precision.
        seed: of first weights, batches and augmentation.
        outputs: where the weights (`trunk.*`, `heads.{attribute}.1.*`) and the learning curve go.

    Raises:
        InputError: no training image, no attribute known on either side of the split, or first weights that cannot be had.
    """
    device = prepare_torch(runtime)
    seed_everything("train_par", seed)
    run = _ParRun(images, config, runtime, device)
    task = Task(
        name="train_par",
        seed=seed,
        model=run.model,
        optimizer=build_adam([{"params": run.model.parameters()}], OptimizerConfig(lr=config.training.lr, weight_decay=config.training.weight_decay)),
        loss=run.loss,
        train_mode=lambda _epoch: run.model.train(),
        after_epoch=run.validate,
    )
    count, size = len(run.fit), config.training.batch_size
    curve = train_plan(task, plain_plan(config.training, lambda rng: shuffled_batches(count, size, rng)), device, outputs.resume)
    write_outputs(run.model, curve, outputs)


class _ParRun:
    """What one run holds on to between steps: model, images, labels."""

    def __init__(self, images: Path, config: TrainParConfig, runtime: RuntimeConfig, device: torch.device) -> None:
        self.config, self.runtime, self.device = config, runtime, device
        data = load_train_split(images, config.backbone, config.split)
        codes = par_codes(data.images.attributes.numpy(), config.multi_color)
        self.heads = _learnable_heads(images, codes, data, config)
        self.model = ParNetwork(config.backbone, self.heads, config.dropout)
        start_backbone(self.model.trunk, config.backbone, extractor=None)
        self.model = place(self.model, device)
        weights = {name: class_weights(codes[data.fit, ATTRIBUTE_NAMES.index(name)], size) for name, size in self.heads.items()}
        self.learned = {name: values > 0 for name, values in weights.items()}
        tensors = {name: torch.from_numpy(values).float() for name, values in weights.items()}
        self.criterion = ParLoss(config.loss, {name: values.to(device) for name, values in tensors.items()}, config.gamma, config.divide_by)
        self.validation_criterion = ParLoss(config.loss, tensors, config.gamma, config.divide_by)
        self.pixels, self.codes = data.images.pixels.to(device), torch.from_numpy(codes).to(device)
        self.fit = torch.from_numpy(data.fit).to(device)
        self.validation_pixels, self.validation_codes = data.images.pixels[data.validation], codes[data.validation]

    def loss(self, batch: torch.Tensor) -> Losses:
        """The loss of the trained images with these numbers."""
        rows = self.fit[batch]
        with autocast(self.device, self.runtime):
            logits = self.model(augmented(self.pixels[rows], self.config.training))
        return {"loss": self.criterion(logits, self.codes[rows])}

    def validate(self, _epoch: int) -> dict[str, float]:
        """Loss and mean scores of the validation images, without augmentation."""
        self.model.eval()
        sizes = list(self.heads.values())
        joined = forward_all(lambda pixels: torch.cat(list(self.model(pixels).values()), dim=1), self.validation_pixels, self.device, self.runtime)
        logits = dict(zip(self.heads, joined.split(sizes, dim=1), strict=True))
        found = []
        for name, size in self.heads.items():
            answers, codes = logits[name].argmax(dim=1).numpy(), self.validation_codes[:, ATTRIBUTE_NAMES.index(name)]
            score = score_classes(answers, codes, size, "labelled", self.learned[name])
            found += [] if score is None else [score]
        mean = mean_scores(found)
        assert mean is not None  # _learnable_heads has seen a label
        loss = self.validation_criterion(logits, torch.from_numpy(self.validation_codes))
        return {"val_loss": float(loss), "val_accuracy": mean.accuracy, "val_macro_f1": mean.macro_f1}


def _learnable_heads(images: Path, codes: np.ndarray, data: TrainSplit, config: TrainParConfig) -> dict[str, int]:
    """Attribute -> number of classes, of those with a label among the trained images; says what is left out."""
    heads = {}
    for column, (name, classes) in enumerate(head_classes(config.multi_color).items()):
        counts = class_counts(codes[data.fit, column], len(classes))
        absent = [word for word, count in zip(classes, counts, strict=True) if not count]
        if len(absent) == len(classes):
            LOGGER.info("%s: no known label among the trained identities: no head", name)
            continue
        heads[name] = len(classes)
        if absent:
            LOGGER.info("%s: %d of %d classes are absent among the trained identities and weigh 0: %s", name, len(absent), len(classes), ", ".join(absent))
    if not heads:
        raise InputError(f"{images}: no attribute of any trained identity is known")
    columns = [ATTRIBUTE_NAMES.index(name) for name in heads]
    if (codes[data.validation][:, columns] < 0).all():
        raise InputError(f"{images}: no learnt attribute of any validation identity is known")
    return heads
