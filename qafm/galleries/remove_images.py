"""Taking images, or all images of a person, out of a gallery."""

from collections.abc import Collection, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from qafm.errors import InputError
from qafm.galleries.gallery import Gallery
from qafm.galleries.index_file import remove_index
from qafm.galleries.lock import exclusive_lock
from qafm.galleries.rewrite_gallery import rewrite_gallery
from qafm.galleries.unicode_path import unicode_path


@dataclass(frozen=True)
class Removal:
    """What was taken out.

    Args:
        removed: images that went.
        left: images that are still in the gallery.
        index: whether there was an index, which went too.
    """

    removed: int
    left: int
    index: bool


def remove_images(path: str | Path, *, image_id: Collection[str] = (), pid: Collection[int] = ()) -> Removal:
    """Take images out of a gallery: those of these names, and all of these identities; under its lock, whole or not at all.

    Where an image went, the index of the gallery is deleted: it holds the descriptors of all images, in a coarser form.

    Args:
        path: the gallery.
        image_id: names of images.
        pid: identities.

    Raises:
        InputError: there is no such gallery, it is damaged, or it holds no image of one of the names or identities; then nothing is taken out.
    """
    file, names, people = unicode_path(path), frozenset(image_id), frozenset(pid)
    with Gallery(path):
        pass  # no lock beside a file that is not there
    with exclusive_lock(file):
        removed, rows = _count(file, names, people, str(path))
        if not removed:
            return Removal(0, rows, False)
        rewrite_gallery(file, lambda table: table.filter(pa.array(~_asked_for(table, names, people))))
    return Removal(removed, rows - removed, remove_index(file))


def _count(file: Path, names: Set[str], people: Set[int], source: str) -> tuple[int, int]:
    """How many rows are asked for, and how many there are; an error where one that is asked for is not there."""
    removed, other_names, other_people = 0, set(names), set(people)
    with Gallery(file) as gallery:
        for block in gallery.blocks(["image_id", "pid"]):
            removed += int(_asked_for(block.table, names, people).sum())
            other_names.difference_update(block.table["image_id"].to_pylist())
            other_people.difference_update(block.table["pid"].to_pylist())
        if other_names or other_people:
            what, others = ("image", sorted(map(str, other_names))) if other_names else ("image of identity", sorted(map(str, other_people)))
            more = f" (and of {len(others) - 1} others that were named)" if len(others) > 1 else ""
            raise InputError(f"{source}: holds no {what} {others[0]}{more}; nothing was removed")
        return removed, gallery.rows


def _asked_for(table: pa.Table, names: Set[str], people: Set[int]) -> np.ndarray:
    """Which rows have one of the names or identities, bool [n]."""
    rows = zip(table["image_id"].to_pylist(), table["pid"].to_pylist(), strict=True)
    return np.array([name in names or pid in people for name, pid in rows], bool)
