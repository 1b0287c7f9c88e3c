from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.features import ExtractConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.features.extract_features import extract_features
from qafm.features.load_baseline import load_baseline
from qafm.images.network_input import normalize, to_input
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weights import save_weights
from qafm.tables.features import features_schema
from qafm.tables.parquet import read_parquet, write_parquet
from qafm.tables.perturbed import PERTURBED_SCHEMA

BACKBONE = BackboneConfig(name="resnet10", init="random", height=64, width=32)
SIZES = [(20, 12), (64, 32), (33, 17)]


@pytest.fixture
def stacks() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (4, *size, 3), dtype=np.uint8) for size in SIZES]


@pytest.fixture
def perturbed(tmp_path: Path, stacks: list[np.ndarray]) -> Path:
    rows = [{"image_id": f"{i}.jpg", "height": s.shape[1], "width": s.shape[2], "variants": s.tobytes()} for i, s in enumerate(stacks)]
    write_parquet(tmp_path / "000.parquet", pa.Table.from_pylist(rows, schema=PERTURBED_SCHEMA))
    return tmp_path / "000.parquet"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    save_weights(tmp_path / "model.safetensors", ReidBaseline(backbone=BACKBONE, num_ids=5).state_dict(), {})
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize(("batch", "dtype", "tolerance"), [(1, "float32", 1e-4), (2, "float32", 1e-4), (8, "float16", 2e-3)])
def test_rows_equal_one_image_at_a_time(
    tmp_path: Path, perturbed: Path, weights: Path, stacks: list[np.ndarray], batch: int, dtype: str, tolerance: float
) -> None:
    out = tmp_path / "features.parquet"
    extract_features(perturbed, weights, BACKBONE, ExtractConfig(images_per_batch=batch, dtype=dtype), RuntimeConfig(), out)
    table = read_parquet(out, features_schema(512, dtype))
    assert table["image_id"].to_pylist() == [f"{i}.jpg" for i in range(3) for _ in range(4)]
    assert table["variant"].to_pylist() == [0, 1, 2, 3] * 3
    found = np.stack([np.asarray(value, np.float32) for value in table["feature"].to_pylist()])
    model = load_baseline(weights, BACKBONE)
    with torch.no_grad():
        expected = np.concatenate([model(normalize(to_input(stack[k : k + 1], 64, 32))).feature.numpy() for stack in stacks for k in range(4)])
    np.testing.assert_allclose(found, expected, atol=tolerance, rtol=tolerance)


def test_weights_of_another_architecture_are_refused_and_nothing_is_left(tmp_path: Path, perturbed: Path, weights: Path) -> None:
    out = tmp_path / "out" / "features.parquet"
    with pytest.raises(InputError, match=r"model\.safetensors: does not fit the configured backbone"):
        extract_features(perturbed, weights, BACKBONE.model_copy(update={"name": "resnet18"}), ExtractConfig(), RuntimeConfig(), out)
    assert not out.exists()
