"""Small untrained models, as `qafm.load` would give them, whose batch norms are not neutral."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from qafm.bundles.load_bundle import Bundle
from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.bundle import BundleConfig, QReference, TrainingSet
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.inference.model import ReidModel
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp

HEIGHT, WIDTH = 80, 48  # APN's map is 5 x 3: its tiles are unequal
APN = ApnConfig(mfpm_channels=8, decoder_channels=(6,), lam_channels=(4, 12), embedding_dim=10)
APAN = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=8)
DIM, IDS = 9, 7


def roughen(model: nn.Module) -> None:
    """Batch norms as after a training."""
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(norm.running_mean, -0.5, 0.5)
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 2)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ReidModel]:
    """Makes a model: `apan` and `head` of other settings, `fixed` weight instead of the MLP."""

    def make(*, apan: ApanConfig = APAN, head: HeadConfig | None = None, fixed: float | None = None) -> ReidModel:
        torch.manual_seed(0)
        backbone = BackboneConfig(name="resnet10", channels=16, last_stride=1, init="random", height=HEIGHT, width=WIDTH)
        architecture, head = ArchitectureConfig(backbone=backbone, apn=APN, apan=apan), head or HeadConfig(dim=DIM)
        mlp = WeightMlp(mean=0.13, sd=0.01, start_weight=0.4) if fixed is None else None
        network = Qafm(architecture, head, IDS, mlp)
        roughen(network)
        if mlp is not None:
            nn.init.normal_(mlp.output.weight)  # else the start is one weight for every Q
        config = BundleConfig(
            name="synthetic/r10/small/seed-1",
            qafm="0",
            digest="ab" * 32,
            dtype="float32",
            architecture=architecture,
            head=head,
            fixed_weight=fixed,
            extractor=None,
            perturb=PerturbConfig(),
            quality=QualityConfig(),
            reference=QReference(images=2, mean=0.13, sd=0.01, quantiles=(0.1, 0.2)),
            trained_on=TrainingSet(kind="synthetic", words="nothing", images=0, ids=0, cameras=0, attributes={}),
        )
        folder: Path = tmp_path_factory.mktemp("bundle")
        return ReidModel(Bundle(folder, config, network.eval(), None), device="cpu")

    return make


@pytest.fixture(scope="session")
def model(make_model: Callable[..., ReidModel]) -> ReidModel:
    """A model whose weight depends on Q."""
    return make_model()
