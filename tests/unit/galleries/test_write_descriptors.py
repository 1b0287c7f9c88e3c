import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from qafm.errors import InputError
from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.read_side import read_side
from qafm.galleries.write_descriptors import write_descriptors
from qafm.tables.gallery import GalleryRows
from tests.unit.galleries.conftest import DIM, MODEL, made_up


def stored(gallery: Path) -> np.ndarray:
    return np.stack(pq.read_table(gallery)["descriptor"].to_numpy())


def test_npz_has_the_names_that_others_expect(gallery: Path) -> None:
    out = gallery.parent / "new" / "g.npz"
    write_descriptors(gallery, out, "npz")
    with np.load(out) as found:
        assert sorted(found.files) == ["camids", "features", "paths", "pids"]
        np.testing.assert_array_equal(found["features"], stored(gallery))
        assert found["features"].dtype == np.float32
        assert found["pids"].tolist() == [i % 7 + 1 for i in range(100)]
        assert found["camids"].tolist() == [i % 3 + 1 for i in range(100)]
        assert found["paths"].tolist() == [f"a/{i}.jpg" for i in range(100)]


def test_npy_has_a_csv_beside_it(gallery: Path) -> None:
    write_descriptors(gallery, gallery.parent / "g.npy", "npy")
    np.testing.assert_array_equal(np.load(gallery.parent / "g.npy"), stored(gallery))
    with (gallery.parent / "g.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 100
    assert rows[10] == {"image_id": "a/10.jpg", "pid": "4", "camid": "2", "sha256": "sha-a-10", "q": "1.0", "visual_weight": "0.5"}


@pytest.mark.parametrize("format", ["npz", "npy"])
def test_what_is_written_is_read_again(gallery: Path, format) -> None:
    out = gallery.parent / f"g.{format}"
    write_descriptors(gallery, out, format)
    one, two = read_side(gallery, "gallery"), read_side(out, "gallery")
    for name in ("vectors", "pid", "camid", "name"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_unknown_labels(tmp_path: Path) -> None:
    path = tmp_path / "g.parquet"
    append_gallery(path, [GalleryRows(["ü, x.jpg", "y"], ["1", "2"], made_up(2), pid=[None, 5], camid=[3, None])], **MODEL)
    write_descriptors(path, tmp_path / "g.npz", "npz")
    write_descriptors(path, tmp_path / "g.npy", "npy")
    with np.load(tmp_path / "g.npz") as found:
        assert (found["pids"].tolist(), found["camids"].tolist(), found["paths"].tolist()) == ([-1, 5], [3, -1], ["ü, x.jpg", "y"])
    assert (tmp_path / "g.csv").read_text("utf-8").splitlines()[1:] == ['"ü, x.jpg",,3,1,,', "y,5,,2,,"]


@pytest.mark.parametrize(("format", "there"), [("npz", "people.npz"), ("npy", "people.npy"), ("npy", "people.csv")])
def test_a_file_that_is_there_stays_unless_it_may_go(gallery: Path, format, there: str) -> None:
    mine = gallery.parent / there
    mine.write_text("identity,gender\n")
    with pytest.raises(InputError, match=f"^{mine}: is there already; overwrite=True replaces it$"):
        write_descriptors(gallery, gallery.parent / f"people.{format}", format)
    assert mine.read_text() == "identity,gender\n"
    assert {file.name for file in gallery.parent.glob("people.*")} == {there}
    write_descriptors(str(gallery), str(gallery.parent / f"people.{format}"), format, overwrite=True)
    assert len(read_side(gallery.parent / f"people.{format}", "gallery")) == 100


def test_an_empty_gallery(tmp_path: Path) -> None:
    append_gallery(tmp_path / "g.parquet", [], **MODEL)
    write_descriptors(tmp_path / "g.parquet", tmp_path / "g.npz", "npz")
    with np.load(tmp_path / "g.npz") as found:
        assert {name: found[name].shape for name in found.files} == {"features": (0, DIM), "pids": (0,), "camids": (0,), "paths": (0,)}


@pytest.mark.parametrize(
    ("name", "format", "message"), [("g.npz", "npy", "must end in .npy"), ("g.txt", "txt", "descriptors are written as npz or npy, not 'txt'")]
)
def test_other_formats_are_refused(gallery: Path, name: str, format, message: str) -> None:
    with pytest.raises(InputError, match=f"^{gallery.parent / name}: {message}$"):
        write_descriptors(gallery, gallery.parent / name, format)
    assert not (gallery.parent / name).exists()
