"""Searching a gallery: exactly, or by its index where there is a valid one.

Shapes: Q queries, N rows of the gallery, D length of a descriptor, k hits per query.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from qafm.errors import InputError
from qafm.galleries.choices import Approximate
from qafm.galleries.exact_search import exact_search
from qafm.galleries.exclusions import NOTHING, Exclusions
from qafm.galleries.gallery import Gallery
from qafm.galleries.index_file import index_path
from qafm.galleries.unit_vectors import unit_vectors

if TYPE_CHECKING:
    from qafm.galleries.approximate_search import GalleryIndex

LOGGER = logging.getLogger("qafm")
ROWS_FOR_INDEX = 100_000  # from here on a search says that an index would help
UNKNOWN = np.iinfo(np.int32).min  # no pid or camid in the gallery, or no hit


class Hit(NamedTuple):
    """One gallery image found for a query, by the columns of `GalleryRows`; pid, camid, q and visual_weight are None where the gallery does not know them."""

    rank: int
    image_id: str
    distance: float
    similarity: float
    pid: int | None
    camid: int | None
    row: int
    q: float | None
    visual_weight: float | None
    sha256: str


@dataclass(frozen=True)
class Hits:
    """What a search found, nearest first. Where exclusions leave fewer than k images: distance inf, similarity -inf, row -1, image_id "".

    Args:
        image_id: str (object) [Q, k].
        distance: Euclidean distance of unit vectors, float64 [Q, k] in [0, 2].
        similarity: cosine, 1 - distance^2 / 2, float64 [Q, k].
        pid, camid: int32 [Q, k]; UNKNOWN where the gallery has none.
        row: row in the gallery, int64 [Q, k].
        q, visual_weight: float64 [Q, k]; NaN where the gallery has none.
        sha256: of the image's content, str (object) [Q, k].
        exact: whether all N rows were compared; False: by an index, whose recall its file tells.
    """

    image_id: np.ndarray
    distance: np.ndarray
    similarity: np.ndarray
    pid: np.ndarray
    camid: np.ndarray
    row: np.ndarray
    q: np.ndarray
    visual_weight: np.ndarray
    sha256: np.ndarray
    exact: bool

    def __len__(self) -> int:
        return len(self.row)

    def of(self, query: int) -> list[Hit]:
        """The hits of one query, ranks from 1."""
        found = []
        for place in np.flatnonzero(self.row[query] >= 0):
            at = query, int(place)
            pid, camid = (None if column[at] == UNKNOWN else int(column[at]) for column in (self.pid, self.camid))
            q, weight = (None if np.isnan(column[at]) else float(column[at]) for column in (self.q, self.visual_weight))
            measured = float(self.distance[at]), float(self.similarity[at])
            found.append(Hit(int(place) + 1, str(self.image_id[at]), *measured, pid, camid, int(self.row[at]), q, weight, str(self.sha256[at])))
        return found


def check_search(gallery: Gallery, model_id: str | None, model: str, top: int, approximate: Approximate) -> None:
    """What can be said of a search before its queries are known; arguments as of `search_gallery`.

    Raises:
        InputError: there is no such `approximate`, or the gallery is of another model, empty or smaller than `top`.
    """
    if approximate not in get_args(Approximate):
        raise InputError(f"approximate: {approximate!r} is none of {', '.join(get_args(Approximate))}")
    if model_id is not None:
        gallery.check_made_by(model_id, model)
    if not gallery.rows:
        raise InputError(f"{gallery.path}: is empty")
    if not 1 <= top <= gallery.rows:
        raise InputError(f"{gallery.path}: top {top} of a gallery of {gallery.rows} images")


def search_gallery(
    path: str | Path,
    queries: np.ndarray,
    *,
    model_id: str | None,
    model: str = "another",
    top: int = 10,
    approximate: Approximate = "auto",
    exclude: Exclusions = NOTHING,
) -> Hits:
    """Find the nearest images of each query: Euclidean distance, ties in the order of the gallery.

    Args:
        path: the gallery.
        queries: descriptors, float [Q, D], of any length but zero.
        model_id: the model that made them, which must be the gallery's; None: whoever calls answers for it.
        model: its name, for messages.
        top: k, at most N.
        approximate: "auto": by the index where there is one that belongs to the gallery as it is, else exactly; and exactly
            if a pid is excluded, for which no recall was measured; "never": exactly; "always": no search without an index.
        exclude: what does not count, per query.

    Raises:
        InputError: the gallery is damaged, empty, smaller than `top`, or of another model or dimension; or a query is zero or not finite.
    """
    with Gallery(path) as gallery:
        check_search(gallery, model_id, model, top, approximate)
        if queries.ndim != 2 or queries.shape[1] != gallery.header.dim:
            raise InputError(f"{path}: holds descriptors of length {gallery.header.dim}, the queries have shape {queries.shape}")
        exclude.check(len(queries))
        unit = unit_vectors(queries, "queries")
        by_index = approximate == "always" or (approximate == "auto" and exclude.pid is None)
        index = None if not by_index else _usable_index(gallery, required=approximate == "always")
        found = exact_search(gallery, unit, top, exclude) if index is None else index.search(unit, top, exclude)
        return _labelled(gallery, found.row, found.distance, exact=index is None)


def _usable_index(gallery: Gallery, *, required: bool) -> "GalleryIndex | None":
    """The index of the gallery as it is; what is there but cannot be used is told in one line."""
    if not required and not index_path(gallery.path).exists():
        if gallery.rows >= ROWS_FOR_INDEX:
            LOGGER.warning("%s: all %d images are compared; with an index (build_index, `qafm index`) a search is faster", gallery.path, gallery.rows)
        return None
    from qafm.galleries.approximate_search import open_index  # here: an exact search need not wait until faiss is imported

    try:
        return open_index(gallery)
    except InputError as error:
        if required:
            raise
        LOGGER.warning("%s; searched exactly", error)
        return None


def _labelled(gallery: Gallery, row: np.ndarray, distance: np.ndarray, *, exact: bool) -> Hits:
    """Look up who was found: only the row groups that hold a hit are read."""
    image_id, sha256 = np.full(row.shape, "", object), np.full(row.shape, "", object)
    q, weight = np.full(row.shape, np.nan), np.full(row.shape, np.nan)
    pid, camid = np.full(row.shape, UNKNOWN, np.int32), np.full(row.shape, UNKNOWN, np.int32)
    group = np.where(row >= 0, gallery.group_of(row), -1)
    for block in gallery.blocks(["image_id", "sha256", "pid", "camid", "q", "visual_weight"], np.unique(group[group >= 0])):
        here = (row >= block.first) & (row < block.first + len(block))
        table = block.table.take(row[here] - block.first)
        image_id[here], sha256[here] = table["image_id"].to_pylist(), table["sha256"].to_pylist()
        pid[here], camid[here] = (table[name].cast("int32").fill_null(UNKNOWN).to_numpy() for name in ("pid", "camid"))
        q[here], weight[here] = (table[name].fill_null(np.nan).to_numpy() for name in ("q", "visual_weight"))
    return Hits(image_id, distance, np.where(row >= 0, 1 - distance**2 / 2, -np.inf), pid, camid, row, q, weight, sha256, exact)
