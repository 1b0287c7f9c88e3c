"""What may be searched: finite vectors that are not zero, divided by their length."""

from collections.abc import Sequence

import numpy as np

from qafm.errors import InputError

NORM_TOLERANCE = 1e-5  # a unit vector rounded to float32 is within 1e-7
ROWS_AT_ONCE = 1024


def lengths(vectors: np.ndarray, source: str, names: Sequence[str] | np.ndarray | None = None) -> np.ndarray:
    """L2 norms of the rows of `vectors` [N, D], float64 [N], that depend on nothing but the row; arguments as of `unit_vectors`.

    Raises:
        InputError: a row is zero or not finite.
    """
    norms = np.empty(len(vectors))
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        block = vectors[start : start + ROWS_AT_ONCE].astype(np.float64)  # [n, D]
        norms[start : start + ROWS_AT_ONCE] = np.sqrt((block * block).sum(axis=1))
    bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0))
    if len(bad):
        row = int(bad[0])
        reason = "zero" if norms[row] == 0 else "not finite"
        raise InputError(f"{source}: {f'row {row}' if names is None else names[row]}: the descriptor is {reason}")
    return norms


def unit_vectors(vectors: np.ndarray, source: str, names: Sequence[str] | np.ndarray | None = None) -> np.ndarray:
    """Rows of `vectors` [N, D] divided by their L2 norm, float32; equal rows stay equal bit by bit.

    Args:
        vectors: any float type.
        source: the file or the words that a message names.
        names: what a message calls the rows [N]; None: their number.

    Raises:
        InputError: a row is zero or not finite.
    """
    norms = lengths(vectors, source, names)
    unit = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        unit[rows] = vectors[rows] / norms[rows, None]  # [n, D], in double precision
    return unit


def check_unit(vectors: np.ndarray, source: str, first_row: int) -> None:
    """Check that the rows of a block of a file, float32 [n, D], are finite and of length 1.

    Raises:
        InputError: names the file and the first row, counted from `first_row`, that is not.
    """
    squared = np.einsum("nd,nd->n", vectors, vectors)  # [n]
    bad = np.flatnonzero(~(np.abs(squared - 1) <= 2 * NORM_TOLERANCE))  # NaN is bad too
    if len(bad):
        reason = "is not of length 1" if np.isfinite(squared[bad[0]]) else "is not finite"
        raise InputError(f"{source}: row {first_row + bad[0]}: the descriptor {reason}")
