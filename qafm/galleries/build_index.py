"""Making the index of a gallery, and measuring what it finds before anybody relies on it.

Shapes: N rows of the gallery, T rows to train on, S sample queries, D length of a descriptor.

The gallery streams by twice: once for a sample to train on, once to fill the index and to search the sample exactly. It is never in memory itself: the index
takes D bytes per row, the training sample 4 D bytes for at most 81,920 rows.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from qafm.errors import InputError
from qafm.galleries.approximate_search import GalleryIndex
from qafm.galleries.exact_search import offer_block
from qafm.galleries.exclusions import Exclusions, Removed
from qafm.galleries.gallery import Gallery
from qafm.galleries.index_file import IndexRecord, index_path, write_index
from qafm.galleries.ivf import Ivf
from qafm.galleries.nearest import Nearest
from qafm.galleries.unicode_path import unicode_path

RECALL = 0.95
MOST_LISTS = 2048  # more cost more to make than they save: k-means and filling take time with rows times lists
TRAINING_ROWS_PER_LIST = 40  # fewer make poor centres
SAMPLE = 256
TOP = 10


@dataclass(frozen=True)
class _Sample:
    """Rows of the gallery that are searched to measure the recall.

    Args:
        descriptor: float32 [S, D].
        exclusions: what does not count: copies of the query; the same and images of the query's camera, if any is known.
    """

    descriptor: np.ndarray
    exclusions: list[Exclusions]


def build_index(path: str | Path, *, recall: float = RECALL) -> IndexRecord:
    """Make and measure the index of a gallery, in a file beside it; `search_gallery` uses it as long as the gallery does not change.

    The index has 4 sqrt(N) lists, at most 2048. A search reads as many of them, tried in steps of one half, as it takes to find the 10 nearest other images
    of 256 of the gallery's own rows with at least `recall`, taken as the lower end of a 95 % interval; also those from other cameras, where cameras are known.

    Args:
        path: the gallery.
        recall: recall@10 to be reached, in (0, 1).

    Returns:
        What was measured, as it is stored in the index.

    Raises:
        InputError: the gallery is damaged, has fewer than 2 images or changes meanwhile, its path is not UTF-8, or the recall is not reached: then the old
            index, if any, is left as it is.
    """
    path = Path(path)
    if not 0 < recall < 1:
        raise InputError(f"{path}: recall {recall} of an index is not between 0 and 1")
    unicode_path(index_path(path))
    start = time.monotonic()
    with Gallery(path) as gallery:
        if gallery.rows < 2:
            raise InputError(f"{path}: has {gallery.rows} images, nothing to make an index of")
        lists = max(1, min(round(4 * gallery.rows**0.5), gallery.rows // TRAINING_ROWS_PER_LIST, MOST_LISTS))
        training, sample = _drawn(gallery, lists)
        ivf = Ivf.train(training, lists)
        trained_on = len(training)
        del training
        exact = _filled(gallery, ivf, sample)
        probes, reached = _enough_probes(gallery, ivf, lists, sample, exact, recall)
        cross_camera = reached[1] if len(reached) > 1 else None
        seconds = round(time.monotonic() - start, 1)
        record = IndexRecord(gallery.fingerprint, gallery.rows, lists, probes, reached[0], cross_camera, len(sample.descriptor), trained_on, seconds)
        return write_index(path, record, ivf.write)


def _drawn(gallery: Gallery, lists: int) -> tuple[np.ndarray, _Sample]:
    """Rows to train on, float32 [T, D], and sample queries: the same for the same gallery."""
    rng = np.random.default_rng(int(gallery.fingerprint[:16], 16))
    wanted = [np.sort(rng.choice(gallery.rows, min(n, gallery.rows), replace=False)) for n in (TRAINING_ROWS_PER_LIST * lists, SAMPLE)]
    vectors = [np.empty((len(rows), gallery.header.dim), np.float32) for rows in wanted]
    sha256, camid = [], []
    for block in tqdm(gallery.blocks(["sha256", "camid", "descriptor"]), desc="sample", total=gallery.groups, unit="group", disable=None):
        ends = [np.searchsorted(rows, [block.first, block.first + len(block)]) for rows in wanted]
        for rows, drawn, (begin, end) in zip(wanted, vectors, ends, strict=True):
            drawn[begin:end] = block.descriptor[rows[begin:end] - block.first]
        labels = block.table.take(wanted[1][slice(*ends[1])] - block.first)
        sha256 += labels["sha256"].to_pylist()
        camid += labels["camid"].to_pylist()
    exclusions = [Exclusions(sha256=sha256)]
    if any(camera is not None for camera in camid):
        exclusions.append(Exclusions(sha256=sha256, camid=camid))
    return vectors[0], _Sample(vectors[1], exclusions)


def _filled(gallery: Gallery, ivf: Ivf, sample: _Sample) -> list[np.ndarray]:
    """Add all rows to the index; return the exact nearest rows of the sample under each of its exclusions, int64 [S, k]."""
    n, top = len(sample.descriptor), min(TOP, gallery.rows - 1)
    found = [Nearest(sample.descriptor, top) for _ in sample.exclusions]
    removed = [Removed(exclusions, n) for exclusions in sample.exclusions]
    for block in tqdm(gallery.blocks(["sha256", "camid", "descriptor"]), desc="index", total=gallery.groups, unit="group", disable=None):
        ivf.add(block.descriptor)
        for nearest, gone in zip(found, removed, strict=True):
            offer_block(nearest, sample.descriptor, block, gone)
    return [nearest.row for nearest in found]


def _enough_probes(gallery: Gallery, ivf: Ivf, lists: int, sample: _Sample, exact: list[np.ndarray], recall: float) -> tuple[int, list[float]]:
    """The number of lists to read, and the recall it reaches under each of the sample's exclusions."""
    probes = max(1, lists // 128)
    while True:
        index, reached = GalleryIndex(gallery, ivf, probes), []
        for rows, exclusions in zip(exact, sample.exclusions, strict=True):
            shares = _shares(rows, index.candidates(sample.descriptor, rows.shape[1], exclusions))
            reached.append(round(float(shares.mean()), 4))
            if shares.mean() - 1.96 * shares.std() / len(shares) ** 0.5 < recall:
                break
        else:
            return probes, reached
        if probes == lists:
            raise InputError(f"{gallery.path}: an index finds {reached[-1]:.3f} of the {TOP} nearest images, less than {recall}; search it exactly")
        probes = min(-(-3 * probes // 2), lists)


def _shares(exact: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Share of the exact nearest rows [S, k] that are among the candidates [S, C], of each query that has any: re-ranking then finds them."""
    there = exact >= 0
    found = np.array([np.isin(rows, among) for rows, among in zip(exact, candidates, strict=True)]) & there
    some = there.any(axis=1)
    return found[some].sum(axis=1) / there[some].sum(axis=1) if some.any() else np.ones(1)
