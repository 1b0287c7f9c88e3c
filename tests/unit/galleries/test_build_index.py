import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qafm.errors import InputError
from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.approximate_search import GalleryIndex, open_index
from qafm.galleries.build_index import build_index
from qafm.galleries.exclusions import Exclusions
from qafm.galleries.gallery import Gallery
from qafm.galleries.index_file import index_path, read_record
from qafm.galleries.ivf import Ivf
from qafm.galleries.search_gallery import Hits, search_gallery
from qafm.tables.gallery import GalleryRows
from tests.unit.galleries.conftest import DIM, MODEL, made_up, rows_of

ID = str(MODEL["model_id"])
N = 3000


@pytest.fixture
def big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """3000 images of 300 identities in 47 row groups."""
    monkeypatch.setattr("qafm.tables.gallery.BYTES_PER_GROUP", 64 * 4 * DIM)
    path = tmp_path / "big.parquet"
    append_gallery(path, [rows_of(made_up(N, identities=300), identities=300)], **MODEL)
    return path


def recall(found: Hits, exact: Hits) -> float:
    return float(np.mean([np.isin(wanted, got).mean() for wanted, got in zip(exact.row, found.row, strict=True)]))


@pytest.mark.parametrize("exclude", [Exclusions(), Exclusions(camid=np.arange(60) % 3 + 1), Exclusions(sha256=[f"sha-a-{i}" for i in range(60)])])
def test_the_index_finds_what_it_says(big: Path, exclude: Exclusions) -> None:
    record = build_index(big)
    assert read_record(big) == record
    assert record.rows == N
    assert record.lists == N // 40
    assert record.trained_on == N
    assert record.sample == 256
    assert record.recall_at_10 >= 0.95
    assert record.recall_at_10_cross_camera is not None
    assert record.recall_at_10_cross_camera >= 0.95
    assert 1 <= record.probes < record.lists
    queries = made_up(60, seed=4, identities=300)
    exact = search_gallery(big, queries, model_id=ID, approximate="never", exclude=exclude)
    found = search_gallery(big, queries, model_id=ID, exclude=exclude)
    assert (exact.exact, found.exact) == (True, False)
    assert recall(found, exact) >= 0.93
    same = found.row == exact.row
    np.testing.assert_array_equal(found.distance[same], exact.distance[same])  # re-ranked exactly
    assert (np.diff(found.distance, axis=1) >= 0).all()
    np.testing.assert_array_equal(found.image_id, np.char.add(np.char.add("a/", found.row.astype(str)), ".jpg"))


@pytest.mark.parametrize("exclude", [Exclusions(), Exclusions(camid=[1, None, 2, 3] * 5)])
def test_many_queries_are_taken_in_portions(big: Path, exclude: Exclusions, monkeypatch: pytest.MonkeyPatch) -> None:
    build_index(big)
    queries = made_up(20, seed=3)
    whole = search_gallery(big, queries, model_id=ID, approximate="always", exclude=exclude)
    asked = []
    before = GalleryIndex.candidates
    monkeypatch.setattr(GalleryIndex, "candidates", lambda self, some, *rest: asked.append(len(some)) or before(self, some, *rest))
    monkeypatch.setattr("qafm.galleries.approximate_search.PAIRS_AT_ONCE", 8 * 15 * (20 if exclude.columns else 1))
    parts = search_gallery(big, queries, model_id=ID, approximate="always", exclude=exclude)
    assert asked == [8, 8, 4]
    np.testing.assert_array_equal(parts.row, whole.row)
    np.testing.assert_array_equal(parts.distance, whole.distance)


def test_the_recorded_recall_is_that_of_searching_the_sample(big: Path) -> None:
    record = build_index(big)
    rng = np.random.default_rng(int(record.fingerprint[:16], 16))
    rng.choice(N, N, replace=False)  # the training rows are drawn first
    rows = np.sort(rng.choice(N, 256, replace=False))
    exclude = Exclusions(sha256=[f"sha-a-{row}" for row in rows])
    queries = made_up(N, identities=300)[rows]
    exact = search_gallery(big, queries, model_id=ID, approximate="never", exclude=exclude)
    found = search_gallery(big, queries, model_id=ID, approximate="always", exclude=exclude)
    assert not (exact.row == rows[:, None]).any()
    assert recall(found, exact) == pytest.approx(record.recall_at_10, abs=1e-3)


def test_a_lower_recall_needs_fewer_probes_and_fewer_probes_find_less(big: Path) -> None:
    low, high = build_index(big, recall=0.5), build_index(big, recall=0.999)
    assert low.probes < high.probes
    assert low.recall_at_10 < high.recall_at_10
    assert low.fingerprint == high.fingerprint


def test_an_excluded_pid_is_searched_exactly_unless_the_index_is_asked_for(big: Path) -> None:
    build_index(big)
    queries, exclude = made_up(5, identities=300), Exclusions(pid=[1, 2, 3, 4, 5])
    auto = search_gallery(big, queries, model_id=ID, exclude=exclude)
    always = search_gallery(big, queries, model_id=ID, exclude=exclude, approximate="always")
    assert (auto.exact, always.exact) == (True, False)
    for hits in (auto, always):
        assert not (hits.pid == np.arange(1, 6)[:, None]).any()


def test_a_query_with_too_few_candidates_is_searched_exactly(big: Path) -> None:
    build_index(big)
    with Gallery(big) as gallery:
        index = GalleryIndex(gallery, Ivf.open(index_path(big)), probes=1)
        queries = np.ascontiguousarray(made_up(3, identities=300) / np.linalg.norm(made_up(3, identities=300), axis=1, keepdims=True))
        found = index.search(queries, 500, Exclusions(camid=[1, None, 2]))  # more than a list holds
    exact = search_gallery(big, queries, model_id=ID, top=500, approximate="never", exclude=Exclusions(camid=[1, None, 2]))
    np.testing.assert_array_equal(found.row, exact.row)


def test_a_changed_gallery_makes_its_index_stale(big: Path, caplog: pytest.LogCaptureFixture) -> None:
    build_index(big)
    append_gallery(big, [rows_of(made_up(1), "b")], **MODEL)
    with caplog.at_level(logging.WARNING, "qafm"):
        assert search_gallery(big, made_up(1), model_id=ID, top=1).exact
    assert [record.getMessage() for record in caplog.records] == [f"{index_path(big)}: was made from another state of the gallery; searched exactly"]
    with pytest.raises(InputError, match=r"was made from another state of the gallery$"):
        search_gallery(big, made_up(1), model_id=ID, top=1, approximate="always")
    build_index(big)
    hits = search_gallery(big, made_up(1), model_id=ID, top=1, approximate="always")
    assert hits.distance[0, 0] == 0


def test_same_number_of_rows_of_other_images_makes_it_stale_too(big: Path) -> None:
    build_index(big)
    other = big.parent / "other.parquet"
    append_gallery(other, [rows_of(made_up(N, identities=300), content=[f"sha-b-{i}" for i in range(N)], identities=300)], **MODEL)
    other.replace(big)
    assert search_gallery(big, made_up(1), model_id=ID).exact


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_start(content: bytes) -> bytes:
    return content[1000:]


def other_start(content: bytes) -> bytes:
    return bytes(8) + content[8:]


def nonsense(content: bytes) -> bytes:
    return b"text" * (len(content) // 4)


def nothing(_: bytes) -> bytes:
    return b""


def other_record(content: bytes) -> bytes:
    return content.replace(b'"rows"', b'"ROWS"')


@pytest.mark.parametrize("damage", [cut, without_start, other_start, nonsense, nothing, other_record])
def test_a_damaged_index_is_told_and_not_used(big: Path, damage, caplog: pytest.LogCaptureFixture) -> None:
    build_index(big)
    path = index_path(big)
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING, "qafm"):
        assert search_gallery(big, made_up(1), model_id=ID).exact
    assert len(caplog.records) == 1
    message = caplog.records[0].getMessage()
    assert message.startswith(f"{path}: ")
    assert message.endswith("; searched exactly")
    assert "\n" not in message
    with pytest.raises(InputError, match=f"^{path}: "):
        search_gallery(big, made_up(1), model_id=ID, approximate="always")


def test_the_line_goes_to_stderr_where_nobody_listens(big: Path) -> None:
    index_path(big).write_bytes(b"text")
    code = f"""
from pathlib import Path; import numpy as np
from qafm.galleries.search_gallery import search_gallery
print(search_gallery(Path({str(big)!r}), np.ones((1, {DIM})), model_id=None).exact)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[3])
    assert done.stdout == "True\n"
    assert done.stderr == f"{index_path(big)}: is no whole index of this version; searched exactly\n"


def test_a_recall_that_is_not_reached_leaves_the_old_index(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_index(big)
    before = index_path(big).read_bytes()
    monkeypatch.setattr(GalleryIndex, "candidates", lambda _self, queries, _top, _exclusions: np.full((len(queries), 3), -1))
    with pytest.raises(InputError, match=rf"^{big}: an index finds 0.000 of the 10 nearest images, less than 0.95; search it exactly$"):
        build_index(big)
    assert index_path(big).read_bytes() == before
    assert sorted(file.name for file in big.parent.iterdir()) == [".big.parquet.ivf.lock", ".big.parquet.lock", "big.parquet", "big.parquet.ivf"]


@pytest.mark.parametrize("n", [2, 5, 60])
def test_small_galleries_can_have_one_too(tmp_path: Path, n: int) -> None:
    path = tmp_path / "g.parquet"
    append_gallery(path, [GalleryRows([str(i) for i in range(n)], [str(i) for i in range(n)], made_up(n))], **MODEL)
    record = build_index(path)
    assert (record.lists, record.recall_at_10, record.recall_at_10_cross_camera) == (max(1, n // 40), 1.0, None)
    found, exact = (search_gallery(path, made_up(3, seed=1), model_id=ID, top=n, approximate=how) for how in ("always", "never"))
    np.testing.assert_array_equal(found.row, exact.row)


@pytest.mark.parametrize(("n", "change", "message"), [(1, {}, "has 1 images, nothing"), (0, {}, "has 0 images"), (5, {"recall": 1.0}, "recall 1.0")])
def test_what_cannot_be_indexed_is_told(tmp_path: Path, n: int, change: dict, message: str) -> None:
    path = tmp_path / "g.parquet"
    append_gallery(path, [rows_of(made_up(n))] if n else [], **MODEL)
    with pytest.raises(InputError, match=f"^{path}: {message}"):
        build_index(path, **change)
    assert not index_path(path).exists()


def test_an_index_that_is_replaced_while_it_is_opened_is_not_used(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = build_index(big)
    records = iter([record, replace(record, probes=record.probes + 1)])
    monkeypatch.setattr("qafm.galleries.approximate_search.read_record", lambda _: next(records))
    with Gallery(big) as gallery, pytest.raises(InputError, match="was replaced while it was opened"):
        open_index(gallery)


def test_a_gallery_that_changes_meanwhile_gets_no_index(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_index(big)
    before = index_path(big).read_bytes()
    original = Ivf.write

    def late(self: Ivf, path: Path) -> None:
        append_gallery(big, [rows_of(made_up(1), "b")], **MODEL)
        original(self, path)

    monkeypatch.setattr(Ivf, "write", late)
    with pytest.raises(InputError, match=f"^{big}: was changed while its index was made; make it again$"):
        build_index(big)
    assert index_path(big).read_bytes() == before


def test_an_index_that_cannot_be_written_leaves_the_old_one(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_index(big)
    before = index_path(big).read_bytes()
    original = Ivf.write
    monkeypatch.setattr(Ivf, "write", lambda self, _: original(self, Path("/dev/full")))
    with pytest.raises(InputError, match=r"^/dev/full: faiss cannot write it \(.+\)$"):
        build_index(big)
    assert index_path(big).read_bytes() == before


def test_a_path_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "\udcff"
    folder.mkdir()
    with pytest.raises(InputError, match=r"udcff/g.parquet: cannot be written: its path is not UTF-8$"):
        append_gallery(folder / "g.parquet", [rows_of(made_up(3))], **MODEL)
    append_gallery(tmp_path / "g.parquet", [rows_of(made_up(3))], **MODEL)
    (tmp_path / "g.parquet").rename(folder / "g.parquet")
    with pytest.raises(InputError, match=r"udcff/g.parquet.ivf: cannot be written: its path is not UTF-8$"):
        build_index(folder / "g.parquet")
    assert [file.name for file in folder.iterdir()] == ["g.parquet"]
    assert search_gallery(folder / "g.parquet", made_up(1), model_id=ID, top=1).exact


def test_an_index_belongs_to_the_file_a_link_leads_to(big: Path) -> None:
    link = big.parent / "link.parquet"
    link.symlink_to(big.name)
    build_index(link)
    assert not search_gallery(big, made_up(1), model_id=ID).exact
    assert not search_gallery(link, made_up(1), model_id=ID).exact
