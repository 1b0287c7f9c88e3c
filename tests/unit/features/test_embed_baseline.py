"""The baseline's descriptors: against the network applied to one image at a time, every searched image once, the twins differ."""

from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.baseline import BaselineConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import BatchConfig, TrainingConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.features.embed_baseline import embed_baseline
from qafm.features.load_baseline import load_baseline
from qafm.images.network_input import normalize, to_input
from qafm.tables.descriptors import descriptors_schema
from qafm.tables.parquet import read_parquet
from qafm.training.stage import TrainingOutputs
from qafm.training.train_baseline import Twin, train_baseline

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, init="random", height=32, width=16)
CONFIG = BaselineConfig(backbone=BACKBONE, training=TrainingConfig(epochs=1, batch=BatchConfig(ids=2, images_per_id=2)))


def trained(images: Path, folder: Path, twin: Twin) -> Path:
    outputs = TrainingOutputs.keyed(str(folder / twin / "model.safetensors"), str(folder / twin / "history.csv"), {"seed": 1, "twin": twin}, [str(images)])
    train_baseline(twin, images, None, CONFIG, RuntimeConfig(threads=1, device="cpu"), 1, outputs)
    return outputs.weights


def test_descriptors_are_the_networks_one_image_at_a_time(tmp_path: Path, images: Path) -> None:
    weights, out = trained(images, tmp_path, "a"), tmp_path / "descriptors.parquet"
    embed_baseline(images, weights, BACKBONE, RuntimeConfig(threads=1, device="cpu"), out)
    table = read_parquet(out, descriptors_schema(512)).to_pylist()
    rows = {row["image_id"]: row for row in read_parquet(images).to_pylist()}
    wanted = {name for name, row in rows.items() if not row["junk"] and (row["split"] != "train" or row["fold"] == "holdout")}
    assert {row["image_id"] for row in table} == wanted and len(table) == len(wanted)
    model = load_baseline(weights, BACKBONE)
    for row in table[:: max(1, len(table) // 5)]:
        pixels = to_input(read_image(Path(rows[row["image_id"]]["path"]))[None], 32, 16)
        with torch.no_grad():
            vector = model.neck.norm(model(normalize(pixels)).feature)[0]
        np.testing.assert_allclose(row["descriptor"], (vector / vector.norm()).numpy(), atol=1e-4)
        assert row["split"] == ("holdout" if rows[row["image_id"]]["split"] == "train" else rows[row["image_id"]]["split"])


def test_twins_differ_and_each_is_reproducible(tmp_path: Path, images: Path) -> None:
    first, again, other = (trained(images, tmp_path / name, twin).read_bytes() for name, twin in (("1", "a"), ("2", "a"), ("3", "b")))
    assert first == again
    assert first[-4096:] != other[-4096:]


def test_weights_of_another_backbone_are_refused(tmp_path: Path, images: Path) -> None:
    weights = trained(images, tmp_path, "a")
    with pytest.raises(InputError, match=r"model\.safetensors: does not fit the configured backbone"):
        embed_baseline(images, weights, BACKBONE.model_copy(update={"name": "resnet18"}), RuntimeConfig(threads=1, device="cpu"), tmp_path / "d.parquet")
    assert not (tmp_path / "d.parquet").exists()
