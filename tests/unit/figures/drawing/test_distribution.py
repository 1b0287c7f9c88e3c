import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.figures.drawing.distribution import ALPHA_FORM, Q_FORM, bin_edges, describe, describe_briefly, is_constant


def test_numbers_by_hand() -> None:
    values = np.array([1.0, 2.0, 6.0])
    assert describe(values, ALPHA_FORM) == "n = 3, mean 3.0000, median 2.0000, sd 2.1602, range 1.0000 to 6.0000"
    assert describe_briefly(values, Q_FORM) == "mean 3.000, median 2.000, sd 2.160"


def test_constants_are_told_as_such() -> None:
    almost = np.float32(0.5) + np.array([0, 6e-8, -6e-8])
    assert is_constant(almost)
    assert describe(almost, ALPHA_FORM) == "n = 3, all 0.5000"
    assert not is_constant(np.array([0.5, 0.501]))
    assert is_constant(np.array([7.0]))


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=20),
    st.integers(1, 60),
    st.floats(1e-3, 10),
)
def test_bins_hold_every_value_are_equal_and_not_too_narrow(values: list[float], bins: int, narrowest: float) -> None:
    edges = bin_edges(np.array(values), bins, narrowest)
    assert edges[0] <= min(values) and edges[-1] >= max(values)
    assert edges[-1] - edges[0] >= narrowest * (1 - 1e-6)
    np.testing.assert_allclose(np.diff(edges), (edges[-1] - edges[0]) / (len(edges) - 1), rtol=1e-6, atol=1e-9)
    assert len(edges) - 1 in (bins, bins + 1)


@pytest.mark.parametrize("bins", [6, 7])
def test_a_constant_lies_in_the_middle_bin(bins: int) -> None:
    edges = bin_edges(np.full(4, 0.5), bins, 0.1)
    counts, _ = np.histogram(np.full(4, 0.5), edges)
    assert counts.tolist() == [0, 0, 0, 4, 0, 0, 0]
    assert (edges[0] + edges[-1]) / 2 == pytest.approx(0.5)


def test_bins_of_a_spread_sample_span_it() -> None:
    assert bin_edges(np.array([1.0, 3.0]), 4, 0.5).tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]
