"""Descriptors from torch files, read with weights_only: nothing in the file is run."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from qafm.errors import InputError, one_line

_RECONSTRUCT = np.array(0).__reduce__()[0]  # how numpy stores an array; the name of its module differs between versions
_SCALAR = np.float64(0).__reduce__()[0]
_OF_NUMPY = (torch.float16, torch.float32, torch.float64)


def _numpy_globals() -> list:
    """What a file needs in order to hold numpy arrays of numbers and texts."""
    dtypes = [type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "U1")]
    functions = [
        (function, f"numpy.{core}.multiarray.{name}") for core in ("core", "_core") for function, name in ((_RECONSTRUCT, "_reconstruct"), (_SCALAR, "scalar"))
    ]
    return [np.ndarray, np.dtype, *dtypes, *functions]


def read_torch_arrays(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """The tensors, arrays and lists of a .pt file by name, or its one tensor.

    Raises:
        InputError: it is no such file, or holds objects that only code could make.
    """
    try:
        with torch.serialization.safe_globals(_numpy_globals()), warnings.catch_warnings(action="ignore"):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: cannot be read as tensors and arrays: it is no torch file, or it holds objects, which are never loaded") from error
    except Exception as error:  # what is no torch file can fail in any way
        first = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as a torch file of tensors and arrays ({one_line(first, 160)})") from error
    if isinstance(found, Mapping):
        return {str(name): array for name, value in found.items() if (array := _array(value)) is not None}
    array = _array(found)
    if array is None:
        raise InputError(f"{path}: holds a {type(found).__name__}, neither a tensor nor a dictionary of tensors")
    return array


def _array(value: object) -> np.ndarray | None:
    """A tensor, array or list of them as an array; None for anything else, such as lists of different lengths."""
    try:
        if isinstance(value, torch.Tensor):
            value = value.detach()
            return (value.float() if value.is_floating_point() and value.dtype not in _OF_NUMPY else value).numpy()
        if isinstance(value, list | tuple):
            value = [_array(item) if isinstance(item, torch.Tensor) else item for item in value]
        return np.asarray(value) if isinstance(value, list | np.ndarray) else None
    except (RuntimeError, TypeError, ValueError):
        return None
