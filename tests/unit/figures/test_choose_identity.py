from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from qafm.figures.choose_identity import choose_identity, shows_identity


def row(pid: int, camid: int | None, split: str = "query", junk: bool = False, distractor: bool = False) -> dict[str, Any]:
    return {"pid": pid, "camid": camid, "split": split, "junk": junk, "distractor": distractor}


def slow(rows: Sequence[dict[str, Any]]) -> int | None:
    """The rule, read literally."""
    best = None
    for pid in sorted({r["pid"] for r in rows if r["split"] == "query" and not r["junk"] and not r["distractor"]}):
        own = [r for r in rows if r["pid"] == pid and not r["junk"] and not r["distractor"]]
        score = (len({r["camid"] for r in own} - {None}), len(own))
        if best is None or score > best[0]:
            best = (score, pid)
    return None if best is None else best[1]


def test_cameras_come_before_images_and_images_before_the_pid() -> None:
    few_cameras = [row(1, 1)] * 9
    two_cameras = [row(7, 1), row(7, 2, "gallery")]
    assert choose_identity([*few_cameras, *two_cameras]) == 7
    assert choose_identity([*two_cameras, row(9, 3), row(9, 4), row(9, 4)]) == 9
    assert choose_identity([*two_cameras, row(9, 3), row(9, 4)]) == 7
    assert choose_identity(reversed([*two_cameras, row(9, 3), row(9, 4)])) == 7


def test_only_a_query_identity_is_chosen_but_its_gallery_counts() -> None:
    gallery = [row(3, camid, "gallery") for camid in range(1, 6)]
    assert choose_identity([*gallery, row(8, 1)]) == 8
    assert choose_identity([*gallery, row(8, 1), row(3, 1)]) == 3


def test_junk_distractors_and_unknown_cameras_do_not_count() -> None:
    junk = [row(-1, camid, junk=True) for camid in range(9)]
    distractors = [row(0, camid, distractor=True) for camid in range(9)]
    assert choose_identity([*junk, *distractors, row(5, None), row(5, None), row(6, 1)]) == 6
    assert choose_identity([*junk, *distractors]) is None
    assert choose_identity([]) is None


def test_what_shows_an_identity() -> None:
    assert shows_identity(row(1, 1))
    assert not shows_identity(row(-1, 1, junk=True))
    assert not shows_identity(row(0, 1, distractor=True))


@given(
    st.lists(
        st.builds(
            row,
            st.integers(1, 4),
            st.none() | st.integers(1, 3),
            st.sampled_from(["train", "query", "gallery"]),
            st.booleans(),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_the_rule_is_followed(rows: list[dict[str, Any]]) -> None:
    assert choose_identity(rows) == slow(rows)
