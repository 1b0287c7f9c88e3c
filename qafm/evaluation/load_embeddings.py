"""embeddings.parquet joined with the labels of images.parquet, one side of a search at a time.

Shapes: N images of a side, Da and Ds lengths of v_a and v_s.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.evaluation.ranking import Labels
from qafm.runtime.errors import InputError
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

_LABEL_COLUMNS = ["image_id", "pid", "camid", "junk", "distractor", "sha256"]


@dataclass(frozen=True)
class Side:
    """The images of one split, in the order of images.parquet, without junk.

    Args:
        labels: who they are [N].
        distractor: always-wrong images, bool [N].
        weight: visual weight w of each image, float64 [N] in [0, 1].
        v_a: visual vectors, float32 [N, Da].
        v_s: attribute vectors, float32 [N, Ds].
    """

    labels: Labels
    distractor: np.ndarray
    weight: np.ndarray
    v_a: np.ndarray
    v_s: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "Side":
        """The images at `rows`: indices or a bool mask [N]."""
        return Side(self.labels.take(rows), self.distractor[rows], self.weight[rows], self.v_a[rows], self.v_s[rows])


@dataclass(frozen=True)
class Embeddings:
    """The sides of an embeddings.parquet; `holdout` (held-out train identities) is None where there are none."""

    query: Side
    gallery: Side
    holdout: Side | None


def load_embeddings(images: Path, embeddings: Path) -> Embeddings:
    """Read `embeddings` and look up every image in `images`.

    Raises:
        InputError: a file has other columns, an image is unknown, a weight is not in [0, 1], or a query or gallery side is empty.
    """
    labels = read_parquet(images, IMAGES_SCHEMA, _LABEL_COLUMNS)
    table = read_parquet(embeddings)
    _check_columns(embeddings, table)
    row_of = {name: row for row, name in enumerate(labels["image_id"].to_pylist())}
    names = table["image_id"].to_pylist()
    unknown = next((name for name in names if name not in row_of), None)
    if unknown is not None:
        raise InputError(f"{embeddings}: {unknown} is not an image of {images}")
    position = np.array([row_of[name] for name in names], np.int64)
    everything = _all_rows(table, labels.take(position))
    weight_ok = (everything.weight >= 0) & (everything.weight <= 1)
    if not weight_ok.all():
        worst = int(np.flatnonzero(~weight_ok)[0])
        raise InputError(f"{embeddings}: {everything.labels.image_id[worst]}: visual_weight {everything.weight[worst]} is not in [0, 1]")
    split, junk = table["split"].to_numpy(), labels["junk"].to_numpy()[position]
    sides = {name: _side(everything, (split == name) & ~junk, position) for name in ("query", "gallery", "holdout")}
    for name in ("query", "gallery"):
        if sides[name] is None:
            raise InputError(f"{embeddings}: no {name} image in it")
    assert sides["query"] is not None and sides["gallery"] is not None
    return Embeddings(sides["query"], sides["gallery"], sides["holdout"])


def _check_columns(path: Path, table: pa.Table) -> None:
    dims = []
    for name in ("v_a", "v_s"):
        if name not in table.schema.names or not pa.types.is_fixed_size_list(table.schema.field(name).type):
            raise InputError(f"{path}: has no column {name} of fixed-size vectors; columns are {table.schema.names}")
        dims.append(table.schema.field(name).type.list_size)
    expected = embeddings_schema(*dims)
    if [(f.name, f.type) for f in table.schema] != [(f.name, f.type) for f in expected]:
        raise InputError(f"{path}: columns are {table.schema.names}, expected {expected.names} in the types of embeddings.parquet")


def _all_rows(table: pa.Table, labels: pa.Table) -> Side:
    """Every row of the embeddings `table`; `labels` are its rows of images.parquet."""
    camid = labels["camid"].fill_null(-1).to_numpy()
    return Side(
        Labels(labels["pid"].to_numpy(), camid, labels["image_id"].to_numpy(), labels["sha256"].to_numpy()),
        labels["distractor"].to_numpy(),
        table["visual_weight"].fill_null(float("nan")).to_numpy(),
        _vectors(table["v_a"]),
        _vectors(table["v_s"]),
    )


def _vectors(column: pa.ChunkedArray) -> np.ndarray:
    """A fixed_size_list column as float32 [N, D], without copying its values."""
    values = column.combine_chunks()
    return values.flatten().to_numpy(zero_copy_only=True).reshape(len(values), -1)


def _side(everything: Side, wanted: np.ndarray, position: np.ndarray) -> Side | None:
    """The `wanted` rows in the order of images.parquet; None if there are none."""
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(position[rows], kind="stable")]
    if not len(rows):
        return None
    if len(np.unique(position[rows])) != len(rows):
        raise InputError(f"embeddings: an image occurs twice among the {len(rows)} rows of one split")
    return everything.take(rows)
