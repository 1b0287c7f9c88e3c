import numpy as np
import pytest

from qafm.companions.bpbreid.views import GREY, PROTOCOLS, SEARCHED, VIEWS, take_view

IMAGE = np.random.default_rng(0).integers(0, 100, (41, 20, 3), dtype=np.uint8)


def test_halves_do_not_overlap() -> None:
    for halves in ("filled", "stretched"):
        assert np.array_equal(take_view(IMAGE, "full", "a", halves), IMAGE)
    assert np.array_equal(take_view(IMAGE, "upper", "a", "stretched"), IMAGE[:20])
    assert np.array_equal(take_view(IMAGE, "lower", "a", "stretched"), IMAGE[21:])
    for view, kept in (("upper", slice(0, 20)), ("lower", slice(21, 41))):
        filled = take_view(IMAGE, view, "a", "filled")
        assert filled.shape == IMAGE.shape and np.array_equal(filled[kept], IMAGE[kept])
        assert (np.delete(filled, kept, axis=0) == GREY).all()


@pytest.mark.parametrize("name", [f"query/{i}.jpg" for i in range(20)])
def test_a_grey_block_covers_a_quarter_to_three_fifths(name: str) -> None:
    covered = take_view(IMAGE, "occluded", name, "filled")
    hidden = (covered == GREY).all(axis=2)
    rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
    assert hidden.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert 0.25 < hidden.mean() < 0.63
    assert np.array_equal(covered[~hidden], IMAGE[~hidden]) and not (IMAGE == GREY).any()


def test_the_block_depends_on_the_image_alone() -> None:
    assert np.array_equal(take_view(IMAGE, "occluded", "a", "filled"), take_view(IMAGE, "occluded", "a", "filled"))
    assert len({take_view(IMAGE, "occluded", str(i), "filled").tobytes() for i in range(10)}) == 10


def test_every_protocol_is_of_known_views() -> None:
    assert {view for protocol in PROTOCOLS for view in protocol} == set(VIEWS)
    assert {"full", "lower"} == SEARCHED
