"""Q of a list of images, and the reference it is standardised by."""

import json
from pathlib import Path

import numpy as np

from qafm.runtime.errors import InputError
from qafm.tables.parquet import read_parquet
from qafm.tables.quality import QUALITY_SCHEMA


def read_quality(quality: Path, image_ids: list[str]) -> np.ndarray:
    """Q of each image, float64 [N]; NaN where an image has none (a published table may lack some)."""
    table = read_parquet(quality, QUALITY_SCHEMA, columns=["image_id", "q"])
    known = dict(zip(table["image_id"].to_pylist(), table["q"].to_pylist(), strict=True))
    return np.array([known.get(image_id, np.nan) for image_id in image_ids], dtype=np.float64)


def read_reference(summary: Path) -> tuple[float, float]:
    """Mean and sd of Q over the reference images, from quality.json.

    Raises:
        InputError: the file is missing or holds no reference.
    """
    try:
        reference = json.loads(summary.read_text(encoding="utf-8"))["reference"]
        return float(reference["mean"]), float(reference["sd"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{summary}: no mean and sd of the reference images ({error!r})") from error
