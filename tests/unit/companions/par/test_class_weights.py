import numpy as np
import pytest

from qafm.companions.par.class_weights import class_counts, class_weights


def test_weights_by_hand() -> None:
    codes = np.array([0, 0, 0, 1, -1, -1, 3, 3])  # 3, 1, 0, 2 of 6 known ones: 1 / share = 2, 6, -, 3, mean 11 / 3
    assert class_counts(codes, 4).tolist() == [3, 1, 0, 2]
    assert class_weights(codes, 4) == pytest.approx([6 / 11, 18 / 11, 0, 9 / 11])


def test_weights_are_inverse_to_frequency_with_mean_1_over_the_classes_that_occur() -> None:
    codes = np.random.default_rng(1).choice(7, 500, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05, 0])
    weights, counts = class_weights(codes, 7), np.bincount(codes, minlength=7)
    assert weights[counts > 0].mean() == pytest.approx(1)
    assert np.ptp((weights * counts)[counts > 0]) == pytest.approx(0, abs=1e-9)
    assert weights[6] == 0


def test_one_class_weighs_1_and_no_label_gives_no_weight() -> None:
    assert class_weights(np.array([1, 1, -1]), 2).tolist() == [0, 1]
    assert class_weights(np.array([-1, -1]), 3).tolist() == [0, 0, 0]
    assert class_weights(np.array([], np.int64), 2).tolist() == [0, 0]
