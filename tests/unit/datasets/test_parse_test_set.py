"""Trained on one set, tested on another: whose images, names, numbers and attributes the table holds."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qafm.config.parse import AttributesConfig, FoldersConfig, Market1501Config, ParseConfig, TestSetConfig
from qafm.errors import InputError

Parse = Callable[[ParseConfig, Path], tuple[dict[str, dict[str, Any]], dict[str, Any]]]
Picture = Callable[..., None]
PATTERN = r"(?P<camera>\d)_(?P<frame>\d+)[^/]*$"


@pytest.fixture
def two_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Picture) -> Path:
    """Identities 1 to 4 to train on; 3 to 6, other people of the same numbers, to test on."""
    monkeypatch.chdir(tmp_path)
    for folder, pids in (("here", (1, 2, 3, 4)), ("there", (3, 4, 5, 6))):
        for pid in pids:
            for camera in (1, 2):
                for k in (1, 2):
                    picture(Path(f"{folder}/{pid}/{camera}_{k}.png"), 1000 * (folder == "there") + 100 * pid + 10 * camera + k)
    return Path("here")


def here_and_there(test: dict[str, Any] | None = None, missing: Any = "error", **values: Any) -> ParseConfig:
    section = FoldersConfig.model_validate({"root": "here", "camera_pattern": PATTERN, "train_ids": "all"} | values)
    other = FoldersConfig.model_validate({"root": "there", "camera_pattern": PATTERN, "train_ids": 0} | (test or {}))
    attributes = AttributesConfig(missing=missing)
    return ParseConfig(kind="folders", holdout_ids=1, attributes=attributes, folders=section, test=TestSetConfig(kind="folders", folders=other))


def test_train_here_and_search_there(two_sets: Path, parse: Parse) -> None:
    rows, report = parse(here_and_there(), two_sets)
    assert {split: (count["images"], count["ids"]) for split, count in report["splits"].items()} == {"train": (16, 4), "query": (8, 4), "gallery": (8, 4)}
    assert report["test"] == {"kind": "folders", "root": "there", "added_to_pid": 10}
    assert {row["pid"] for row in rows.values() if row["split"] == "train"} == {1, 2, 3, 4}
    assert {row["pid"] for row in rows.values() if row["split"] != "train"} == {13, 14, 15, 16}
    assert {name: row["path"] for name, row in rows.items() if name.endswith("3/1_1.png")} == {
        "3/1_1.png": "here/3/1_1.png",
        "test/3/1_1.png": "there/3/1_1.png",
    }
    assert report["queries"]["same_camera_drop"] == {"valid": 8, "without_match": []}
    assert report["anomalies"] == {}
    assert len(report["holdout"]["ids"]) == 1
    assert report["holdout"]["ids"][0] <= 4


def test_the_test_identities_are_those_of_the_sets_own_run(two_sets: Path, parse: Parse) -> None:
    rows, _ = parse(here_and_there({"train_ids": 2, "split": 3}), two_sets)
    alone = FoldersConfig(root="there", camera_pattern=PATTERN, train_ids=2, split=3)
    own, _ = parse(ParseConfig(kind="folders", holdout_ids=1, folders=alone), Path("there"))
    searched = {f"test/{name}": row["split"] for name, row in own.items() if row["split"] != "train"}
    assert {name: row["split"] for name, row in rows.items() if row["split"] != "train"} == searched
    assert len(searched) == 8


def test_different_numbers_are_kept(two_sets: Path, parse: Parse) -> None:
    for pid in (3, 4):
        shutil.rmtree(f"there/{pid}")
    rows, report = parse(here_and_there(), two_sets)
    assert report["test"]["added_to_pid"] == 0
    assert {row["pid"] for row in rows.values() if row["split"] == "query"} == {5, 6}


def test_market_layout_with_junk_and_distractors(two_sets: Path, parse: Parse, picture: Picture) -> None:
    names = ["train/0001_c1s1_000001_01", "query/0003_c1s1_000001_00", "test/0003_c2s1_000001_01", "test/0000_c2s1_000001_01", "test/-1_c2s1_000001_01"]
    folders = {"train": "bounding_box_train", "query": "query", "test": "bounding_box_test"}
    for seed, name in enumerate(names):
        split, _, file = name.partition("/")
        picture(Path(f"market/{folders[split]}/{file}.jpg"), 5000 + seed)
    config = here_and_there().model_copy(update={"test": TestSetConfig(kind="market1501", market1501=Market1501Config(root="market"))})
    rows, report = parse(config, two_sets)
    found = {name: (row["split"], row["pid"], row["junk"], row["distractor"]) for name, row in rows.items() if name.startswith("test/")}
    assert found == {
        "test/query/0003_c1s1_000001_00.jpg": ("query", 13, False, False),
        "test/bounding_box_test/0003_c2s1_000001_01.jpg": ("gallery", 13, False, False),
        "test/bounding_box_test/0000_c2s1_000001_01.jpg": ("gallery", 0, False, True),
        "test/bounding_box_test/-1_c2s1_000001_01.jpg": ("gallery", -1, True, False),
    }
    assert report["test"]["kind"] == "market1501"
    assert all(name.startswith("test/") or ": " in name for name in report["anomalies"]["not_the_official_count"])


def test_attributes_belong_to_their_own_set(two_sets: Path, parse: Parse) -> None:
    Path("here.csv").write_text("identity,gender\n1,1\n2,1\n3,1\n4,1\n")
    Path("there.csv").write_text("identity,gender\n3,2\n4,2\n5,2\n6,2\n7,2\n")
    rows, report = parse(here_and_there({"attributes": "there.csv"}, attributes="here.csv"), two_sets)
    assert {(row["pid"], row["gender"]) for row in rows.values()} == {(1, 0), (2, 0), (3, 0), (4, 0), (13, 1), (14, 1), (15, 1), (16, 1)}
    assert report["attributes"]["ids_without"] == []
    rows, _ = parse(here_and_there(attributes="here.csv"), two_sets)
    assert {row["gender"] for row in rows.values() if row["split"] == "gallery"} == {None}


def test_identities_without_attributes(two_sets: Path, parse: Parse) -> None:
    Path("here.csv").write_text("identity,gender\n1,1\n2,1\n3,1\n4,1\n")
    Path("there.csv").write_text("identity,gender\n3,2\n4,2\n6,2\n")
    with pytest.raises(InputError, match=r"^there.csv: no attributes for identity 5 "):
        parse(here_and_there({"attributes": "there.csv"}, attributes="here.csv"), two_sets)
    _, report = parse(here_and_there({"attributes": "there.csv"}, "mask", attributes="here.csv"), two_sets)
    assert report["attributes"]["ids_without"] == ["test/5"]


def test_names_in_the_report_say_which_set(two_sets: Path, parse: Parse) -> None:
    Path("there/notes.txt").touch()
    shutil.copy("there/5/1_1.png", "there/5/1_9.png")
    for pid in range(10, 20):
        shutil.copytree("there/6", f"there/{pid}")
    Path("there/6/1_1.png").write_bytes(b"not a picture")
    _, report = parse(here_and_there(), two_sets)
    assert report["other_files"] == ["test/notes.txt"]
    assert report["dropped_copies"] == {"test/5/1_9.png": "test/5/1_1.png"}
    assert [item["file"] for item in report["set_aside"]["files"]] == ["test/6/1_1.png"]


@pytest.mark.parametrize(
    ("test", "own", "reason"),
    [
        ({"root": "nowhere"}, {}, "nowhere: no such folder"),
        ({"train_ids": "all"}, {}, "there: no image in split query"),
        ({}, {"train_ids": 0}, "here: no image in split train"),
        ({"train_ids": 9}, {}, "there: 9 train identities of 4 in all"),
    ],
)
def test_what_is_missing_is_named(two_sets: Path, parse: Parse, test: dict[str, Any], own: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=f"^{reason}$"):
        parse(here_and_there(test, **own), two_sets)
