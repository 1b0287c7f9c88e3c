"""market_attribute.mat: the 27 attributes of Market-1501 per identity (Lin et al., Pattern Recognition 95, 2019).

Two structs, train and test, whose fields stand in different orders: they are addressed by name, and identities by their raw number.
"""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from qafm.errors import InputError
from qafm.tables.attributes import ATTRIBUTES, Attribute

Codes = tuple[int | None, ...]  # one 0-based class code per attribute of ATTRIBUTES, None = unknown
_COLORS = {"up_color": "up", "down_color": "down"}  # attribute -> prefix of its one-flag-per-colour fields


def read_market_attributes(path: Path) -> dict[str, dict[int, Codes]]:
    """Read market_attribute.mat.

    Args:
        path: a MATLAB file with struct market_attribute{train, test}: each field 1 x N with values 1, 2 (age 1-4), image_index the identities.

    Returns:
        "train" and "test": codes of each raw identity; an identity without any colour flag has an unknown colour.

    Raises:
        InputError: no such file, not such a file, or a value that is not allowed.
    """
    content = _load(path)
    parts: dict[str, dict[int, Codes]] = {}
    for part in ("train", "test"):
        try:
            record = content["market_attribute"][part].item()
            identities = [int(str(name)) for name in np.atleast_1d(record["image_index"].item()).ravel()]
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise InputError(f"{path}: no list of identities market_attribute.{part}.image_index") from error
        columns = [_codes(path, part, record, attribute, identities) for attribute in ATTRIBUTES]
        parts[part] = dict(zip(identities, zip(*columns, strict=True), strict=True))
        if len(parts[part]) < len(identities):
            raise InputError(f"{path}: market_attribute.{part} names an identity twice")
    both = sorted(parts["train"].keys() & parts["test"].keys())
    if both:
        raise InputError(f"{path}: identity {both[0]:04d} is in train and in test")
    return parts


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path}: no such attribute file")
    try:
        return loadmat(path, squeeze_me=True)
    except (OSError, ValueError, TypeError, KeyError, IndexError, NotImplementedError, zlib.error, MatReadError) as error:
        raise InputError(f"{path}: cannot be read as a MATLAB file ({error})") from error


def _codes(path: Path, part: str, record: np.ndarray, attribute: Attribute, identities: list[int]) -> list[int | None]:
    """Codes of one attribute for all identities."""
    if attribute.name not in _COLORS:
        values = _field(path, part, record, attribute.name, len(attribute.classes), identities)
        return [int(value) - 1 for value in values]
    names = [_COLORS[attribute.name] + color for color in attribute.classes]
    flags = np.array([_field(path, part, record, name, 2, identities) for name in names]) == 2  # [C, N]
    several = np.flatnonzero(flags.sum(axis=0) > 1)
    if several.size:
        raise InputError(f"{path}: market_attribute.{part}, identity {identities[several[0]]:04d}: more than one {attribute.name}")
    return [int(column.argmax()) if column.any() else None for column in flags.T]


def _field(path: Path, part: str, record: np.ndarray, name: str, n_classes: int, identities: list[int]) -> np.ndarray:
    """Values 1 .. n_classes of one field, [N]."""
    if name not in (record.dtype.names or ()):
        raise InputError(f"{path}: market_attribute.{part} has no field {name!r}")
    values = np.atleast_1d(record[name].item()).ravel()
    if len(values) != len(identities):
        raise InputError(f"{path}: market_attribute.{part}.{name} has {len(values)} values for {len(identities)} identities")
    wrong = np.flatnonzero(~np.isin(values, np.arange(1, n_classes + 1)))
    if wrong.size:
        raise InputError(f"{path}: market_attribute.{part}.{name}, identity {identities[wrong[0]]:04d}: {values[wrong[0]]} is not in 1..{n_classes}")
    return values
