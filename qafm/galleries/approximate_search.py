"""Approximate search: an index names candidates, their descriptors are read back from the gallery and measured exactly.

Shapes: Q queries, C candidates per query, k hits per query, D length of a descriptor.
"""

import numpy as np

from qafm.errors import InputError
from qafm.galleries.exact_search import exact_search
from qafm.galleries.exclusions import Exclusions, Removed
from qafm.galleries.gallery import Block, Gallery
from qafm.galleries.index_file import index_path, read_record
from qafm.galleries.ivf import Ivf
from qafm.galleries.nearest import Nearest

MORE_THAN_HITS = 5  # candidates beyond k, at least: the quantised order is nearly right, reading a candidate back is what costs
# Of candidates that may be excluded, more are asked for: most images may be of the query's own camera, few are copies of the query.
MORE_CANDIDATES = {"camid": 20, "pid": 4, "sha256": 2}
PAIRS_AT_ONCE = 4 * 2**20  # pairs of a query and a candidate in memory, in several arrays of 8 bytes each


class GalleryIndex:
    """An open gallery with its index.

    Args:
        gallery: the gallery.
        ivf: an index of its rows.
        probes: lists that a search reads.
    """

    def __init__(self, gallery: Gallery, ivf: Ivf, probes: int) -> None:
        self._gallery, self._ivf, self._probes = gallery, ivf, probes

    def search(self, queries: np.ndarray, top: int, exclusions: Exclusions) -> Nearest:
        """As `exact_search`, among the candidates; a query whose lists hold fewer than `top` images that count is searched exactly.

        Args:
            queries: L2-normalised, float32 [Q, D].
            top: k.
            exclusions: what does not count.
        """
        found = Nearest(queries, top)
        at_once = max(1, PAIRS_AT_ONCE // self._asked(top, exclusions))
        for start in range(0, len(queries), at_once):
            some = np.arange(start, min(start + at_once, len(queries)))
            part = self._measured(self.candidates(queries[some], top, exclusions.take(some)), queries[some], top)
            found.row[some], found.distance[some] = part.row, part.distance
        short = np.flatnonzero(found.row[:, -1] < 0)
        if len(short):
            exact = exact_search(self._gallery, queries[short], top, exclusions.take(short))
            found.row[short], found.distance[short] = exact.row, exact.distance
        return found

    def candidates(self, queries: np.ndarray, top: int, exclusions: Exclusions) -> np.ndarray:
        """The rows to be measured for each query, int64 [Q, C], -1 where there are fewer; arguments as of `search`."""
        found = self._ivf.candidates(queries, self._asked(top, exclusions), self._probes)  # [Q, asked]
        gone = found < 0
        removed, pairs = Removed(exclusions, len(queries)), _Pairs(self._gallery, found)
        for block in self._gallery.blocks(removed.columns, pairs.groups) if removed.columns else ():
            here = pairs.within(block)
            gone[pairs.query[here], pairs.place[here]] = removed.pairs(block.table, pairs.query[here], pairs.row[here] - block.first)
        order = np.argsort(gone, axis=1, kind="stable")[:, : _wanted(top)]
        return np.where(np.take_along_axis(gone, order, axis=1), -1, np.take_along_axis(found, order, axis=1))

    def _asked(self, top: int, exclusions: Exclusions) -> int:
        """Candidates that the index is asked for, so that enough of them count."""
        return min(_wanted(top) * max([1, *(MORE_CANDIDATES[name] for name in exclusions.columns)]), self._gallery.rows)

    def _measured(self, candidates: np.ndarray, queries: np.ndarray, top: int) -> Nearest:
        found, pairs = Nearest(queries, top), _Pairs(self._gallery, candidates)
        for block in self._gallery.blocks(["descriptor"], pairs.groups):
            here = pairs.within(block)
            found.add(pairs.query[here], pairs.row[here] - block.first, block.descriptor, block.first)
        return found


def _wanted(top: int) -> int:
    """Candidates that are measured for `top` hits."""
    return top + max(MORE_THAN_HITS, top // 2)


class _Pairs:
    """Every candidate as a pair of a query and a row, in the order of the rows."""

    def __init__(self, gallery: Gallery, candidates: np.ndarray) -> None:
        query, place = np.nonzero(candidates >= 0)
        row = candidates[query, place]
        order = np.lexsort((query, row))
        self.query, self.place, self.row = query[order], place[order], row[order]
        self.groups = np.unique(gallery.group_of(row))

    def within(self, block: Block) -> slice:
        """The pairs whose row lies in a block."""
        return slice(*np.searchsorted(self.row, [block.first, block.first + len(block)]))


def open_index(gallery: Gallery) -> GalleryIndex:
    """The index of an open gallery.

    Raises:
        InputError: there is none, it is damaged, or it was made from another state of the gallery.
    """
    path = index_path(gallery.path)
    record = read_record(gallery.path)
    if record is None:
        raise InputError(f"{gallery.path}: has no index {path.name}")
    if record.fingerprint != gallery.fingerprint:
        raise InputError(f"{path}: was made from another state of the gallery")
    ivf = Ivf.open(path)
    if len(ivf) != record.rows or read_record(gallery.path) != record:
        raise InputError(f"{path}: was replaced while it was opened")
    return GalleryIndex(gallery, ivf, record.probes)
