"""The part-averaged triplet loss against nested loops, with and without visibility."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.companions.bpbreid.part_triplet import part_triplet
from qafm.losses.triplet import batch_hard_triplet


def reference(parts: list, pids: list[int], margin: float, visible: list | None) -> float:
    def distance(i: int, j: int) -> float | None:
        apart = []
        for k in range(len(parts[i])):
            if visible is None or (visible[i][k] and visible[j][k]):
                apart.append(sum((a - b) ** 2 for a, b in zip(parts[i][k], parts[j][k], strict=True)) ** 0.5)
        return sum(apart) / len(apart) if apart else None

    terms = []
    for i in range(len(pids)):
        others = [(j, distance(i, j)) for j in range(len(pids)) if j != i]
        positives = [d for j, d in others if d is not None and pids[j] == pids[i]]
        negatives = [d for j, d in others if d is not None and pids[j] != pids[i]]
        if positives and negatives:
            terms.append(max(0.0, max(positives) - min(negatives) + margin))
    return sum(terms) / len(terms) if terms else 0.0


@settings(max_examples=60, deadline=None)
@given(
    pids=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    margin=st.sampled_from([0.1, 0.3, 2.0]),
    share=st.sampled_from([None, 0.2, 0.5, 0.9]),
    seed=st.integers(0, 1000),
)
def test_equals_nested_loops(pids, margin, share, seed) -> None:
    generator = torch.Generator().manual_seed(seed)
    parts = torch.randn(len(pids), 3, 4, generator=generator)
    visible = None if share is None else torch.rand(len(pids), 3, generator=generator) < share
    loss = part_triplet(parts, torch.tensor(pids), margin, visible)
    expected = reference(parts.tolist(), pids, margin, None if visible is None else visible.tolist())
    assert float(loss) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_one_part_is_plain_batch_hard() -> None:
    parts, pids = torch.randn(8, 5), torch.arange(4).repeat_interleave(2)
    torch.testing.assert_close(part_triplet(parts[:, None], pids, 0.3), batch_hard_triplet(parts, pids, 0.3))


def test_visibility_decides_which_pair_is_hardest() -> None:
    parts = torch.tensor([[[0.0], [0.0]], [[1.0], [9.0]], [[2.0], [0.0]], [[4.0], [4.0]]])
    pids = torch.tensor([0, 0, 1, 1])
    hidden = torch.tensor([[True, True], [True, False], [True, True], [True, True]])
    assert float(part_triplet(parts, pids, 0.3)) == pytest.approx(reference(parts.tolist(), pids.tolist(), 0.3, None))
    assert float(part_triplet(parts, pids, 0.3, hidden)) == pytest.approx(reference(parts.tolist(), pids.tolist(), 0.3, hidden.tolist()))
    assert float(part_triplet(parts, pids, 0.3, hidden)) != pytest.approx(float(part_triplet(parts, pids, 0.3)))


@pytest.mark.parametrize(
    ("pids", "visible"),
    [
        ([1, 2, 3, 4], None),  # nobody twice
        ([1, 1, 1, 1], None),  # nobody else
        ([1, 1, 2, 2], torch.zeros(4, 2, dtype=torch.bool)),  # nothing is seen
        ([1, 1, 2, 2], torch.tensor([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=torch.bool)),  # no positive pair has a part in common
    ],
)
def test_a_batch_without_a_valid_triplet_gives_a_differentiable_zero(pids, visible) -> None:
    parts = torch.randn(4, 2, 3, requires_grad=True)
    loss = part_triplet(parts, torch.tensor(pids), 0.3, visible)
    loss.backward()
    assert loss.item() == 0 and not parts.grad.any()


def test_gradient_reaches_visible_parts_alone_and_is_finite_at_0() -> None:
    parts = torch.ones(4, 2, 3, requires_grad=True)
    visible = torch.tensor([[True, False]] * 4)
    loss = part_triplet(parts, torch.tensor([0, 0, 1, 1]), 0.3, visible)
    loss.backward()
    assert loss.item() == pytest.approx(0.3) and torch.isfinite(parts.grad).all()
    varied = torch.randn(4, 2, 3, requires_grad=True)
    part_triplet(varied, torch.tensor([0, 0, 1, 1]), 5.0, visible).backward()
    assert varied.grad[:, 0].any() and not varied.grad[:, 1].any()


def test_half_precision_input_gives_float32() -> None:
    assert part_triplet(torch.randn(4, 2, 3, dtype=torch.bfloat16), torch.tensor([0, 0, 1, 1]), 0.3).dtype == torch.float32
