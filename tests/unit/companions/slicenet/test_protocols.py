"""The report's metric and the stricter ones against nested loops, by hand, and where there is little to measure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.companions.slicenet.protocols import Metrics, measure_protocols, top10_ap
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.load_descriptors import DescriptorSide
from qafm.evaluation.ranking import Labels, dot_similarity


def side(prefix: str, vectors: np.ndarray, pids: list[int], camids: list[int], hashes: list[str] | None = None) -> DescriptorSide:
    names = np.array([f"{prefix}{i:03d}" for i in range(len(pids))])
    labels = Labels(np.array(pids), np.array(camids, np.int16), names, np.array(hashes or names.tolist()))
    return DescriptorSide(labels, np.array(pids) == 0, unit_rows(np.asarray(vectors, np.float32)))


def measured(query: DescriptorSide, gallery: DescriptorSide) -> dict[str, Metrics | None]:
    return measure_protocols(query.labels, gallery.labels, dot_similarity(query.descriptor, gallery.descriptor))


def slow(query: DescriptorSide, gallery: DescriptorSide, protocol: str) -> dict[str, float] | None:
    """One protocol, query by query, rank by rank."""
    ranks, aps = [], []
    scores = query.descriptor @ gallery.descriptor.T  # one product, so that equal scores are equal to the last bit
    for i in range(len(query)):
        order = []
        for g in range(len(gallery)):
            same_pid = gallery.labels.pid[g] == query.labels.pid[i]
            copy = gallery.labels.sha256[g] == query.labels.sha256[i]  # type: ignore[index]
            if protocol in ("no_copies", "market") and copy:
                continue
            if protocol == "market" and same_pid and gallery.labels.camid[g] == query.labels.camid[i]:
                continue
            order.append((-scores[i, g], g, bool(same_pid)))
        hits = [hit for _, _, hit in sorted(order)]
        if protocol == "top10":
            hits = hits[:10]
        elif not any(hits):
            continue
        found, precisions = 0, []
        for rank, hit in enumerate(hits, start=1):
            if hit:
                found += 1
                precisions.append(found / rank)
        aps.append(sum(precisions) / found if found else 0.0)
        ranks.append(hits)
    if not ranks:
        return None
    rank = {f"rank{n}": 100 * sum(any(hits[:n]) for hits in ranks) / len(ranks) for n in (1, 5)}
    return {**rank, "mAP": 100 * sum(aps) / len(aps), "n_queries": len(ranks)}


def approximately(found: dict[str, float] | None) -> object:
    return None if found is None else pytest.approx(found)


@st.composite
def searches(draw: st.DrawFn) -> tuple[DescriptorSide, DescriptorSide]:
    """Few identities, coarse vectors (so that scores tie), images of other queries and copies of them in the gallery."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, g, ids = draw(st.integers(1, 5)), draw(st.integers(1, 25)), draw(st.integers(1, 4))
    vectors = [rng.integers(-1, 2, (count, 3)) + np.array([0.5, 0, 0]) for count in (n, g)]
    hashes = [f"q{i}" if rng.random() < 0.5 else f"g{i}" for i in range(g)]
    query = side("q", vectors[0], rng.integers(1, ids + 1, n).tolist(), rng.integers(1, 3, n).tolist(), [f"q{i}" for i in range(n)])
    return query, side("g", vectors[1], rng.integers(0, ids + 1, g).tolist(), rng.integers(1, 3, g).tolist(), hashes)


@given(searches())
@settings(deadline=None, max_examples=150)
def test_all_protocols_agree_with_loops(search: tuple[DescriptorSide, DescriptorSide]) -> None:
    query, gallery = search
    found = measured(query, gallery)
    assert set(found) == {"top10", "full", "no_copies", "market"}
    for protocol, metrics in found.items():
        assert metrics == approximately(slow(query, gallery, protocol)), protocol


def test_more_queries_than_one_chunk() -> None:
    rng = np.random.default_rng(0)
    query = side("q", rng.normal(size=(300, 4)), rng.integers(1, 6, 300).tolist(), [1] * 300)
    gallery = side("g", rng.normal(size=(40, 4)), rng.integers(1, 6, 40).tolist(), [2] * 40)
    for protocol, metrics in measured(query, gallery).items():
        assert metrics == approximately(slow(query, gallery, protocol))


@pytest.mark.parametrize(
    ("hits", "expected"),
    [
        ([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1.0),  # one right image is enough
        ([0, 1, 0, 1, 0, 0, 0, 0, 0, 0], (1 / 2 + 2 / 4) / 2),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 1 / 10),
        ([0] * 10, 0.0),
        ([1, 0, 1], (1 + 2 / 3) / 2),
        ([], 0.0),
    ],
)
def test_top10_ap_by_hand(hits: list[int], expected: float) -> None:
    assert top10_ap(np.array(hits, bool)) == pytest.approx(expected)


def circle(degrees: list[float]) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_what_each_protocol_leaves_out() -> None:
    """Gallery by distance: a copy of the query, its camera, a stranger, another camera; then nine strangers, and a right image at rank 14."""
    query = side("q", circle([0]), [1], [1], ["a"])
    gallery = side("g", circle(list(range(14))), [1, 1, 2, 1, *[2] * 9, 1], [1, 1, 1, 2, *[2] * 9, 2], ["a", *"bcdefghijklmn"])
    found = measured(query, gallery)
    top10, full, no_copies, market = (found[name] for name in ("top10", "full", "no_copies", "market"))
    assert top10 == pytest.approx({"rank1": 100, "rank5": 100, "mAP": 100 * (1 + 1 + 3 / 4) / 3, "n_queries": 1})
    assert full == pytest.approx({"rank1": 100, "rank5": 100, "mAP": 100 * (1 + 1 + 3 / 4 + 4 / 14) / 4, "n_queries": 1})
    assert no_copies == pytest.approx({"rank1": 100, "rank5": 100, "mAP": 100 * (1 + 2 / 3 + 3 / 13) / 3, "n_queries": 1})
    assert market == pytest.approx({"rank1": 0, "rank5": 100, "mAP": 100 * (1 / 2 + 2 / 12) / 2, "n_queries": 1})


def test_a_query_without_a_match_is_0_for_the_report_and_does_not_count_elsewhere() -> None:
    query, gallery = side("q", circle([0, 0]), [1, 9], [1, 1]), side("g", circle([1, 2]), [1, 2], [2, 2])
    found = measured(query, gallery)
    assert found["top10"] == {"rank1": 50, "rank5": 50, "mAP": 50, "n_queries": 2}
    assert found["full"] == found["no_copies"] == found["market"] == {"rank1": 100, "rank5": 100, "mAP": 100, "n_queries": 1}


def test_no_query_with_a_match() -> None:
    found = measured(side("q", circle([0]), [9], [1]), side("g", circle([1]), [1], [2]))
    assert found == {"top10": {"rank1": 0, "rank5": 0, "mAP": 0, "n_queries": 1}, "full": None, "no_copies": None, "market": None}


def test_one_identity_and_a_small_gallery() -> None:
    found = measured(side("q", circle([0]), [1], [1]), side("g", circle([50, 90, 20]), [1, 1, 1], [2, 1, 2]))
    assert all(metrics == {"rank1": 100, "rank5": 100, "mAP": 100, "n_queries": 1} for metrics in found.values())


def test_without_cameras_the_market_rule_is_left_out() -> None:
    query, gallery = side("q", circle([0]), [1], [-1]), side("g", circle([1, 2]), [1, 0], [-1, -1])
    found = measured(query, gallery)
    assert found["market"] is None and found["no_copies"] is not None
    known = side("q", circle([0]), [1], [1]), side("g", circle([1, 2]), [1, 0], [2, -1])
    assert measured(*known)["market"] is not None  # a distractor needs none


def test_only_one_camera_leaves_nobody_under_the_market_rule() -> None:
    found = measured(side("q", circle([0]), [1], [1]), side("g", circle([1]), [1], [1]))
    assert found["market"] is None and found["full"] is not None
