"""A small data set of coloured noise: eight train and three test identities, two cameras, distractors and junk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from qafm.config.backbone import BackboneConfig
from qafm.config.runtime import RuntimeConfig
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTE_SIZES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

Row = dict[str, Any]
BACKBONE = BackboneConfig(name="resnet10", last_stride=1, channels=16, init="random", height=64, width=32)
RUNTIME = RuntimeConfig(threads=1, device="cpu")


def made_rows(folder: Path) -> list[Row]:
    """Rows of images.parquet, images written to `folder`; attributes are an identity's, the last train identity has none."""
    rng = np.random.default_rng(5)
    who = [(pid, "train", 4) for pid in range(1, 9)] + [(pid, split, n) for pid in (11, 12, 13) for split, n in (("query", 2), ("gallery", 4))]
    who += [(0, "gallery", 2), (-1, "gallery", 1)]
    rows: list[Row] = []
    labels = {pid: [int(rng.integers(size)) for size in ATTRIBUTE_SIZES] for pid, _, _ in who}
    tint = {pid: rng.integers(0, 128, 3, dtype=np.uint8) for pid, _, _ in who}
    for pid, split, n in who:
        for i in range(n):
            name = f"{split}_{pid}_{i}.png"
            cv2.imwrite(str(folder / name), rng.integers(0, 256, (64, 32, 3), dtype=np.uint8) // 2 + tint[pid])
            row: Row = {field.name: None for field in IMAGES_SCHEMA}
            row |= {"image_id": name, "path": str(folder / name), "split": split, "fold": None if split != "train" else "holdout" if pid == 3 else "fit"}
            row |= {"pid": pid, "camid": 1 + i % 2, "junk": pid == -1, "distractor": pid == 0, "sha256": name, "height": 64, "width": 32}
            rows.append(row | (dict(zip(ATTRIBUTE_NAMES, labels[pid], strict=True)) if pid > 0 and pid != 8 else {}))
    return sorted(rows, key=lambda row: row["image_id"])


def write_rows(path: Path, rows: list[Row]) -> Path:
    write_parquet(path, pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    return path


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    return made_rows(tmp_path)


@pytest.fixture
def images(tmp_path: Path, rows: list[Row]) -> Path:
    return write_rows(tmp_path / "images.parquet", rows)


@pytest.fixture
def images_of(tmp_path: Path) -> Callable[[list[Row]], Path]:
    """Writes an images.parquet of other rows."""
    return lambda rows: write_rows(tmp_path / "other.parquet", rows)


RATES = [  # 12 steps: the share in which the learning rate rises, rounded up to whole steps -> its factors, by hand
    (0.1, [1 / 2, 2 / 2, 10 / 10, 9 / 10, 8 / 10, 7 / 10, 6 / 10, 5 / 10, 4 / 10, 3 / 10, 2 / 10, 1 / 10]),
    (0.5, [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 6 / 6, 6 / 6, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
]
