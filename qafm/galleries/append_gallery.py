"""Adding images to a gallery: what is in it stays, what was there before is whole until the new file takes its place.

Three steps: new rows go to a nameless file as they come, which can take hours and needs no lock; with the lock held, the gallery of that moment (another
writer may have been faster) and the new rows are copied into one new file; it replaces the old one. Whoever is killed leaves at most a file that the next
writer removes.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from qafm.errors import InputError
from qafm.galleries.gallery import Gallery, known_images
from qafm.galleries.gallery_writer import GalleryWriter
from qafm.galleries.lock import exclusive_lock
from qafm.galleries.unicode_path import unicode_path
from qafm.galleries.unit_vectors import unit_vectors
from qafm.runtime.files import whole_file
from qafm.tables.gallery import GalleryHeader, GalleryRows, gallery_schema, rows_per_group


@dataclass(frozen=True)
class Added:
    """What an append did.

    Args:
        added: images that are in the gallery now and were not before.
        known: images that were there already, with the same content: left as they are.
        replaced: images that were there with another content: the new row, at the end, takes the place of the old one.
    """

    added: int
    known: int
    replaced: int


@dataclass
class _Spooled:
    """What went to the nameless file."""

    stream: IO[bytes]
    sha256_of: dict[str, str] = field(default_factory=dict)
    repeated: int = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows."""
        self.stream.seek(0)
        yield from pa.ipc.open_stream(self.stream)


def append_gallery(path: str | Path, rows: Iterable[GalleryRows], *, model_id: str, model: str, dim: int) -> Added:
    """Add images to the gallery at `path`, which is made if there is none.

    An image (image_id and sha256) that is in it already is not added again; one with the same image_id and another sha256 replaces its old row. Several
    processes may append at the same time: each waits for its turn, and all rows end up inside. Memory is bounded by one element of `rows` and a few row
    groups, besides the names of all images. Every append copies the file: add many images at a time.

    Args:
        path: the gallery.
        rows: new images, in portions of any size; they are taken one after the other, so a generator may embed as it goes.
        model_id: digest of the model that made the descriptors; a gallery holds those of one model.
        model: its name.
        dim: D.

    Raises:
        InputError: the gallery is damaged or of another model or dimension, a descriptor is zero or not finite or of another length, or an image occurs
            twice with different contents, or the path is not UTF-8.
    """
    header = GalleryHeader(model_id, model, dim)
    path = unicode_path(path)
    _check_same_model(path, header)  # before hours of embedding, not after
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent) as stream:
        spooled = _spool(stream, rows, path, header)
        with exclusive_lock(path):
            _check_same_model(path, header)
            known = known_images(path)
            fresh = {name for name, sha256 in spooled.sha256_of.items() if name not in known or known[name] != sha256}
            replaced = fresh & known.keys()
            if fresh or not path.exists():
                _replace(path, header, spooled, fresh, replaced)
    return Added(len(fresh) - len(replaced), len(spooled.sha256_of) - len(fresh) + spooled.repeated, len(replaced))


def _check_same_model(path: Path, header: GalleryHeader) -> None:
    if not path.exists():
        return
    with Gallery(path) as gallery:
        gallery.check_made_by(header.model_id, header.model)
        if gallery.header.dim != header.dim:
            raise InputError(f"{path}: holds descriptors of length {gallery.header.dim}, not {header.dim}")


def _spool(stream: IO[bytes], rows: Iterable[GalleryRows], path: Path, header: GalleryHeader) -> _Spooled:
    """Write `rows`, descriptors normalised, each image once."""
    spooled = _Spooled(stream)
    with pa.ipc.new_stream(stream, gallery_schema(header.dim)) as writer:
        for portion in rows:
            if portion.descriptor.shape[1] != header.dim:
                raise InputError(f"{path}: descriptors of length {portion.descriptor.shape[1]} are to be added, the gallery's model has {header.dim}")
            new = np.zeros(len(portion), bool)
            for row, (name, sha256) in enumerate(zip(portion.image_id, portion.sha256, strict=True)):
                new[row] = name not in spooled.sha256_of
                if spooled.sha256_of.setdefault(name, sha256) != sha256:
                    raise InputError(f"{path}: {name} is to be added twice with different contents")
            unit = unit_vectors(portion.descriptor, str(path), portion.image_id)
            spooled.repeated += int((~new).sum())
            writer.write_table(portion.with_descriptor(unit).to_table().filter(pa.array(new)), max_chunksize=rows_per_group(header.dim))
    return spooled


def _replace(path: Path, header: GalleryHeader, spooled: _Spooled, fresh: set[str], replaced: set[str]) -> None:
    """Write old rows without `replaced` and new rows that are `fresh`, then replace the file."""
    with whole_file(path) as temporary, GalleryWriter(temporary, header) as writer:
        if path.exists():
            with Gallery(path) as gallery:
                for block in gallery.blocks(gallery_schema(header.dim).names):
                    writer.write(_named(block.table, replaced, keep=False) if replaced else block.table)
        for batch in spooled.batches():
            writer.write(_named(pa.Table.from_batches([batch]), fresh, keep=True))


def _named(table: pa.Table, names: set[str], *, keep: bool) -> pa.Table:
    """Rows whose image_id is (`keep`) or is not in `names`."""
    mask = np.fromiter(((name in names) == keep for name in table["image_id"].to_pylist()), bool, len(table))
    return table if mask.all() else table.filter(pa.array(mask))
