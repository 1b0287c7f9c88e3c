"""Folder data sets: names, numbers, what is no image."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from qafm.config.parse import FoldersConfig
from qafm.datasets.entry import POOL, Entry, SetAside
from qafm.datasets.folders import list_folders, number_names
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


def test_accents_may_be_written_in_two_ways(tmp_path: Path) -> None:
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    listing = list_folders(touch(tmp_path, f"{decomposed}/a.jpg", f"{composed}/b.jpg"), FoldersConfig(root="x"))
    assert [(entry.image_id, entry.identity, entry.pid) for entry in listing.entries] == [
        (f"{decomposed}/a.jpg", composed, 1),
        (f"{composed}/b.jpg", composed, 1),
    ]
