"""The file of an index, beside the gallery it was made from: what faiss wrote, then a record of it as JSON, its length and a mark.

The record comes last, so a file that was cut short has none; it names the gallery's fingerprint, so an index of another state of the gallery is recognised
without reading either.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from qafm.errors import InputError
from qafm.galleries.gallery import Gallery
from qafm.galleries.lock import exclusive_lock
from qafm.runtime.files import whole_file

MARK = b"QAFMIVF1"
_TAIL = 8 + len(MARK)  # length of the record, mark


@dataclass(frozen=True)
class IndexRecord:
    """What is known of an index.

    Args:
        fingerprint: the gallery's when the index was made.
        rows: N of the gallery.
        lists: inverted lists of the index.
        probes: lists that a search reads.
        recall_at_10: share of the 10 nearest other images that a search with that many probes and exact re-ranking finds, over `sample` of the gallery's rows.
        recall_at_10_cross_camera: the same when images of the query's camera are excluded; None where no camera is known.
        sample: rows of the gallery that were searched for this.
        trained_on: rows that the lists were made from.
        build_seconds: how long all of it took.
        faiss_bytes: size of what faiss wrote.
    """

    fingerprint: str
    rows: int
    lists: int
    probes: int
    recall_at_10: float
    recall_at_10_cross_camera: float | None
    sample: int
    trained_on: int
    build_seconds: float
    faiss_bytes: int = 0


def index_path(gallery: str | Path) -> Path:
    """The index of a gallery: `gallery.parquet.ivf` for `gallery.parquet`."""
    gallery = Path(gallery).resolve()
    return gallery.with_name(f"{gallery.name}.ivf")


def write_index(gallery: Path, record: IndexRecord, write_faiss: Callable[[Path], None]) -> IndexRecord:
    """Replace the index of `gallery`, whole or not at all.

    Args:
        gallery: the gallery.
        record: what to say of the index; `faiss_bytes` is filled in.
        write_faiss: writes the index to the path it is given.

    Raises:
        InputError: the gallery is not any more the one that the record names.
    """
    path = index_path(gallery)
    with exclusive_lock(path), whole_file(path) as temporary:
        write_faiss(temporary)
        with Gallery(gallery) as now:
            if now.fingerprint != record.fingerprint:
                raise InputError(f"{gallery}: was changed while its index was made; make it again")
        record = IndexRecord(**{**asdict(record), "faiss_bytes": temporary.stat().st_size})
        text = json.dumps(asdict(record), sort_keys=True).encode()
        with temporary.open("ab") as stream:
            stream.write(text + len(text).to_bytes(8, "little") + MARK)
            stream.flush()
            os.fsync(stream.fileno())
    return record


def remove_index(gallery: str | Path) -> bool:
    """Delete the index of a gallery; whether there was one. It waits for who makes one, which holds descriptors of the gallery as it was."""
    path = index_path(gallery)
    with exclusive_lock(path):
        there = path.exists()
        path.unlink(missing_ok=True)
    return there


def read_record(gallery: str | Path) -> IndexRecord | None:
    """The record of a gallery's index, None where there is no index.

    Raises:
        InputError: the file is there, but is damaged or of another version.
    """
    path = index_path(gallery)
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL))
            tail = stream.read()
            length = int.from_bytes(tail[:8], "little")
            if tail[8:] != MARK or length + _TAIL > size:
                raise InputError(f"{path}: is no whole index of this version")
            stream.seek(size - _TAIL - length)
            record = IndexRecord(**json.loads(stream.read(length)))
    except FileNotFoundError:
        return None
    except (OSError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: its record cannot be read ({error})") from error
    if record.faiss_bytes + length + _TAIL != size:
        raise InputError(f"{path}: is no whole index of this version")
    return record
