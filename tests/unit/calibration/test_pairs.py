"""Pairs are counted as two nested loops count them."""

import numpy as np
import pytest

from qafm.calibration.pairs import EDGES, STEP, People, count_pairs, deal_folds, distance_bins, group_people, pairs_of


def made_people(people: int = 7, seed: int = 0) -> tuple[People, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pid, camid = rng.integers(0, people, 40) * 3 + 5, rng.integers(1, 4, 40)
    sha256 = np.array([f"hash {number}" for number in rng.integers(0, 25, 40)])  # some images are identical
    vectors = rng.normal(size=(40, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return group_people(vectors, pid, camid, sha256), vectors, pid, camid, sha256


def slow_pairs(vectors: np.ndarray, pid: np.ndarray, camid: np.ndarray, sha256: np.ndarray) -> list[tuple[int, int, float]]:
    found = []
    for i in range(len(pid)):
        for j in range(i + 1, len(pid)):
            if camid[i] != camid[j] and sha256[i] != sha256[j]:
                found.append((pid[i], pid[j], float(np.linalg.norm(vectors[i].astype(float) - vectors[j].astype(float)))))
    return found


def test_every_pair_once_as_nested_loops_find_them() -> None:
    people, *columns = made_people()
    names = np.unique(columns[1])
    expected = sorted((min(a, b), max(a, b), d) for a, b, d in slow_pairs(*columns))
    found = []
    for i in range(len(people)):
        other, bins = pairs_of(people, i)
        found += [(names[i], names[j], EDGES[b]) for j, b in zip(other, bins, strict=True)]
    found.sort()
    assert len(found) == len(expected) > 300
    for pair in {pair[:2] for pair in expected}:
        own = sorted(d for *p, d in expected if tuple(p) == pair)
        np.testing.assert_allclose(sorted(d for *p, d in found if tuple(p) == pair), own, atol=STEP * 1.01)


def test_counts_by_fold_as_nested_loops_find_them() -> None:
    people, *columns = made_people()
    names, fold = np.unique(columns[1]), np.array([0, 1, 2, 0, 1, 2, 0])
    of = dict(zip(names.tolist(), fold.tolist(), strict=True))
    counts = count_pairs(people, fold, 3)
    expected = slow_pairs(*columns)
    for f in range(3):
        assert counts.genuine[f].sum() == sum(a == b and of[a] == f for a, b, _ in expected)
        for g in range(3):
            assert counts.impostor[f, g].sum() == sum(a != b and {of[a], of[b]} == {f, g} for a, b, _ in expected)
        genuine, impostor = counts.without(f)
        assert genuine.sum() == sum(a == b and of[a] != f for a, b, _ in expected)
        assert impostor.sum() == sum(a != b and f not in (of[a], of[b]) for a, b, _ in expected)
    genuine, impostor = counts.all()
    assert genuine.sum() == sum(a == b for a, b, _ in expected) and impostor.sum() == sum(a != b for a, b, _ in expected)
    assert counts.identity_pairs == len({frozenset((a, b)) for a, b, _ in expected if a != b})
    below = sum(a != b and d <= 1.2 for a, b, d in expected)
    assert abs(impostor[EDGES <= 1.2 + 1e-9].sum() - below) <= 1


def test_an_edge_belongs_to_the_bin_below_it() -> None:
    left = np.array([[1, 0]], np.float32)
    angles = [0.0, np.pi / 3, np.pi]  # chords 0, 1, 2
    right = np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)
    found = EDGES[distance_bins(left, right)[0]]
    assert found[0] <= STEP and found[1] == pytest.approx(1.0, abs=STEP) and found[2] == 2


def test_groups_know_cameras_and_owners() -> None:
    people = group_people(np.eye(5, dtype=np.float32), np.array([9, 4, 9, 4, 4]), np.array([1, 1, 2, 1, 1]), np.array(list("abcde")))
    assert len(people) == 2 and people.owner.tolist() == [0, 0, 0, 1, 1] and people.cameras_of.tolist() == [1, 2]
    assert people.vectors.argmax(axis=1).tolist() == [1, 3, 4, 0, 2]


@pytest.mark.parametrize("folds", [2, 5])
def test_every_fold_gets_its_share_of_those_seen_twice(folds: int) -> None:
    pid, camid = np.repeat(np.arange(23), 2), np.tile([1, 2], 23)
    camid[:20] = 1  # 10 identities of one camera
    people = group_people(np.ones((46, 1), np.float32), pid, camid, pid.astype(str))
    fold = deal_folds(people, folds, 3)
    twice = np.bincount(fold[people.cameras_of > 1], minlength=folds)
    assert twice.max() - twice.min() <= 1 and np.bincount(fold).max() - np.bincount(fold).min() <= 1
    assert (fold == deal_folds(people, folds, 3)).all() and (fold != deal_folds(people, folds, 4)).any()
