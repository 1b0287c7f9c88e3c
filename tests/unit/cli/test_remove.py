"""`qafm remove`: what goes, what stays, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.build_index import build_index
from qafm.galleries.gallery import known_images
from qafm.tables.gallery import GalleryRows
from tests.unit.cli.conftest import Run, one_line

NAMES = ["crops/a.jpg", "crops/b.jpg", "crops/c.jpg", "crops/d.jpg"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """g.parquet of four images of the people 1, 1, 2 and nobody known, and their files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crops").mkdir()
    for name in NAMES:
        (tmp_path / name).touch()
    rows = GalleryRows(NAMES, list("1234"), np.eye(4, dtype=np.float32), pid=[1, 1, 2, None])
    append_gallery(tmp_path / "g.parquet", [rows], model_id="0" * 64, model="made-up", dim=4)
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        (("--image", "crops/b.jpg"), "acd"),
        (("--image", "crops/b.jpg", "--image", "crops/d.jpg"), "ac"),
        (("--pid", 1), "cd"),
        (("--pid", 1, "--pid", 2, "--image", "crops/a.jpg"), "d"),
    ],
)
@pytest.mark.usefixtures("small")
def test_what_is_named_goes(run: Run, asked: tuple[object, ...], left: str) -> None:
    assert run("remove", "--gallery", "g.parquet", *asked).stdout == f"g.parquet: {4 - len(left)} removed, {len(left)} left\n"
    assert list(known_images("g.parquet")) == [f"crops/{letter}.jpg" for letter in left]
    assert {path.name for path in Path("crops").iterdir()} == {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}


def test_images_whose_file_is_gone(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("remove", "-g", "g.parquet", "--missing").stdout == "g.parquet: 0 removed, 4 left\n"
    (small / "crops" / "c.jpg").unlink()
    monkeypatch.chdir(small / "crops")  # found from the gallery's folder
    assert json.loads(run("remove", "-g", "../g.parquet", "--missing", "--json").stdout) == {"gallery": "../g.parquet", "removed": 1, "left": 3, "index": False}
    (small / "elsewhere").mkdir()
    (small / "g.parquet").rename(small / "elsewhere" / "g.parquet")
    line = one_line(run("remove", "-g", "../elsewhere/g.parquet", "--missing", code=1).stderr)
    assert line.startswith("qafm: ../elsewhere/g.parquet: none of its 3 images is found; run this in the folder")
    assert len(known_images("../elsewhere/g.parquet")) == 3


@pytest.mark.usefixtures("small")
def test_the_index_goes_too(run: Run) -> None:
    build_index(Path("g.parquet"), recall=0.5)
    assert run("remove", "-g", "g.parquet", "--pid", 2).stdout == "g.parquet: 1 removed, 3 left; its index is deleted, too\n"
    assert not Path("g.parquet.ivf").exists()


@pytest.mark.usefixtures("small")
def test_what_cannot_be_removed_is_told(run: Run) -> None:
    before = Path("g.parquet").read_bytes()
    assert one_line(run("remove", "-g", "g.parquet", "--image", "a.jpg", code=1).stderr) == "qafm: g.parquet: holds no image a.jpg; nothing was removed"
    line = one_line(run("remove", "-g", "g.parquet", "--pid", 1, "--pid", 9, code=1).stderr)
    assert line == "qafm: g.parquet: holds no image of identity 9; nothing was removed"
    assert "say what to remove" in run("remove", "-g", "g.parquet", code=2).stderr
    assert Path("g.parquet").read_bytes() == before
    for option in (("--missing",), ("--pid", 1)):
        assert one_line(run("remove", "-g", "none.parquet", *option, code=1).stderr).startswith("qafm: none.parquet: cannot be opened")
