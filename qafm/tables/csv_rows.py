"""Reading the project's own CSV tables."""

import csv
from collections.abc import Sequence
from pathlib import Path

from qafm.errors import InputError


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV with a header, every cell as text.

    Args:
        path: the file, UTF-8; a byte order mark, with which spreadsheets begin it, is passed over.
        columns: names that the header must hold; it may hold more.

    Returns:
        One dictionary per row, column name -> cell; an empty cell is "".

    Raises:
        InputError: the file cannot be read, lacks a column, or has a row of another length than its header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names, rows = reader.fieldnames or (), list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error})") from error
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(f"{path}: has no column {missing[0]!r}")
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise InputError(f"{path}: row {number} has another number of cells than the header")
    return rows
