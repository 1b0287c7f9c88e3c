"""Folders of people, made here, and the real one, parsed to images.parquet and dataset.json."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from qafm.config.parse import AttributesConfig, FoldersConfig, ParseConfig
from qafm.errors import InputError
from qafm.tables.attributes import ATTRIBUTES

Parse = Callable[[ParseConfig, Path], tuple[dict[str, dict[str, Any]], dict[str, Any]]]
Picture = Callable[..., None]


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Picture) -> Path:
    """Six people, two cameras, two images each."""
    monkeypatch.chdir(tmp_path)
    for pid in range(1, 7):
        for camera in (1, 2):
            for k in (1, 2):
                picture(Path(f"mine/{pid:02d}/0{camera}_{k}.png"), 100 * pid + 10 * camera + k)
    return Path("mine")


def folders(**values: Any) -> ParseConfig:
    section = {"root": "mine", "camera_pattern": r"^(?P<camera>\d+)_(?P<frame>\d+)"} | values
    return ParseConfig(kind="folders", holdout_ids=1, folders=FoldersConfig.model_validate(section))


def test_a_folder_of_people(people: Path, parse: Parse) -> None:
    rows, report = parse(folders(train_ids=4), people)
    counts = {split: (count["images"], count["ids"], count["per_camera"]) for split, count in report["splits"].items()}
    assert counts == {"train": (16, 4, {"1": 8, "2": 8}), "query": (4, 2, {"1": 2, "2": 2}), "gallery": (4, 2, {"1": 2, "2": 2})}
    assert report["queries"]["same_camera_drop"] == {"valid": 4, "without_match": []}
    assert rows["01/01_1.png"]["path"] == "mine/01/01_1.png"
    assert sum(row["fold"] == "holdout" for row in rows.values()) == 4
    _, more = parse(folders(train_ids=3), people)
    assert more["splits"]["train"]["ids"] == 3
    draws = [parse(folders(train_ids=4, split=split), people)[0] for split in range(5)]
    assert len({tuple(sorted({row["pid"] for row in draw.values() if row["split"] == "train"})) for draw in draws}) > 1
    with pytest.raises(InputError, match=r"^mine: no image in split query$"):
        parse(folders(train_ids=6), people)
    with pytest.raises(InputError, match=r"^mine: no image in split train$"):
        parse(folders(train_ids=0), people)
    with pytest.raises(InputError, match=r"^mine: 7 train identities of 6 in all$"):
        parse(folders(train_ids=7), people)


def test_copies_are_dropped_and_conflicts_named(people: Path, parse: Parse) -> None:
    shutil.copy(people / "01/01_1.png", people / "01/02_9.png")
    shutil.copy(people / "02/01_1.png", people / "03/01_9.png")
    rows, report = parse(folders(), people)
    assert report["dropped_copies"] == {"01/02_9.png": "01/01_1.png"}
    assert report["copies"]["under_different_identities"] == [["02/01_1.png", "03/01_9.png"]]
    assert len(rows) == 25


def test_copies_in_query_and_gallery_stay(people: Path, parse: Parse) -> None:
    for pid, split in ((1, "train"), (2, "train"), (3, "query"), (4, "query")):
        (people / split).mkdir(exist_ok=True)
        (people / f"{pid:02d}").rename(people / split / f"{pid:02d}")
    shutil.copytree(people / "query", people / "gallery")
    rows, report = parse(folders(split_by="folders"), people)
    assert len(rows) == 24
    assert report["dropped_copies"] == {}
    assert report["copies"]["queries_with_a_copy_in_the_gallery"] == 8
    assert report["queries"]["same_camera_keep"]["valid"] == 8
    shutil.copytree(people / "query" / "03", people / "train" / "03")
    _, report = parse(folders(split_by="folders"), people)
    assert report["anomalies"] == {"ids_in_train_and_test": ["03"]}


def test_queries_that_nothing_can_answer_stop(people: Path, parse: Parse) -> None:
    for pid, split in ((1, "train"), (2, "train"), (3, "query"), (4, "query"), (5, "gallery"), (6, "gallery")):
        (people / split).mkdir(exist_ok=True)
        (people / f"{pid:02d}").rename(people / split / f"{pid:02d}")
    with pytest.raises(InputError, match=r"^mine: none of the 8 queries has a right image in the gallery$"):
        parse(folders(split_by="folders"), people)
    shutil.copytree(people / "query" / "03", people / "gallery" / "03")
    _, report = parse(folders(split_by="folders"), people)
    assert report["queries"]["same_camera_keep"]["valid"] == 4


def test_attributes_and_no_cameras(people: Path, parse: Parse) -> None:
    lines = ["identity,gender,up_color", *(f"{pid:02d},{pid % 2 + 1},blue" for pid in range(1, 7))]
    Path("attributes.csv").write_text("\n".join(lines))
    rows, report = parse(folders(attributes="attributes.csv", camera_pattern=None, queries_per_camera=2), people)
    assert {(row["gender"], row["hat"], row["up_color"]) for row in rows.values() if row["pid"] == 3} == {(1, None, 6)}
    assert {row["camid"] for row in rows.values()} == {None}
    assert report["splits"]["query"]["per_camera"] == {"unknown": 6}
    assert report["queries"]["same_camera_drop"]["valid"] == 6
    Path("attributes.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(InputError, match=r"^attributes\.csv: no attributes for identity 06 \("):
        parse(folders(attributes="attributes.csv"), people)
    Path("attributes.csv").write_text("\n".join(line.removeprefix("0") for line in lines))  # as a spreadsheet writes them
    with pytest.raises(InputError, match=r"^attributes\.csv: no attributes for identity 01 and 5 others, but for 1: zeros in front count \("):
        parse(folders(attributes="attributes.csv"), people)
    Path("attributes.csv").write_text("\n".join(lines[:-1]))
    masked = folders(attributes="attributes.csv").model_copy(update={"attributes": AttributesConfig(missing="mask")})
    assert parse(masked, people)[1]["attributes"]["ids_without"] == ["06"]


def test_odd_pictures(people: Path, parse: Parse, picture: Picture) -> None:
    picture(people / "01/01_3 é.JPG", 1, 33, 17)
    picture(people / "01/01_4.webp", 2)
    (people / "01/02_5.jpeg").write_bytes(cv2.imencode(".jpg", np.full((9, 8), 7, np.uint8))[1].tobytes())
    rows, report = parse(folders(), people)
    assert (len(rows), report["set_aside"]["total"]) == (27, 0)
    assert (rows["01/01_3 é.JPG"]["height"], rows["01/01_3 é.JPG"]["width"]) == (33, 17)


def test_a_name_that_is_not_utf8(people: Path, parse: Parse) -> None:
    (people / "01/01_3\udcff.png").touch()
    rows, report = parse(folders(), people)
    assert len(rows) == 24
    assert report["set_aside"]["files"] == [{"file": "01/01_3\\udcff.png", "split": "pool", "reason": "bad file name: not UTF-8"}]


def test_col780_honest_split(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parse: Parse) -> None:
    monkeypatch.chdir(tmp_path)
    Path("col780").symlink_to(shared / "data" / "col780")
    pattern = r"^(?P<camera>\d+)_(?P<frame>\d+)"
    section = FoldersConfig(root="col780", attributes="col780/attributes.csv", camera_pattern=pattern, pool=("train", "val/query", "val/gallery"), train_ids=50)
    rows, report = parse(ParseConfig(kind="folders", holdout_ids=5, folders=section), Path("col780"))
    dropped = report["dropped_copies"]
    assert len(rows) + len(dropped) == 1201
    assert len(dropped) == 18  # 17 queries that are in the gallery too, and one image twice in train
    assert {name for name in dropped if name.startswith("train/")} == {"train/085/01_5.png"}
    assert [report["splits"][split]["ids"] for split in ("train", "query", "gallery")] == [50, 24, 24]
    assert report["splits"]["query"]["per_camera"] == {"1": 24, "2": 24}
    assert len(report["holdout"]["ids"]) == 5
    assert report["queries"]["same_camera_drop"] == {"valid": 48, "without_match": []}
    assert {(row["height"], row["width"]) for row in rows.values()} == {(128, 48)}
    assert {row["age"] for row in rows.values()} == {None}
    assert rows["train/001/01_1.png"]["up_color"] == ATTRIBUTES[10].classes.index("gray")


def test_col780_split_of_its_authors(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parse: Parse) -> None:
    monkeypatch.chdir(tmp_path)
    Path("col780").symlink_to(shared / "data" / "col780")
    section = FoldersConfig(root="col780", split_by="folders", query="val/query", gallery="val/gallery", camera_pattern=r"^(?P<camera>\d+)_")
    rows, report = parse(ParseConfig(kind="folders", folders=section), Path("col780"))
    counts = {split: (count["images"], count["ids"]) for split, count in report["splits"].items()}
    assert counts == {"train": (991, 62), "query": (28, 12), "gallery": (181, 12)}
    assert report["copies"]["queries_with_a_copy_in_the_gallery"] == 17
    assert report["anomalies"] == {}
    val = sorted({row["pid"] for row in rows.values() if row["split"] == "gallery"})
    assert val == [4, 12, 17, 18, 23, 32, 33, 46, 52, 55, 73, 88]
