"""Who the images of a file of vectors are: its rows looked up in images.parquet.

Shapes: N rows of the file, D length of a vector.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.errors import InputError
from qafm.evaluation.ranking import Labels
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

_LABEL_COLUMNS = ["image_id", "pid", "camid", "junk", "distractor", "sha256"]


@dataclass(frozen=True)
class Joined:
    """What images.parquet says of the rows of a file.

    Args:
        file: the file, for messages.
        labels: who they are [N].
        distractor: always-wrong images, bool [N].
        junk: images that count nowhere, bool [N].
        split: query, gallery or holdout, as the file says, str [N].
        position: row in images.parquet, int64 [N].
    """

    file: Path
    labels: Labels
    distractor: np.ndarray
    junk: np.ndarray
    split: np.ndarray
    position: np.ndarray

    def rows_of(self, split: str) -> np.ndarray:
        """Rows of one split without junk, in the order of images.parquet.

        Raises:
            InputError: an image occurs twice in it.
        """
        rows = np.flatnonzero((self.split == split) & ~self.junk)
        rows = rows[np.argsort(self.position[rows], kind="stable")]
        if len(np.unique(self.position[rows])) != len(rows):
            raise InputError(f"{self.file}: an image occurs twice among the {len(rows)} rows of one split")
        return rows


def join_labels(images: Path, file: Path, table: pa.Table) -> Joined:
    """Look up every row of `table` (columns image_id and split), which was read from `file`.

    Raises:
        InputError: an image is unknown, or there is no query or no gallery image.
    """
    known = read_parquet(images, IMAGES_SCHEMA, _LABEL_COLUMNS)
    row_of = {name: row for row, name in enumerate(known["image_id"].to_pylist())}
    names = table["image_id"].to_pylist()
    unknown = next((name for name in names if name not in row_of), None)
    if unknown is not None:
        raise InputError(f"{file}: {unknown} is not an image of {images}")
    position = np.array([row_of[name] for name in names], np.int64)
    found = known.take(position)
    camid = found["camid"].fill_null(-1).to_numpy()
    labels = Labels(found["pid"].to_numpy(), camid, found["image_id"].to_numpy(), found["sha256"].to_numpy())
    joined = Joined(file, labels, found["distractor"].to_numpy(), found["junk"].to_numpy(), table["split"].to_numpy(), position)
    for split in ("query", "gallery"):
        if not len(joined.rows_of(split)):
            raise InputError(f"{file}: no {split} image in it")
    return joined


def vector_column(file: Path, table: pa.Table, name: str) -> np.ndarray:
    """A fixed_size_list column of `table`, which was read from `file`, as float32 [N, D], without copying its values.

    Raises:
        InputError: there is no such column of vectors.
    """
    if name not in table.schema.names or not pa.types.is_fixed_size_list(table.schema.field(name).type):
        raise InputError(f"{file}: has no column {name} of fixed-size vectors; columns are {table.schema.names}")
    values = table[name].combine_chunks()
    return values.flatten().to_numpy(zero_copy_only=True).reshape(len(values), -1)
