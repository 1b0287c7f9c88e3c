"""The one exception of bad input, and what turns a misread file into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """Bad input or configuration, told in one line that names the file (and row) and the reason."""


@contextmanager
def reading(path: Path, otherwise: str) -> Iterator[None]:
    """Around what reads a file and picks it apart: where it is missing or not as expected, `InputError: {path}: {otherwise} (...)`.

    Args:
        path: the file.
        otherwise: what it is then, for example "is no artifact of a row".
    """
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path}: {otherwise} ({' '.join(repr(error).split())})") from error  # pydantic's errors have several lines
