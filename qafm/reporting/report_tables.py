"""A result table as the report page shows it: what is the same in every row stands above it, spreads and intervals beside their mean."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qafm.errors import InputError
from qafm.tables.csv_rows import read_rows
from qafm.tables.table3 import SOURCES

OWN = "QAFM"  # label of the project's own row, qafm.tables.table4.label
THIS_RUN = SOURCES[1]  # a table may hold published rows of the same name
NOT_A_SPREAD_OVER_SEEDS = "visual_weight_sd"  # over queries: a result of its own
MADE_OF = ("init", "backbone", "height", "width", "epochs", "images_seen", "mflops", "parameters", "descriptor_length")
LONG_TEXT = 36  # characters
FEWEST_ROWS = 3  # fewer rows may agree by chance


@dataclass(frozen=True)
class Column:
    """A column as shown.

    Args:
        name: as in the file.
        numeric: whether every cell that is not empty is a number.
        longest: characters of its longest cell.
    """

    name: str
    numeric: bool
    longest: int = 0

    @property
    def look(self) -> str:
        """Class of its cells: numbers stand to the right, sentences get room, other text stays on one line."""
        return "n" if self.numeric else "long-text" if self.longest > LONG_TEXT else "text"

    @property
    def heading(self) -> str:
        """The name to read."""
        return self.name.replace("_minus_qafm", " − QAFM").replace("_", " ")


@dataclass(frozen=True)
class ShownTable:
    """A table as shown.

    Args:
        title: what it is.
        explanation: one sentence.
        file: name of the file.
        constants: (heading, value) of the columns that are the same in every row.
        columns: the others.
        rows: their cells; "" where there is no value.
        own: per row, whether it is the project's own.
        link: data URI of the file.
    """

    title: str
    explanation: str
    file: str
    constants: list[tuple[str, str]]
    columns: list[Column]
    rows: list[list[str]]
    own: list[bool]
    link: str


def show_table(path: Path, title: str, explanation: str) -> ShownTable:
    """Read a CSV file and lay it out.

    Raises:
        InputError: the file cannot be read or has no rows.
    """
    rows = read_rows(path, ())
    if not rows:
        raise InputError(f"{path}: has no rows")
    header = list(rows[0])
    measured = [row for row in rows if row.get("rank1", "no such column")]  # the others say in their note why they are not
    same = {name: {row[name] for row in measured} for name in header[1:] if len(measured) >= FEWEST_ROWS}
    fixed = [name for name, values in same.items() if len(values) == 1 and all(row[name] in ("", *values) for row in rows)]
    names = _reading_order([name for name in header if name not in fixed])
    spreads = {name for name in names if name != NOT_A_SPREAD_OVER_SEEDS and name.endswith("_sd") and name.removesuffix("_sd") in names}
    pairs = [name.removesuffix("_low") for name in names if name.endswith("_low") and f"{name.removesuffix('_low')}_high" in names]
    columns: list[Column] = []
    values: list[list[str]] = []
    for name in names:
        stem = name.removesuffix("_low")
        if name.endswith("_low") and stem in pairs:
            columns.append(Column(f"{stem} 95 %" if stem in names else f"{stem}, from to", numeric=True))  # without a mean it is a range, no interval
            values.append([_interval(row[name], row[f"{stem}_high"]) for row in rows])
        elif not (name in spreads or (name.endswith("_high") and name.removesuffix("_high") in pairs)):
            cells = [row[name] for row in rows if row[name]]
            columns.append(Column(name, all(map(is_number, cells)), max(map(len, cells), default=0)))
            values.append([_with_spread(row[name], row.get(f"{name}_sd", "") if f"{name}_sd" in spreads else "") for row in rows])
    return ShownTable(
        title,
        explanation,
        path.name,
        [(Column(name, numeric=False).heading, measured[0][name]) for name in fixed if measured[0][name]],
        columns,
        [list(cells) for cells in zip(*values, strict=True)],
        [row[header[0]] == OWN and row.get("source", THIS_RUN) == THIS_RUN for row in rows],
        f"data:text/csv;charset=utf-8;base64,{base64.b64encode(path.read_bytes()).decode()}",
    )


def _reading_order(names: list[str]) -> list[str]:
    """The columns of a table of results: mAP, how sure it is and how far from QAFM's stand right behind Rank-1, so that no reader has to scroll for them.
    What a system is made of comes behind both."""
    if "rank1" not in names or "mAP" not in names:
        return names
    main = [name for name in names if name in ("mAP", "mAP_sd") or name.startswith(("mAP_low", "mAP_high", "mAP_minus_qafm"))]
    others = [name for name in names if name not in (*main, *MADE_OF)]
    place = others.index("rank1") + 1 + sum(name in others for name in ("rank1_sd", "rank1_low", "rank1_high"))
    return [*others[:place], *main, *(name for name in names if name in MADE_OF), *others[place:]]


def is_number(text: str) -> bool:
    """Whether `text` is a finite decimal number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def by_category(items: Sequence[tuple[str, object]]) -> dict[str, list[object]]:
    """Items of (category, item), categories in the order of their first item."""
    grouped: dict[str, list[object]] = {}
    for category, item in items:
        grouped.setdefault(category, []).append(item)
    return grouped


def _with_spread(value: str, spread: str) -> str:
    return f"{value} ± {spread}" if value and spread else value


def _interval(low: str, high: str) -> str:
    return f"{low} to {high}" if low and high else ""
