"""The distance over common parts against nested loops, and its edges."""

import math
import tracemalloc

import numpy as np
import pytest

from qafm.companions.bpbreid.part_distance import PartSide, euclidean, part_similarity
from qafm.errors import InputError
from qafm.evaluation.ranking import Labels, evaluate_retrieval

RNG = np.random.default_rng(7)


def side(n: int, embeddings: int = 4, dim: int = 5, share: float = 0.6, prefix: str = "g") -> PartSide:
    vectors = RNG.normal(size=(embeddings, n, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    labels = Labels(np.arange(n, dtype=np.int32) % 3, np.zeros(n, np.int16), np.array([f"{prefix}{i}" for i in range(n)]))
    return PartSide(labels, np.zeros(n, bool), vectors, RNG.random((embeddings, n)) < share, RNG.random((embeddings, n)).astype(np.float32))


def slow(query: PartSide, gallery: PartSide, mode: str, i: int, j: int) -> float:
    total = weights = 0.0
    for e in range(len(query.vectors)):
        apart = math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(query.vectors[e, i], gallery.vectors[e, j], strict=True)))
        if mode == "none":
            weight = 1.0
        elif mode == "binary":
            weight = float(query.visible[e, i] and gallery.visible[e, j])
        else:
            weight = math.sqrt(float(query.confidence[e, i]) * float(gallery.confidence[e, j]))
        total, weights = total + weight * apart, weights + weight
    return total / weights if weights else 3.0


@pytest.mark.parametrize("mode", ["none", "binary", "continuous"])
def test_equals_loops_in_chunks(mode) -> None:
    query, gallery = side(7), side(9)
    similarity = part_similarity(query, gallery, mode)
    found = np.concatenate([similarity(slice(0, 3)), similarity(slice(3, 7))])
    assert found.dtype == np.float32
    np.testing.assert_allclose(-found, [[slow(query, gallery, mode, i, j) for j in range(9)] for i in range(7)], atol=2e-3)
    if mode != "none":
        assert not np.allclose(found, part_similarity(query, gallery, "none")(slice(0, 7)), atol=1e-2)


def test_two_images_with_no_common_part_are_farther_than_anything() -> None:
    query, gallery = side(2), side(3)
    query.visible[:, 0], gallery.visible[:, 0] = [True, True, False, False], [False, False, True, True]
    query.visible[:, 1] = False  # an image that shows no part at all
    gallery.vectors[:, 1] = -query.vectors[:, 0]  # as far as unit vectors can be
    gallery.visible[:, 1] = True
    found = part_similarity(query, gallery, "binary")(slice(0, 2))
    assert found[0, 0] == -3 and found[1].tolist() == [-3, -3, -3]
    assert found[0, 1] == pytest.approx(-2, abs=1e-3) and found[0, 0] < found[0, 1]
    query.confidence[:, 1] = 0
    assert part_similarity(query, gallery, "continuous")(slice(1, 2)).tolist() == [[-3, -3, -3]]
    assert (part_similarity(query, gallery, "none")(slice(1, 2)) > -2.1).all()


def test_a_zero_vector_and_equal_ones_have_exact_distances() -> None:
    one = np.array([[1, 0, 0], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(euclidean(one, one), [[0, 1], [1, 0]])


def test_bad_sides_are_named() -> None:
    query, gallery = side(3, prefix="q"), side(4)
    with pytest.raises(InputError, match="query has 4 x 5, gallery 3 x 5"):
        part_similarity(query, side(4, embeddings=3), "binary")
    with pytest.raises(InputError, match="query has 4 x 5, gallery 4 x 6"):
        part_similarity(query, side(4, dim=6), "binary")
    gallery.vectors[2, 1, 0] = np.inf
    with pytest.raises(InputError, match="gallery part embeddings: those of g1 are not finite"):
        part_similarity(query, gallery, "none")


def test_memory_does_not_grow_with_the_number_of_embeddings() -> None:
    peaks = []
    for embeddings in (2, 12):
        query, gallery = side(64, embeddings, 4), side(4000, embeddings, 4)
        similarity = part_similarity(query, gallery, "continuous")
        tracemalloc.start()
        similarity(slice(0, 64))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    result = 64 * 4000 * 4
    assert peaks[1] < 1.1 * peaks[0] and peaks[1] < 6 * result


def test_a_gallery_smaller_than_the_rank_asked_for() -> None:
    query, gallery = side(3, prefix="q"), side(3)
    query.visible[:] = gallery.visible[:] = False  # every distance is the same: the order of the gallery decides
    found = evaluate_retrieval(query.labels, gallery.labels, part_similarity(query, gallery, "binary"), same_camera="keep")
    assert found.first_rank.tolist() == [1, 2, 3]
    assert found.summary((1, 10))["rank10"] == 100.0
