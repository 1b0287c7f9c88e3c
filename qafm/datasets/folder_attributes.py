"""attributes.csv of a folder data set: one row per identity, Market-1501's codes or the classes' names.

Column `identity` and any of the 12 attributes. A value is a class name ("female", "gray") or, except for colours, whose numbering differs
between Market-1501's own files, a code counted from 1 (gender 1 male, 2 female). Empty = unknown.
"""

import csv
from pathlib import Path

from qafm.datasets.entry import identity_name
from qafm.datasets.market_attributes import Codes
from qafm.errors import InputError
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTES, Attribute


def read_folder_attributes(path: Path) -> dict[str, Codes]:
    """Read an attributes.csv.

    Args:
        path: UTF-8 CSV with a header.

    Returns:
        0-based codes of each identity, None = unknown or no such column.

    Raises:
        InputError: no such file, one that cannot be read, an unknown column or value, an identity twice.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such attribute file")
    attributes: dict[str, Codes] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restkey="")
            _check_header(path, list(reader.fieldnames or ()))
            for row in reader:
                where = f"{path}: row {reader.line_num}"
                identity = _identity(where, row, attributes)
                attributes[identity] = tuple(_code(f"{where} (identity {identity})", attribute, row.get(attribute.name) or "") for attribute in ATTRIBUTES)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a UTF-8 CSV file ({error})") from error
    return attributes


def _check_header(path: Path, columns: list[str]) -> None:
    if "identity" not in columns:
        found = f"whose columns between commas are {', '.join(map(repr, columns))}" if columns else "which is empty"
        raise InputError(f"{path}: no column 'identity' in the first row, {found}")
    unknown = [name for name in columns if name not in ("identity", *ATTRIBUTE_NAMES)]
    if unknown:
        raise InputError(f"{path}: unknown column {unknown[0]!r}; the attributes are {', '.join(ATTRIBUTE_NAMES)}")
    if len(set(columns)) < len(columns):
        raise InputError(f"{path}: a column appears twice")


def _identity(where: str, row: dict[str, str], seen: dict[str, Codes]) -> str:
    if "" in row:
        raise InputError(f"{where}: more values than columns")
    identity = identity_name((row["identity"] or "").strip())
    if not identity:
        raise InputError(f"{where}: no identity")
    if identity in seen:
        raise InputError(f"{where}: identity {identity} a second time")
    return identity


def _code(where: str, attribute: Attribute, text: str) -> int | None:
    value = text.strip().lower().replace("grey", "gray")
    if not value:
        return None
    if value in attribute.classes:
        return attribute.classes.index(value)
    coded = not attribute.name.endswith("_color")
    if coded and value in {str(code) for code in range(1, len(attribute.classes) + 1)}:
        return int(value) - 1
    codes = f"1..{len(attribute.classes)} or " if coded else ""
    raise InputError(f"{where}: {attribute.name} {text!r} is not {codes}one of {', '.join(attribute.classes)}")
