"""An index of made-up images on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

MakeIndex = Callable[..., Path]


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A made-up picture, uint8 [H, W, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def make_index(tmp_path: Path) -> MakeIndex:
    """Write PNG files and their images.parquet: make_index({image_id: pixels}, junk={image_id})."""

    def make(pixels: dict[str, np.ndarray], junk: frozenset[str] = frozenset()) -> Path:
        rows = []
        for image_id in sorted(pixels):
            path = tmp_path / "data" / image_id
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", pixels[image_id][..., ::-1])[1].tobytes())
            row = {"image_id": image_id, "path": str(path), "split": "train", "fold": "fit", "pid": 1, "camid": 1, "sequence": None, "frame": None}
            row |= {"junk": image_id in junk, "distractor": False, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            row |= {"height": pixels[image_id].shape[0], "width": pixels[image_id].shape[1]} | dict.fromkeys(ATTRIBUTE_NAMES)
            rows.append(row)
        out = tmp_path / "images.parquet"
        write_parquet(out, pa.Table.from_pylist(rows, schema=IMAGES_SCHEMA))
        return out

    return make


@pytest.fixture
def any_picture() -> Callable[..., np.ndarray]:
    """Makes pictures: any_picture(height, width, seed)."""
    return picture
