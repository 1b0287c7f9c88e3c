"""Train images of noise and their images.parquet, for stages that train."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet


def write_images(folder: Path, identities: dict[str, int], *, labelled: bool = True) -> Path:
    """Two images of 64 x 32 pixels per identity, one per camera.

    Args:
        folder: of the images and of images.parquet.
        identities: fold -> number of identities.
        labelled: every attribute of an identity is 0 or 1; else all are unknown.
    """
    rows, rng = [], np.random.default_rng(2)
    folds = [fold for fold, number in identities.items() for _ in range(number)]
    for i, fold in enumerate(fold for fold in folds for _ in range(2)):
        path = folder / f"{i}.png"
        cv2.imwrite(str(path), rng.integers(0, 256, (64, 32, 3), dtype=np.uint8))
        row: dict[str, object] = {field.name: None for field in IMAGES_SCHEMA}
        row |= {"image_id": str(i), "path": str(path), "split": "train", "fold": fold, "pid": i // 2, "camid": i % 2, "junk": False, "distractor": False}
        row |= {"sha256": str(i), "height": 64, "width": 32}
        rows.append(row | {name: i // 2 % 2 if labelled else None for name in ATTRIBUTE_NAMES})
    write_parquet(folder / "images.parquet", pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    return folder / "images.parquet"
