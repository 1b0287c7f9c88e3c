"""Seeded draws."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.datasets.folds import draw, draw_holdout, hash_order

keys = st.sets(st.text(max_size=5), min_size=1, max_size=20)


def test_order_is_that_of_the_hash_of_salt_and_key() -> None:
    digests = {key: hashlib.sha256(f"my salt\n{key}".encode()).hexdigest() for key in "abcdefgh"}
    assert hash_order("hgfedcba", "my salt") == sorted("abcdefgh", key=lambda key: digests[key])


@given(keys=keys, seed=st.integers())
def test_order_of_input_and_repetition_do_not_matter(keys: set[str], seed: int) -> None:
    shuffled = list(keys) * 2
    random.Random(seed).shuffle(shuffled)
    assert hash_order(shuffled, "salt") == hash_order(sorted(keys), "salt")


@given(keys=keys, new=st.text(max_size=5))
def test_a_new_key_leaves_the_order_of_the_others(keys: set[str], new: str) -> None:
    assert [key for key in hash_order(keys | {new}, "salt") if key != new] == hash_order(keys - {new}, "salt")


@given(keys=keys, data=st.data())
def test_a_larger_draw_contains_a_smaller_one(keys: set[str], data: st.DataObject) -> None:
    larger = data.draw(st.integers(0, len(keys)))
    smaller = data.draw(st.integers(0, larger))
    assert len(draw(keys, larger, "salt")) == larger
    assert draw(keys, smaller, "salt") <= draw(keys, larger, "salt") <= keys


def test_salt_and_seed_change_the_draw() -> None:
    assert draw_holdout(range(1000), 100, 1) != draw_holdout(range(1000), 100, 2)
    assert draw((str(i) for i in range(1000)), 100, "a") != draw((str(i) for i in range(1000)), 100, "b")


def test_holdout_is_fixed_for_all_time() -> None:
    assert draw_holdout([7, 2, 2, 10, 11, 12, 7], 2, 1) == {int(key) for key in hash_order(["2", "7", "10", "11", "12"], "holdout 1")[:2]}
    assert sorted(draw_holdout(range(1, 1502), 5, 1)) == GOLDEN


def test_cannot_draw_more_than_there_are() -> None:
    with pytest.raises(ValueError, match="cannot draw 3 of 2"):
        draw_holdout([4, 5, 4], 3, 1)


GOLDEN = [32, 33, 181, 570, 658]
