from collections import Counter

import numpy as np
import pytest

from qafm.companions.par.triplets import TripletDraw

PIDS = np.array([1, 1, 1, 2, 2, 3, 3, 4, 5, 5])
CLUSTERS = np.array([0, 0, 1, 0, 1, 1, 2, 2, 3, 3])  # cluster 3 holds identity 5 alone; identity 4 has a single image


def test_every_triplet_is_one() -> None:
    draw = TripletDraw(PIDS, CLUSTERS)
    for seed in range(30):
        triplets = draw.draw(np.random.default_rng(seed))
        assert sorted(triplets[:, 0]) == [0, 1, 2, 3, 4, 5, 6, 8, 9]  # all but the lone image of identity 4
        for anchor, positive, negative in triplets:
            assert anchor != positive and PIDS[anchor] == PIDS[positive]
            assert PIDS[negative] != PIDS[anchor]
            if CLUSTERS[anchor] != 3:
                assert CLUSTERS[negative] == CLUSTERS[anchor]


def test_positives_and_negatives_are_all_drawn_and_evenly() -> None:
    draw = TripletDraw(PIDS, CLUSTERS)
    rng = np.random.default_rng(1)
    seen = np.concatenate([draw.draw(rng) for _ in range(600)])
    positives = Counter(seen[seen[:, 0] == 1, 1].tolist())
    assert set(positives) == {0, 2} and 240 < positives[0] < 360
    negatives = Counter(seen[seen[:, 0] == 2, 2].tolist())
    assert set(negatives) == {4, 5} and 240 < negatives[4] < 360
    assert set(seen[seen[:, 0] == 6, 2]) == {7}  # an image that is no anchor may be a negative


def test_a_cluster_of_one_identity_takes_negatives_from_all_images() -> None:
    draw = TripletDraw(PIDS, CLUSTERS)
    assert draw.without_negative == 2
    assert draw.without_positive == 1
    rng = np.random.default_rng(2)
    seen = np.concatenate([draw.draw(rng) for _ in range(200)])
    assert set(seen[seen[:, 0] == 8, 2]) == set(range(8))


def test_the_generator_decides_and_anchors_come_in_random_order() -> None:
    draw = TripletDraw(PIDS, CLUSTERS)
    one, same, other = (draw.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one[:, 0], other[:, 0])


@pytest.mark.parametrize(("pids", "found"), [([1, 1, 1], 1), ([1, 2, 3], 3), ([1], 1)])
def test_without_any_triplet_it_says_so(pids: list[int], found: int) -> None:
    with pytest.raises(ValueError, match=f"no triplet among {found} identities: it takes two of them, one with two images"):
        TripletDraw(np.array(pids), np.zeros(len(pids), int))
