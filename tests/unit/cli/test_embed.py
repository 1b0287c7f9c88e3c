"""`qafm embed`: what is in the gallery afterwards, and what is not embedded twice."""

import json
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.cli import embed as embed_module
from qafm.cli.image_files import list_folder
from qafm.inference.model import ReidModel, load
from qafm.runtime.files import file_sha256
from tests.unit.cli.conftest import Run, one_line, rows


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that the model sees, in order."""
    seen: list[str] = []
    original = ReidModel.embed_iter

    def spy(self: ReidModel, images: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        seen.extend(str(image) for image in images)
        return original(self, images, *arguments, **options)

    monkeypatch.setattr(ReidModel, "embed_iter", spy)
    return seen


def test_every_image_of_the_folder(run: Run, place: Path, bundles: dict[str, Path]) -> None:
    files = sorted(path.name for path in (place / "gallery").iterdir())
    text = run("embed", "gallery", "-o", "gallery.parquet").stdout
    assert text == f"gallery.parquet: {len(files)} added, 0 known already; {len(files)} images by made-up/f/m/seed-0\n"
    found = rows()
    assert sorted(found) == [f"gallery/{name}" for name in files]
    model = load(bundles["one"], device="cpu")
    expected = model.embed([f"gallery/{name}" for name in files])
    for row, name in enumerate(files):
        stored = found[f"gallery/{name}"]
        np.testing.assert_allclose(stored["descriptor"], expected.descriptor[row], atol=1e-6)
        assert (stored["q"], stored["visual_weight"]) == (expected.q[row], expected.visual_weight[row])
        assert stored["sha256"] == file_sha256(place / "gallery" / name)
        assert (stored["pid"], stored["camid"]) == (None, None)


def test_only_what_is_new_is_embedded(run: Run, place: Path, embedded: list[str]) -> None:
    run("embed", "query", "-o", "gallery.parquet")
    files = sorted(path.name for path in (place / "query").iterdir())
    embedded.clear()
    assert "0 added" in run("embed", "query", "-o", "gallery.parquet").stdout
    assert embedded == []
    shutil.copy(f"query/{files[0]}", "query/zz.jpg")
    shutil.copy(f"query/{files[1]}", f"query/{files[2]}")
    content = json.loads(run("embed", "query", "-o", "gallery.parquet", "--json").stdout)
    assert (content["added"], content["replaced"], content["known"]) == (1, 1, len(files) - 1)
    assert embedded == [f"query/{files[2]}", "query/zz.jpg"]
    assert len(rows()) == len(files) + 1
    assert rows()[f"query/{files[2]}"]["sha256"] == file_sha256(place / "query" / files[1])


def test_bad_images_are_named_and_counted(run: Run, place: Path) -> None:
    n = len(list((place / "query").iterdir()))
    (place / "query" / "bad one.jpg").write_text("no picture")
    (place / "query" / "empty.png").touch()
    for other in ("notes.txt", "clip.gif", ".hidden"):
        (place / "query" / other).write_text("no picture, and not named like one")
    result = run("embed", "query", "-o", "gallery.parquet")
    assert result.stderr.splitlines() == ["left out: query/bad one.jpg: cannot be decoded as an image", "left out: query/empty.png: the file is empty"]
    assert f"{n} added, 0 known already, 2 left out, 2 files that are no images by their names; {n} images" in result.stdout
    content = json.loads(run("embed", "query", "-o", "gallery.parquet", "--json").stdout)
    assert content["left_out"] == {"query/bad one.jpg": "cannot be decoded as an image", "query/empty.png": "the file is empty"}


def test_strict_leaves_nothing_behind(run: Run, place: Path) -> None:
    (place / "query" / "zz.jpg").write_text("no picture")
    result = run("embed", "query", "-o", "gallery.parquet", "--strict", code=1)
    assert one_line(result.stderr) == "qafm: query/zz.jpg: cannot be decoded as an image"
    assert sorted(path.name for path in place.iterdir()) == ["gallery", "query"]


def test_not_one_usable_image(run: Run, place: Path) -> None:
    (place / "bad").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (place / "bad" / name).write_text("no picture")
    result = run("embed", "bad", "-o", "gallery.parquet", code=1)
    last = "qafm: bad: none of its 2 images can be used; the first is bad/a.jpg: cannot be decoded as an image"
    assert result.stderr.splitlines()[-1] == last
    assert sorted(path.name for path in place.iterdir()) == ["bad", "gallery", "query"]


@pytest.mark.parametrize(("folder", "reason"), [("void", "holds no image"), ("nowhere", "no such folder"), ("file.jpg", "is a file, no folder")])
def test_no_folder_of_images(run: Run, place: Path, folder: str, reason: str) -> None:
    (place / "void").mkdir()
    (place / "file.jpg").touch()
    assert one_line(run("embed", folder, "-o", "gallery.parquet", code=1).stderr).startswith(f"qafm: {folder}: {reason}")
    assert not (place / "gallery.parquet").exists()


def test_the_gallery_of_another_model_stays_as_it_is(run: Run, place: Path, bundles: dict[str, Path], embedded: list[str]) -> None:
    run("embed", "query", "-o", "gallery.parquet")
    before = (place / "gallery.parquet").read_bytes()
    embedded.clear()
    result = run("embed", "gallery", "-o", "gallery.parquet", "--model", bundles["other"], code=1)
    assert one_line(result.stderr).startswith("qafm: gallery.parquet: was made by the model made-up/f/m/seed-0 (")
    assert one_line(run("embed", "gallery", "-o", "gallery.parquet", "--fast", code=1).stderr).startswith("qafm: gallery.parquet: was made with Q")
    assert (embedded, (place / "gallery.parquet").read_bytes()) == ([], before)


def test_a_file_that_is_no_gallery_stays_as_it_is(run: Run, place: Path) -> None:
    (place / "notes.txt").write_text("mine")
    assert one_line(run("embed", "query", "-o", "notes.txt", code=1).stderr).startswith("qafm: notes.txt: is no whole Parquet file")
    assert (place / "notes.txt").read_text() == "mine"


@pytest.mark.usefixtures("place")
def test_without_q(run: Run, bundles: dict[str, Path]) -> None:
    run("embed", "query", "-o", "gallery.parquet", "--fast")
    files = sorted(rows())
    assert {row["q"] for row in rows().values()} == {None}
    assert len({row["visual_weight"] for row in rows().values()}) == 1
    expected = load(bundles["one"], device="cpu").embed(files, quality=False).descriptor
    np.testing.assert_allclose([rows()[name]["descriptor"] for name in files], expected, atol=1e-6)


def test_after_an_interruption_it_goes_on(run: Run, place: Path, embedded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(f"query/{path.name}" for path in (place / "query").iterdir())
    original = ReidModel.embed_iter

    def stopped_after(batches: int) -> Any:
        def stopped(self: ReidModel, images: Any, **options: Any) -> Iterator[Any]:
            yield from islice(original(self, images, 3, **options), batches)
            raise KeyboardInterrupt

        return stopped

    with monkeypatch.context() as patched:
        patched.setattr(ReidModel, "embed_iter", stopped_after(0))
        assert one_line(run("embed", "query", "-o", "gallery.parquet", code=130).stderr) == "qafm: interrupted (nothing was written yet)"
        assert not (place / "gallery.parquet").exists()
        patched.setattr(ReidModel, "embed_iter", stopped_after(2))
        line = one_line(run("embed", "query", "-o", "gallery.parquet", code=130).stderr)
    assert line == f"qafm: interrupted (6 of {len(files)} new images are in gallery.parquet; the same command goes on from there)"
    assert sorted(rows()) == files[:6]
    embedded.clear()
    assert f"{len(files) - 6} added, 6 known already" in run("embed", "query", "-o", "gallery.parquet").stdout
    assert embedded == files[6:]


@pytest.mark.parametrize(("setting", "value"), [("PAUSE_S", 0), ("HELD", 3)])
def test_what_is_embedded_is_written_before_the_end(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: int) -> None:
    monkeypatch.setattr(embed_module, setting, value)
    monkeypatch.setattr(embed_module, "SHARE", 0)
    original, seen = ReidModel.embed_iter, []

    def watched(self: ReidModel, images: Any, **options: Any) -> Iterator[Any]:
        for batch in original(self, images, 3, **options):
            seen.append(len(rows()) if (place / "gallery.parquet").exists() else 0)
            yield batch

    monkeypatch.setattr(ReidModel, "embed_iter", watched)
    run("embed", "query", "-o", "gallery.parquet")
    assert seen == [3 * batch for batch in range(len(seen))] and len(seen) > 2
    assert len(rows()) == len(list((place / "query").iterdir()))


def test_the_same_way_with_or_without_q(run: Run, place: Path) -> None:
    run("embed", "query", "-o", "with.parquet")
    run("embed", "query", "-o", "without.parquet", "--fast")
    line = one_line(run("embed", "gallery", "-o", "with.parquet", "--fast", code=1).stderr)
    assert line == "qafm: with.parquet: was made with Q: leave --fast out, or choose another file"
    line = one_line(run("embed", "gallery", "-o", "without.parquet", code=1).stderr)
    assert line == "qafm: without.parquet: was made with --fast: add --fast, or choose another file"
    assert len(list(place.glob("*.parquet"))) == 2


def test_a_link_back_is_not_followed(place: Path) -> None:
    shutil.rmtree(place / "gallery")
    (place / "query" / "back").symlink_to(place / "query")
    (place / "query" / "deep").mkdir()
    (place / "query" / "deep" / "up").symlink_to(place)
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "a.jpg").write_bytes(next((place / "query").glob("*.jpg")).read_bytes())
    (place / "elsewhere" / "home").symlink_to(place / "query" / "deep")
    (place / "query" / "there").symlink_to(place / "elsewhere")
    below = {path.relative_to(place / "query").as_posix() for path in list_folder(place / "query").images}
    own = {path.name for path in (place / "query").glob("*.jpg")}
    assert below == own | {"there/a.jpg", "deep/up/elsewhere/a.jpg"}


def test_labels_are_given_to_images_that_are_there(run: Run, place: Path, embedded: list[str]) -> None:
    run("embed", "query", "-o", "gallery.parquet")
    before = rows()
    embedded.clear()
    n = len(before)
    command = ("embed", "query", "-o", "gallery.parquet", "--names", "market")
    assert run(*command).stdout == f"gallery.parquet: 0 added, {n} known already, {n} of them relabelled; {n} images by made-up/f/m/seed-0\n"
    assert embedded == []
    for name, row in rows().items():
        assert (row["pid"], row["camid"]) == (int(Path(name).name[:4]), int(Path(name).name[6]))
        assert row | {"pid": None, "camid": None} == before[name]
    inode = (place / "gallery.parquet").stat().st_ino
    assert json.loads(run(*command, "--json").stdout)["relabelled"] == 0
    run("embed", "query", "-o", "gallery.parquet")  # says nothing of names: they stay
    assert (place / "gallery.parquet").stat().st_ino == inode


def test_a_path_that_is_not_utf_8_is_told_before_the_work(run: Run, place: Path, embedded: list[str]) -> None:
    (place / "\udcff").mkdir()
    line = one_line(run("embed", "query", "-o", "\udcff/g.parquet", code=1).stderr)
    assert line.endswith("udcff/g.parquet: cannot be written: its path is not UTF-8")
    assert (embedded, list((place / "\udcff").iterdir())) == ([], [])
