"""predictions.parquet: the attributes that a PAR network sees in every validation, query and gallery image.

N images, 12 attributes in the order of ATTRIBUTES.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.parquet import read_parquet

NO_HEAD = -1
PREDICTIONS_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("set", pa.string(), nullable=False),  # validation, query, gallery
        *(pa.field(name, pa.int8()) for name in ATTRIBUTE_NAMES),  # 0-based class code, `multi` behind a colour's classes; null: the network has no such head
    ]
)


@dataclass(frozen=True)
class Predictions:
    """What one network answered.

    Args:
        row_of: row of each image by its image_id.
        codes: int64 [N, 12], NO_HEAD in the column of a head that the network lacks.
    """

    row_of: dict[str, int]
    codes: np.ndarray


def predictions_table(image_ids: Sequence[str], sets: Sequence[str], codes: np.ndarray) -> pa.Table:
    """The table of `codes` [N, 12], NO_HEAD becoming null."""
    columns = [pa.array(column, pa.int8(), mask=column == NO_HEAD) for column in codes.T]
    return pa.table([pa.array(list(image_ids)), pa.array(list(sets)), *columns], schema=PREDICTIONS_SCHEMA)


def read_predictions(path: Path) -> Predictions:
    """Read predictions.parquet.

    Raises:
        InputError: the file is no such table.
    """
    table = read_parquet(path, PREDICTIONS_SCHEMA)
    codes = np.stack([table[name].fill_null(NO_HEAD).to_numpy() for name in ATTRIBUTE_NAMES], axis=1).astype(np.int64)
    return Predictions({name: row for row, name in enumerate(table["image_id"].to_pylist())}, codes)
