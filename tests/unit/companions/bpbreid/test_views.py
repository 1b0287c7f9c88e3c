import numpy as np
import pytest

from qafm.companions.bpbreid.views import GREY, PROTOCOLS, SEARCHED, VIEWS, take_view

IMAGE = np.random.default_rng(0).integers(0, 100, (41, 20, 3), dtype=np.uint8)


def test_halves_do_not_overlap() -> None:
    assert np.array_equal(take_view(IMAGE, "full", "a"), IMAGE)
    assert np.array_equal(take_view(IMAGE, "upper", "a"), IMAGE[:20])
    assert np.array_equal(take_view(IMAGE, "lower", "a"), IMAGE[21:])


@pytest.mark.parametrize("name", [f"query/{i}.jpg" for i in range(20)])
def test_a_grey_block_covers_a_quarter_to_three_fifths(name: str) -> None:
    covered = take_view(IMAGE, "occluded", name)
    hidden = (covered == GREY).all(axis=2)
    rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
    assert hidden.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert 0.25 < hidden.mean() < 0.63
    assert np.array_equal(covered[~hidden], IMAGE[~hidden]) and not (IMAGE == GREY).any()


def test_the_block_depends_on_the_image_alone() -> None:
    assert np.array_equal(take_view(IMAGE, "occluded", "a"), take_view(IMAGE, "occluded", "a"))
    assert len({take_view(IMAGE, "occluded", str(i)).tobytes() for i in range(10)}) == 10


def test_every_protocol_is_of_known_views() -> None:
    assert {view for protocol in PROTOCOLS for view in protocol} == set(VIEWS)
    assert {"full", "lower"} == SEARCHED
