"""What other tools call descriptors, identities and cameras; where each name comes from stands in docs/galleries.md.

Shapes: N images of a side, D length of a descriptor.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from qafm.errors import InputError
from qafm.galleries.side import Columns, SideName, whole_numbers

VECTOR_NAMES = ("descriptor", "descriptors", "embedding", "embeddings", "feature", "features", "feat", "feats", "f")
PID_NAMES = ("pid", "pids", "ids", "label", "labels", "person_id")
CAMID_NAMES = ("camid", "camids", "cam", "cams", "camera", "camera_id")
PATH_NAMES = ("image_id", "path", "paths", "img_path", "img_paths", "image_path", "image_paths", "name", "names", "fnames", "filename")


def _of_side(letter: str, word: str) -> dict[str, tuple[str, ...]]:
    return {
        "vectors": (f"{letter}f", f"{word}_f", f"{word}_features", f"{word}_feature"),
        "pid": (f"{letter}_pids", f"{word}_label", f"{word}_labels", f"{word}_pids", f"{letter}l"),
        "camid": (f"{letter}_camids", f"{word}_cam", f"{word}_cams", f"{word}_camids", f"{letter}c"),
        "name": (f"{letter}_paths", f"{letter}_image_paths", f"{word}_paths", f"{word}_path", f"{word}_img_paths"),
    }


_BOTH_SIDES = {"query": _of_side("q", "query"), "gallery": _of_side("g", "gallery")}
_ONE_SIDE = {"vectors": VECTOR_NAMES, "pid": PID_NAMES, "camid": CAMID_NAMES, "name": PATH_NAMES}


def first_of(names: Collection[str], there: Collection[str]) -> str | None:
    """The first of `names` that is among `there`."""
    return next((name for name in names if name in there), None)


def columns_of(source: Path, arrays: Mapping[str, np.ndarray], side: SideName) -> Columns:
    """The columns of one side among named arrays that hold one side or both.

    Raises:
        InputError: no array has a known name of descriptors.
    """
    for names in (_BOTH_SIDES[side], _ONE_SIDE):
        vectors = first_of(names["vectors"], arrays)
        if vectors is not None:
            pid, camid, name = (first_of(names[what], arrays) for what in ("pid", "camid", "name"))
            return Columns(
                source,
                arrays[vectors],
                None if pid is None else whole_numbers(source, "pid", arrays[pid]),
                None if camid is None else whole_numbers(source, "camid", known_or_minus_one(arrays[camid])),
                None if name is None else arrays[name].reshape(-1).astype(str),
            )
    raise InputError(f"{source}: has no {side} descriptors under a known name; it holds {', '.join(sorted(arrays)) or 'nothing'}")


def known_or_minus_one(values: np.ndarray) -> np.ndarray:
    """A flat copy with missing entries (None, NaN, empty text) as -1."""
    flat = values.reshape(-1).astype(object)
    return np.array([-1 if value is None or value == "" or value != value else value for value in flat], object)
