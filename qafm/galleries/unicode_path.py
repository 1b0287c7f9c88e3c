"""Paths that pyarrow and faiss can write to."""

from pathlib import Path

from qafm.datasets.entry import printable
from qafm.errors import InputError


def unicode_path(path: str | Path) -> Path:
    """The file that a path leads to, links followed, so that one lock serves all names of a file.

    Raises:
        InputError: a folder on the way, or the file, is not named in UTF-8.
    """
    found = Path(path).resolve()
    if printable(str(found)) != str(found):
        raise InputError(f"{printable(str(found))}: cannot be written: its path is not UTF-8")
    return found
