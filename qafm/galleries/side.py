"""One side of an evaluation as it was read from a file, before anything is asked of it.

Shapes: N images, D length of a descriptor.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from qafm.errors import InputError

SideName: TypeAlias = Literal["query", "gallery"]
_NAME = re.compile(r"(-?\d+)_c(\d+)", re.ASCII)


@dataclass(frozen=True)
class Columns:
    """What a file says of its images; None: it says nothing.

    Args:
        source: the file.
        vectors: descriptors as stored, float [N, D].
        pid: identities, int64 [N].
        camid: cameras, int64 [N]; -1 where unknown.
        name: names or paths, str [N].
        sha256: content hashes, str [N].
        model_id: the model that made the descriptors, where a gallery says so.
    """

    source: Path
    vectors: np.ndarray
    pid: np.ndarray | None = None
    camid: np.ndarray | None = None
    name: np.ndarray | None = None
    sha256: np.ndarray | None = None
    model_id: str | None = None

    def __post_init__(self) -> None:
        """Check shapes and types."""
        if self.vectors.ndim != 2 or not np.issubdtype(self.vectors.dtype, np.floating) or 0 in self.vectors.shape:
            raise InputError(f"{self.source}: descriptors are {self.vectors.dtype} of shape {self.vectors.shape}, not float [N, D] with N, D > 0")
        for what, column in (("pid", self.pid), ("camid", self.camid), ("name", self.name), ("sha256", self.sha256)):
            if column is not None and column.shape != (len(self.vectors),):
                raise InputError(f"{self.source}: {len(self.vectors)} descriptors, but {what} of shape {column.shape}")

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: np.ndarray) -> "Columns":
        """The images at `rows`: indices or a bool mask [N]."""
        columns = {what: column[rows] for what in ("pid", "camid", "name", "sha256") if (column := getattr(self, what)) is not None}
        return replace(self, vectors=self.vectors[rows], **columns)

    def labelled_by_names(self) -> "Columns":
        """Identity and camera as the names tell them: `0002_c1s1_000451_03.jpg` of Market-1501, `0005_c2_f0046985.jpg` of DukeMTMC-reID.

        Raises:
            InputError: there are no names, one does not start like that, or its numbers do not fit in 32 bits.
        """
        if self.name is None:
            raise InputError(f"{self.source}: has no identities, and no names that tell them; give labels (--query-labels, --gallery-labels)")
        parts = [_NAME.match(re.split(r"[/\\]", str(name))[-1]) for name in self.name]
        for row, part in enumerate(parts):
            if part is None:
                odd = f"row {row}: has no identities, and {str(self.name[row])!r} does not start like 0001_c1"
                raise InputError(f"{self.source}: {odd}; give labels (--query-labels, --gallery-labels)")
        told = np.array([[part[1], part[2]] for part in parts if part is not None]).T
        pid, camid = (whole_numbers(self.source, what, texts) for what, texts in zip(("pid", "camid"), told, strict=True))
        return replace(self, pid=pid, camid=camid)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return float("nan")


def whole_numbers(source: Path, what: str, values: np.ndarray) -> np.ndarray:
    """Labels as int64 [N], from integers, floats without a fraction, or texts of integers, in any shape with N elements.

    Raises:
        InputError: one is missing or no integer that fits in 32 bits.
    """
    flat = values.reshape(-1)
    try:
        numbers = flat.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.array([_number(value) for value in flat])  # to say which one
    bad = np.flatnonzero(~(np.abs(numbers) < 2**31) | (numbers != np.trunc(numbers)))
    if len(bad):
        raise InputError(f"{source}: row {bad[0]}: {what} is {str(flat[bad[0]])!r}, not an integer of 32 bits")
    return numbers.astype(np.int64)
