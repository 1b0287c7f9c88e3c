"""Writing the row groups of a gallery."""

import hashlib
import os
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from qafm.tables.gallery import CONTENT_KEY, GalleryHeader, gallery_schema, rows_per_group

_VECTORS = "descriptor.list.element"


class GalleryWriter:
    """Gathers rows into row groups of one size; the last may be smaller.

    Args:
        path: the file to write.
        header: what it says of all rows.
    """

    def __init__(self, path: Path, header: GalleryHeader) -> None:
        self._path, self._rows = path, rows_per_group(header.dim)
        schema = gallery_schema(header.dim, header)
        compression = {field.name: "ZSTD" for field in schema if field.name != "descriptor"} | {_VECTORS: "NONE"}  # floats hardly shrink
        self._parquet = pq.ParquetWriter(path, schema, compression=compression, use_dictionary=False)  # pyright: ignore[reportArgumentType]
        self._schema, self._content = schema, hashlib.sha256()
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> "GalleryWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._flush(self._gathered())
            self._parquet.add_key_value_metadata({CONTENT_KEY.decode(): self._content.hexdigest()})
        self._parquet.close()
        if kind is None:
            with self._path.open("rb") as written:
                os.fsync(written)  # else a power cut after the rename may leave an empty file

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._waiting.append(table)
        if sum(map(len, self._waiting)) >= self._rows:
            gathered = self._gathered()
            whole = len(gathered) - len(gathered) % self._rows
            self._waiting = [gathered.slice(whole)]
            self._flush(gathered.slice(0, whole))

    def _gathered(self) -> pa.Table:
        return pa.concat_tables(table.cast(self._schema) for table in self._waiting) if self._waiting else self._schema.empty_table()

    def _flush(self, table: pa.Table) -> None:
        for image in zip(*(table[name].to_pylist() for name in ("image_id", "sha256", "pid", "camid")), strict=True):
            self._content.update("".join(f"{value}\n" for value in image).encode())
        if len(table):
            self._parquet.write_table(table, row_group_size=self._rows)
