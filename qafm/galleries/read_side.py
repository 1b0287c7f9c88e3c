"""Descriptors of anybody's making, read by the ending of the file.

Shapes: N images of a side, D length of a descriptor.
"""

from pathlib import Path

import numpy as np
import scipy.io

from qafm.errors import InputError, one_line
from qafm.galleries.label_files import load_array, with_labels
from qafm.galleries.layouts import columns_of
from qafm.galleries.read_table import read_table_side
from qafm.galleries.side import Columns, SideName

ENDINGS = (".parquet", ".npy", ".npz", ".mat", ".pt", ".pth")


def read_side(path: str | Path, side: SideName, labels: str | Path | None = None) -> Columns:
    """Read one side of an evaluation.

    Args:
        path: a .parquet, .npy, .npz, .mat, .pt or .pth file.
        side: which side is wanted, of a file that holds both.
        labels: a file of labels, see `with_labels`; None: those of the file, or of files beside it, or of the names of the images.

    Returns:
        The images with pid.

    Raises:
        InputError: the file is damaged or of an unknown layout, or its identities are not known.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: descriptors are read from files that end in {', '.join(ENDINGS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return with_labels(_read(path, side), None if labels is None else Path(labels))


def _read(path: Path, side: SideName) -> Columns:
    match path.suffix.lower():
        case ".parquet":
            return read_table_side(path, side)
        case ".npy":
            return Columns(path, load_array(path))
        case ".npz":
            return _read_npz(path, side)
        case ".mat":
            return _read_mat(path, side)
        case _:
            from qafm.galleries.read_torch import read_torch_arrays  # here: nothing else in this package needs torch

            arrays = read_torch_arrays(path)
            return Columns(path, arrays) if isinstance(arrays, np.ndarray) else columns_of(path, arrays, side)


def _read_npz(path: Path, side: SideName) -> Columns:
    try:
        stored = np.load(path, allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise InputError(f"{path}: cannot be read as .npz (it is one array: name it .npy)")
        with stored:
            return columns_of(path, stored, side)  # reads only the arrays it asks for
    except InputError:
        raise
    except Exception as error:  # what is no such file can fail in any way
        raise InputError(f"{path}: cannot be read as .npz ({one_line(error)})") from error


def _read_mat(path: Path, side: SideName) -> Columns:
    try:
        stored = scipy.io.loadmat(path, chars_as_strings=True)
    except Exception as error:  # what is no such file can fail in any way
        raise InputError(f"{path}: cannot be read as .mat up to version 7 ({one_line(error)})") from error
    arrays = {name: value for name, value in stored.items() if isinstance(value, np.ndarray) and value.size}
    return columns_of(path, {name: _texts(value) if value.dtype.kind in "OU" else value for name, value in arrays.items()}, side)


def _texts(cells: np.ndarray) -> np.ndarray:
    """Cells of texts, padded as MATLAB keeps them, as texts."""
    return np.array([str(np.asarray(cell).reshape(-1)[0]).rstrip() if np.asarray(cell).size else "" for cell in cells.reshape(-1)])
