from collections import Counter

import numpy as np
import pytest

from qafm.config.training import BatchConfig
from qafm.errors import InputError
from qafm.training.batches import identity_batches, shuffled_batches

LABELS = np.repeat(np.arange(7), [1, 2, 4, 5, 8, 9, 13])


@pytest.mark.parametrize(("ids", "images"), [(3, 4), (2, 2), (7, 3)])
def test_each_batch_holds_p_identities_with_k_images(ids: int, images: int) -> None:
    batches = list(identity_batches(LABELS, BatchConfig(ids=ids, images_per_id=images), np.random.default_rng(1)))
    assert batches
    for batch in batches:
        assert Counter(Counter(LABELS[batch].tolist()).values()) == {images: ids}


def test_no_image_twice_in_an_epoch_unless_its_identity_has_too_few() -> None:
    seen = Counter(np.concatenate(list(identity_batches(LABELS, BatchConfig(ids=2, images_per_id=4), np.random.default_rng(2)))).tolist())
    assert all(count == 1 for index, count in seen.items() if LABELS[index] >= 2)


def test_fewer_identities_than_asked_for_are_all_in_every_batch() -> None:
    batches = list(identity_batches(np.array([0, 0, 5, 5]), BatchConfig(ids=8, images_per_id=2), np.random.default_rng(3)))
    assert [sorted(batch.tolist()) for batch in batches] == [[0, 1, 2, 3]]


def test_generator_decides_the_epoch() -> None:
    config = BatchConfig(ids=3, images_per_id=2)
    one, same, other = (np.concatenate(list(identity_batches(LABELS, config, np.random.default_rng(seed)))) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_single_identity_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2 identities, found 1"):
        list(identity_batches(np.zeros(5, int), BatchConfig(), np.random.default_rng(1)))


@pytest.mark.parametrize(("count", "size", "sizes"), [(10, 4, [4, 3, 3]), (8, 4, [4, 4]), (3, 4, [3]), (5, 4, [3, 2])])
def test_shuffled_batches_hold_every_index_once(count: int, size: int, sizes: list[int]) -> None:
    batches = shuffled_batches(count, size, np.random.default_rng(1))
    assert [len(batch) for batch in batches] == sizes
    assert sorted(np.concatenate(batches).tolist()) == list(range(count))
    again, other = (np.concatenate(shuffled_batches(count, size, np.random.default_rng(seed))) for seed in (1, 2))
    assert np.array_equal(np.concatenate(batches), again)
    assert count < 8 or not np.array_equal(again, other)
