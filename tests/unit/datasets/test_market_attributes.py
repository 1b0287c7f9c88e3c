"""market_attribute.mat: fields by name, identities by raw number, missing colours unknown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from qafm.datasets.market_attributes import read_market_attributes
from qafm.errors import InputError
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTES

FIELDS = [name for name in ATTRIBUTE_NAMES if not name.endswith("_color")] + [
    prefix + color for prefix, attribute in (("up", ATTRIBUTES[10]), ("down", ATTRIBUTES[11])) for color in attribute.classes
]


def struct(identities: list[str], fields: list[str], **values: list[int]) -> dict[str, Any]:
    """A struct whose fields are 1 (no) but for `values`, in the order of `fields`."""
    ones = [1] * len(identities)
    index = np.array([np.array([name]) for name in identities] + [None], object)[:-1]
    return {name: np.array([values.get(name, ones)], np.uint8) for name in fields} | {"image_index": index[None]}


def write(path: Path, train: dict[str, Any], test: dict[str, Any]) -> Path:
    savemat(path, {"market_attribute": {"test": test, "train": train}})
    return path


@pytest.fixture
def good() -> dict[str, dict[str, Any]]:
    return {
        "train": struct(["0002", "0010"], FIELDS[::-1], gender=[1, 2], age=[4, 1], upgreen=[2, 1], downbrown=[1, 2], bag=[2, 1]),
        "test": struct(["0001"], FIELDS, hair=[2], age=[2], downwhite=[2]),
    }


def test_fields_are_addressed_by_name(tmp_path: Path, good: dict[str, dict[str, Any]]) -> None:
    parts = read_market_attributes(write(tmp_path / "a.mat", **good))
    #            gender hair up down clothes hat backpack bag handbag age up_color down_color
    assert parts["train"] == {2: (0, 0, 0, 0, 0, 0, 0, 1, 0, 3, 7, None), 10: (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, 8)}
    assert parts["test"] == {1: (0, 1, 0, 0, 0, 0, 0, 0, 0, 1, None, 1)}


def test_a_single_identity_and_doubles_can_be_read(tmp_path: Path, good: dict[str, dict[str, Any]]) -> None:
    good["train"] = {name: value if name == "image_index" else value.astype(float) for name, value in good["test"].items()}
    good["train"]["image_index"] = np.array([[np.array(["0077"])]], object)
    assert read_market_attributes(write(tmp_path / "a.mat", **good))["train"] == {77: (0, 1, 0, 0, 0, 0, 0, 0, 0, 1, None, 1)}


def set_value(name: str, value: int) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        record[name][0, 1] = value

    return change


def second_color(record: dict[str, Any]) -> None:
    record["upred"][0, 0] = 2


def identity_twice(record: dict[str, Any]) -> None:
    record["image_index"][0, 1] = np.array(["0002"])


def identity_of_test(record: dict[str, Any]) -> None:
    record["image_index"][0, 1] = np.array(["0001"])


def no_identities(record: dict[str, Any]) -> None:
    del record["image_index"]


def no_number(record: dict[str, Any]) -> None:
    record["image_index"][0, 1] = np.array(["anna"])


def no_field(record: dict[str, Any]) -> None:
    del record["downpink"]


def short_field(record: dict[str, Any]) -> None:
    record["hat"] = record["hat"][:, :1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_value("gender", 3), r"market_attribute\.train\.gender, identity 0010: 3 is not in 1\.\.2"),
        (set_value("age", 5), r"market_attribute\.train\.age, identity 0010: 5 is not in 1\.\.4"),
        (set_value("age", 0), r"market_attribute\.train\.age, identity 0010: 0 is not in 1\.\.4"),
        (set_value("upblue", 0), r"market_attribute\.train\.upblue, identity 0010: 0 is not in 1\.\.2"),
        (second_color, r"market_attribute\.train, identity 0002: more than one up_color"),
        (identity_twice, r"market_attribute\.train names an identity twice"),
        (identity_of_test, "identity 0001 is in train and in test"),
        (no_identities, r"no list of identities market_attribute\.train\.image_index"),
        (no_number, r"no list of identities market_attribute\.train\.image_index"),
        (no_field, r"market_attribute\.train has no field 'downpink'"),
        (short_field, r"market_attribute\.train\.hat has 1 values for 2 identities"),
    ],
)
def test_bad_content_is_named(tmp_path: Path, good: dict[str, dict[str, Any]], change: Callable[[dict[str, Any]], None], reason: str) -> None:
    change(good["train"])
    with pytest.raises(InputError, match=rf"bad\.mat: {reason}$"):
        read_market_attributes(write(tmp_path / "bad.mat", **good))


def test_other_files_are_named(tmp_path: Path, good: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(InputError, match=r"none\.mat: no such attribute file$"):
        read_market_attributes(tmp_path / "none.mat")
    savemat(tmp_path / "other.mat", {"gallery": np.ones((3, 12))})
    with pytest.raises(InputError, match=r"other\.mat: no list of identities"):
        read_market_attributes(tmp_path / "other.mat")
    whole = write(tmp_path / "a.mat", **good).read_bytes()
    for content in (b"", b"words", b"x" * 500, whole[: len(whole) // 2]):
        (tmp_path / "broken.mat").write_bytes(content)
        with pytest.raises(InputError, match=r"^.*broken\.mat: cannot be read as a MATLAB file \(.*\)$"):
            read_market_attributes(tmp_path / "broken.mat")


def test_the_real_file_against_a_slow_reading(shared: Path) -> None:
    path = shared / "data" / "market1501" / "market_attribute.mat"
    raw = loadmat(path)["market_attribute"][0, 0]
    parts = read_market_attributes(path)
    assert (len(parts["train"]), len(parts["test"])) == (751, 750)
    assert sorted([*parts["train"], *parts["test"]]) == list(range(1, 1502))
    for part, records in parts.items():
        record = raw[part][0, 0]
        for column, identity in enumerate(record["image_index"][0]):
            codes = records[int(identity[0])]
            for attribute, code in zip(ATTRIBUTES, codes, strict=True):
                if attribute.name.endswith("_color"):
                    prefix = attribute.name.removesuffix("_color")
                    flagged = [color for color in attribute.classes if record[prefix + color][0, column] == 2]
                    assert flagged == ([] if code is None else [attribute.classes[code]])
                else:
                    assert code is not None
                    assert record[attribute.name][0, column] == code + 1
