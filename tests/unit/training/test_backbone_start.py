"""First weights from the extractor: they arrive, or one line says why not."""

from pathlib import Path
from typing import Any

import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.errors import InputError
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.resnet import build_resnet
from qafm.models.weights import save_weights
from qafm.training.backbone_start import start_backbone

CONFIG = BackboneConfig(name="resnet10", init="extractor", last_stride=1, channels=16)


def extractor(path: Path, provenance: dict[str, Any]) -> ReidBaseline:
    torch.manual_seed(3)
    model = ReidBaseline(backbone=CONFIG.model_copy(update={"last_stride": 2}), num_ids=2)
    save_weights(path, model.state_dict(), provenance)
    return model


def test_the_extractors_weights_arrive(tmp_path: Path) -> None:
    model = extractor(tmp_path / "e.safetensors", {"config": {"backbone": {"name": "resnet10", "channels": 16, "init": "random"}}})
    trunk = build_resnet("resnet10", last_stride=1, channels=16, layers="layer3")
    start_backbone(trunk, CONFIG, tmp_path / "e.safetensors")
    assert all(torch.equal(tensor, model.trunk.state_dict()[name]) for name, tensor in trunk.state_dict().items())


@pytest.mark.parametrize(
    ("provenance", "held"),
    [
        ({"config": {"backbone": {"name": "resnet18", "channels": 16, "init": "random"}}}, "resnet18 from 16 channels"),
        ({"config": {"backbone": {"name": "resnet10", "channels": 16, "ibn": True, "init": "random"}}}, "resnet10 with ibn from 16 channels"),
        ({"config": {"backbone": {"name": "resnet10", "init": "random"}}}, "resnet10"),
        ({}, "network that its header does not describe"),
        ({"config": {"backbone": {"name": "vgg"}}}, "network that its header does not describe"),
    ],
)
def test_another_architecture_is_refused_by_name(tmp_path: Path, provenance: dict[str, Any], held: str) -> None:
    extractor(tmp_path / "e.safetensors", provenance)
    with pytest.raises(InputError) as error:
        start_backbone(build_resnet("resnet10", last_stride=1, channels=16), CONFIG, tmp_path / "e.safetensors")
    assert f"e.safetensors: holds a {held}, the configured backbone is resnet10 from 16 channels; set" in str(error.value)


def test_extractor_without_a_file_is_named() -> None:
    with pytest.raises(InputError, match="needs the extractor's weights"):
        start_backbone(build_resnet("resnet10", last_stride=1, channels=16), CONFIG, None)
