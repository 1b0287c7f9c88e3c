"""Tools of the data set tests: pictures, and a parser run in the working folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from qafm.config.parse import ParseConfig
from qafm.datasets.parse_dataset import parse_dataset
from qafm.tables.images import IMAGES_SCHEMA

Parsed = tuple[dict[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def picture() -> Callable[..., None]:
    """Write a random picture in the format of its name."""

    def write(path: Path, seed: int, height: int = 12, width: int = 8) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        path.write_bytes(cv2.imencode(path.suffix.lower(), pixels)[1].tobytes())

    return write


@pytest.fixture
def parse() -> Callable[[ParseConfig, Path], Parsed]:
    """Parse; give the rows by image_id, and the report."""

    def run(config: ParseConfig, root: Path) -> Parsed:
        parse_dataset(config, root, Path("out/images.parquet"), Path("out/dataset.json"))
        table = pq.read_table("out/images.parquet")
        assert table.schema == IMAGES_SCHEMA
        rows = table.to_pylist()
        assert [row["image_id"] for row in rows] == sorted(row["image_id"] for row in rows)
        return {row["image_id"]: row for row in rows}, json.loads(Path("out/dataset.json").read_text(encoding="utf-8"))

    return run
