"""Descriptors from Parquet: galleries, the chain's descriptors.parquet, and tables of other tools.

Shapes: N images of a side, D length of a descriptor.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.errors import InputError
from qafm.galleries.layouts import CAMID_NAMES, PATH_NAMES, PID_NAMES, VECTOR_NAMES, first_of, known_or_minus_one
from qafm.galleries.side import Columns, SideName, whole_numbers
from qafm.tables.gallery import HEADER_KEY, GalleryHeader
from qafm.tables.parquet import read_parquet


def read_table_side(path: Path, side: SideName) -> Columns:
    """Read the rows of one side: those whose `split` is `side`, where there is such a column; all others.

    Raises:
        InputError: the file is damaged, has no column of vectors, or no row of this side.
    """
    table = read_parquet(path)
    header = (table.schema.metadata or {}).get(HEADER_KEY)
    if "split" in table.schema.names:
        table = table.filter(pa.array(table["split"].to_numpy(zero_copy_only=False) == side))
    if not len(table):
        raise InputError(f"{path}: has no {side} images")
    try:
        model_id = None if header is None else GalleryHeader.decode(header).model_id
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    pid, camid, name, sha256 = (first_of(names, table.schema.names) for names in (PID_NAMES, CAMID_NAMES, PATH_NAMES, ("sha256",)))
    return Columns(
        path,
        _vectors(path, table),
        None if pid is None or table[pid].null_count == len(table) else whole_numbers(path, "pid", _values(table, pid)),
        None if camid is None else whole_numbers(path, "camid", known_or_minus_one(_values(table, camid))),
        None if name is None else _values(table, name).astype(str),
        None if sha256 is None or table[sha256].null_count else _values(table, sha256).astype(str),
        model_id,
    )


def _values(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), object)


def _vectors(path: Path, table: pa.Table) -> np.ndarray:
    """The column of vectors [N, D], whatever kind of list it is."""
    name = first_of([name for name in VECTOR_NAMES if name in table.schema.names and _is_list(table.schema.field(name).type)], table.schema.names)
    if name is None:
        raise InputError(f"{path}: has no column of vectors called {', '.join(VECTOR_NAMES)}; columns are {', '.join(table.schema.names)}")
    column = table[name].combine_chunks()
    values = column.flatten()
    lengths = {len(column) and len(values) // len(column)} if pa.types.is_fixed_size_list(column.type) else set(column.value_lengths().to_pylist())
    if column.null_count or values.null_count or len(lengths) != 1 or None in lengths:
        raise InputError(f"{path}: the vectors of {name} have missing values or different lengths")
    return values.to_numpy(zero_copy_only=False).reshape(len(column), -1)


def _is_list(type_: pa.DataType) -> bool:
    return (pa.types.is_fixed_size_list(type_) or pa.types.is_list(type_) or pa.types.is_large_list(type_)) and pa.types.is_floating(type_.value_type)
