"""k-reciprocal re-ranking against a slow one that follows the paper step by step with sets and dense matrices."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qafm.config.rerank import RerankConfig
from qafm.errors import InputError
from qafm.evaluation import rerank
from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval
from qafm.evaluation.rerank import reciprocal_similarity


def slow_distance(query: np.ndarray, gallery: np.ndarray, config: RerankConfig) -> np.ndarray:
    """The final distance of Zhong et al., one equation after the other; everything dense, float64 [Q, G]."""
    graph = np.concatenate([query, gallery]).astype(np.float64)
    n = len(graph)
    distance = np.array([[float(np.sum((a - b) ** 2)) for b in graph] for a in graph])
    for row in distance:
        row /= row.max() or 1.0
    order = [sorted(range(n), key=lambda j, i=i: (j != i, distance[i, j], j)) for i in range(n)]

    def mutual(i: int, k: int) -> set[int]:  # Eq. 3
        return {j for j in order[i][: k + 1] if i in order[j][: k + 1]}

    encoding = np.zeros((n, n))
    for i in range(n):
        own = mutual(i, config.k1)
        extended = set(own)  # Eq. 4
        for q in own:
            half = mutual(q, config.k1 // 2)
            if len(own & half) >= 2 / 3 * len(half):
                extended |= half
        for j in extended:  # Eq. 7
            encoding[i, j] = np.exp(-distance[i, j])
        encoding[i] /= encoding[i].sum()
    averaged = np.array([np.mean([encoding[j] for j in order[i][: config.k2]], axis=0) for i in range(n)])  # Eq. 11
    final = np.zeros((len(query), len(gallery)))
    for i in range(len(query)):
        for g in range(len(gallery)):
            a, b = averaged[i], averaged[len(query) + g]
            jaccard = 1 - np.minimum(a, b).sum() / np.maximum(a, b).sum()  # Eq. 10
            final[i, g] = (1 - config.lambda_) * jaccard + config.lambda_ * distance[i, len(query) + g]  # Eq. 12
    return final


def people(pid: np.ndarray, dim: int = 6) -> np.ndarray:
    """L2-normalised vectors [N, D] of images of the persons `pid` [N]."""
    rng = np.random.default_rng(len(pid))
    vectors = (rng.normal(size=(pid.max() + 1, dim))[pid] + 0.7 * rng.normal(size=(len(pid), dim))).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def search(n_query: int, n_gallery: int, persons: int = 6) -> tuple[np.ndarray, np.ndarray]:
    vectors = people(np.arange(n_query + n_gallery) % persons)
    return vectors[:n_query], vectors[n_query:]


def fast_distance(query: np.ndarray, gallery: np.ndarray, config: RerankConfig) -> np.ndarray:
    return -reciprocal_similarity(query, gallery, config)(slice(0, len(query)))


@pytest.mark.parametrize(
    "setting",
    [{}, {"k1": 7}, {"k1": 7, "k2": 1}, {"k1": 4, "k2": 3, "lambda_": 0.0}, {"k1": 1, "k2": 1}, {"k1": 3, "k2": 9, "lambda_": 0.8}, {"lambda_": 1.0}],
    ids=str,
)
@pytest.mark.parametrize("n_gallery", [62, 12])  # the second is smaller than k1
def test_as_the_paper_step_by_step(setting: dict[str, Any], n_gallery: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerank, "CHUNK", 16)  # several chunks, the last one shorter
    query, gallery = search(9, n_gallery)
    config = RerankConfig(**setting)
    np.testing.assert_allclose(fast_distance(query, gallery, config), slow_distance(query, gallery, config), atol=2e-6)


EXACT = np.array([[a, b, c, d] for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (-0.5, 0.5) for d in (-0.5, 0.5)], np.float32)  # products without rounding


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 15), min_size=1, max_size=5),
    st.lists(st.integers(0, 15), min_size=1, max_size=25),
    st.integers(1, 8),
    st.integers(1, 5),
)
def test_ties_duplicates_and_small_galleries(query: list[int], gallery: list[int], k1: int, k2: int) -> None:
    """Sixteen vectors with five distances among them: nearly everything is tied or a duplicate."""
    config = RerankConfig(k1=k1, k2=k2)
    np.testing.assert_allclose(fast_distance(EXACT[query], EXACT[gallery], config), slow_distance(EXACT[query], EXACT[gallery], config), atol=2e-6)


def test_a_gallery_of_one_and_vectors_that_are_all_the_same() -> None:
    assert fast_distance(EXACT[[0]], EXACT[[0]], RerankConfig()).tolist() == [[0.0]]
    assert fast_distance(EXACT[[0]], EXACT[[15]], RerankConfig()).tolist() == slow_distance(EXACT[[0]], EXACT[[15]], RerankConfig()).astype(np.float32).tolist()
    same = fast_distance(EXACT[[3] * 4], EXACT[[3] * 40], RerankConfig())
    np.testing.assert_allclose(same, slow_distance(EXACT[[3] * 4], EXACT[[3] * 40], RerankConfig()), atol=2e-6)


def test_slices_are_rows_of_the_whole() -> None:
    query, gallery = search(7, 40)
    similarity = reciprocal_similarity(query, gallery, RerankConfig(k1=5, k2=2))
    whole = similarity(slice(0, 7))
    assert whole.dtype == np.float32 and whole.shape == (7, 40)
    np.testing.assert_allclose(np.concatenate([similarity(slice(0, 3)), similarity(slice(3, 4)), similarity(slice(4, 7))]), whole, atol=1e-6)


def test_mutual_neighbours_help_and_lambda_1_ranks_as_before() -> None:
    pid = np.arange(330) % 10
    vectors, names = people(pid, dim=8), np.array([str(i) for i in range(330)])
    query, gallery = vectors[:30], vectors[30:]
    own, other = Labels(pid[:30], np.full(30, 1), names[:30]), Labels(pid[30:], np.full(300, 2), names[30:])
    plain = evaluate_retrieval(own, other, dot_similarity(query, gallery)).summary()
    assert evaluate_retrieval(own, other, reciprocal_similarity(query, gallery, RerankConfig(lambda_=1.0))).summary() == pytest.approx(plain)
    assert evaluate_retrieval(own, other, reciprocal_similarity(query, gallery, RerankConfig())).summary()["mAP"] > plain["mAP"] + 3


def test_no_matrix_of_all_pairs_is_in_memory() -> None:
    query, gallery = search(40, 7000, persons=500)
    tracemalloc.start()
    reciprocal_similarity(query, gallery, RerankConfig(k1=10))(slice(0, 40))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 7040 * 7040 * 4 / 4  # a quarter of all distances in float32


def test_bad_vectors_are_refused() -> None:
    query, gallery = search(3, 10)
    with pytest.raises(InputError, match=r"^descriptors: query has length \(6,\), gallery \(5,\)$"):
        reciprocal_similarity(query, gallery[:, :5], RerankConfig())
    gallery[4, 2] = np.nan
    with pytest.raises(InputError, match=r"^gallery descriptors: row 4 is not finite$"):
        reciprocal_similarity(query, gallery, RerankConfig())


@pytest.mark.parametrize("setting", [{"k1": 0}, {"k2": 0}, {"lambda_": -0.1}, {"lambda_": 1.1}, {"k3": 1}])
def test_bad_settings(setting: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RerankConfig(**setting)
