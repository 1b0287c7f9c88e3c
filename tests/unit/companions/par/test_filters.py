"""Filtered searches against plain loops, and against the ranking of the common protocol."""

import numpy as np
import pytest

from qafm.companions.par.filters import Distance, Filter, Filtered, Side, all_filters, filtered_search
from qafm.config.choices import SameCamera
from qafm.errors import InputError
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval


def side(pids: list[int], descriptors: np.ndarray, attributes: np.ndarray, camid: int | list[int], prefix: str) -> Side:
    cameras = np.broadcast_to(np.array(camid), len(pids))
    labels = Labels(np.array(pids), cameras, np.array([f"{prefix}{i:03d}" for i in range(len(pids))]))
    return Side(labels, unit_rows(descriptors), attributes)


def random_sides(seed: int) -> tuple[Side, Side]:
    rng = np.random.default_rng(seed)
    q_pids, g_pids = [1, 2, 3, 4, 9], rng.integers(0, 5, 40).tolist()  # nobody in the gallery is 9
    query = side(q_pids, rng.normal(size=(5, 3)), rng.integers(0, 3, (5, 6)), [1, 2, 1, 2, 1], "q")
    return query, side(g_pids, rng.normal(size=(40, 3)), rng.integers(0, 3, (40, 6)), rng.integers(1, 3, 40).tolist(), "g")


def slow_search(query: Side, gallery: Side, each: Filter, same_camera: SameCamera, distance: Distance) -> list[list[float]]:
    """ap, ap_of_all, first, recall, kept of every query with a right image, one gallery image after another."""
    rows = []
    for i in range(len(query)):
        listed = []
        for j in range(len(gallery)):
            same = query.labels.pid[i] == gallery.labels.pid[j]
            if same and same_camera == "drop" and query.labels.camid[i] == gallery.labels.camid[j]:
                continue
            length = float(np.linalg.norm(query.descriptors[i].astype(float) - gallery.descriptors[j].astype(float)))
            differ = sum(a != b for a, b in zip(query.attributes[i], gallery.attributes[j], strict=True))
            listed.append((length**2 if distance == "squared" else length, j, bool(same), differ))
        mean = sum(entry[0] for entry in listed) / len(listed)
        if not any(entry[2] for entry in listed):
            continue
        listed.sort()
        kept = [e for e in listed if (not each.distance or e[0] < mean) and (each.max_different is None or e[3] <= each.max_different)]
        hits, total, first = 0, 0.0, 0
        for place, entry in enumerate(kept, start=1):
            if entry[2]:
                hits += 1
                total += hits / place
                first = first or place
        right = sum(entry[2] for entry in listed)
        rows.append([total / hits if hits else 0.0, total / right, first, hits / right, len(kept) / len(listed)])
    return rows


def fields(found: Filtered) -> np.ndarray:
    return np.array([found.ap, found.ap_of_all, found.first, found.recall, found.kept]).T


@pytest.mark.parametrize(("same_camera", "distance"), [("keep", "euclidean"), ("drop", "euclidean"), ("keep", "squared")])
def test_every_filter_against_loops(same_camera: SameCamera, distance: Distance) -> None:
    for seed in range(4):
        query, gallery = random_sides(seed)
        found, excluded = filtered_search(query, gallery, all_filters((1, 3)), same_camera=same_camera, distance=distance)
        assert list(found) == ["none", "distance", "attributes<=1", "attributes<=3", "distance and attributes<=1", "distance and attributes<=3"]
        for each in all_filters((1, 3)):
            expected = slow_search(query, gallery, each, same_camera, distance)
            assert excluded == len(query) - len(expected)
            np.testing.assert_allclose(fields(found[each.name]), expected, atol=1e-6)


def test_the_threshold_on_squared_distances_lets_more_pass() -> None:
    query, gallery = random_sides(7)
    kept = [
        filtered_search(query, gallery, [Filter(distance=True)], same_camera="keep", distance=d)[0]["distance"].kept.mean() for d in ("euclidean", "squared")
    ]
    assert kept[0] < kept[1]


def test_without_a_filter_it_is_the_common_ranking() -> None:
    query, gallery = random_sides(11)
    found = filtered_search(query, gallery, [Filter()], same_camera="drop")[0]["none"]
    ranked = evaluate_retrieval(query.labels, gallery.labels, dot_similarity(query.descriptors, gallery.descriptors), same_camera="drop")
    np.testing.assert_allclose(found.ap, ranked.ap[ranked.valid])
    assert found.first.tolist() == ranked.first_rank[ranked.valid].tolist()
    summary = found.summary((1, 5))
    common = ranked.summary((1, 5))
    assert summary == pytest.approx(
        {"mAP": common["mAP"], "mAP_of_all": common["mAP"], "rank1": common["rank1"], "rank5": common["rank5"], "recall_kept": 100, "gallery_kept": 100}
        | {"nothing_right": 0}
    )


def test_filters_that_keep_nothing() -> None:
    flat = np.tile([[1.0, 0.0]], (4, 1))
    query = side([1, 2], flat[:2], np.zeros((2, 3), int), 1, "q")
    gallery = side([1, 2, 3, 1], flat, np.ones((4, 3), int), 2, "g")
    found, excluded = filtered_search(query, gallery, all_filters((0, 2, 3)), same_camera="keep")
    assert excluded == 0
    for name in ("distance", "attributes<=0", "attributes<=2", "distance and attributes<=3"):  # all are equally far: nothing is closer than the mean
        expected = {"rank1": 0, "rank9": 0, "mAP": 0, "mAP_of_all": 0, "recall_kept": 0, "gallery_kept": 0, "nothing_right": 100}
        assert found[name].summary((1, 9)) == expected
    assert found["attributes<=3"].summary((1,))["gallery_kept"] == 100
    # Equal distances keep the order of the gallery: identity 1 is first and last, identity 2 second.
    assert found["none"].first.tolist() == [1, 2]
    assert found["none"].ap.tolist() == [(1 + 2 / 4) / 2, 1 / 2]


def test_of_equal_distances_none_is_closer_than_their_mean() -> None:
    rng = np.random.default_rng(1)
    for n in range(3, 60):
        one, other = rng.normal(size=2), rng.normal(size=2)
        query = side([1], one[None] / np.linalg.norm(one), np.zeros((1, 1), int), 1, "q")
        gallery = side([1] * n, np.tile(other / np.linalg.norm(other), (n, 1)), np.zeros((n, 1), int), 2, "g")
        for distance in ("euclidean", "squared"):
            found = filtered_search(query, gallery, [Filter(distance=True)], same_camera="keep", distance=distance)[0]
            assert found["distance"].kept.tolist() == [0], (n, distance)


def test_a_rank_beyond_the_list_means_anywhere_in_it() -> None:
    query = side([1], np.array([[1.0, 0.0]]), np.zeros((1, 1), int), 1, "q")
    gallery = side([2, 1], np.array([[1.0, 0.1], [0.0, 1.0]]), np.zeros((2, 1), int), 2, "g")
    summary = filtered_search(query, gallery, [Filter(), Filter(distance=True)], same_camera="keep")[0]
    assert [summary["none"].summary((1, 2, 10))[f"rank{rank}"] for rank in (1, 2, 10)] == [0, 100, 100]
    assert summary["distance"].summary((1, 10))["rank10"] == 0
    assert summary["distance"].summary((1,))["gallery_kept"] == 50


def test_a_query_image_that_lies_in_the_gallery_is_never_found() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(5, 4))
    query = side([1], vectors[:1], np.zeros((1, 2), int), 1, "x")  # named as the gallery's first image
    gallery = side([1, 1, 2, 2, 2], vectors, np.zeros((5, 2), int), 2, "x")
    found = filtered_search(query, gallery, [Filter()], same_camera="keep")[0]["none"]
    others = gallery.take(np.arange(1, 5))
    assert found.ap.tolist() == filtered_search(query, others, [Filter()], same_camera="keep")[0]["none"].ap.tolist()


def test_without_any_right_image_there_is_no_result() -> None:
    query, gallery = random_sides(1)
    nobody = gallery.take(gallery.labels.pid == 0)
    with pytest.raises(InputError, match=r"retrieval: none of the 5 queries has a right image in the gallery of \d+ \(same_camera: keep\)"):
        filtered_search(query, nobody, [Filter()], same_camera="keep")
