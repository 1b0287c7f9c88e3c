"""quality.parquet: Q(I) of every image that is not junk, sorted by image_id. Low Q = stable features = good."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.errors import reading
from qafm.runtime.files import read_json
from qafm.tables.parquet import read_parquet

FAMILIES = ("light", "blur", "occlusion", "background", "noise")
QUALITY_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("q", pa.float64(), nullable=False),  # the Q the weight is computed from (config: quality.normalize)
        pa.field("q_normalized", pa.float64()),  # on L2-normalised features; null where Q was not computed here
        pa.field("q_raw", pa.float64()),  # on raw features: Eq. 1 verbatim
        pa.field("mean_norm", pa.float64()),  # mean norm of the raw features
        pa.field("q_z", pa.float64(), nullable=False),  # (q - mean) / sd over the reference images
        pa.field("q_rank", pa.float64(), nullable=False),  # share of reference images with a lower q, in [0, 1]
        *(pa.field(f"q_{family}", pa.float64()) for family in FAMILIES),  # pairs within {original + the family's variants}
    ]
)


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
    with reading(summary, "no mean and sd of the reference images"):
        reference = read_json(summary)["reference"]
        return float(reference["mean"]), float(reference["sd"])
