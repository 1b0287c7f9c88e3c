"""The random split of identities."""

from collections import Counter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.datasets.entry import POOL, Entry
from qafm.datasets.identity_split import split_identities


def pool(ids: int, cameras: int, images: int) -> list[Entry]:
    return [Entry(f"{i:03d}/{c}_{k}.png", POOL, f"{i:03d}", i, c) for i in range(1, ids + 1) for c in range(1, cameras + 1) for k in range(images)]


@given(
    ids=st.integers(2, 12),
    cameras=st.integers(1, 3),
    images=st.integers(1, 5),
    split=st.integers(0, 3),
    queries=st.integers(1, 6),
    data=st.data(),
)
def test_split_properties(ids: int, cameras: int, images: int, split: int, queries: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, ids - 1))
    entries = pool(ids, cameras, images)
    done = split_identities(entries, n, split, queries)
    assert [entry.image_id for entry in done] == [entry.image_id for entry in entries]
    splits = {identity: {entry.split for entry in done if entry.identity == identity} for identity in {entry.identity for entry in done}}
    assert sum(found == {"train"} for found in splits.values()) == n
    assert all(found == {"train"} or "train" not in found for found in splits.values())
    per_camera = Counter((entry.identity, entry.camid) for entry in done if entry.split == "query")
    expected = min(queries, images - 1)
    if images > 1:
        assert len(per_camera) == (ids - n) * cameras
        assert set(per_camera.values()) == {expected}
    elif cameras > 1:
        assert per_camera == {(identity, 1): 1 for identity, found in splits.items() if found != {"train"}}
    else:
        assert not per_camera


def test_half_of_the_identities_train_by_default() -> None:
    done = split_identities(pool(7, 2, 2), None, 1, 1)
    assert len({entry.identity for entry in done if entry.split == "train"}) == 3


def test_splits_differ_and_depend_on_names_only() -> None:
    entries = pool(30, 2, 4)

    def train(split: int, order: list[Entry]) -> set[str]:
        return {entry.identity for entry in split_identities(order, 15, split, 1) if entry.split == "train"}

    assert train(1, entries) == train(1, entries[::-1])
    assert train(1, entries) != train(2, entries)

    def queries(split: int) -> set[str]:
        return {entry.image_id[3:] for entry in split_identities(entries, 2, split, 1) if entry.split == "query"}

    assert queries(1) == {f"/{c}_{k}.png" for c in (1, 2) for k in range(4)}  # drawn, not the first of each camera


@pytest.mark.parametrize(("train_ids", "expected"), [(0, {"query", "gallery"}), (5, {"train"}), ("all", {"train"})])
def test_nobody_or_everybody_trains(train_ids: int | Literal["all"], expected: set[str]) -> None:
    assert {entry.split for entry in split_identities(pool(5, 1, 2), train_ids, 1, 1)} == expected


def test_more_than_everybody() -> None:
    with pytest.raises(ValueError, match=r"^6 train identities of 5 in all$"):
        split_identities(pool(5, 1, 2), 6, 1, 1)
