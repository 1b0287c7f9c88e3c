"""A data set of noise images on disk, with every kind of row that stages 5 and 6 tell apart."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

TRAIN, HOLDOUT, TEST = (1, 2, 3), (4, 5), (6, 7)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """images.parquet: three fitted, two held-out and two test identities with two images in each of two cameras, a distractor and a junk image."""
    rng, rows = np.random.default_rng(5), []
    people = [(pid, camid, "train", "fit" if pid in TRAIN else "holdout") for pid in (*TRAIN, *HOLDOUT) for camid in (1, 1, 2, 2)]
    people += [(pid, camid, split, None) for pid in TEST for camid, split in ((1, "query"), (1, "gallery"), (2, "query"), (2, "gallery"))]
    people += [(0, 1, "gallery", None), (-1, 2, "gallery", None)]
    for i, (pid, camid, split, fold) in enumerate(people):
        name = f"{i:03d}.png"
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 256, (32, 16, 3), dtype=np.uint8))
        row = {field.name: None for field in IMAGES_SCHEMA}
        row |= {"image_id": name, "path": str(tmp_path / name), "split": split, "fold": fold, "pid": pid, "camid": camid, "junk": pid == -1}
        rows.append(row | {"distractor": pid == 0, "sha256": f"{i:064d}", "height": 32, "width": 16})
    write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(rows, IMAGES_SCHEMA))
    return tmp_path / "images.parquet"
