"""Made-up indexes and feature shards."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.features import features_schema
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet

MakeIndex = Callable[[list[dict[str, Any]]], Path]
MakeShard = Callable[..., Path]


@pytest.fixture
def make_index(tmp_path: Path) -> MakeIndex:
    """Write images.parquet: make_index([{"image_id": ..., and what is not the default}])."""

    def make(rows: list[dict[str, Any]]) -> Path:
        default = {"split": "train", "fold": None, "pid": 1, "camid": 1, "sequence": None, "frame": None, "junk": False, "distractor": False}
        default |= {"sha256": "0" * 64, "height": 8, "width": 4} | dict.fromkeys(ATTRIBUTE_NAMES)
        full = [default | {"path": f"data/{row['image_id']}"} | row for row in sorted(rows, key=lambda row: row["image_id"])]
        write_parquet(tmp_path / "images.parquet", pa.Table.from_pylist(full, schema=IMAGES_SCHEMA))
        return tmp_path / "images.parquet"

    return make


@pytest.fixture
def make_shard(tmp_path: Path) -> MakeShard:
    """Write a feature shard: make_shard(name, [(image_id, variant, vector)], dtype, rows_per_group)."""

    def make(name: str, rows: Sequence[tuple[str, int, np.ndarray]], dtype: str = "float32", rows_per_group: int = 4096, dim: int = 6) -> Path:
        schema = features_schema(dim, dtype)
        image_ids, variants, vectors = zip(*rows, strict=True) if rows else ((), (), ())
        values = pa.array(np.array(vectors, dtype=dtype).ravel())
        feature = pa.FixedSizeListArray.from_arrays(values, type=schema.field("feature").type)
        columns = [pa.array(image_ids, pa.string()), pa.array(variants, pa.int8()), feature]
        write_parquet(tmp_path / name, pa.Table.from_arrays(columns, schema=schema), rows_per_group=rows_per_group)
        return tmp_path / name

    return make
