"""A small QAFM and a batch for it."""

import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp

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
