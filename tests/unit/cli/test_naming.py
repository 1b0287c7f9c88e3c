"""Whom an image shows and which camera took it, by its name: `--names` and `--camera-pattern`."""

import json
import re
import shutil
from pathlib import Path

import pytest

from qafm.cli.naming import Named, camera_pattern, identities, read_name
from qafm.config.parse import FoldersConfig
from qafm.datasets.folders import list_folders
from qafm.errors import InputError
from tests.unit.cli.conftest import Run, one_line, rows


@pytest.mark.usefixtures("place")
def test_identities_of_markets_names(run: Run) -> None:
    run("embed", "gallery", "-o", "gallery.parquet", "--names", "market")
    for name, row in rows().items():
        match = re.fullmatch(r"gallery/(-1|\d{4})_c(\d).*", name)
        assert match is not None
        assert (row["pid"], row["camid"]) == (int(match[1]), int(match[2]))


def test_names_that_are_not_markets_are_left_out(run: Run, place: Path) -> None:
    shutil.copy(next((place / "query").iterdir()), place / "query" / "holiday.jpg")
    result = run("embed", "query", "-o", "gallery.parquet", "--names", "market")
    assert one_line(result.stderr).startswith("left out: query/holiday.jpg: is not named as Market-1501's images are")


def test_a_query_whose_name_is_not_market_s_is_left_out(run: Run, place: Path) -> None:
    run("embed", "gallery", "-o", "gallery.parquet", "--names", "market")
    first = sorted((place / "query").iterdir())[0]
    shutil.copy(first, place / "query" / "holiday.jpg")
    search = ("search", "-g", "gallery.parquet", "--names", "market", "--json")
    result = run(*search, "query")
    content = json.loads(result.stdout)
    assert one_line(result.stderr).startswith("left out: query/holiday.jpg: is not named as Market-1501's images are")
    assert list(content["left_out"]) == ["query/holiday.jpg"]
    names = [path.name for path in sorted((place / "query").iterdir()) if path.name != "holiday.jpg"]
    assert [(query["image"], query["pid"]) for query in content["queries"]] == [(f"query/{name}", int(name.split("_")[0])) for name in names]
    assert one_line(run(*search, f"query/{first.name}", "query/holiday.jpg", code=1).stderr).startswith("qafm: query/holiday.jpg: is not named")
    (place / "odd").mkdir()
    (place / "query" / "holiday.jpg").rename(place / "odd" / "holiday.jpg")
    assert run(*search, "odd", code=1).stderr.splitlines()[-1] == "qafm: none of the 1 images can be used"


def test_identities_of_folders(run: Run, place: Path) -> None:
    for i, path in enumerate(sorted((place / "query").iterdir())[:4]):
        target = place / "people" / ("0012", "Zoë")[i % 2] / f"cam{i}_{i}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    content = json.loads(run("embed", "people", "-o", "gallery.parquet", "--names", "folders", "--camera-pattern", r"cam(\d+)", "--json").stdout)
    found = rows()
    assert found["people/0012/cam2_2.jpg"]["pid"] == 12
    assert found["people/Zoë/cam1_1.jpg"]["pid"] == found["people/Zoë/cam3_3.jpg"]["pid"] != 12
    assert {name: row["camid"] for name, row in found.items()} == {name: int(name[-5]) for name in found}
    assert content["identities"] == {"12": "0012", str(found["people/Zoë/cam1_1.jpg"]["pid"]): "Zoë"}


@pytest.mark.parametrize("pattern", ["(", r"cam\d", r"(c)(\d)", r"(?P<frame>\d)_(\d)"])
@pytest.mark.usefixtures("place")
def test_a_pattern_needs_one_group(run: Run, pattern: str) -> None:
    assert one_line(run("embed", "query", "-o", "g.parquet", "--camera-pattern", pattern, code=1).stderr).startswith("qafm: --camera-pattern: ")


def test_a_name_gives_its_number_everywhere() -> None:
    anna = read_name("a/anna/1.jpg", "folders", None)
    assert anna == read_name("elsewhere/anna/c7.png", "folders", None)
    assert anna.pid is not None and 0 < anna.pid < 2**31
    assert anna != read_name("a/Anna/1.jpg", "folders", None)
    assert read_name("a/7/1.jpg", "none", camera_pattern(r"(\d)")) == Named(None, 1)
    assert read_name("a/cam7_12.jpg", "none", camera_pattern(r"cam(?P<camera>\d+)_(?P<frame>\d+)")) == Named(None, 7)  # as a preset has it
    assert read_name("0003_c2s1_000001_00.jpg", "market", camera_pattern(r"s(\d)")) == Named(3, 1)
    assert read_name("a/99999999999/1.jpg", "folders", None).pid != 99999999999


@pytest.mark.parametrize(("image", "pattern"), [("a/b.jpg", r"c(\d)"), ("a/c99999.jpg", r"c(\d+)"), ("a/cx.jpg", "c(.)")])
def test_a_name_without_a_camera_is_named(image: str, pattern: str) -> None:
    with pytest.raises(InputError, match=f"^{image}: --camera-pattern finds no number"):
        read_name(image, "none", camera_pattern(pattern))


def test_two_folders_of_one_number() -> None:
    images = ["a/007/1.jpg", "a/7/1.jpg"]
    with pytest.raises(InputError, match=r"the folders 007 and 7 have the same number 7: rename one of them$"):
        identities((image, read_name(image, "folders", None)) for image in images)
    assert identities((image, read_name(image, "none", None)) for image in images) == {}


def test_an_image_in_no_folder() -> None:
    for image, below in (("1.jpg", None), ("/1.jpg", None), ("people/1.jpg", "1.jpg")):
        with pytest.raises(InputError, match=rf"^{image}: lies in no folder of an identity$"):
            read_name(image, "folders", None, below)


def nested(place: Path, *names: str) -> None:
    """Different images under these names below `nest/`."""
    for name, source in zip(names, sorted((place / "query").iterdir()), strict=False):
        target = place / "nest" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def test_folders_may_be_nested(run: Run, place: Path) -> None:
    nested(place, "0002/cam1/a.jpg", "0002/cam2/b.jpg", "0003/cam1/c.jpg")
    for folder, output in (("nest", "a.parquet"), (place / "nest", "b.parquet"), ("./nest/", "c.parquet")):
        run("embed", folder, "-o", output, "--names", "folders", "--camera-pattern", r"cam(\d)")
        found = {name[-5]: (row["pid"], row["camid"]) for name, row in rows(output).items()}
        assert found == {"a": (2, 1), "b": (2, 2), "c": (3, 1)}


def test_folders_give_the_numbers_of_a_configuration(run: Run, place: Path) -> None:
    nested(place, "0002/x_cam1/a.jpg", "0002/b_cam2.jpg", "0013/deep/er/c_cam7.jpg")
    pattern = r"cam(?P<camera>\d)"
    listing = list_folders(place / "nest", FoldersConfig(root="nest", camera_pattern=pattern))
    run("embed", "nest", "-o", "g.parquet", "--names", "folders", "--camera-pattern", pattern)
    assert {name.removeprefix("nest/"): (row["pid"], row["camid"]) for name, row in rows("g.parquet").items()} == {
        entry.image_id: (entry.pid, entry.camid) for entry in listing.entries
    }


def test_a_query_s_identity_is_that_of_its_folder(run: Run, place: Path) -> None:
    nested(place, "0002/cam1/a.jpg", "0003/b.jpg")
    run("embed", "nest", "-o", "g.parquet", "--names", "folders")
    content = json.loads(run("search", "nest", "nest/0003/b.jpg", "-g", "g.parquet", "--names", "folders", "--json").stdout)
    assert [query["pid"] for query in content["queries"]] == [2, 3, 3]  # below a folder that is named, and named itself


@pytest.mark.parametrize("folder", ["0", "000", "-1"])
def test_no_folder_is_a_distractor_or_junk(folder: str) -> None:
    pid = read_name(f"a/{folder}/1.jpg", "folders", None).pid
    assert pid is not None and pid > 0


def test_a_loose_image_is_left_out(run: Run, place: Path) -> None:
    nested(place, "0002/a.jpg", "loose.jpg")
    result = run("embed", "nest", "-o", "g.parquet", "--names", "folders")
    assert one_line(result.stderr) == "left out: nest/loose.jpg: lies in no folder of an identity"
    assert list(rows("g.parquet")) == ["nest/0002/a.jpg"]


@pytest.mark.parametrize(("names", "reason"), [("market", "is not named as Market-1501's images are"), ("folders", "lies in no folder of an identity")])
def test_strict_minds_names_too(run: Run, place: Path, names: str, reason: str) -> None:
    image = sorted((place / "query").iterdir())[0]
    (place / "nest" / "0002").mkdir(parents=True)
    for target in (f"0002/{image.name}", "plain.jpg"):
        shutil.copy(image, place / "nest" / target)
    line = one_line(run("embed", "nest", "-o", "g.parquet", "--names", names, "--strict", code=1).stderr)
    assert line.startswith(f"qafm: nest/plain.jpg: {reason}")
    assert not (place / "g.parquet").exists()
