"""faiss, as far as it is needed: inverted lists of 8-bit scalar-quantised vectors, compared by inner product.

Shapes: N rows of the gallery, Q queries, D length of a descriptor, C candidates per query.
"""

from pathlib import Path

import faiss
import numpy as np

from qafm.errors import InputError, one_line


class Ivf:
    """An index: D bytes per row, a quarter of the descriptors."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def train(cls, sample: np.ndarray, lists: int) -> "Ivf":
        """Make the lists by k-means of `sample`, float32 [n, D], and the quantisation from it; the index is empty."""
        dim = sample.shape[1]
        index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        index.cp.max_points_per_centroid = len(sample)  # all of the sample
        index.cp.min_points_per_centroid = 1
        index.train(sample)  # pyright: ignore[reportCallIssue]
        return cls(index)

    def add(self, vectors: np.ndarray) -> None:
        """Add the next rows of the gallery, float32 [n, D]."""
        self._index.add(np.ascontiguousarray(vectors))  # pyright: ignore[reportCallIssue]

    def candidates(self, queries: np.ndarray, count: int, probes: int) -> np.ndarray:
        """Rows that are probably nearest, int64 [Q, C = count], most similar first, -1 where the probed lists hold fewer."""
        parameters = faiss.SearchParametersIVF(nprobe=probes)  # pyright: ignore[reportCallIssue]
        return self._index.search(np.ascontiguousarray(queries), count, params=parameters)[1]  # pyright: ignore[reportCallIssue]

    def write(self, path: Path) -> None:
        """Write the index.

        Raises:
            InputError: faiss cannot write it; a full disk, for example.
        """
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise InputError(f"{path}: faiss cannot write it ({one_line(error, 200)})") from error

    @classmethod
    def open(cls, path: Path) -> "Ivf":
        """Map a file into memory: lists that are not probed are not read.

        Raises:
            InputError: faiss cannot read it.
        """
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY))
        except (RuntimeError, UnicodeError) as error:
            raise InputError(f"{path}: faiss cannot read it ({one_line(error, 200)})") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)
