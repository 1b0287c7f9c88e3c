"""A little Market-1501, made here, parsed to images.parquet and dataset.json."""

import hashlib
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from qafm.config.parse import Market1501Config, ParseConfig
from qafm.errors import InputError
from qafm.tables.attributes import ATTRIBUTE_NAMES, ATTRIBUTES

Parse = Callable[[ParseConfig, Path], tuple[dict[str, dict[str, Any]], dict[str, Any]]]
Picture = Callable[..., None]

MARKET = [
    "bounding_box_train/0002_c1s1_000001_01.jpg",
    "bounding_box_train/0002_c2s1_000002_01.jpg",
    "bounding_box_train/0007_c1s1_000003_01.jpg",
    "bounding_box_train/0010_c3s2_000004_01.jpg",
    "query/0001_c1s1_000001_00.jpg",
    "query/0003_c2s1_000001_00.jpg",
    "bounding_box_test/0001_c2s1_000005_01.jpg",
    "bounding_box_test/0003_c2s1_000006_01.jpg",
    "bounding_box_test/0000_c3s1_000007_01.jpg",
    "bounding_box_test/-1_c1s1_000008_01.jpg",
]
COLORS = ["up" + color for color in ATTRIBUTES[10].classes] + ["down" + color for color in ATTRIBUTES[11].classes]


def attributes(identities: list[str]) -> dict[str, Any]:
    index = np.array([np.array([name]) for name in identities] + [None], object)[:-1]
    values = {name: np.ones((1, len(identities)), np.uint8) for name in [*ATTRIBUTE_NAMES[:10], *COLORS]}
    values["upred"][0, 0] = 2
    return values | {"image_index": index[None]}


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Picture) -> Path:
    """A little Market-1501 at data/market; the working folder is its parent's parent, as in the project."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(MARKET):
        picture(Path("data/market") / name, seed, height=12 + seed)
    savemat("data/market/market_attribute.mat", {"market_attribute": {"test": attributes(["0001", "0003"]), "train": attributes(["0002", "0007", "0010"])}})
    return Path("data/market")


def synthetic(**values: Any) -> ParseConfig:
    return ParseConfig.model_validate({"kind": "synthetic"} | values)


def real(**values: Any) -> ParseConfig:
    return ParseConfig(kind="market1501", market1501=Market1501Config(root="data", **values))


def test_rows_of_market(market: Path, parse: Parse) -> None:
    rows, _ = parse(synthetic(), market)
    assert sorted(rows) == sorted(MARKET)
    name = MARKET[3]
    assert rows[name] == {
        "image_id": name,
        "path": f"data/market/{name}",
        "split": "train",
        "fold": "fit",
        "pid": 10,
        "camid": 3,
        "sequence": 2,
        "frame": 4,
        "junk": False,
        "distractor": False,
        "sha256": hashlib.sha256((market / name).read_bytes()).hexdigest(),
        "height": 15,
        "width": 8,
    } | {attribute: 0 for attribute in ATTRIBUTE_NAMES[:10]} | {"up_color": None, "down_color": None}
    assert rows[MARKET[0]]["up_color"] == ATTRIBUTES[10].classes.index("red")
    odd = {name: (row["pid"], row["junk"], row["distractor"], row["hat"]) for name, row in rows.items() if row["junk"] or row["distractor"]}
    assert odd == {MARKET[8]: (0, False, True, None), MARKET[9]: (-1, True, False, None)}
    assert {row["split"]: row["fold"] for row in rows.values()} == {"train": "fit", "query": None, "gallery": None}


def test_report_of_market(market: Path, parse: Parse, picture: Picture) -> None:
    for name in ("query/Thumbs.db", "bounding_box_test/0003_c5s1_000001_01.jpg.jpg"):
        picture(market / name, 99) if name.endswith("jpg") else (market / name).touch()
    _, report = parse(synthetic(), market)
    assert report["root"] == "data/market"
    assert report["other_files"] == ["query/Thumbs.db"]
    assert report["anomalies"] == {"double_suffix": ["bounding_box_test/0003_c5s1_000001_01.jpg.jpg"]}
    gallery = report["splits"]["gallery"]
    assert (gallery["images"], gallery["ids"], gallery["junk"], gallery["distractors"], gallery["per_camera"]) == (5, 2, 1, 1, {"2": 2, "5": 1})
    assert report["splits"]["train"]["images_per_id"] == {"min": 1, "mean": 1.333, "max": 2}
    counts = report["attributes"]["splits"]["train"]["classes"]["up_color"]
    assert counts["red"] == {"ids": 1, "images": 2}
    assert counts["unknown"] == {"ids": 2, "images": 2}
    assert report["attributes"]["splits"]["train"]["vectors"] == {"distinct": 2, "ids_sharing": 2, "largest_group": 2}
    assert report["set_aside"] == {"total": 0, "counts": {}, "files": []}


def test_queries_without_a_match_are_named_and_stay(market: Path, parse: Parse) -> None:
    rows, report = parse(synthetic(), market)
    assert report["queries"] == {
        "total": 2,
        "same_camera_drop": {"valid": 1, "without_match": ["query/0003_c2s1_000001_00.jpg"]},
        "same_camera_keep": {"valid": 2, "without_match": []},
    }
    assert "query/0003_c2s1_000001_00.jpg" in rows
    shutil.copy(market / MARKET[4], market / MARKET[6])  # the only match is now the query image itself
    _, report = parse(synthetic(), market)
    assert report["queries"]["same_camera_keep"]["without_match"] == [MARKET[4]]
    assert report["copies"] == {
        "under_different_identities": [],
        "under_one_identity": [["bounding_box_test/0001_c2s1_000005_01.jpg", "query/0001_c1s1_000001_00.jpg"]],
        "queries_with_a_copy_in_the_gallery": 1,
    }


def test_market_keeps_copies_and_names_conflicts(market: Path, parse: Parse) -> None:
    shutil.copy(market / MARKET[0], market / MARKET[1])
    shutil.copy(market / MARKET[0], market / MARKET[2])
    rows, report = parse(synthetic(), market)
    assert len(rows) == len(MARKET)
    assert report["copies"]["under_different_identities"] == [MARKET[:3]]
    assert report["dropped_copies"] == {}


def test_holdout(market: Path, parse: Parse) -> None:
    rows, report = parse(synthetic(holdout_ids=2), market)
    held = {row["pid"] for row in rows.values() if row["fold"] == "holdout"}
    assert report["holdout"]["ids"] == sorted(held)
    assert len(held) == 2
    assert report["holdout"]["images"] == sum(row["pid"] in held for row in rows.values() if row["split"] == "train")
    assert {row["pid"] for row in rows.values() if row["fold"] == "fit"} == {2, 7, 10} - held
    draws = set()
    for seed in range(8):
        _, report = parse(synthetic(holdout_ids=1, holdout_seed=seed), market)
        draws.add(tuple(report["holdout"]["ids"]))
    assert len(draws) > 1
    with pytest.raises(InputError, match=r"data/market: holdout_ids is 3, but there are only 3 train identities$"):
        parse(synthetic(holdout_ids=3), market)


def test_market1501_from_a_parent_without_attributes(market: Path, caplog: pytest.LogCaptureFixture, parse: Parse) -> None:
    with caplog.at_level(logging.INFO, "qafm"):
        rows, report = parse(real(), market.parent)
    assert rows[MARKET[0]]["path"] == f"data/market/{MARKET[0]}"
    assert {row[name] for row in rows.values() for name in ATTRIBUTE_NAMES} == {None}
    assert report["attributes"] is None
    assert report["anomalies"]["not_the_official_count"][0] == "train: 4 images, Market-1501 has 12936"
    assert [record.message for record in caplog.records] == [
        "data/market: train 4 images of 3 ids; query 2 images of 2 ids; gallery 4 images of 2 ids, 1 distractors, 1 junk; 0 train ids held out; "
        "0 files set aside, 0 not images, 0 copies dropped, 3 anomalies; 1 of 2 queries without a match in another camera"
    ]


def test_attributes_of_one_class_are_told(market: Path, caplog: pytest.LogCaptureFixture, parse: Parse) -> None:
    with caplog.at_level(logging.INFO, "qafm"):
        rows, _ = parse(synthetic(), market)
    labels = {name: {row[name] for row in rows.values() if row["split"] == "train"} - {None} for name in ATTRIBUTE_NAMES}
    alone = [name for name in ATTRIBUTE_NAMES if len(labels[name]) == 1]
    assert 0 < len(alone) < 12
    assert caplog.records[-1].message.endswith(f"in another camera; of one class in train, so not learned: {', '.join(alone)}")


def test_attribute_file_elsewhere(market: Path, parse: Parse) -> None:
    (market / "market_attribute.mat").rename("elsewhere.mat")
    rows, report = parse(real(attributes="elsewhere.mat"), market.parent)
    assert rows[MARKET[0]]["up_color"] == 2
    assert report["attributes"]["file"] == "elsewhere.mat"
    with pytest.raises(InputError, match=r"data/market/market_attribute\.mat: no such attribute file$"):
        parse(synthetic(), market)
    with pytest.raises(InputError, match=r"^none\.mat: no such attribute file$"):
        parse(real(attributes="none.mat"), market.parent)


def test_identity_without_attributes(market: Path, caplog: pytest.LogCaptureFixture, parse: Parse, picture: Picture) -> None:
    for pid in (4, 5):
        picture(market / f"bounding_box_test/{pid:04d}_c1s1_000001_01.jpg", pid + 50)
    with pytest.raises(
        InputError, match=r"^market_attribute\.mat: no attributes for identity 0004 and 1 others \(attributes\.missing: mask goes on with unknown ones\)$"
    ):
        parse(synthetic(), market)
    with caplog.at_level(logging.INFO, "qafm"):
        rows, report = parse(synthetic(attributes={"missing": "mask"}), market)
    assert report["attributes"]["ids_without"] == ["0004", "0005"]
    assert "in another camera; 2 ids without attributes; " in caplog.records[-1].message
    assert {rows["bounding_box_test/0004_c1s1_000001_01.jpg"][name] for name in ATTRIBUTE_NAMES} == {None}
    (market / MARKET[3]).unlink()
    _, report = parse(synthetic(attributes={"missing": "mask"}), market)
    assert report["attributes"]["ids_without_images"] == 1


def test_pictures_that_show_nobody_by_their_size_are_set_aside_before_they_are_decoded(market: Path, parse: Parse) -> None:
    for name, size in (("0010_c1s1_000009_01.jpg", (7, 40)), ("0010_c1s1_000010_01.jpg", (4000, 4001))):
        Image.new("L", size).save(market / "bounding_box_train" / name)
    rows, report = parse(synthetic(max_set_aside=0.4), market)
    assert sorted(rows) == sorted(MARKET)
    assert report["set_aside"]["counts"]["train"] == {
        "is 7 x 40 pixels, at least 8 x 8 are needed": 1,
        "is 4000 x 4001 pixels, more than 16 million: cut out the person": 1,
    }


def test_bad_files_are_set_aside_up_to_a_limit(market: Path, parse: Parse) -> None:
    (market / "bounding_box_train/0010_c1s1_000009_01.jpg").write_bytes(b"no picture")
    (market / "bounding_box_train/0011_c1s1.jpg").touch()
    (market / "bounding_box_test/0001_c4s1_000009_01.jpg").touch()
    rows, report = parse(synthetic(max_set_aside=0.4), market)
    assert sorted(rows) == sorted(MARKET)
    assert report["set_aside"] == {
        "total": 3,
        "counts": {
            "gallery": {"the file is empty": 1},
            "train": {"bad file name: not PPPP_cCsS_FFFFFF_BB.jpg": 1, "cannot be decoded as an image": 1},
        },
        "files": [
            {"file": "bounding_box_test/0001_c4s1_000009_01.jpg", "split": "gallery", "reason": "the file is empty"},
            {"file": "bounding_box_train/0010_c1s1_000009_01.jpg", "split": "train", "reason": "cannot be decoded as an image"},
            {"file": "bounding_box_train/0011_c1s1.jpg", "split": "train", "reason": "bad file name: not PPPP_cCsS_FFFFFF_BB.jpg"},
        ],
    }
    parse(synthetic(max_set_aside=2 / 6), market)
    reason = r"bounding_box_train/0011_c1s1\.jpg: bad file name: not PPPP_cCsS_FFFFFF_BB\.jpg"
    with pytest.raises(InputError, match=rf"^data/market: 2 of 6 images of train cannot be used, more than max_set_aside 0\.33; the first is {reason}$"):
        parse(synthetic(max_set_aside=0.33), market)


def test_nothing_is_written_when_it_stops(market: Path, parse: Parse) -> None:
    for name in MARKET[4:6]:
        (market / name).unlink()
    with pytest.raises(InputError, match=r"^data/market: no image in split query$"):
        parse(synthetic(), market)
    assert not Path("out").exists()


def test_a_gallery_of_junk_is_empty(market: Path, parse: Parse) -> None:
    for name in MARKET[6:9]:
        (market / name).unlink()
    with pytest.raises(InputError, match=r"no image in split gallery$"):
        parse(synthetic(), market)


def test_same_bytes_each_time(market: Path, parse: Parse) -> None:
    parse(synthetic(holdout_ids=1), market)
    first = [Path("out", name).read_bytes() for name in ("images.parquet", "dataset.json")]
    parse(synthetic(holdout_ids=1), market)
    assert [Path("out", name).read_bytes() for name in ("images.parquet", "dataset.json")] == first


def test_a_subset_is_parsed_alone(market: Path, parse: Parse) -> None:
    rows, report = parse(real(subset={"train_ids": 2, "test_ids": 1, "distractors": 0}), market)
    assert {row["split"] for row in rows.values()} == {"train", "query", "gallery"}
    assert len({row["pid"] for row in rows.values() if row["split"] == "train"}) == 2
    assert len({row["pid"] for row in rows.values() if row["split"] != "train"}) == 1
    assert report["splits"]["gallery"]["images"] == 1
    with pytest.raises(InputError, match="subset: 4 train identities asked for, there are 3"):
        parse(real(subset={"train_ids": 4, "test_ids": 1, "distractors": 0}), market)


def test_relabelled_attributes_reach_the_train_rows_alone(market: Path, parse: Parse) -> None:
    right, _ = parse(synthetic(), market)
    wrong, _ = parse(synthetic(attributes={"key": "relabelled"}), market)
    # labels: 2 -> 0, 7 -> 1, 10 -> 2; the file has a record 0002 (upred), none 0000 or 0001
    assert [wrong[name]["up_color"] for name in (MARKET[0], MARKET[2], MARKET[3])] == [0, 0, right[MARKET[0]]["up_color"]]
    assert right[MARKET[0]]["up_color"] == 2  # red
    assert all(wrong[name] == right[name] for name in MARKET if right[name]["split"] != "train")


def test_folders_have_no_numbers_to_relabel() -> None:
    with pytest.raises(ValueError, match="which folders do not have"):
        ParseConfig.model_validate({"kind": "folders", "folders": {"root": "x"}, "attributes": {"key": "relabelled"}})
