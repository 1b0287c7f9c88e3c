import numpy as np
import pytest

from qafm.companions.par.identity_fold import trained_on

PIDS = np.repeat([7, 2, 30, 41, 5, 1500, 8, 9, 10, 11], [3, 1, 2, 4, 1, 1, 1, 2, 5, 1])


def test_identities_lie_on_one_side_and_the_share_is_of_identities() -> None:
    for share, n in ((0.6, 6), (0.25, 2), (0.01, 1), (0.99, 9)):
        fitted = trained_on(PIDS, share, 1)
        assert len(np.unique(PIDS[fitted])) == n
        assert not set(PIDS[fitted]) & set(PIDS[~fitted])


def test_the_draw_depends_on_seed_and_identities_alone() -> None:
    one = set(PIDS[trained_on(PIDS, 0.6, 1)])
    order = np.random.default_rng(1).permutation(len(PIDS))
    assert set(PIDS[order][trained_on(PIDS[order], 0.6, 1)]) == one
    assert set(np.unique(PIDS)[trained_on(np.unique(PIDS), 0.6, 1)]) == one
    assert any(set(PIDS[trained_on(PIDS, 0.6, seed)]) != one for seed in (2, 3))
    assert set(PIDS[trained_on(PIDS, 0.3, 1)]) < one


def test_a_single_identity_is_refused() -> None:
    with pytest.raises(ValueError, match="1 train identities, at least 2 are needed"):
        trained_on(np.array([4, 4]), 0.6, 1)
