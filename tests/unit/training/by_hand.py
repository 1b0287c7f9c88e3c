"""Losses of a training step by plain operations, and what a step is known by: what test_steps and test_fusion_steps share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import ScheduleConfig
from qafm.runtime.torch_setup import seed_everything
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.training.batches import identity_batches
from qafm.training.stage import TrainingOutputs

SEED = 2
RUNTIME = RuntimeConfig(threads=1, device="cpu")
BACKBONE = BackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32)
APN = ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12)
APAN = ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10, attribute_weight=0.7)
SCHEDULE: dict[str, Any] = {
    "epochs": 2,
    "batch": {"ids": 2, "images_per_id": 2},
    "optimizer": {"lr": 0.02, "weight_decay": 0.003, "warmup_epochs": 2},
    "augment": {"flip": 0.3, "pad_px": 4, "brightness": 0.1, "contrast": 0.3, "saturation": 0.05, "erase": 0.8},
}
RATES = [0.01, 0.01, 0.02, 0.02]  # of each step: the first epoch of the warm-up, then the second
LABELS = np.repeat(np.arange(4), 2)  # of the train images that are not held out


class Step(NamedTuple):
    """What was put together for one step."""

    batch: Tensor  # indices [B]
    images: Tensor  # the networks' input [B, 3, H, W]


def outputs(folder: Path) -> TrainingOutputs:
    return TrainingOutputs.keyed(str(folder / "w.safetensors"), str(folder / "h.csv"), {}, [])


def smoothed(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy against (1 - smoothing) of the right identity and a share of `smoothing` of each."""
    target = torch.full_like(logits, smoothing / logits.shape[1])
    target[range(len(labels)), labels] += 1 - smoothing
    return -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()


def triplet(vectors: Tensor, labels: Tensor, margin: float, unit: bool) -> Tensor:
    """Farthest positive against nearest negative, anchor by anchor."""
    points = vectors / vectors.norm(dim=1, keepdim=True) if unit else vectors
    terms = []
    for i in range(len(points)):
        distances = [(points[i] - points[j]).norm() for j in range(len(points))]
        positive = max(distances[j] for j in range(len(points)) if j != i and labels[j] == labels[i])
        negative = min(distances[j] for j in range(len(points)) if labels[j] != labels[i])
        terms.append(torch.relu(positive - negative + margin))
    return torch.stack(terms).mean()


def heads(attribute_logits: tuple[Tensor, ...], codes: list[list[int | None]]) -> list[Tensor]:
    """The mean loss of each attribute head over its known labels."""
    means = []
    for k, logits in enumerate(attribute_logits):
        scores = torch.stack([torch.zeros_like(logits), logits], dim=1) if logits.ndim == 1 else logits
        terms = [-scores[n].log_softmax(dim=0)[code] for n, row in enumerate(codes) if (code := row[k]) is not None]
        means += [torch.stack(terms).mean()] if terms else []
    return means


def codes_of(images: Path, batch: Tensor) -> list[list[int | None]]:
    rows = [row for row in read_parquet(images, IMAGES_SCHEMA).to_pylist() if row["fold"] == "fit"]
    return [[rows[i][name] for name in ATTRIBUTE_NAMES] for i in batch.tolist()]


def check_curve(folder: Path, name: str, steps: list[Step], expected: Callable[[Step, Tensor], dict[str, Tensor]]) -> None:
    """Batches drawn by stage, seed and epoch, and each epoch's mean of each loss, `expected` of a step and its labels."""
    history = pd.read_csv(folder / "h.csv")
    assert len(history) == SCHEDULE["epochs"] and len(steps) == 2 * len(history)
    assert not (folder / ".resume").exists()  # the state between epochs has served its purpose
    for epoch, row in history.iterrows():
        batches = list(identity_batches(LABELS, ScheduleConfig.model_validate(SCHEDULE).batch, seed_everything(name, SEED, epoch)))
        of_epoch = steps[2 * epoch : 2 * epoch + 2]
        assert [step.batch.tolist() for step in of_epoch] == [batch.tolist() for batch in batches]
        with torch.no_grad():
            losses = [expected(step, torch.from_numpy(LABELS)[step.batch]) for step in of_epoch]
        assert set(row.index) - {"epoch", "images_seen"} == set(losses[0])
        for loss in losses[0]:
            assert row[loss] == pytest.approx(float(sum(values[loss] for values in losses)) / 2, rel=1e-4), (epoch, loss)


def first(name: str, build: Callable[[], nn.Module]) -> nn.Module:
    """A network with the weights a stage starts it from, in train mode."""
    seed_everything(name, SEED)
    return build().train()
