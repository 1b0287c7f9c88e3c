import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qafm.errors import InputError
from qafm.galleries.append_gallery import Added, append_gallery
from qafm.galleries.gallery import Gallery, known_images
from qafm.runtime.files import temporary_name
from qafm.tables.gallery import GalleryRows
from tests.unit.galleries.conftest import MODEL, made_up, rows_of, unit

PROJECT = Path(__file__).resolve().parents[3]
# A process that appends and, where it is told to, says so and waits to be killed.
WRITER = """
import sys, time
from pathlib import Path
from tests.unit.galleries.conftest import MODEL, made_up, rows_of
import qafm.galleries.append_gallery as module
path, prefix, stop = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def wait(*_):
    print("waiting", flush=True)
    time.sleep(60)
def portions():
    yield rows_of(made_up(30), prefix)
    if stop == "embedding":
        wait()
if stop == "writing":
    module.GalleryWriter._flush = wait
for part in range(int(sys.argv[4]) if len(sys.argv) > 4 else 1):
    module.append_gallery(path, [rows_of(made_up(5, seed=part), f"{prefix}{part}")] if stop == "never" else portions(), **MODEL)
"""


def start(path: Path, prefix: str, stop: str, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), prefix, stop, *more], stdout=subprocess.PIPE, text=True, cwd=PROJECT)


def test_everything_is_kept_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "new" / "gallery.parquet"
    vectors = made_up(10)
    assert append_gallery(path, [rows_of(vectors[:4]), rows_of(vectors[4:], "b")], **MODEL) == Added(10, 0, 0)
    table = pq.read_table(path)
    assert table["image_id"].to_pylist() == [f"a/{i}.jpg" for i in range(4)] + [f"b/{i}.jpg" for i in range(6)]
    assert table["pid"].to_pylist() == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6]
    assert table["camid"].to_pylist() == [1, 2, 3, 1, 1, 2, 3, 1, 2, 3]
    assert table["q"].to_pylist() == pytest.approx([0, 0.1, 0.2, 0.3, 0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert set(table["visual_weight"].to_pylist()) == {0.5}
    stored = np.stack(table["descriptor"].to_numpy())
    assert stored.dtype == np.float32
    np.testing.assert_allclose(stored, unit(vectors), atol=1e-7)
    with Gallery(path) as gallery:
        assert (gallery.header.model_id, gallery.header.model, gallery.header.dim, gallery.rows) == (*MODEL.values(), 10)


def test_known_images_are_not_added_again_and_changed_ones_replace_the_old(gallery: Path) -> None:
    before = pq.read_table(gallery)
    new = GalleryRows(["a/5.jpg", "a/50.jpg", "new.jpg", "new.jpg"], ["sha-a-5", "changed", "x", "x"], made_up(4, seed=1))
    assert append_gallery(gallery, [new], **MODEL) == Added(added=1, known=2, replaced=1)
    after = pq.read_table(gallery)
    assert after["image_id"].to_pylist() == [name for name in before["image_id"].to_pylist() if name != "a/50.jpg"] + ["a/50.jpg", "new.jpg"]
    kept = before.filter(np.arange(100) != 50)
    assert after.slice(0, 99).equals(kept)
    np.testing.assert_allclose(np.stack(after["descriptor"].to_numpy())[99:], unit(made_up(4, seed=1))[1:3], atol=1e-7)
    assert after["pid"].to_pylist()[99:] == [None, None]
    assert known_images(gallery) == {**{f"a/{i}.jpg": f"sha-a-{i}" for i in range(100)}, "a/50.jpg": "changed", "new.jpg": "x"}


def test_nothing_new_leaves_the_file_alone_and_so_its_index(gallery: Path) -> None:
    before = gallery.stat().st_ino
    assert append_gallery(gallery, [rows_of(made_up(100))], **MODEL) == Added(0, 100, 0)
    assert append_gallery(gallery, [], **MODEL) == Added(0, 0, 0)
    assert gallery.stat().st_ino == before


def test_row_groups_stay_full_over_many_appends(gallery: Path) -> None:
    for part in range(5):
        append_gallery(gallery, [rows_of(made_up(3), f"p{part}")], **MODEL)
    with Gallery(gallery) as opened:
        assert opened.starts.tolist() == [*range(0, 115, 8), 115]


def test_an_empty_gallery_is_a_gallery(tmp_path: Path) -> None:
    path = tmp_path / "g.parquet"
    append_gallery(path, [], **MODEL)
    assert known_images(path) == {}
    assert known_images(tmp_path / "none.parquet") == {}
    append_gallery(path, [rows_of(made_up(3))], **MODEL)
    assert len(known_images(path)) == 3


def damaged(vectors: np.ndarray, value: float) -> np.ndarray:
    vectors[2] = value
    return vectors


@pytest.mark.parametrize(
    ("change", "rows", "message"),
    [
        (
            {"model_id": "f" * 64, "model": "theirs"},
            rows_of(made_up(3), "b"),
            r"was made by the model made-up/seed-1 \(0123456789ab\), not by theirs \(ffffffffffff\)",
        ),
        ({"dim": 8}, rows_of(made_up(3, dim=8), "b"), "holds descriptors of length 16, not 8"),
        ({}, rows_of(made_up(3, dim=8), "b"), "descriptors of length 8 are to be added, the gallery's model has 16"),
        ({}, rows_of(damaged(made_up(3), np.nan), "b"), "b/2.jpg: the descriptor is not finite"),
        ({}, rows_of(damaged(made_up(3), np.inf), "b"), "b/2.jpg: the descriptor is not finite"),
        ({}, rows_of(damaged(made_up(3), 0), "b"), "b/2.jpg: the descriptor is zero"),
        ({}, GalleryRows(["b", "b"], ["1", "2"], made_up(2)), "b is to be added twice with different contents"),
    ],
)
def test_bad_rows_are_told_in_one_line_and_leave_the_gallery(gallery: Path, change: dict, rows: GalleryRows, message: str) -> None:
    before = gallery.read_bytes(), sorted(gallery.parent.iterdir())
    with pytest.raises(InputError, match=rf"^{gallery}: {message}") as caught:
        append_gallery(gallery, [rows], **MODEL | change)
    assert "\n" not in str(caught.value)
    assert (gallery.read_bytes(), sorted(gallery.parent.iterdir())) == before


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match=r"columns have different lengths \[3, 2, 3\]"):
        GalleryRows(["a", "b"], ["1", "2", "3"], made_up(3))
    with pytest.raises(InputError, match=r"shape \(16,\)"):
        GalleryRows(["a"], ["1"], made_up(1)[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": ["a", None, "c"]}, "row 1: image_id is None, which is no text in Unicode"),
        ({"image_id": ["a", "b", "\udcff"]}, r"row 2: image_id is '\\udcff', which is no text"),
        ({"sha256": ["1", None, "3"]}, "row 1: sha256 is None, which is no text"),
        ({"camid": np.array([1, 40000, 2])}, "row 1: camid is .*40000.*, which is no whole number of 16 bits"),
        ({"camid": [1, 2, "x"]}, "row 2: camid is 'x', which is no whole number"),
        ({"pid": [None, 2**31, 1]}, "row 1: pid is 2147483648, which is no whole number of 32 bits"),
        ({"pid": [1, 2, 1.5]}, "row 2: pid is 1.5, which is no whole number"),
        ({"pid": ["1", "2", "3"]}, "row 0: pid is '1', which is no whole number"),
        ({"pid": [1, np.inf, 3]}, "row 1: pid is inf, which is no whole number"),
        ({"q": [0.5, "bad", None]}, "row 1: q is 'bad', which is no number"),
    ],
)
def test_what_cannot_be_stored_is_refused(change: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^gallery rows: {message}") as caught:
        GalleryRows(**{"image_id": ["a", "b", "c"], "sha256": ["1", "2", "3"], "descriptor": made_up(3)} | change)
    assert "\n" not in str(caught.value)


def test_labels_of_any_kind_that_mean_whole_numbers(tmp_path: Path) -> None:
    for number, pid in enumerate(([3.0, None], np.array([3, np.nan]), np.array([3, None], object), [np.int64(3), float("nan")])):
        path = tmp_path / f"{number}.parquet"
        append_gallery(path, [GalleryRows(["a", "b"], ["1", "2"], made_up(2), pid=pid)], **MODEL)
        assert pq.read_table(path)["pid"].to_pylist() == [3, None]


@pytest.mark.parametrize("keep", [0, 3, 100, -1, -2000])
def test_a_cut_file_is_told(gallery: Path, keep: int) -> None:
    content = gallery.read_bytes()
    gallery.write_bytes(content[:keep])
    with pytest.raises(InputError, match=f"^{gallery}: is no whole Parquet file"):
        known_images(gallery)
    with pytest.raises(InputError, match=f"^{gallery}: is no whole Parquet file"):
        append_gallery(gallery, [rows_of(made_up(3), "b")], **MODEL)
    assert gallery.read_bytes() == content[:keep]


def test_other_parquet_files_and_folders_are_told(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"x": [1], "y": [2]}), path)
    with pytest.raises(InputError, match=f"^{path}: is no gallery of qafm; columns are x, y$"):
        known_images(path)
    with pytest.raises(InputError, match=f"^{tmp_path}: cannot be opened"):
        known_images(tmp_path)


def test_a_damaged_row_group_is_told(gallery: Path) -> None:
    content = bytearray(gallery.read_bytes())
    content[40:4000] = bytes(3960)
    gallery.write_bytes(content)
    with pytest.raises(InputError, match=f"^{gallery}: ") as caught:
        append_gallery(gallery, [rows_of(made_up(3), "b")], **MODEL)
    assert "\n" not in str(caught.value)
    assert gallery.read_bytes() == content


def test_two_processes_that_append_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gallery.parquet"
    writers = [start(path, prefix, "never", "8") for prefix in ("x", "y")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    wanted = {f"{prefix}{part}/{i}.jpg": f"sha-{prefix}{part}-{i}" for prefix in ("x", "y") for part in range(8) for i in range(5)}
    assert known_images(path) == wanted
    table = pq.read_table(path)
    for name, vector in zip(table["image_id"].to_pylist(), table["descriptor"].to_pylist(), strict=True):
        part, row = int(name[1]), int(name.split("/")[1][0])
        np.testing.assert_allclose(vector, unit(made_up(5, seed=part))[row], atol=1e-7)
    assert sorted(file.name for file in tmp_path.iterdir()) == [".gallery.parquet.lock", "gallery.parquet"]


@pytest.mark.parametrize("stop", ["embedding", "writing"])
def test_a_killed_writer_leaves_the_old_gallery_and_readers_see_it_meanwhile(gallery: Path, stop: str) -> None:
    before = gallery.read_bytes()
    writer = start(gallery, "b", stop)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "waiting\n"
    assert len(known_images(gallery)) == 100  # while it is written
    others = {file.name for file in gallery.parent.iterdir()} - {gallery.name, f".{gallery.name}.lock"}
    assert len(others) == (1 if stop == "writing" else 0)  # what is not yet the gallery
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert gallery.read_bytes() == before
    other = gallery.with_name(temporary_name(gallery.with_name(f"other{gallery.suffix}")))
    other.touch()
    append_gallery(gallery, [rows_of(made_up(3), "c")], **MODEL)  # the lock is free again
    assert len(known_images(gallery)) == 103
    assert sorted(file.name for file in gallery.parent.iterdir()) == sorted([f".{gallery.name}.lock", other.name, gallery.name])
    other.unlink()


def test_embedding_does_not_hold_the_lock(gallery: Path) -> None:
    writer = start(gallery, "b", "embedding")
    assert writer.stdout is not None
    writer.stdout.readline()
    append_gallery(gallery, [rows_of(made_up(3), "c")], **MODEL)
    writer.kill()
    writer.wait()
    writer.stdout.close()
    assert len(known_images(gallery)) == 103


def test_threads_wait_for_each_other_too(gallery: Path) -> None:
    threads = [threading.Thread(target=append_gallery, args=(gallery, [rows_of(made_up(3), f"t{i}")]), kwargs=MODEL) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(known_images(gallery)) == 112


def test_an_open_gallery_is_read_as_it_was_and_a_link_leads_to_the_same_file(gallery: Path) -> None:
    link = gallery.parent / "link.parquet"
    link.symlink_to(gallery.name)
    with Gallery(gallery) as opened:
        append_gallery(link, [rows_of(made_up(3), "b")], **MODEL)
        assert opened.rows == sum(len(block) for block in opened.blocks(["image_id"])) == 100
    assert link.is_symlink()
    assert len(known_images(gallery)) == 103
    assert not (gallery.parent / f".{link.name}.lock").exists()


def test_a_name_that_occurs_twice_is_told(gallery: Path) -> None:
    table = pq.read_table(gallery)
    pq.write_table(pa.concat_tables([table, table.slice(3, 1)]), gallery)
    with pytest.raises(InputError, match=rf"^{gallery}: an image_id occurs twice \(100 different ones in 101 rows\)"):
        known_images(gallery)


def test_portions_are_asked_for_one_after_the_other(tmp_path: Path) -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def portions() -> Iterator[GalleryRows]:
        for part in range(5):
            assert not any(reference() is not None for reference in alive[:-1])  # all but the last one are gone
            vectors = made_up(20, seed=part)
            alive.append(weakref.ref(vectors))
            yield rows_of(vectors, f"p{part}")

    assert append_gallery(tmp_path / "g.parquet", portions(), **MODEL).added == 100
