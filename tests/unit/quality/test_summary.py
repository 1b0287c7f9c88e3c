import math

import numpy as np
import pytest

from qafm.quality.summary import SETS, identity_spread, image_set, set_statistics


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (("train", "fit", False), "fit"),
        (("train", None, False), "fit"),
        (("train", "holdout", False), "holdout"),
        (("query", None, False), "query"),
        (("gallery", None, False), "gallery"),
        (("gallery", None, True), "distractor"),
    ],
)
def test_the_set_of_an_image(row: tuple[str, str | None, bool], name: str) -> None:
    assert image_set(*row) == name
    assert name in SETS


def test_spread_counted_by_hand() -> None:
    q, pids = np.array([1.0, 3.0, 6.0, 6.0]), np.array([7, 7, 2, 2])
    within, between = identity_spread(q, pids)
    assert within == pytest.approx(math.sqrt(0.5))  # squares 1 1 0 0
    assert between == pytest.approx(2)  # means 2 2 6 6
    assert within**2 + between**2 == pytest.approx(q.var())


def test_spread_with_identities_of_different_size() -> None:
    rng = np.random.default_rng(0)
    q, pids = rng.normal(size=100), rng.integers(1, 20, 100)
    within, between = identity_spread(q, pids)
    means = {pid: np.mean([v for v, p in zip(q, pids, strict=True) if p == pid]) for pid in pids.tolist()}
    assert within == pytest.approx(math.sqrt(np.mean([(v - means[p]) ** 2 for v, p in zip(q, pids.tolist(), strict=True)])))
    assert within**2 + between**2 == pytest.approx(q.var())


def test_statistics_counted_by_hand() -> None:
    statistics = set_statistics(np.array([1.0, 3.0, 8.0]), np.array([1, 1, 2]))
    expected = {"images": 3, "identities": 2, "mean": 4, "sd": math.sqrt(26 / 3), "median": 3, "min": 1, "max": 8}
    expected |= {"sd_within_identity": math.sqrt(2 / 3), "sd_between_identities": math.sqrt(8)}
    assert statistics == pytest.approx(expected)


def test_distractors_have_no_identities_and_an_empty_set_no_numbers() -> None:
    statistics = set_statistics(np.array([1.0, 3.0]), np.array([0, 0]), identified=False)
    assert statistics["mean"] == 2
    assert statistics["identities"] is statistics["sd_within_identity"] is statistics["sd_between_identities"] is None
    empty = set_statistics(np.array([]), np.array([], dtype=np.int64))
    assert empty.pop("images") == empty.pop("identities") == 0
    assert set(empty.values()) == {None}
