"""table2.csv: the attributes, their classes and codes, and how often each occurs in the data set."""

from pathlib import Path
from typing import Any

from qafm.errors import reading
from qafm.evaluation.ablation_rows import Cells, write_table
from qafm.evaluation.attribute_accuracy import OFFICIAL_COLUMNS
from qafm.runtime.files import read_json
from qafm.tables.attributes import ATTRIBUTES, Attribute
from qafm.tables.images import SPLITS
from qafm.tables.table4 import Run

UNKNOWN = "unknown"
_COUNTED = ("ids", "images")
_COLORS = {"up_color": "up", "down_color": "down"}  # attribute -> prefix of its one-field-per-colour names in market_attribute.mat
COLUMNS = (
    *("attribute_number", "attribute", "class", "code", "mat_field", "mat_code", "dataset"),
    *(f"{split}_{count}" for split in SPLITS for count in _COUNTED),
)
Counts = dict[tuple[str, str, str], dict[str, int]]  # (split, attribute, class or UNKNOWN) -> "ids" and "images"


def tabulate_table2(dataset: Path, run: Run, out: Path) -> None:
    """Write table2.csv: one row per class of the 12 attribute groups in the paper's order, and one for the unknown.

    `attribute_number` counts 1 .. 27 as the paper does: a binary attribute is one (9), age is one with its four classes, each colour is one (8 upper,
    9 lower), so that a group's classes share a number or have one each; unknown has none. `code` is the class's code in this project, from 0;
    `mat_field` and `mat_code` say which value of which field of market_attribute.mat means the class. Counts are over labelled images: no junk, no
    distractors. In a data set without attributes every identity and image is unknown.

    Args:
        dataset: dataset.json.
        run: what the table belongs to.
        out: the table.

    Raises:
        InputError: the file cannot be read or is no report of a data set.
    """
    counts = _read(dataset)
    rows: list[Cells] = []
    number = 0
    for attribute in sorted(ATTRIBUTES, key=lambda attribute: OFFICIAL_COLUMNS.index(attribute.name)):
        numbers = _numbers(attribute, number + 1)
        number = numbers[-1]
        identified = [{"attribute_number": str(n), **_class_cells(attribute, code)} for code, n in enumerate(numbers)]
        for cells in (*identified, {"class": UNKNOWN}):
            rows.append({"attribute": attribute.name, "dataset": run.dataset, **cells, **_count_cells(counts, attribute.name, cells["class"])})
    write_table(out, COLUMNS, rows)


def _numbers(attribute: Attribute, first: int) -> list[int]:
    """The number of each class: a colour has its own, the classes of another group share one."""
    return [first + code * (attribute.name in _COLORS) for code in range(len(attribute.classes))]


def _class_cells(attribute: Attribute, code: int) -> Cells:
    name = attribute.classes[code]
    prefix = _COLORS.get(attribute.name)
    field, value = (attribute.name, code + 1) if prefix is None else (f"{prefix}{name}", 2)
    return {"class": name, "code": str(code), "mat_field": field, "mat_code": str(value)}


def _count_cells(counts: Counts, attribute: str, name: str) -> Cells:
    return {f"{split}_{count}": str(counts[split, attribute, name][count]) for split in SPLITS for count in _COUNTED}


def _read(path: Path) -> Counts:
    with reading(path, "is no report of parse_dataset"):
        report: dict[str, Any] = read_json(path)
        found = {split: _of_split(report, split) for split in SPLITS}
        keys = [(split, attribute.name, name) for split in SPLITS for attribute in ATTRIBUTES for name in (*attribute.classes, UNKNOWN)]
        return {(split, attribute, name): {count: int(found[split][attribute][name][count]) for count in _COUNTED} for split, attribute, name in keys}


def _of_split(report: dict[str, Any], split: str) -> dict[str, Any]:
    """Attribute -> class or UNKNOWN -> "ids" and "images" -> count."""
    if report["attributes"] is not None:
        return report["attributes"]["splits"][split]["classes"]
    everything = {"ids": report["splits"][split]["ids"], "images": report["splits"][split]["labelled"]}
    nothing = dict.fromkeys(_COUNTED, 0)
    return {attribute.name: {**{name: nothing for name in attribute.classes}, UNKNOWN: everything} for attribute in ATTRIBUTES}
