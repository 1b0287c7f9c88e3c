import logging
import threading
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qafm.errors import InputError
from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.exact_search import exact_search
from qafm.galleries.exclusions import Exclusions
from qafm.galleries.gallery import Gallery
from qafm.galleries.nearest import Nearest
from qafm.galleries.search_gallery import UNKNOWN, Hit, search_gallery
from qafm.galleries.unit_vectors import unit_vectors
from qafm.tables.gallery import GalleryRows
from tests.unit.galleries.conftest import DIM, MODEL, made_up, rows_of, unit

ID = str(MODEL["model_id"])


def slow(queries: np.ndarray, gallery: np.ndarray, top: int, gone: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows and distances by the whole table of distances and a stable sort of each of its rows, vectors normalised as a gallery stores them."""
    found = np.full((len(queries), top), -1), np.full((len(queries), top), np.inf)
    a, b = unit_vectors(queries, "").astype(float), unit_vectors(gallery, "").astype(float)
    for i, query in enumerate(a):
        distance = np.array([np.sqrt(((query - other) ** 2).sum()) for other in b])
        order = [row for row in np.argsort(distance, kind="stable") if gone is None or not gone[i, row]][:top]
        found[0][i, : len(order)], found[1][i, : len(order)] = order, distance[order]
    return found


def test_hits_are_those_of_a_full_sort(gallery: Path) -> None:
    queries = 3 * made_up(11, seed=5)  # of any length
    hits = search_gallery(gallery, queries, model_id=ID, top=9)
    row, distance = slow(queries, made_up(100), 9)
    np.testing.assert_array_equal(hits.row, row)
    np.testing.assert_allclose(hits.distance, distance, atol=1e-12)
    np.testing.assert_allclose(hits.similarity, np.take_along_axis(unit(queries) @ unit(made_up(100)).T, row, axis=1), atol=1e-6)
    assert hits.image_id.tolist() == [[f"a/{r}.jpg" for r in rows] for rows in row]
    np.testing.assert_array_equal(hits.pid, row % 7 + 1)
    np.testing.assert_array_equal(hits.camid, row % 3 + 1)
    assert hits.exact
    assert len(hits) == 11
    second = row[3, 1]
    expected = Hit(
        2, f"a/{second}.jpg", hits.distance[3, 1], hits.similarity[3, 1], second % 7 + 1, second % 3 + 1, second, second / 10, 0.5, f"sha-a-{second}"
    )
    assert hits.of(3)[1] == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_ties_keep_the_order_of_the_gallery(tmp_path: Path, small_groups: None, data: st.DataObject) -> None:  # noqa: ARG001
    n, q, distinct = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 5)), data.draw(st.integers(1, 6))
    few = made_up(distinct, seed=data.draw(st.integers(0, 1000)), identities=1)
    vectors = few[data.draw(st.lists(st.integers(0, distinct - 1), min_size=n, max_size=n))]
    queries = made_up(q, seed=data.draw(st.integers(0, 1000)), identities=1)
    top = data.draw(st.integers(1, n))
    path = tmp_path / "g.parquet"
    path.unlink(missing_ok=True)
    append_gallery(path, [rows_of(vectors)], **MODEL)
    camid = data.draw(st.lists(st.one_of(st.none(), st.integers(1, 4)), min_size=q, max_size=q))
    gone = np.array([[camera == row % 3 + 1 for row in range(n)] for camera in camid])
    hits = search_gallery(path, queries, model_id=ID, top=top, exclude=Exclusions(camid=camid))
    np.testing.assert_array_equal(hits.row, slow(queries, vectors, top, gone)[0])


def test_equal_rows_of_a_long_gallery_come_in_its_order(tmp_path: Path) -> None:
    """A matrix product gives equal rows unequal last bits; the order must not depend on it."""
    vectors = np.repeat(made_up(1, dim=333), 701, axis=0)
    path = tmp_path / "g.parquet"
    append_gallery(path, [rows_of(vectors)], **MODEL | {"dim": 333})
    hits = search_gallery(path, made_up(3, dim=333, seed=2), model_id=ID, top=700)
    np.testing.assert_array_equal(hits.row, np.tile(np.arange(700), (3, 1)))


def test_rows_closer_than_single_precision_tells_are_told_apart(tmp_path: Path) -> None:
    base = unit(made_up(1, dim=64))[0]
    shift = unit(made_up(1, dim=64, seed=8))[0]
    vectors = np.array([base + step * 1e-7 * shift for step in (30, 20, 10, 25, 15)])  # products with base: 1 in single precision
    path = tmp_path / "g.parquet"
    append_gallery(path, [rows_of(vectors)], **MODEL | {"dim": 64})
    hits = search_gallery(path, base[None], model_id=ID, top=5)
    assert hits.row.tolist() == [[2, 4, 1, 3, 0]]
    assert search_gallery(path, vectors[3:4], model_id=ID, top=1).distance[0, 0] == 0


@pytest.mark.parametrize(
    ("exclude", "gone"),
    [
        (Exclusions(), lambda _q, _row: False),
        (Exclusions(sha256=["sha-a-3", None, "sha-a-99", "none"]), lambda q, row: (q, row) in {(0, 3), (2, 99)}),
        (Exclusions(camid=[1, 2, None, 9]), lambda q, row: [1, 2, None, 9][q] == row % 3 + 1),
        (Exclusions(pid=np.array([1, 7, 7, 100])), lambda q, row: [1, 7, 7, 100][q] == row % 7 + 1),
        (Exclusions(camid=[1, 2, None, 9], pid=[None, 1, 2, 3]), lambda q, row: [1, 2, None, 9][q] == row % 3 + 1 or [None, 1, 2, 3][q] == row % 7 + 1),
    ],
)
def test_exclusions(gallery: Path, exclude: Exclusions, gone) -> None:
    queries = made_up(100)[[3, 17, 99, 40]]
    removed = np.array([[gone(q, row) for row in range(100)] for q in range(4)])
    hits = search_gallery(gallery, queries, model_id=ID, top=80, exclude=exclude)
    row, distance = slow(queries, made_up(100), 80, removed)
    np.testing.assert_array_equal(hits.row, row)
    np.testing.assert_allclose(hits.distance, distance)


def test_where_exclusions_leave_too_few_the_rest_is_marked(gallery: Path) -> None:
    hits = search_gallery(gallery, made_up(2), model_id=ID, top=100, exclude=Exclusions(camid=[1, None]))
    assert (hits.row[0, 66:] == -1).all()
    assert (hits.row[0, :66] >= 0).all()
    assert np.isinf(hits.distance[0, 66:]).all()
    assert (hits.similarity[0, 66:] == -np.inf).all()
    assert set(hits.image_id[0, 66:]) == {""}
    assert set(hits.pid[0, 66:]) == set(hits.camid[0, 66:]) == {UNKNOWN}
    assert len(hits.of(0)) == 66
    assert len(hits.of(1)) == 100


def test_unknown_labels_are_none(tmp_path: Path) -> None:
    path = tmp_path / "g.parquet"
    append_gallery(path, [GalleryRows(["x", "y"], ["1", "2"], made_up(2), pid=[None, 5], camid=[3, None])], **MODEL)
    hits = search_gallery(path, made_up(1), model_id=None, top=2, exclude=Exclusions(pid=[5]))
    assert [(hit.pid, hit.camid, hit.q, hit.visual_weight) for hit in hits.of(0)] == [(None, 3, None, None)]
    hits = search_gallery(path, made_up(2)[1:], model_id=ID, top=2)
    assert [(hit.image_id, hit.pid, hit.camid) for hit in hits.of(0)] == [("y", 5, None), ("x", None, 3)]


def test_many_queries_are_taken_in_portions(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = made_up(50, seed=3)
    monkeypatch.setattr("qafm.galleries.exact_search.SIMILARITY_BYTES", 3 * 4 * 8)  # 3 queries
    monkeypatch.setattr("qafm.galleries.nearest.PAIR_BYTES", 5 * 8 * DIM)  # 5 pairs
    hits = search_gallery(gallery, queries, model_id=ID, top=4, exclude=Exclusions(camid=np.arange(50) % 3 + 1))
    gone = (np.arange(50) % 3)[:, None] == (np.arange(100) % 3)[None]
    np.testing.assert_array_equal(hits.row, slow(queries, made_up(100), 4, gone)[0])


def test_memory_does_not_grow_with_the_gallery(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row group beside the one in use, and no more, is held."""
    held, most, lock = [0], [0], threading.Lock()  # the next group is read by another thread, which may be slow
    original = Gallery.block

    def counted(self: Gallery, group: int, columns: list[str]):
        with lock:
            held[0] += 1
            most[0] = max(most[0], held[0])
        return original(self, group, columns)

    def offered(self: Nearest, *arguments) -> None:
        real(self, *arguments)
        with lock:
            held[0] -= 1

    real = Nearest.offer
    monkeypatch.setattr(Gallery, "block", counted)
    monkeypatch.setattr(Nearest, "offer", offered)
    with Gallery(gallery) as opened:
        exact_search(opened, unit_vectors(made_up(1), ""), 3, Exclusions())
        assert opened.groups > 2
    assert 1 <= most[0] <= 2 and held[0] == 0


@pytest.mark.parametrize(
    ("queries", "change", "message"),
    [
        (made_up(2), {"model_id": "f" * 64}, r"{path}: was made by the model made-up/seed-1 \(0123456789ab\), not by another \(ffffffffffff\)"),
        (made_up(2), {"model_id": "f" * 64, "model": "theirs"}, r"{path}: was made by .*, not by theirs \(ffffffffffff\)"),
        (made_up(2, dim=8), {}, r"{path}: holds descriptors of length 16, the queries have shape \(2, 8\)"),
        (made_up(2)[0], {}, r"{path}: holds descriptors of length 16, the queries have shape \(16,\)"),
        (made_up(2), {"top": 101}, r"{path}: top 101 of a gallery of 100 images"),
        (made_up(2), {"top": 0}, r"{path}: top 0 of a gallery of 100 images"),
        (made_up(2) * np.array([[1], [np.nan]]), {}, r"queries: row 1: the descriptor is not finite"),
        (made_up(2) * np.array([[0], [1]]), {}, r"queries: row 0: the descriptor is zero"),
        (made_up(2), {"exclude": Exclusions(camid=[1])}, r"search: camid of the queries has 1 values for 2 queries"),
        (made_up(2), {"approximate": "always"}, r"{path}: has no index gallery.parquet.ivf"),
        (made_up(2), {"approximate": "sometimes"}, r"approximate: 'sometimes' is none of auto, never, always"),
    ],
)
def test_bad_input_is_told_in_one_line(gallery: Path, queries: np.ndarray, change: dict, message: str) -> None:
    with pytest.raises(InputError, match="^" + message.format(path=gallery)) as caught:
        search_gallery(gallery, queries, **{"model_id": ID, **change})
    assert "\n" not in str(caught.value)


def test_a_gallery_says_what_it_knows(tmp_path: Path, gallery: Path) -> None:
    append_gallery(tmp_path / "none.parquet", [GalleryRows(["x"], ["1"], made_up(1), pid=[3])], **MODEL)
    with Gallery(gallery) as known, Gallery(tmp_path / "none.parquet") as unknown:
        assert [known.knows(column) for column in ("pid", "camid", "q")] == [True, True, True]
        assert [unknown.knows(column) for column in ("pid", "camid", "q")] == [True, False, False]


def test_an_empty_gallery_is_told(tmp_path: Path) -> None:
    append_gallery(tmp_path / "g.parquet", [], **MODEL)
    with pytest.raises(InputError, match=r"g.parquet: is empty$"):
        search_gallery(tmp_path / "g.parquet", made_up(1), model_id=ID)


@pytest.mark.parametrize(("value", "reason"), [(np.nan, "is not finite"), (0.5, "is not of length 1")])
def test_bad_stored_descriptors_are_told_with_their_row(gallery: Path, value: float, reason: str) -> None:
    table = pq.read_table(gallery)
    vectors = np.stack(table["descriptor"].to_numpy())
    vectors[61] *= value
    names = table.schema.names
    changed = table.set_column(
        names.index("descriptor"), table.schema.field("descriptor"), GalleryRows(["x"] * 100, ["x"] * 100, vectors).to_table()["descriptor"]
    )
    pq.write_table(changed, gallery, row_group_size=8)
    with pytest.raises(InputError, match=f"^{gallery}: row 61: the descriptor {reason}$"):
        search_gallery(gallery, made_up(1), model_id=ID)


def test_a_large_gallery_without_an_index_gets_a_hint(gallery: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("qafm.galleries.search_gallery.ROWS_FOR_INDEX", 100)
    with caplog.at_level(logging.WARNING, "qafm"):
        assert search_gallery(gallery, made_up(1), model_id=ID).exact
        search_gallery(gallery, made_up(1), model_id=ID, approximate="never")
    assert [record.getMessage().split(": ")[1].split(";")[0] for record in caplog.records] == ["all 100 images are compared"]
