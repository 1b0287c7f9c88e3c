"""A gallery, opened for reading: block by block, so that memory does not grow with it.

Shapes: N rows of the gallery, n rows of a block (one row group), D length of a descriptor.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qafm.errors import InputError, one_line
from qafm.galleries.unit_vectors import check_unit
from qafm.tables.gallery import HEADER_KEY, GalleryHeader, gallery_schema, q_told, same_weights
from qafm.tables.parquet import check_schema


@dataclass(frozen=True)
class Block:
    """One row group.

    Args:
        first: row of the gallery of the block's first row.
        table: the columns that were asked for [n].
    """

    first: int
    table: pa.Table

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def descriptor(self) -> np.ndarray:
        """float32 [n, D], not copied."""
        column = self.table["descriptor"].combine_chunks()
        return column.flatten().to_numpy(zero_copy_only=True).reshape(len(column), -1)


class Gallery:
    """A gallery file held open: who replaces the file meanwhile does not change what is read here.

    Attributes:
        path: the file.
        header: model and dimension.
        rows: N.
        fingerprint: digest of the Parquet footer (which knows the content by a digest of its own) and of the size of the file.
        starts: row at which each row group starts, and N, int64 [groups + 1].
    """

    def __init__(self, path: str | Path) -> None:
        """Open `path`.

        Raises:
            InputError: no such file, not a whole Parquet file, or not a gallery.
        """
        self.path = path = Path(path)
        try:
            self._stream: BinaryIO = path.open("rb")
        except OSError as error:
            raise InputError(f"{path}: cannot be opened ({error.strerror})") from error
        try:
            self.fingerprint = _fingerprint(self._stream, path)
            self._parquet = _parquet_file(self._stream, path)
            self.header = _header(self._parquet, path)
        except BaseException:
            self._stream.close()
            raise
        metadata = self._parquet.metadata
        self.rows = metadata.num_rows
        self.starts = np.cumsum([0, *(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))])

    def __enter__(self) -> "Gallery":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._parquet.close()
        self._stream.close()

    @property
    def groups(self) -> int:
        """Number of row groups."""
        return len(self.starts) - 1

    def knows(self, column: str) -> bool:
        """Whether any image has a value in a column, such as camid."""
        for group in range(self.groups):
            stored = self._parquet.metadata.row_group(group)
            at = next(i for i in range(stored.num_columns) if stored.column(i).path_in_schema == column)
            statistics = stored.column(at).statistics
            if statistics is None or statistics.null_count is None or statistics.null_count < stored.num_rows:
                return True
        return False

    def check_made_by(self, model_id: str, model: str = "another") -> None:
        """Check that the gallery's descriptors are those of the model `model_id`, which messages call `model`.

        Raises:
            InputError: they are not.
        """
        if self.header.model_id != model_id:
            if same_weights(self.header.model_id, model_id):
                raise InputError(f"{self.path}: was made {q_told(self.header.model_id)}; what is to be compared or added has to be, too (quality=...)")
            made_by = self.header.model
            not_by = f"{model} ({model_id[:12]})"
            raise InputError(f"{self.path}: was made by the model {made_by} ({self.header.model_id[:12]}), not by {not_by}; load {made_by} (--model)")

    def block(self, group: int, columns: Sequence[str]) -> Block:
        """One row group; descriptors are checked.

        Raises:
            InputError: it cannot be read, or a descriptor is not finite or not of length 1.
        """
        try:
            table = self._parquet.read_row_group(group, columns=list(columns), use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{self.path}: is damaged ({one_line(error, 200)})") from error
        found = Block(int(self.starts[group]), table)
        if "descriptor" in columns:
            check_unit(found.descriptor, str(self.path), found.first)
        return found

    def blocks(self, columns: Sequence[str], groups: Sequence[int] | np.ndarray | None = None) -> Iterator[Block]:
        """Row groups in order, the next one read while this one is used: two are in memory.

        Args:
            columns: names of the columns to read.
            groups: numbers of the row groups, None: all.
        """
        wanted = [int(group) for group in (range(self.groups) if groups is None else groups)]
        with ThreadPoolExecutor(1) as pool:
            ahead = [pool.submit(self.block, group, columns) for group in wanted[:1]]
            for position in range(len(wanted)):
                found = ahead.pop().result()
                ahead += [pool.submit(self.block, group, columns) for group in wanted[position + 1 : position + 2]]
                yield found

    def group_of(self, rows: np.ndarray) -> np.ndarray:
        """Number of the row group of each row, int64, any shape."""
        return np.searchsorted(self.starts, rows, side="right") - 1


def known_images(path: str | Path) -> dict[str, str]:
    """What a gallery holds: image_id -> sha256, so that only new and changed images need to be embedded; nothing where there is no file yet.

    Raises:
        InputError: the file is not a whole gallery.
    """
    path = Path(path)
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    with Gallery(path) as gallery:
        for block in gallery.blocks(["image_id", "sha256"]):
            found.update(zip(block.table["image_id"].to_pylist(), block.table["sha256"].to_pylist(), strict=True))
        if len(found) != gallery.rows:
            raise InputError(f"{path}: an image_id occurs twice ({len(found)} different ones in {gallery.rows} rows)")
    return found


def _fingerprint(stream: BinaryIO, path: Path) -> str:
    """Digest of the footer and the size of a Parquet file: a few hundred KB at most are read."""
    size = stream.seek(0, 2)
    tail = b""
    if size >= 12:
        stream.seek(-8, 2)
        tail = stream.read(8)
    length = int.from_bytes(tail[:4], "little") + 8
    if tail[4:] != b"PAR1" or length > size:
        raise InputError(f"{path}: is no whole Parquet file ({size} bytes)")
    stream.seek(-length, 2)
    digest = hashlib.sha256(stream.read(length) + str(size).encode()).hexdigest()
    stream.seek(0)
    return digest


def _parquet_file(stream: BinaryIO, path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(stream)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({one_line(error, 200)})") from error


def _header(parquet: pq.ParquetFile, path: Path) -> GalleryHeader:
    schema = parquet.schema_arrow
    text = (schema.metadata or {}).get(HEADER_KEY)
    if text is None:
        raise InputError(f"{path}: is no gallery of qafm; columns are {', '.join(schema.names)}")
    try:
        header = GalleryHeader.decode(text)
    except ValueError as error:
        raise InputError(f"{path}: is no gallery that this version reads: {error}") from error
    check_schema(path, schema, gallery_schema(header.dim))
    return header
