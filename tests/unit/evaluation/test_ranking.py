"""Retrieval metrics against hand-counted cases and against a slow evaluation that sorts the whole gallery."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.errors import InputError
from qafm.evaluation.ranking import Labels, Retrieval, dot_similarity, evaluate_retrieval


def labels(pid: list[int], camid: list[int], prefix: str, sha256: list[str] | None = None) -> Labels:
    names = np.array([f"{prefix}{i}" for i in range(len(pid))])
    return Labels(np.array(pid, np.int32), np.array(camid, np.int16), names, None if sha256 is None else np.array(sha256))


def given_scores(scores: list[list[float]]):
    matrix = np.array(scores, np.float32)
    return lambda queries: matrix[queries]


def sorted_evaluation(query: Labels, gallery: Labels, scores: np.ndarray, same_camera: str) -> list[tuple[float, ...]]:
    """Sort, filter, walk down the list: (first rank, AP, trapezoidal AP as in the MATLAB code, INP) or () per query."""
    results = []
    for i in range(len(query)):
        kept = []
        for j in sorted(range(len(gallery)), key=lambda j: (-scores[i, j], j)):
            if query.sha256 is not None and gallery.sha256 is not None and query.sha256[i] == gallery.sha256[j]:
                continue
            if same_camera == "drop" and query.pid[i] == gallery.pid[j] and query.camid[i] == gallery.camid[j]:
                continue
            kept.append(gallery.pid[j] == query.pid[i])
        n_right = sum(kept)
        if n_right == 0:
            results.append(())
            continue
        ap = trapezoid = 0.0
        hits, old_recall, old_precision = 0, 0.0, 1.0
        for place, right in enumerate(kept, start=1):
            hits += right
            recall, precision = hits / n_right, hits / place
            ap += precision / n_right if right else 0.0
            trapezoid += (recall - old_recall) * (old_precision + precision) / 2
            old_recall, old_precision = recall, precision
        last = max(place for place, right in enumerate(kept, start=1) if right)
        results.append((kept.index(True) + 1, ap, trapezoid, n_right / last))
    return results


def assert_same(found: Retrieval, expected: list[tuple[float, ...]]) -> None:
    assert found.valid.tolist() == [bool(row) for row in expected]
    for i, row in enumerate(expected):
        values = (found.first_rank[i], found.ap[i], found.ap_trapezoid[i], found.inp[i])
        if row:
            assert values == pytest.approx(row)
        else:
            assert values[0] == 0 and np.isnan(values[1:]).all()


def test_hand_counted_case():
    query = labels([1, 2, 3], [1, 1, 1], "q")
    gallery = labels([1, 1, 2, 9, 1], [2, 2, 2, 2, 1], "g")
    # q0: order g3 wrong, g4 dropped (same camera), g0 right, g2 wrong, g1 right. q1: g2 first. q2: nobody.
    scores = given_scores([[0.7, 0.1, 0.5, 0.9, 0.8], [0.1, 0.2, 0.9, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4, 0.5]])
    found = evaluate_retrieval(query, gallery, scores)
    assert found.first_rank.tolist() == [2, 1, 0]
    assert found.ap[:2].tolist() == [0.5, 1.0]  # (1/2 + 2/4) / 2
    assert found.ap_trapezoid[:2] == pytest.approx([((0 + 1 / 2) / 2 + (1 / 3 + 1 / 2) / 2) / 2, 1.0])
    assert found.inp[:2].tolist() == [0.5, 1.0]  # 2 right, the last at rank 4
    assert found.excluded == ["q2"]
    expected = {"rank1": 50, "rank2": 100, "mAP": 75, "mAP_trapezoid": 50 * (1 / 3 + 1), "mINP": 75, "n_queries": 2, "n_excluded": 1}
    assert found.summary(ranks=(1, 2)) == pytest.approx(expected)
    assert list(found.summary())[:3] == ["rank1", "rank5", "rank10"]


def test_keep_counts_the_same_camera():
    query, gallery = labels([1], [1], "q"), labels([1, 2, 1], [1, 1, 2], "g")
    scores = given_scores([[0.9, 0.5, 0.1]])
    assert evaluate_retrieval(query, gallery, scores, same_camera="drop").first_rank.tolist() == [2]
    assert evaluate_retrieval(query, gallery, scores, same_camera="keep").first_rank.tolist() == [1]


@pytest.mark.parametrize("same_camera", ["drop", "keep"])
def test_identical_image_is_always_removed(same_camera: str):
    query = labels([1], [1], "q", ["a"])
    gallery = labels([1, 2, 1, 5], [2, 2, 2, 2], "g", ["a", "b", "c", "a"])  # the last: same content under another identity
    found = evaluate_retrieval(query, gallery, given_scores([[0.9, 0.5, 0.1, 0.8]]), same_camera=same_camera)
    assert found.first_rank.tolist() == [2] and found.ap.tolist() == [0.5]


def test_without_hashes_the_same_name_is_the_same_image():
    names = np.array(["a", "b", "c"])
    side = Labels(np.array([1, 1, 2], np.int32), np.full(3, -1, np.int16), names)
    found = evaluate_retrieval(side, side, given_scores(np.eye(3).tolist()), same_camera="keep")
    assert found.first_rank.tolist() == [1, 1, 0] and found.excluded == ["c"]


def test_without_hashes_the_same_name_of_another_identity_is_another_image():
    query = Labels(np.array([1], np.int32), np.array([1], np.int16), np.array(["01_1.png"]))
    gallery = Labels(np.array([2, 1], np.int32), np.array([2, 2], np.int16), np.array(["01_1.png", "02_1.png"]))
    found = evaluate_retrieval(query, gallery, given_scores([[0.9, 0.5]]), same_camera="drop")
    assert found.first_rank.tolist() == [2] and found.ap.tolist() == [0.5]


def test_a_constant_descriptor_gains_nothing():
    gallery = labels(list(range(1, 21)), [2] * 20, "g")
    query = labels(list(range(1, 21)), [1] * 20, "q")
    found = evaluate_retrieval(query, gallery, lambda queries: np.ones((queries.stop - queries.start, 20), np.float32))
    assert found.summary()["rank1"] == 5.0  # one of 20: chance
    assert found.first_rank.tolist() == list(range(1, 21))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_equals_sorting(data: st.DataObject):
    n_query, n_gallery = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 14))

    def column(n: int, low: int, high: int) -> list[int]:
        return data.draw(st.lists(st.integers(low, high), min_size=n, max_size=n))

    query = labels(column(n_query, 1, 3), column(n_query, 1, 2), "q", [f"s{x}" for x in column(n_query, 0, 30)])
    gallery = labels(column(n_gallery, 0, 3), column(n_gallery, 1, 2), "g", [f"s{x}" for x in column(n_gallery, 0, 30)])  # pid 0: distractors
    values = column(n_query * n_gallery, 0, data.draw(st.sampled_from([0, 2, 50])))  # 0 and 2: many ties
    scores = np.array(values, np.float32).reshape(n_query, n_gallery)
    same_camera = data.draw(st.sampled_from(["drop", "keep"]))
    expected = sorted_evaluation(query, gallery, scores, same_camera)
    if not any(expected):
        with pytest.raises(InputError, match="valid match"):
            evaluate_retrieval(query, gallery, lambda queries: scores[queries], same_camera=same_camera)
        return
    found = evaluate_retrieval(query, gallery, lambda queries: scores[queries], same_camera=same_camera, chunk=data.draw(st.integers(1, 6)))
    assert_same(found, expected)


def test_descriptors_and_chunks_agree_with_sorting():
    rng = np.random.default_rng(3)
    query, gallery = labels(list(range(1, 11)) * 3, [1] * 30, "q"), labels([*range(11)] * 8, [*rng.integers(1, 4, 88)], "g")
    vectors = rng.normal(size=(118, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = np.linalg.norm(vectors[:30, None].astype(np.float64) - vectors[None, 30:], axis=2)
    expected = sorted_evaluation(query, gallery, -distances, "drop")
    slices: list[slice] = []

    def watched(queries: slice) -> np.ndarray:
        slices.append(queries)
        return dot_similarity(vectors[:30], vectors[30:])(queries)

    assert_same(evaluate_retrieval(query, gallery, watched, chunk=7), expected)
    assert slices == [slice(0, 7), slice(7, 14), slice(14, 21), slice(21, 28), slice(28, 30)]


def test_the_scores_are_left_alone():
    query, gallery = labels([1], [1], "q"), labels([1, 1, 2], [1, 2, 2], "g")
    scores = np.array([[0.9, 0.2, 0.5]], np.float32)
    scores.flags.writeable = False
    assert evaluate_retrieval(query, gallery, lambda queries: scores[queries]).first_rank.tolist() == [2]


def test_bad_input_is_named():
    query, gallery = labels([1], [1], "q"), labels([1, 2], [2, 2], "g")
    scores = given_scores([[0.5, 0.4]])
    with pytest.raises(InputError, match="same_camera: 'both'"):
        evaluate_retrieval(query, gallery, scores, same_camera="both")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="q0: query image without a camera"):
        evaluate_retrieval(labels([1], [-1], "q"), gallery, scores)
    with pytest.raises(InputError, match="g0: gallery image without a camera"):
        evaluate_retrieval(query, labels([1, 2], [-1, 2], "g"), scores)
    with pytest.raises(InputError, match="not finite"):
        evaluate_retrieval(query, gallery, given_scores([[0.5, np.nan]]))
    with pytest.raises(InputError, match="scores"):
        evaluate_retrieval(query, gallery, given_scores([[0.5]]))
    with pytest.raises(InputError, match="none of the 1 queries"):
        evaluate_retrieval(labels([7], [1], "q"), gallery, scores)
    with pytest.raises(InputError, match="query descriptors: row 1 is not finite"):
        dot_similarity(np.array([[1, 0], [np.inf, 0]], np.float32), np.eye(2, dtype=np.float32))
    with pytest.raises(InputError, match="length"):
        dot_similarity(np.eye(2, dtype=np.float32), np.eye(3, dtype=np.float32))
    with pytest.raises(InputError, match="different lengths"):
        Labels(np.zeros(2, np.int32), np.zeros(1, np.int16), np.array(["a", "b"]))


def test_distractors_without_a_camera_are_no_error():
    query, gallery = labels([1], [1], "q"), labels([1, 0], [2, -1], "g")
    assert evaluate_retrieval(query, gallery, given_scores([[0.5, 0.6]])).first_rank.tolist() == [2]
