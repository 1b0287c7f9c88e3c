"""Triplets within a batch: who may stand where, against loops over all images."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.companions.comparison.alike_triplets import alike_triplets


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=14), st.integers(0, 1000))
def test_every_place_is_held_by_an_allowed_image(pairs: list[tuple[int, int]], seed: int) -> None:
    torch.manual_seed(seed)
    pids, clusters = [pid for pid, _ in pairs], [cluster for _, cluster in pairs]
    found = alike_triplets(torch.tensor(pids), torch.tensor(clusters)).tolist()
    others = [i for i, pid in enumerate(pids) if pids.count(pid) > 1 and len(set(pids)) > 1]
    assert [anchor for anchor, _, _ in found] == others
    for anchor, positive, negative in found:
        assert positive != anchor and pids[positive] == pids[anchor] and pids[negative] != pids[anchor]
        alike = [i for i in range(len(pids)) if pids[i] != pids[anchor] and clusters[i] == clusters[anchor]]
        assert not alike or negative in alike


def test_every_allowed_image_is_drawn_sometimes_and_a_seed_repeats_itself() -> None:
    labels, clusters = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0, 1, 0, 0, 0, 1])
    torch.manual_seed(3)
    drawn = torch.stack([alike_triplets(labels, clusters) for _ in range(200)])  # image 5 has no second image: it is no anchor
    assert drawn.shape == (200, 5, 3)
    assert [sorted(set(drawn[:, anchor, 1].tolist())) for anchor in (0, 3)] == [[1, 2], [4]]
    assert [sorted(set(drawn[:, anchor, 2].tolist())) for anchor in (0, 1, 3)] == [[3, 4], [5], [0, 2]]
    torch.manual_seed(3)
    assert torch.equal(drawn[0], alike_triplets(labels, clusters))


def test_without_a_look_alike_the_negative_is_any_other_identity() -> None:
    torch.manual_seed(0)
    labels, clusters = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 1, 2])
    drawn = torch.stack([alike_triplets(labels, clusters) for _ in range(50)])
    assert set(drawn[:, 0, 2].tolist()) == {2, 3} and set(drawn[:, 2, 2].tolist()) == {0, 1}
