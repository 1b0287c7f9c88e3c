"""Queries as one view shows them, and a gallery as another one does, joined with the labels of images.parquet.

N images of a side, E embeddings, D their length.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qafm.companions.bpbreid.part_distance import PartSide
from qafm.companions.bpbreid.part_tables import compared_embeddings, views_schema
from qafm.errors import InputError
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.join_labels import Joined, join_labels, vector_column
from qafm.tables.parquet import check_schema, read_parquet


def load_parts(images: Path, query: Path, gallery: Path, *, foreground: bool) -> tuple[PartSide, PartSide]:
    """The queries of the file `query` and the gallery of the file `gallery`, both in the order of images.parquet, junk left out.

    Args:
        images: images.parquet.
        query: an embeddings table.
        gallery: an embeddings table, perhaps the same.
        foreground: false leaves out the first embedding where there are others.

    Raises:
        InputError: a file has other columns, an image is unknown or occurs twice, or a side is empty.
    """
    tables = [_read(path).filter(pc.field("split") == split) for path, split in ((query, "query"), (gallery, "gallery"))]
    if tables[0].schema != tables[1].schema:
        raise InputError(f"{gallery}: holds other embeddings than {query}")
    table = pa.concat_tables(tables)
    joined = join_labels(images, gallery if tables[1].num_rows == 0 else query, table)
    return _side(query, table, joined, "query", foreground), _side(gallery, table, joined, "gallery", foreground)


def _read(path: Path) -> pa.Table:
    """Read an embeddings table of any number and length of embeddings."""
    table = read_parquet(path)
    compared, total = (vector_column(path, table, name).shape[1] for name in ("visible", "vectors"))
    if not compared or total % compared:
        raise InputError(f"{path}: column vectors holds {total} numbers per image, which are no {compared} embeddings of one length")
    check_schema(path, table.schema, views_schema(compared, total // compared))
    return table


def _side(path: Path, table: pa.Table, joined: Joined, split: str, foreground: bool) -> PartSide:
    rows = joined.rows_of(split)
    visible, confidence = (vector_column(path, table, name)[rows] for name in ("visible", "confidence"))  # [N, E]
    vectors = vector_column(path, table, "vectors")[rows].reshape(len(rows), visible.shape[1], -1)  # [N, E, D]
    kept = compared_embeddings(visible.shape[1], foreground=foreground)
    unit = np.stack([unit_rows(vectors[:, e]) for e in range(visible.shape[1])[kept]])  # [E, N, D]
    return PartSide(joined.labels.take(rows), joined.distractor[rows], unit, visible.T[kept].astype(bool), confidence.T[kept])
