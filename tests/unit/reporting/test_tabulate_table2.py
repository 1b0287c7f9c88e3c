"""table2.csv from reports of small data sets."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from scipy.io import loadmat

from qafm.datasets.dataset_report import count_attributes, count_split
from qafm.datasets.entry import Entry
from qafm.datasets.market_attributes import Codes
from qafm.errors import InputError
from qafm.reporting.tabulate_table2 import COLUMNS, tabulate_table2
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTES
from qafm.tables.images import SPLITS
from qafm.tables.table4 import Run

RUN = Run("toy", "full", "small", "random")


def report(classes: dict[str, dict[str, Any]] | None) -> dict[str, Any]:
    splits = {"train": (3, 9), "query": (2, 4), "gallery": (2, 7)}
    attributes = None if classes is None else {"splits": {split: {"classes": classes[split]} for split in SPLITS}}
    return {"attributes": attributes, "splits": {split: {"ids": ids, "labelled": images, "images": images + 5} for split, (ids, images) in splits.items()}}


def counted() -> dict[str, dict[str, Any]]:
    """A count of its own in every cell, so that no two can be confused."""
    found: dict[str, dict[str, Any]] = {}
    number = 0
    for split in SPLITS:
        found[split] = {}
        for attribute in ATTRIBUTES:
            found[split][attribute.name] = {}
            for name in (*attribute.classes, "unknown"):
                number += 2
                found[split][attribute.name][name] = {"ids": number, "images": number + 1}
    return found


def table(tmp_path: Path, content: dict[str, Any]) -> list[dict[str, str]]:
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    tabulate_table2(tmp_path / "dataset.json", RUN, tmp_path / "table2.csv")
    with (tmp_path / "table2.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    return rows


def test_every_cell_is_that_of_its_class_and_split(tmp_path: Path) -> None:
    counts = counted()
    rows = table(tmp_path, report(counts))
    assert len(rows) == sum(len(attribute.classes) + 1 for attribute in ATTRIBUTES) == 39 + 12
    assert {(row["attribute"], row["class"]) for row in rows} == {(name, value) for name, values in counts["train"].items() for value in values}
    for row in rows:
        for split in SPLITS:
            found = counts[split][row["attribute"]][row["class"]]
            assert (row[f"{split}_ids"], row[f"{split}_images"]) == (str(found["ids"]), str(found["images"]))
        assert row["dataset"] == "toy"


def test_the_27_attributes_and_their_codes(tmp_path: Path) -> None:
    rows = table(tmp_path, report(counted()))
    numbers: dict[str, list[str]] = {}
    for row in rows:
        if row["class"] == "unknown":
            assert row["attribute_number"] == row["code"] == row["mat_field"] == row["mat_code"] == ""
        else:
            numbers.setdefault(row["attribute"], []).append(row["attribute_number"])
    order = ["gender", "hair", "age", "up", "down", "clothes", "hat", "backpack", "bag", "handbag"]
    assert [numbers[name] for name in order] == [[str(i)] * (4 if name == "age" else 2) for i, name in enumerate(order, start=1)]
    assert numbers["up_color"] == [str(i) for i in range(11, 19)] and numbers["down_color"] == [str(i) for i in range(19, 28)]
    assert list(numbers) == [*order, "up_color", "down_color"]
    assert len({number for values in numbers.values() for number in values}) == 27
    codes = {(row["attribute"], row["class"]): (row["code"], row["mat_field"], row["mat_code"]) for row in rows}
    assert codes["gender", "female"] == ("1", "gender", "2")
    assert codes["age", "old"] == ("3", "age", "4")
    assert codes["up", "long sleeve"] == ("0", "up", "1")
    assert codes["up_color", "gray"] == ("5", "upgray", "2")
    assert codes["down_color", "brown"] == ("8", "downbrown", "2")


def test_the_fields_are_those_of_the_file(shared: Path, tmp_path: Path) -> None:
    content = loadmat(shared / "data" / "market1501" / "market_attribute.mat", squeeze_me=True)["market_attribute"]["train"].item()
    fields = {row["mat_field"] for row in table(tmp_path, report(counted()))} - {""}
    assert fields == set(content.dtype.names) - {"image_index"} and len(fields) == 27


def test_from_images_to_the_table(tmp_path: Path) -> None:
    """What parse_dataset counts arrives: identity 1 is an old woman without a known hat, identity 2 a man in gray; a distractor does not count."""
    woman: Codes = tuple({"gender": 1, "age": 3, "hat": None}.get(name, 0) for name in ATTRIBUTE_NAMES)
    man: Codes = tuple({"gender": 0, "age": 2, "up_color": 5}.get(name, 0) for name in ATTRIBUTE_NAMES)

    images = [*[("train", 1)] * 3, ("train", 2), ("query", 2), *[("gallery", 2)] * 2, ("gallery", 0)]
    entries = [Entry(f"{split}/{number}", split, str(pid), pid, distractor=pid == 0) for number, (split, pid) in enumerate(images)]
    content: dict[str, Any] = {"attributes": {"splits": {}}, "splits": {}}
    for split in SPLITS:
        part = [item for item in entries if item.split == split]
        content["attributes"]["splits"][split] = count_attributes(part, {"1": woman, "2": man})
        content["splits"][split] = count_split(part)
    rows = {(row["attribute"], row["class"]): [row[name] for name in COLUMNS[-6:]] for row in table(tmp_path, content)}
    assert rows["gender", "female"] == ["1", "3", "0", "0", "0", "0"]
    assert rows["hat", "unknown"] == ["1", "3", "0", "0", "0", "0"]
    assert rows["up_color", "gray"] == ["1", "1", "1", "1", "1", "2"]
    assert rows["age", "young"] == ["0"] * 6


def test_without_attributes_all_are_unknown(tmp_path: Path) -> None:
    for row in table(tmp_path, report(None)):
        expected = ["3", "9", "2", "4", "2", "7"] if row["class"] == "unknown" else ["0"] * 6
        assert [row[name] for name in COLUMNS[-6:]] == expected


def test_bad_reports_are_named(tmp_path: Path) -> None:
    path = tmp_path / "dataset.json"
    broken = report(counted())
    del broken["attributes"]["splits"]["query"]["classes"]["hat"]["yes"]
    for content in (None, "{", "[]", "{}", json.dumps(broken), json.dumps({"attributes": None, "splits": {}})):
        if content is not None:
            path.write_text(content)
        with pytest.raises(InputError, match=r"^[^\n]*dataset\.json: is no report of parse_dataset \([^\n]*\)$"):
            tabulate_table2(path, RUN, tmp_path / "table2.csv")
    assert not (tmp_path / "table2.csv").exists()
