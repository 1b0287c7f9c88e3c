"""A tiny QAFM whose weight depends on Q, and the extractor that gives Q, with random weights: for what describes new pictures."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, FusedModelConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality import QualityConfig
from qafm.features.new_images import QSource
from qafm.images.network_input import normalize, to_input
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import save_weights
from qafm.perturbations.stack import perturb
from qafm.quality.identifiability import identifiability

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, init="random", height=32, width=16)
ARCHITECTURE = ArchitectureConfig(
    backbone=BACKBONE,
    apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12),
    apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
)
MODEL = FusedModelConfig(architecture=ARCHITECTURE, head=HeadConfig(dim=14), fixed_weight=None)
Q_NETWORK = QNetwork(
    extractor=BACKBONE,
    perturb=PerturbConfig(light_offsets=(-45, 45), occlusion_sizes=()),
    quality=QualityConfig(normalize="none", mode="reference"),
)


def make_qafm(folder: Path) -> tuple[Qafm, Path]:
    """The model, ready for use, and the file of its weights in `folder`."""
    torch.manual_seed(2)
    model = Qafm(ARCHITECTURE, MODEL.head, 3, WeightMlp(mean=1.0, sd=0.5, start_weight=0.3))
    assert model.weight_mlp is not None
    model.weight_mlp.output.weight.data.normal_()
    save_weights(folder / "qafm.safetensors", model.state_dict(), {})
    return model.eval(), folder / "qafm.safetensors"


def make_q_source(folder: Path) -> tuple[ReidBaseline, QSource]:
    """The extractor, ready for use, and where Q of new pictures comes from: its weights lie in `folder`."""
    torch.manual_seed(3)
    extractor = ReidBaseline(backbone=BACKBONE, num_ids=3)
    save_weights(folder / "extractor.safetensors", extractor.state_dict(), {})
    return extractor.eval(), QSource(folder / "extractor.safetensors", Q_NETWORK)


def as_batch(picture: np.ndarray) -> Tensor:
    """The networks' input of one picture: uint8 [h, w, 3] -> [1, 3, 32, 16]."""
    return normalize(to_input(picture[None], BACKBONE.height, BACKBONE.width))


@torch.no_grad()
def slow_q(picture: np.ndarray, name: str, extractor: ReidBaseline) -> float:
    """Q of one picture, step by step."""
    features = extractor(normalize(to_input(perturb(picture, name, Q_NETWORK.perturb), BACKBONE.height, BACKBONE.width))).feature.numpy()
    return identifiability(features, normalize=Q_NETWORK.quality.normalize, mode=Q_NETWORK.quality.mode)
