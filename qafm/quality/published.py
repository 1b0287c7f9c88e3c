"""Q values computed elsewhere: the authors' own ones."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from qafm.errors import InputError

COLUMNS = ["file", "q"]


def published_of(path: Path, image_ids: Iterable[str]) -> dict[str, float]:
    """Q of those images that the file has a value for, under their image_id or under its last part alone.

    Args:
        path: as for `read_published`.
        image_ids: of the images.

    Returns:
        image_id -> Q.

    Raises:
        InputError: as `read_published`, or two images share a name that the file gives a value without telling which is meant.
    """
    values = read_published(path)
    found: dict[str, float] = {}
    owner: dict[str, str] = {}
    for image_id in image_ids:
        name = image_id if image_id in values else PurePosixPath(image_id).name
        if name in values:
            if owner.setdefault(name, image_id) != image_id:
                raise InputError(f"{path}: {name} is the name of two images, {owner[name]} and {image_id}; name them with their folders")
            found[image_id] = values[name]
    return found


def read_published(path: Path) -> dict[str, float]:
    """Read a CSV file with the columns file,q.

    Args:
        path: the CSV file.

    Returns:
        Name of the image as the file gives it -> Q.

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
