"""Folder data sets: names, numbers, attributes.csv, and the random split of identities."""

import errno
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qafm.config.parse import FoldersConfig
from qafm.datasets.entry import POOL, Entry, SetAside
from qafm.datasets.folder_attributes import read_folder_attributes
from qafm.datasets.folders import list_folders, number_names
from qafm.datasets.identity_split import split_identities
from qafm.errors import InputError

CAMERA = r"^(?P<camera>\d+)_(?P<frame>\d+)"


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_one_folder_per_identity(tmp_path: Path) -> None:
    touch(tmp_path, "7/02_11.PNG", "7/01_3 copy.jpeg", "012/deep/er/01_1.webp", "012/notes.txt", "attributes.csv", "7/.DS_Store", "7/._02_11.png")
    listing = list_folders(tmp_path, FoldersConfig(root="x", camera_pattern=r"(?P<camera>\d+)_(?P<frame>\d+)[^/]*$"))
    assert listing.entries == [
        Entry("012/deep/er/01_1.webp", POOL, "012", 12, 1, None, 1),
        Entry("7/01_3 copy.jpeg", POOL, "7", 7, 1, None, 3),
        Entry("7/02_11.PNG", POOL, "7", 7, 2, None, 11),
    ]
    assert sorted(listing.other_files) == ["012/notes.txt", "7/.DS_Store", "7/._02_11.png", "attributes.csv"]
    assert listing.set_aside == []
    assert listing.numbers == {}


def test_names_become_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "зоя/door-1.jpg", "anna/door-1.jpg", "anna/yard-3.jpg")
    listing = list_folders(tmp_path, FoldersConfig(root="x", camera_pattern=r"^(?P<camera>[a-z]+)-(?P<sequence>\d)"))
    assert [(entry.identity, entry.pid, entry.camid, entry.sequence, entry.frame) for entry in listing.entries] == [
        ("anna", 1, 1, 1, None),
        ("anna", 1, 2, 3, None),
        ("зоя", 2, 1, 1, None),
    ]
    assert listing.numbers == {"identities": {"anna": 1, "зоя": 2}, "cameras": {"door": 1, "yard": 2}}


def test_without_a_pattern_there_are_no_cameras(tmp_path: Path) -> None:
    listing = list_folders(touch(tmp_path, "1/x.jpg"), FoldersConfig(root="x"))
    assert listing.entries == [Entry("1/x.jpg", POOL, "1", 1)]


def test_folders_named_as_splits(tmp_path: Path) -> None:
    touch(tmp_path, "tr/1/01_1.png", "val/q/2/01_1.png", "val/g/2/02_1.png", "unused/3/01_1.png")
    config = FoldersConfig(root="x", split_by="folders", train="tr", query="val/q", gallery="val/g/", camera_pattern=CAMERA)
    assert [(entry.image_id, entry.split, entry.identity) for entry in list_folders(tmp_path, config).entries] == [
        ("tr/1/01_1.png", "train", "1"),
        ("val/g/2/02_1.png", "gallery", "2"),
        ("val/q/2/01_1.png", "query", "2"),
    ]


def test_a_set_to_test_on_has_no_train_folder(tmp_path: Path) -> None:
    touch(tmp_path, "query/2/01_1.png", "gallery/2/02_1.png")
    config = FoldersConfig(root="x", split_by="folders", train=None, camera_pattern=CAMERA)
    assert [entry.split for entry in list_folders(tmp_path, config).entries] == ["gallery", "query"]


def test_several_pools_share_their_identities(tmp_path: Path) -> None:
    touch(tmp_path, "a/5/01_1.png", "b/5/01_2.png", "c/6/01_1.png")
    listing = list_folders(tmp_path, FoldersConfig(root="x", pool=("b", "a"), camera_pattern=CAMERA))
    assert [(entry.image_id, entry.pid) for entry in listing.entries] == [("a/5/01_1.png", 5), ("b/5/01_2.png", 5)]


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    touch(tmp_path, "1/01_1.png", "stray.png", "1/nocamera.png", "1/02_99999999999.png")
    listing = list_folders(tmp_path, FoldersConfig(root="x", camera_pattern=CAMERA))
    assert [entry.image_id for entry in listing.entries] == ["1/01_1.png"]
    assert listing.set_aside == [
        SetAside("1/02_99999999999.png", POOL, "bad file name: frame '99999999999' is not a number up to 2147483647"),
        SetAside("1/nocamera.png", POOL, "bad file name: camera_pattern does not match"),
        SetAside("stray.png", POOL, "not in a folder of an identity"),
    ]
    optional = FoldersConfig(root="x", camera_pattern=r"(?P<camera>\d\d)?_?(?P<frame>\w+)")
    assert list_folders(tmp_path, optional).set_aside[1].reason == "bad file name: frame 'nocamera' is not a number up to 2147483647"
    optional = FoldersConfig(root="x", camera_pattern=r"(?P<camera>\d\d)?_?")
    assert list_folders(tmp_path, optional).set_aside[0].reason == "bad file name: camera_pattern finds no camera"


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    touch(tmp_path, "1/a.jpg", "1/b\udcff.jpg")
    assert list_folders(tmp_path, FoldersConfig(root="x")).set_aside == [SetAside("1/b\\udcff.jpg", POOL, "bad file name: not UTF-8")]


def test_missing_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such folder$"):
        list_folders(tmp_path / "nowhere", FoldersConfig(root="x"))
    with pytest.raises(InputError, match=r"query: no such folder$"):
        list_folders(touch(tmp_path, "train/1/a.jpg", "gallery/1/a.jpg"), FoldersConfig(root="x", split_by="folders"))


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "1/a.jpg", "2/a.jpg", ".trash/a.jpg")
    look, closed = os.scandir, [tmp_path / ".trash"]

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if Path(path) in closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [entry.image_id for entry in list_folders(tmp_path, FoldersConfig(root="x")).entries] == ["1/a.jpg", "2/a.jpg"]
    closed.append(tmp_path / "2")
    with pytest.raises(InputError, match=r"^.*/2: cannot be listed \(Permission denied\)$"):
        list_folders(tmp_path, FoldersConfig(root="x"))


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["007", "12"], {"007": 7, "12": 12}),
        (["b", "a", "b"], {"a": 1, "b": 2}),
        (["0", "5"], {"0": 1, "5": 2}),
        (["1", "01"], {"01": 1, "1": 2}),
        (["9", "101"], {"101": 1, "9": 2}),
        (["3", "x"], {"3": 1, "x": 2}),
        ([], {}),
    ],
)
def test_numbers(names: list[str], numbers: dict[str, int]) -> None:
    assert number_names(names, 100) == numbers


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"pool": ("a", "a/b")}, "folders a and a/b overlap"),
        ({"pool": (".", "b")}, r"folders \. and b overlap"),
        ({"split_by": "folders", "query": "train/q"}, "folders train and train/q overlap"),
        ({"pool": ("../a",)}, "is not a folder below the root"),
        ({"train": "/a"}, "is not a folder below the root"),
        ({"camera_pattern": "("}, "not a regular expression"),
        ({"camera_pattern": r"\d+"}, "needs named groups"),
        ({"camera_pattern": r"(?P<cam>\d+)"}, "needs named groups"),
        ({"queries_per_camera": 0}, "greater than or equal to 1"),
        ({"pattern": "x"}, "no such key"),
    ],
)
def test_wrong_settings_are_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        FoldersConfig.model_validate({"root": "x"} | values)


def test_settings_not_in_use_may_overlap() -> None:
    assert FoldersConfig(root="x", pool=("train",)).folders() == ("train",)


# attributes.csv


def csv(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "attributes.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_words_codes_and_unknowns(tmp_path: Path) -> None:
    path = csv(tmp_path, "down_color,identity,gender,age,up_color,hat\r\nGrey, 001 ,2,4,,1\r\n brown,анна,Male,teenager,green,\r\n", "utf-8-sig")
    none = (None,) * 4
    assert read_folder_attributes(path) == {
        "001": (1, None, None, None, None, 0, *none[:3], 3, None, 5),
        "анна": (0, None, None, None, None, None, *none[:3], 1, 7, 8),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no column 'identity' in the first row, which is empty"),
        ("id,gender\n1,1\n", "no column 'identity' in the first row, whose columns between commas are 'id', 'gender'"),
        ("identity;gender\n1;1\n", "no column 'identity' in the first row, whose columns between commas are 'identity;gender'"),
        ("identity,sex\n1,1\n", "unknown column 'sex'; the attributes are gender, hair, .*"),
        ("identity,hat,hat\n1,1,1\n", "a column appears twice"),
        ("identity,hat\n1,1\n2,3\n", r"row 3 \(identity 2\): hat '3' is not 1\.\.2 or one of no, yes"),
        ("identity,hat\n1,0\n", r"row 2 \(identity 1\): hat '0' is not 1\.\.2 or one of no, yes"),
        ("identity,up_color\n1,3\n", r"row 2 \(identity 1\): up_color '3' is not one of black, white, red, .*"),
        ("identity,up_color\n1,pink\n", r"row 2 \(identity 1\): up_color 'pink' is not one of black, .*"),
        ("identity,hat\n1,1\n1,1\n", "row 3: identity 1 a second time"),
        ("identity,hat\n,1\n", "row 2: no identity"),
        ("identity,hat\n1,1,1\n", "row 2: more values than columns"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=rf"^.*attributes\.csv: {reason}$"):
        read_folder_attributes(csv(tmp_path, text))


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"attributes\.csv: no such attribute file$"):
        read_folder_attributes(tmp_path / "attributes.csv")
    with pytest.raises(InputError, match=r"attributes\.csv: cannot be read as a UTF-8 CSV file"):
        read_folder_attributes(csv(tmp_path, "identity,hat\nü,1\n", "latin-1"))


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv(tmp_path, "identity,hat\n1,1\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"^.*attributes\.csv: cannot be read as a UTF-8 CSV file \(.*Permission denied.*\)$"):
        read_folder_attributes(path)


def test_accents_may_be_written_in_two_ways(tmp_path: Path) -> None:
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    listing = list_folders(touch(tmp_path, f"{decomposed}/a.jpg", f"{composed}/b.jpg"), FoldersConfig(root="x"))
    assert [(entry.image_id, entry.identity, entry.pid) for entry in listing.entries] == [
        (f"{decomposed}/a.jpg", composed, 1),
        (f"{composed}/b.jpg", composed, 1),
    ]
    assert list(read_folder_attributes(csv(tmp_path, f"identity,hat\n{decomposed},1\n"))) == [composed]


def test_a_short_row_is_unknown(tmp_path: Path) -> None:
    assert read_folder_attributes(csv(tmp_path, "identity,gender,hat\n1,2\n"))["1"][:6] == (1, None, None, None, None, None)


def test_the_attributes_of_col780(shared: Path) -> None:
    attributes = read_folder_attributes(shared / "data" / "col780" / "attributes.csv")
    assert len(attributes) == 74
    assert attributes["001"] == (1, 1, 0, 1, 0, 0, 0, 0, 0, None, 5, 0)
    assert {codes[9] for codes in attributes.values()} == {None}
    assert attributes["102"][10:] == (None, None)


# the random split


def pool(ids: int, cameras: int, images: int) -> list[Entry]:
    return [Entry(f"{i:03d}/{c}_{k}.png", POOL, f"{i:03d}", i, c) for i in range(1, ids + 1) for c in range(1, cameras + 1) for k in range(images)]


@given(
    ids=st.integers(2, 12),
    cameras=st.integers(1, 3),
    images=st.integers(1, 5),
    split=st.integers(0, 3),
    queries=st.integers(1, 6),
    data=st.data(),
)
def test_split_properties(ids: int, cameras: int, images: int, split: int, queries: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, ids - 1))
    entries = pool(ids, cameras, images)
    done = split_identities(entries, n, split, queries)
    assert [entry.image_id for entry in done] == [entry.image_id for entry in entries]
    splits = {identity: {entry.split for entry in done if entry.identity == identity} for identity in {entry.identity for entry in done}}
    assert sum(found == {"train"} for found in splits.values()) == n
    assert all(found == {"train"} or "train" not in found for found in splits.values())
    per_camera = Counter((entry.identity, entry.camid) for entry in done if entry.split == "query")
    expected = min(queries, images - 1)
    if images > 1:
        assert len(per_camera) == (ids - n) * cameras
        assert set(per_camera.values()) == {expected}
    elif cameras > 1:
        assert per_camera == {(identity, 1): 1 for identity, found in splits.items() if found != {"train"}}
    else:
        assert not per_camera


def test_half_of_the_identities_train_by_default() -> None:
    done = split_identities(pool(7, 2, 2), None, 1, 1)
    assert len({entry.identity for entry in done if entry.split == "train"}) == 3


def test_splits_differ_and_depend_on_names_only() -> None:
    entries = pool(30, 2, 4)

    def train(split: int, order: list[Entry]) -> set[str]:
        return {entry.identity for entry in split_identities(order, 15, split, 1) if entry.split == "train"}

    assert train(1, entries) == train(1, entries[::-1])
    assert train(1, entries) != train(2, entries)

    def queries(split: int) -> set[str]:
        return {entry.image_id[3:] for entry in split_identities(entries, 2, split, 1) if entry.split == "query"}

    assert queries(1) == {f"/{c}_{k}.png" for c in (1, 2) for k in range(4)}  # drawn, not the first of each camera


@pytest.mark.parametrize(("train_ids", "expected"), [(0, {"query", "gallery"}), (5, {"train"}), ("all", {"train"})])
def test_nobody_or_everybody_trains(train_ids: int | Literal["all"], expected: set[str]) -> None:
    assert {entry.split for entry in split_identities(pool(5, 1, 2), train_ids, 1, 1)} == expected


def test_more_than_everybody() -> None:
    with pytest.raises(ValueError, match=r"^6 train identities of 5 in all$"):
        split_identities(pool(5, 1, 2), 6, 1, 1)
