import math

import numpy as np
import pytest

from qafm.quality.reference import quality_reference

Q = np.array([3.0, 1.0, 2.0, 2.0])


def test_mean_sd_and_order_counted_by_hand() -> None:
    reference = quality_reference(Q)
    assert reference.values.tolist() == [1, 2, 2, 3]
    assert reference.mean == 2
    assert reference.sd == pytest.approx(math.sqrt(0.5))  # population: (1 + 1) / 4
    assert Q.tolist() == [3, 1, 2, 2]


def test_z_and_rank_counted_by_hand() -> None:
    reference = quality_reference(Q)
    assert reference.z(np.array([2.0, 3.0])).tolist() == pytest.approx([0, math.sqrt(2)])
    # share of values strictly lower
    assert reference.rank(np.array([0.5, 1.0, 1.5, 2.0, 3.0, 9.0])).tolist() == [0, 0, 0.25, 0.25, 0.75, 1]


def test_quantiles() -> None:
    quantiles = quality_reference(np.arange(201.0)).quantiles()
    assert quantiles.tolist() == pytest.approx(list(range(0, 201, 2)))


def test_no_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="no images"):
        quality_reference(np.array([]))
    with pytest.raises(ValueError, match=r"Q of all 2 images is 1\.5, which gives no scale"):
        quality_reference(np.array([1.5, 1.5]))
