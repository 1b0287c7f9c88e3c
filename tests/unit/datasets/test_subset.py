"""A part of Market-1501: whole identities, the number of distractors asked for, no junk, the same draw every time."""

import pytest

from qafm.config.parse import SubsetConfig
from qafm.datasets.entry import Entry
from qafm.datasets.subset import draw_subset

ENTRIES = [
    *(Entry(f"train/{pid}_{k}", "train", f"{pid:04d}", pid, camid=k) for pid in range(100, 120) for k in (1, 2)),
    *(Entry(f"query/{pid}", "query", f"{pid:04d}", pid, camid=1) for pid in range(1, 11)),
    *(Entry(f"test/{pid}_{k}", "gallery", f"{pid:04d}", pid, camid=k) for pid in range(1, 13) for k in (1, 2, 3)),
    *(Entry(f"test/0000_{k}", "gallery", "0000", 0, distractor=True) for k in range(9)),
    *(Entry(f"test/-1_{k}", "gallery", "-1", -1, junk=True) for k in range(4)),
]


def counts(entries: list[Entry]) -> tuple[int, int, int, int]:
    """Train identities, query identities, labelled gallery identities, distractors."""
    pids = [{entry.pid for entry in entries if entry.split == split and entry.labelled} for split in ("train", "query", "gallery")]
    return len(pids[0]), len(pids[1]), len(pids[2]), sum(entry.distractor for entry in entries)


def test_whole_identities_and_no_junk() -> None:
    kept = draw_subset(ENTRIES, SubsetConfig(train_ids=5, test_ids=4, distractors=3))
    assert counts(kept) == (5, 4, 4, 3)
    assert not any(entry.junk for entry in kept)
    for entry in ENTRIES:
        if entry.labelled:
            assert (entry in kept) == any(entry.identity == other.identity and other.split == entry.split for other in kept)
    assert [entry for entry in ENTRIES if entry in kept] == kept  # in their order


def test_the_draw_depends_on_the_seed_alone_and_grows() -> None:
    few, more = (draw_subset(ENTRIES, SubsetConfig(train_ids=n, test_ids=n, distractors=n)) for n in (3, 6))
    assert set(few) < set(more)
    assert draw_subset(ENTRIES[::-1], SubsetConfig(train_ids=3, test_ids=3, distractors=3)) == few[::-1]
    assert draw_subset(ENTRIES, SubsetConfig(train_ids=3, test_ids=3, distractors=3, seed=2)) != few


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"train_ids": 21}, "subset: 21 train identities asked for, there are 20"),
        ({"test_ids": 11}, "subset: 11 test identities asked for, there are 10"),  # two have no query
        ({"distractors": 10}, "subset: 10 distractors asked for, there are 9"),
    ],
)
def test_more_than_there_are_is_told(asked: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_subset(ENTRIES, SubsetConfig(**({"train_ids": 2, "test_ids": 1, "distractors": 0} | asked)))
