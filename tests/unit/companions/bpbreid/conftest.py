"""A data set of noise images with part masks, for the stages of BPBReID."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from qafm.companions.bpbreid.part_fields import FIELDS
from qafm.config.bpbreid import PartBackboneConfig, PartLossConfig, PartsConfig, PartTrainingConfig, TrainBpbreidConfig
from qafm.config.runtime import RuntimeConfig
from qafm.config.training import AugmentConfig, BatchConfig, OptimizerConfig
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet
from tests.unit.models.conftest import check_learns, check_serves, fixed_seed, one_thread, rough  # noqa: F401

TRAIN, TEST = (1, 2, 3), (6, 7)
RUNTIME = RuntimeConfig(threads=1, device="cpu")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """images.parquet: three train identities of four images, two test identities in two cameras, a distractor and a junk image; masks beside them."""
    rng, rows = np.random.default_rng(5), []
    people = [(pid, camid, "train") for pid in TRAIN for camid in (1, 1, 2, 2)]
    people += [(pid, camid, split) for pid in TEST for camid, split in ((1, "query"), (1, "gallery"), (2, "query"), (2, "gallery"))]
    people += [(0, 1, "gallery"), (-1, 2, "gallery")]
    for i, (pid, camid, split) in enumerate(people):
        name = f"{split}/{i:03d}.png"
        for folder in (tmp_path / "raw" / split, tmp_path / "masks" / split):
            folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "raw" / name), rng.integers(0, 256, (48, 24, 3), dtype=np.uint8))
        np.save(tmp_path / "masks" / split / f"{i:03d}.npy", rng.random((FIELDS, 7, 4), np.float32).astype(np.float16))
        row = {field.name: None for field in IMAGES_SCHEMA}
        row |= {"image_id": name, "path": str(tmp_path / "raw" / name), "split": split, "pid": pid, "camid": camid, "junk": pid == -1}
        row |= {"fold": "fit" if split == "train" else None, "distractor": pid == 0, "sha256": f"{i:064d}", "height": 48, "width": 24}
        rows.append(row)
    write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(sorted(rows, key=lambda row: row["image_id"]), IMAGES_SCHEMA))
    return tmp_path / "images.parquet"


@pytest.fixture
def masks(images: Path) -> Path:
    return images.parent / "masks"


@pytest.fixture
def config() -> TrainBpbreidConfig:
    return TrainBpbreidConfig(
        backbone=PartBackboneConfig(name="resnet10", init="random", height=96, width=48),
        parts=PartsConfig(dim=8, stripes=5),
        loss=PartLossConfig(),
        training=PartTrainingConfig(
            epochs=2,
            batch=BatchConfig(ids=2, images_per_id=2),
            augment=AugmentConfig(pad_px=3),
            optimizer=OptimizerConfig(lr=1e-3, warmup_epochs=1),
        ),
    )
