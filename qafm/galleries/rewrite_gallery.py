"""Changing rows of a gallery in its place, whole or not at all."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from qafm.galleries.gallery import Gallery
from qafm.galleries.gallery_writer import GalleryWriter
from qafm.runtime.files import whole_file
from qafm.tables.gallery import gallery_schema


def rewrite_gallery(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Replace a gallery by its row groups as `change` leaves them; who calls holds its lock.

    Args:
        path: the gallery.
        change: from rows with all columns to those that take their place, in the same columns.

    Raises:
        InputError: the gallery is damaged.
    """
    with whole_file(path) as temporary, Gallery(path) as gallery, GalleryWriter(temporary, gallery.header) as writer:
        for block in gallery.blocks(gallery_schema(gallery.header.dim).names):
            writer.write(change(block.table))
