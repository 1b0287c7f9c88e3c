"""Taking images out of a gallery, and telling it who they show."""

import os
import subprocess
import sys
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from qafm.errors import InputError
from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.build_index import build_index
from qafm.galleries.gallery import Gallery, known_images
from qafm.galleries.index_file import index_path
from qafm.galleries.relabel_gallery import Label, relabel_gallery
from qafm.galleries.remove_images import Removal, remove_images
from qafm.galleries.search_gallery import search_gallery
from qafm.tables.gallery import GalleryRows
from tests.unit.galleries.conftest import MODEL, made_up, rows_of

PROJECT = Path(__file__).resolve().parents[3]


def test_images_and_people_are_taken_out_and_nothing_else(gallery: Path) -> None:
    before = pq.read_table(gallery)
    gone = [row % 7 + 1 == 3 or row in (0, 99) for row in range(100)]
    assert remove_images(str(gallery), image_id=["a/0.jpg", "a/99.jpg", "a/2.jpg"], pid=[3]) == Removal(sum(gone), 100 - sum(gone), False)
    assert pq.read_table(gallery).equals(before.filter([not out for out in gone]))
    with Gallery(gallery) as opened:
        assert opened.starts.tolist() == [*range(0, 84, 8), 84]
        assert opened.header.model_id == MODEL["model_id"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"image_id": ["a/1.jpg", "b/1.jpg"]}, "holds no image b/1.jpg; nothing was removed"),
        ({"pid": [1, 77]}, "holds no image of identity 77; nothing was removed"),
        ({"pid": [78, 77, 79]}, r"holds no image of identity 77 \(and of 2 others that were named\); nothing was removed"),
    ],
)
def test_what_is_not_there_is_told_and_nothing_goes(gallery: Path, asked: dict, message: str) -> None:
    before = gallery.read_bytes()
    with pytest.raises(InputError, match=f"^{gallery}: {message}$"):
        remove_images(gallery, **asked)
    assert gallery.read_bytes() == before


def test_nothing_asked_for_changes_nothing(gallery: Path) -> None:
    before = gallery.stat().st_ino
    assert remove_images(gallery) == Removal(0, 100, False)
    assert relabel_gallery(gallery, {"a/1.jpg": Label(2, 2), "a/2.jpg": Label(), "other": Label(5)}) == 0
    assert gallery.stat().st_ino == before


def test_all_images_may_go(gallery: Path) -> None:
    assert remove_images(gallery, pid=range(1, 8)) == Removal(100, 0, False)
    assert known_images(gallery) == {}
    append_gallery(gallery, [rows_of(made_up(3))], **MODEL)
    assert len(known_images(gallery)) == 3


def test_the_index_goes_with_the_images(gallery: Path) -> None:
    build_index(gallery, recall=0.5)
    assert remove_images(gallery, pid=[1]).index
    assert not index_path(gallery).exists()
    assert search_gallery(gallery, made_up(1), model_id=None).exact


def test_an_index_that_was_left_behind_is_noticed(gallery: Path) -> None:
    build_index(gallery, recall=0.5)
    old = index_path(gallery).read_bytes()
    remove_images(gallery, pid=[1])
    index_path(gallery).write_bytes(old)
    with pytest.raises(InputError, match=r"was made from another state of the gallery$"):
        search_gallery(gallery, made_up(1), model_id=None, approximate="always")


def test_labels_are_added_and_everything_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "g.parquet"
    append_gallery(path, [GalleryRows(["a", "b", "c"], ["1", "2", "3"], made_up(3), pid=[None, 5, 6], camid=[1, None, 2])], **MODEL)
    before = pq.read_table(path)
    assert relabel_gallery(str(path), {"a": Label(0), "b": Label(5, 3), "c": Label(6, 2), "d": Label(1, 1)}) == 2
    after = pq.read_table(path)
    assert (after["pid"].to_pylist(), after["camid"].to_pylist()) == ([0, 5, 6], [1, 3, 2])
    same = ["image_id", "sha256", "q", "visual_weight", "descriptor"]
    assert after.select(same).equals(before.select(same))


def test_other_cameras_make_an_index_stale(gallery: Path) -> None:
    """Its recall across cameras was measured with the old ones."""
    build_index(gallery, recall=0.5)
    relabel_gallery(gallery, {"a/1.jpg": Label(camid=3)})  # 2 before: as long, and not the only one
    with pytest.raises(InputError, match=r"was made from another state of the gallery$"):
        search_gallery(gallery, made_up(1), model_id=None, approximate="always")


def test_a_label_that_does_not_fit_is_told(gallery: Path) -> None:
    with pytest.raises(InputError, match=r"camid is 40000, which is no whole number of 16 bits$"):
        relabel_gallery(gallery, {"a/1.jpg": Label(1, 40000)})


def test_no_gallery_is_told_and_no_lock_is_left(tmp_path: Path) -> None:
    for change in (lambda path: remove_images(path, pid=[1]), lambda path: relabel_gallery(path, {"a": Label(1)})):
        with pytest.raises(InputError, match=r"none\.parquet: cannot be opened"):
            change(tmp_path / "none.parquet")
    assert list(tmp_path.iterdir()) == []


def test_who_waits_for_another_writer_says_so(gallery: Path) -> None:
    command = [sys.executable, "-m", "qafm", "remove", "-g", str(gallery), "--pid", "1"]
    with (gallery.parent / f".{gallery.name}.lock").open("ab") as held:
        flock(held, LOCK_EX)
        process = subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        assert process.stderr.readline() == f"{gallery}: another process writes to it; waiting\n"
        flock(held, LOCK_UN)
    stdout, stderr = process.communicate(timeout=120)
    assert (process.returncode, stdout, stderr) == (0, f"{gallery}: 15 removed, 85 left\n", "")
