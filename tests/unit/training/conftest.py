"""A small QAFM and a batch for it; images to train on, and what is known of each training step."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTE_SIZES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.training.stage import TrainData
from tests.made_up_images import write_images
from tests.unit.training.by_hand import Step

IDS = 3


@pytest.fixture
def architecture() -> ArchitectureConfig:
    return ArchitectureConfig(
        backbone=BackboneConfig(name="resnet10", last_stride=1, init="random", height=64, width=32),
        apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12),
        apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
    )


@pytest.fixture
def model(architecture: ArchitectureConfig) -> Qafm:
    torch.manual_seed(0)
    return Qafm(architecture, HeadConfig(dim=14), IDS, WeightMlp(mean=1.0, sd=0.5, start_weight=0.4))


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.rand(9, 3, 64, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2])


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Every batch that is augmented, in order."""
    seen: list[Step] = []
    augmented = TrainData.augmented

    def watched(self: TrainData, batch: Tensor) -> Tensor:
        seen.append(Step(batch, augmented(self, batch)))
        return seen[-1].images

    monkeypatch.setattr(TrainData, "augmented", watched)
    return seen


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[float, float]]]:
    """Learning rate and weight decay of each group of parameters in every step; the steps move nothing."""
    seen: list[list[tuple[float, float]]] = []

    def still(self: torch.optim.Adam) -> None:
        seen.append([(group["lr"], group["weight_decay"]) for group in self.param_groups])

    monkeypatch.setattr(torch.optim.Adam, "step", still)
    return seen


@pytest.fixture
def varied_images(tmp_path: Path) -> Path:
    """Three held-out identities, then four to train on: of several colours; attributes differ by image and group, some are unknown."""
    path, rng = write_images(tmp_path, {"holdout": 3, "fit": 4}), np.random.default_rng(4)
    rows = read_parquet(path, IMAGES_SCHEMA).to_pylist()
    for i, row in enumerate(rows):
        cv2.imwrite(row["path"], rng.integers(0, 60, (64, 32, 3), dtype=np.uint8) + rng.integers(0, 190, (4, 1, 3), dtype=np.uint8).repeat(16, axis=0))
        row |= {name: None if (i + k) % 5 == 0 else (i + i * k) % size for k, (name, size) in enumerate(zip(ATTRIBUTE_NAMES, ATTRIBUTE_SIZES, strict=True))}
    write_parquet(path, pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    return path


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classifiers that start from N(0, 1): from N(0, 0.001) the loss is nearly that of a guess, whatever it is a loss of."""
    normal = nn.init.normal_
    monkeypatch.setattr(nn.init, "normal_", lambda tensor, **_: normal(tensor))
