"""Market-1501's names and counts: every number of its documentation, from the real list of file names."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from qafm.datasets.dataset_report import count_attributes, count_split, queries_without_match
from qafm.datasets.entry import Entry
from qafm.datasets.market1501 import MarketName, list_market1501, parse_name, parse_names
from qafm.datasets.market_attributes import Codes, read_market_attributes
from qafm.errors import InputError
from qafm.tables.attributes import ATTRIBUTES

# Percent of class 1 | class 2 over train ids, train images, test ids, gallery images
BINARY = {
    "gender": "57.4/42.6 58.4/41.6 55.2/44.8 55.9/44.1",
    "hair": "67.4/32.6 67.8/32.2 63.3/36.7 63.9/36.1",
    "up": "5.2/94.8 5.0/95.0 6.0/94.0 6.5/93.5",
    "down": "39.1/60.9 38.1/61.9 34.9/65.1 33.0/67.0",
    "clothes": "14.6/85.4 14.5/85.5 11.3/88.7 11.9/88.1",
    "hat": "97.3/2.7 97.7/2.3 96.9/3.1 97.1/2.9",
    "backpack": "73.5/26.5 72.4/27.6 75.1/24.9 74.9/25.1",
    "bag": "75.4/24.6 75.9/24.1 75.3/24.7 75.7/24.3",
    "handbag": "88.5/11.5 88.0/12.0 89.9/10.1 90.5/9.5",
    "age": "1.9/75.8/21.3/1.1 1.6/78.1/18.8/1.4 .3/85.3/13.7/.7 .2/87.1/12.0/.6",
}
# Percent of images per colour, the last without any: train, gallery
COLORS = {
    "up_color": ("13.2 30.2 12.1 3.8 5.0 11.1 6.1 8.8 9.6", "13.4 26.6 10.3 2.8 9.1 13.4 8.4 7.2 8.8"),
    "down_color": ("38.3 8.4 4.2 .2 1.6 16.0 14.5 1.7 10.7 4.3", "38.6 5.4 2.7 0 .1 17.4 20.1 2.7 6.9 6.0"),
}


@pytest.fixture(scope="module")
def attributes(shared: Path) -> dict[str, dict[str, Codes]]:
    parts = read_market_attributes(shared / "data" / "market1501" / "market_attribute.mat")
    return {part: {f"{pid:04d}": codes for pid, codes in records.items()} for part, records in parts.items()}


@pytest.fixture(scope="module")
def entries(shared: Path, attributes: dict[str, dict[str, Codes]]) -> dict[str, list[Entry]]:
    """The labelled images of each split: train by identity, query = a test identity with box number 00."""
    names: dict[str, list[str]] = {"train": [], "query": [], "gallery": []}
    for name in (shared / "data" / "market1501" / "filenames.txt").read_text().split():
        parts = parse_name(name)
        assert parts is not None
        names["train" if f"{parts.pid:04d}" in attributes["train"] else "query" if parts.box == 0 else "gallery"].append(name)
    parsed = {split: parse_names(listed, split) for split, listed in names.items()}
    assert not any(set_aside for _, set_aside in parsed.values())
    return {split: found for split, (found, _) in parsed.items()}


def test_images_and_identities(entries: dict[str, list[Entry]]) -> None:
    counts = {split: count_split(found) for split, found in entries.items()}
    assert {split: (count["images"], count["labelled"], count["ids"]) for split, count in counts.items()} == {
        "train": (12936, 12936, 751),
        "query": (3368, 3368, 750),
        "gallery": (13115, 13115, 750),
    }
    per_camera = {split: list(count["per_camera"].items()) for split, count in counts.items()}
    assert per_camera["train"] == list(zip("123456", (2017, 1709, 2707, 920, 2338, 3245), strict=True))
    assert per_camera["query"] == list(zip("123456", (668, 530, 717, 248, 622, 583), strict=True))
    assert per_camera["gallery"] == list(zip("123456", (2114, 1740, 2822, 890, 2380, 3169), strict=True))
    sizes = counts["train"]["images_per_id"]
    assert (sizes["min"], round(sizes["mean"], 2), sizes["max"], counts["train"]["ids_with_fewer_than_4_images"]) == (2, 17.23, 72, 15)


def test_identities_are_1_to_1501_and_disjoint(entries: dict[str, list[Entry]]) -> None:
    train, query, gallery = ({entry.pid for entry in entries[split]} for split in ("train", "query", "gallery"))
    assert query == gallery
    assert train | query == set(range(1, 1502))
    assert not train & query
    assert Counter(entry.junk or entry.distractor for found in entries.values() for entry in found) == {False: 29419}


def test_queries(entries: dict[str, list[Entry]]) -> None:
    per_camera = Counter((entry.pid, entry.camid) for entry in entries["query"])
    assert max(per_camera.values()) == 1
    per_id = Counter(entry.pid for entry in entries["query"])
    assert (min(per_id.values()), max(per_id.values())) == (2, 6)
    read = [replace(entry, sha256=entry.image_id) for entry in entries["query"] + entries["gallery"]]
    assert queries_without_match(read, "drop") == []
    gallery = Counter(entry.pid for entry in entries["gallery"])
    same_camera = Counter((entry.pid, entry.camid) for entry in entries["gallery"])
    relevant = [gallery[query.pid] - same_camera[query.pid, query.camid] for query in entries["query"]]
    assert round(sum(relevant) / 3368, 2) == 14.74


def test_double_suffixes(entries: dict[str, list[Entry]]) -> None:
    doubled = {split: [entry for entry in found if entry.image_id.endswith(".jpg.jpg")] for split, found in entries.items()}
    assert {split: len(found) for split, found in doubled.items()} == {"train": 0, "query": 6, "gallery": 13}
    assert {entry.pid for found in doubled.values() for entry in found} == {1488}


def percent(rows: dict[str, dict[str, int]], unit: str) -> list[float]:
    total = sum(row[unit] for row in rows.values())
    return [100 * row[unit] / total for row in rows.values()]


def agrees(found: list[float], printed: str) -> bool:
    """Whether numbers round to the printed ones, to one decimal."""
    expected = [float(text) for text in printed.replace("/", " ").split()]
    return len(found) == len(expected) and all(abs(a - b) <= 0.0501 for a, b in zip(found, expected, strict=True))


def test_class_statistics(entries: dict[str, list[Entry]], attributes: dict[str, dict[str, Codes]]) -> None:
    train = count_attributes(entries["train"], attributes["train"])["classes"]
    gallery = count_attributes(entries["gallery"], attributes["test"])["classes"]
    for name, printed in BINARY.items():
        for rows, unit, numbers in zip((train, train, gallery, gallery), ("ids", "images") * 2, printed.split(), strict=True):
            *known, unknown = percent(rows[name], unit)
            assert agrees(known, numbers), (name, unit, known)
            assert unknown == 0
    for name, printed in COLORS.items():
        for rows, numbers in zip((train, gallery), printed, strict=True):
            assert agrees(percent(rows[name], "images"), numbers), (name, percent(rows[name], "images"))


def test_class_counts(entries: dict[str, list[Entry]], attributes: dict[str, dict[str, Codes]]) -> None:
    train = count_attributes(entries["train"], attributes["train"])
    test = count_attributes(entries["gallery"], attributes["test"])
    colourless = [part["classes"][name]["unknown"]["ids"] for part in (train, test) for name in ("up_color", "down_color")]
    assert colourless == [78, 30, 69, 44]
    rare = [(part["classes"]["down_color"]["purple"]["ids"], part["classes"]["down_color"]["yellow"]["ids"]) for part in (train, test)]
    assert rare == [(2, 10), (0, 1)]
    assert (train["classes"]["age"]["old"]["ids"], train["classes"]["age"]["young"]["ids"]) == (8, 14)
    assert train["vectors"] == {"distinct": 508, "ids_sharing": 365, "largest_group": 9}
    unknown = [round(percent(test["classes"][name], "images")[-1], 2) for name in ("up_color", "down_color")]
    assert unknown == [8.76, 6.01]
    everyone = count_attributes([*entries["train"], *entries["gallery"]], attributes["train"] | attributes["test"])["classes"]
    images = {(name, label): 100 * row["images"] / 26051 for name in everyone for label, row in everyone[name].items()}
    ids = {(name, label): 100 * row["ids"] / 1501 for name in everyone for label, row in everyone[name].items()}
    assert [round(images["age", label], 2) for label in ("teenager", "young", "old")] == [82.63, 0.93, 1.02]
    assert [round(ids["age", label], 2) for label in ("teenager", "young", "old")] == [80.55, 1.07, 0.87]
    assert [round(images[key], 1) for key in (("down_color", "black"), ("up_color", "white"), ("hat", "no"))] == [38.4, 28.4, 97.4]
    assert [round(ids[key], 1) for key in (("down_color", "black"), ("up_color", "white"))] == [38.6, 29.0]


def test_counts_cover_every_class(entries: dict[str, list[Entry]], attributes: dict[str, dict[str, Codes]]) -> None:
    classes = count_attributes(entries["query"], attributes["test"])["classes"]
    assert {name: list(rows) for name, rows in classes.items()} == {attribute.name: [*attribute.classes, "unknown"] for attribute in ATTRIBUTES}
    assert all(sum(row["images"] for row in rows.values()) == 3368 for rows in classes.values())


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("0001_c1s2_003456_07.jpg", MarketName(1, 1, 2, 3456, 7, False)),
        ("1501_c6s6_999999_99.jpg.jpg", MarketName(1501, 6, 6, 999999, 99, True)),
        ("-1_c3s1_000000_00.jpg", MarketName(-1, 3, 1, 0, 0, False)),
        ("0000_c2s1_000001_01.jpg", MarketName(0, 2, 1, 1, 1, False)),
    ],
)
def test_a_name_is_taken_apart(name: str, parts: MarketName) -> None:
    assert parse_name(name) == parts


@pytest.mark.parametrize(
    "name",
    [
        "Thumbs.db",
        "0001_c7s1_000001_01.jpg",
        "0001_c0s1_000001_01.jpg",
        "001_c1s1_000001_01.jpg",
        "-2_c1s1_000001_01.jpg",
        "0001_c1s1_000001_01.png",
        "0001_c1s1_000001_01.jpg.jpg.jpg",
        "0001_c1s1_000001_01.jpg\n",
        "x0001_c1s1_000001_01.jpg",
        "0001_c1s1_00001_01.jpg",
        "٠٠٠١_c1s1_000001_01.jpg",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    assert parse_name(name) is None


def test_flags_of_junk_and_distractors() -> None:
    names = ["0000_c2s1_000001_01.jpg", "-1_c3s2_000007_00.jpg", "0009_c1s1_000001_01.jpg", "bad.jpg"]
    entries, set_aside = parse_names(names, "gallery")
    assert entries == [
        Entry("bounding_box_test/-1_c3s2_000007_00.jpg", "gallery", "-1", -1, 3, 2, 7, junk=True),
        Entry("bounding_box_test/0000_c2s1_000001_01.jpg", "gallery", "0000", 0, 2, 1, 1, distractor=True),
        Entry("bounding_box_test/0009_c1s1_000001_01.jpg", "gallery", "0009", 9, 1, 1, 1),
    ]
    assert [entry.labelled for entry in entries] == [False, False, True]
    assert [(item.file, item.split, item.reason) for item in set_aside] == [
        ("bounding_box_test/bad.jpg", "gallery", "bad file name: not PPPP_cCsS_FFFFFF_BB.jpg")
    ]
    for split in ("train", "query"):
        entries, set_aside = parse_names(names[:3], split)
        assert [entry.pid for entry in entries] == [9]
        assert [item.reason for item in set_aside] == ["no identity: -1 and 0000 belong into bounding_box_test only"] * 2


def make(root: Path) -> None:
    for name in ("bounding_box_train/0002_c1s1_000001_01.jpg", "query/0003_c1s1_000001_00.jpg", "bounding_box_test/0003_c2s1_000001_01.jpg"):
        (root / name).parent.mkdir(parents=True)
        (root / name).touch()


@pytest.mark.parametrize("nesting", [".", "Market-1501-v15.09.15", "market1501/Market-1501-v15.09.15"])
def test_the_root_or_a_parent_is_accepted(tmp_path: Path, nesting: str) -> None:
    make(tmp_path / nesting)
    listing = list_market1501(tmp_path, official=False)
    assert listing.root == tmp_path / nesting
    assert [entry.image_id for entry in listing.entries] == [
        "bounding_box_train/0002_c1s1_000001_01.jpg",
        "query/0003_c1s1_000001_00.jpg",
        "bounding_box_test/0003_c2s1_000001_01.jpg",
    ]
    assert not listing.anomalies


def test_what_is_odd_is_listed(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("Thumbs.db", "0003_c3s1_000001_01.jpg.jpg", "noname.jpg", "sub/0003_c3s1_000001_01.jpg", "._0003_c3s1_000001_01.jpg"):
        (tmp_path / "bounding_box_test" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bounding_box_test" / name).touch()
    listing = list_market1501(tmp_path, official=True)
    assert listing.other_files == ["bounding_box_test/._0003_c3s1_000001_01.jpg", "bounding_box_test/Thumbs.db"]
    assert [item.file for item in listing.set_aside] == ["bounding_box_test/noname.jpg", "bounding_box_test/sub/0003_c3s1_000001_01.jpg"]
    assert listing.anomalies == {
        "not_the_official_count": [
            "train: 1 images, Market-1501 has 12936",
            "query: 1 images, Market-1501 has 3368",
            "gallery: 2 images, Market-1501 has 19732",
        ],
        "double_suffix": ["bounding_box_test/0003_c3s1_000001_01.jpg.jpg"],
    }


def test_missing_and_ambiguous_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such folder$"):
        list_market1501(tmp_path / "nowhere", official=True)
    with pytest.raises(InputError, match=r"neither this folder nor one below it contains bounding_box_train$"):
        list_market1501(tmp_path, official=True)
    make(tmp_path / "a")
    make(tmp_path / "b")
    with pytest.raises(InputError, match=r"bounding_box_train found more than once, in .*a, .*b: name one of them as the root$"):
        list_market1501(tmp_path, official=True)
    (tmp_path / "a" / "query" / "0003_c1s1_000001_00.jpg").unlink()
    (tmp_path / "a" / "query").rmdir()
    with pytest.raises(InputError, match=r"a/query: no such folder$"):
        list_market1501(tmp_path / "a", official=True)


def test_the_real_data_set(project: Path) -> None:
    root = project / "data" / "Market-1501-v15.09.15"
    if not (root / "bounding_box_train").is_dir():
        pytest.skip("no copy of Market-1501 in data/")
    listing = list_market1501(root, official=True)
    assert listing.root == root
    assert listing.set_aside == []
    assert sorted(listing.anomalies) == ["double_suffix"]
    assert len(listing.anomalies["double_suffix"]) == 24  # 19 of identity 1488, 3 distractors, 2 junk
    gallery = count_split([entry for entry in listing.entries if entry.split == "gallery"])
    assert (gallery["images"], gallery["labelled"], gallery["distractors"], gallery["junk"]) == (19732, 13115, 2798, 3819)
