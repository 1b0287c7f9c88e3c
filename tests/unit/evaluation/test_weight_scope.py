"""Similarities at a weight per query or per pair, against fusing every pair on its own."""

import numpy as np
import pytest

from qafm.evaluation.fuse import Parts
from qafm.evaluation.weight_scope import pair_scope, pair_weight, query_scope

Q, G, D = 7, 150, 5  # more than one block of the gallery


def side(n: int, seed: int, relu: bool) -> Parts:
    rng = np.random.default_rng(seed)
    return Parts(rng.normal(size=(n, D)).astype(np.float32), rng.normal(size=(n, D)).astype(np.float32) * 2, relu)


def fused(parts: Parts, i: int, w: float) -> np.ndarray:
    vector = w * parts.visual[i].astype(np.float64) + (1 - w) * parts.attribute[i]
    vector = np.maximum(vector, 0) if parts.relu else vector
    return vector / max(float(np.linalg.norm(vector)), 1e-30)  # a vector that the ReLU empties stays zero


@pytest.mark.parametrize("relu", [False, True])
def test_query_scope_is_every_pair_at_the_querys_weight(relu: bool):
    query, gallery, w = side(Q, 0, relu), side(G, 1, relu), np.linspace(0, 1, Q)
    found = query_scope(query, gallery, w)(slice(2, 6))
    expected = [[fused(query, i, w[i]) @ fused(gallery, j, w[i]) for j in range(G)] for i in range(2, 6)]
    assert found.dtype == np.float32 and found == pytest.approx(np.array(expected), abs=2e-6)


@pytest.mark.parametrize("relu", [False, True])
def test_pair_scope_is_every_pair_at_its_own_weight(relu: bool):
    query, gallery = side(Q, 2, relu), side(G, 3, relu)
    w_q, w_g = np.linspace(0.05, 0.9, Q), np.linspace(0.2, 0.99, G)

    def weight(i: int, j: int) -> float:
        logits = np.log(w_q[i] / (1 - w_q[i])), np.log(w_g[j] / (1 - w_g[j]))
        return 1 / (1 + np.exp(-sum(logits) / 2))

    found = pair_scope(query, gallery, w_q, w_g)(slice(1, 5))
    expected = [[fused(query, i, weight(i, j)) @ fused(gallery, j, weight(i, j)) for j in range(G)] for i in range(1, 5)]
    assert found.dtype == np.float32 and found == pytest.approx(np.array(expected), abs=2e-6)
    assert pair_weight(w_q, w_g) == pytest.approx(np.array([[weight(i, j) for j in range(G)] for i in range(Q)]), abs=1e-6)


def test_both_scopes_agree_with_one_weight_for_all():
    query, gallery, w = side(Q, 4, False), side(G, 5, False), 0.7
    plain = query.at(w) @ gallery.at(w).T
    assert query_scope(query, gallery, np.full(Q, w))(slice(0, Q)) == pytest.approx(plain, abs=2e-6)
    assert pair_scope(query, gallery, np.full(Q, w), np.full(G, w))(slice(0, Q)) == pytest.approx(plain, abs=2e-6)


def test_pair_weight_at_the_ends():
    assert pair_weight(np.array([0.0, 1.0]), np.array([0.0, 0.5, 1.0])).tolist() == [[0.0, 0.0, 0.5], [0.5, 1.0, 1.0]]
