"""Identities and cameras for images that are in a gallery already."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from qafm.galleries.gallery import Gallery
from qafm.galleries.lock import exclusive_lock
from qafm.galleries.rewrite_gallery import rewrite_gallery
from qafm.galleries.unicode_path import unicode_path
from qafm.tables.gallery import check_column


class Label(NamedTuple):
    """Who an image shows, and which camera took it; None: what the gallery knows of it stays."""

    pid: int | None = None
    camid: int | None = None


def relabel_gallery(path: str | Path, labels: Mapping[str, Label]) -> int:
    """Give images of a gallery identities and cameras; descriptors, Q and weights stay. Where nothing changes, the file and its index stay as they are.

    Args:
        path: the gallery.
        labels: image_id -> what is known of it now; names that the gallery does not hold are passed over.

    Returns:
        The number of images whose identity or camera changed.

    Raises:
        InputError: there is no such gallery, it is damaged, or a label does not fit into its column.
    """
    for what in Label._fields:
        check_column(what, [getattr(label, what) for label in labels.values()])
    file = unicode_path(path)
    with Gallery(path):
        pass  # no lock beside a file that is not there
    with exclusive_lock(file):
        with Gallery(file) as gallery:
            blocks = gallery.blocks(["image_id", *Label._fields])
            changed = sum(old != new for block in blocks for old, new in _labels(block.table, labels))
        if changed:
            rewrite_gallery(file, lambda table: _relabelled(table, labels))
    return changed


def _labels(table: pa.Table, labels: Mapping[str, Label]) -> list[tuple[Label, Label]]:
    """The old and the new label of each row."""
    found = []
    for name, *known in zip(*(table[column].to_pylist() for column in ("image_id", *Label._fields)), strict=True):
        old, given = Label(*known), labels.get(name, Label())
        found.append((old, Label(*(was if now is None else now for was, now in zip(old, given, strict=True)))))
    return found


def _relabelled(table: pa.Table, labels: Mapping[str, Label]) -> pa.Table:
    news = [new for _, new in _labels(table, labels)]
    for what in Label._fields:
        at = table.schema.get_field_index(what)
        table = table.set_column(at, table.schema.field(at), pa.array([getattr(new, what) for new in news], table.schema.field(at).type))
    return table
