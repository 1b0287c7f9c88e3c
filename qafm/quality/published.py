"""Q values computed elsewhere: the authors' own ones."""

import csv
import math
from pathlib import Path

from qafm.runtime.errors import InputError

COLUMNS = ["file", "q"]


def read_published(path: Path) -> dict[str, float]:
    """Read a CSV file with the columns file,q.

    Args:
        path: the CSV file.

    Returns:
        Base name of the image -> Q.

    Raises:
        InputError: the file cannot be read, lacks the columns, or a row is not a new name and a finite number.
    """
    values: dict[str, float] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            if next(reader, None) != COLUMNS:
                raise InputError(f"{path}: the first line is not {','.join(COLUMNS)}")
            for row in reader:
                name, q = _parse(row, f"{path}: line {reader.line_num}")
                if name in values:
                    raise InputError(f"{path}: line {reader.line_num} gives {name} a second value")
                values[name] = q
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error})") from error
    return values


def _parse(row: list[str], where: str) -> tuple[str, float]:
    if len(row) != len(COLUMNS):
        raise InputError(f"{where} has {len(row)} columns, expected {len(COLUMNS)}")
    try:
        q = float(row[1])
    except ValueError as error:
        raise InputError(f"{where}: {row[1]!r} is not a number") from error
    if not math.isfinite(q):
        raise InputError(f"{where}: {row[1]!r} is not finite")
    return row[0], q
