"""The one exception of bad input, and what turns a misread file into it."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """Bad input or configuration, told in one line that names the file (and row) and the reason.

    Args:
        message: the line; what would break it, or means something to a terminal, stands escaped in it: file names may hold anything.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Text of one line that any terminal and any log can show: control characters, line separators and halves of surrogate pairs as Python writes them."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character


def one_line(error: object, limit: int | None = None) -> str:
    """What another library says, in one line of at most `limit` characters; some write several, indented."""
    return " ".join(str(error).split())[:limit]


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
        raise InputError(f"{path}: {otherwise} ({one_line(repr(error))})") from error
