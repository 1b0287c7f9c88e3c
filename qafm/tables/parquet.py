"""Reading and writing Parquet the project's way: whole files, no dictionaries, small row groups."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qafm.errors import InputError
from qafm.runtime.files import whole_file

ROWS_PER_GROUP = 4096


def vector_array(vectors: np.ndarray) -> pa.FixedSizeListArray:
    """The rows of `vectors` [N, D] as a column of fixed-size lists of their own type."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors).reshape(-1)), vectors.shape[1])


def write_parquet(path: Path, table: pa.Table, *, compression: str = "zstd", rows_per_group: int = ROWS_PER_GROUP) -> None:
    """Write `table` to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression=compression,
            compression_level=1 if compression == "zstd" else None,
            use_dictionary=False,
            row_group_size=rows_per_group,
        )


def open_parquet(path: Path, schema: pa.Schema | None = None) -> pq.ParquetFile:
    """Open `path` to be read bit by bit; check its columns against `schema` if given.

    Raises:
        InputError: the file cannot be read, or its columns or types differ from `schema`.
    """
    try:
        file = pq.ParquetFile(path, pre_buffer=False)  # pre-buffering would keep the whole file in memory
    except (OSError, ValueError) as error:  # ArrowInvalid is a ValueError, and so is a path that is not UTF-8
        raise InputError(f"{path}: cannot be read as Parquet ({error})") from error
    if schema is not None:
        check_schema(path, file.schema_arrow, schema)
    return file


def read_parquet(path: Path, schema: pa.Schema | None = None, columns: list[str] | None = None) -> pa.Table:
    """Read `path`; check its columns against `schema` if given.

    Raises:
        InputError: the file cannot be read, or its columns or types differ from `schema`.
    """
    try:
        table = pq.read_table(path, columns=columns)
    except (OSError, ValueError) as error:  # ArrowInvalid is a ValueError, and so is a path that is not UTF-8
        raise InputError(f"{path}: cannot be read as Parquet ({error})") from error
    if schema is not None:
        check_schema(path, table.schema, pa.schema([schema.field(name) for name in columns]) if columns else schema)
    return table


def check_schema(path: Path, found: pa.Schema, wanted: pa.Schema) -> None:
    """Check that `found`, the schema of `path`, has the columns of `wanted`: names, order and types; whether they may be null does not count.

    Raises:
        InputError: it has others; names the first that is of another type.
    """
    if found.names != wanted.names:
        raise InputError(f"{path}: columns are {found.names}, expected {wanted.names}")
    for field, expected in zip(found, wanted, strict=True):
        if field.type != expected.type:
            raise InputError(f"{path}: column {field.name} holds {field.type}, expected {expected.type}")
