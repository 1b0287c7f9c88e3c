import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.losses.triplet import batch_hard_triplet


def reference(embeddings, pids, margin):
    terms = []
    for i in range(len(pids)):
        distance = [sum((a - b) ** 2 for a, b in zip(embeddings[i], other, strict=True)) ** 0.5 for other in embeddings]
        positives = [distance[j] for j in range(len(pids)) if j != i and pids[j] == pids[i]]
        negatives = [distance[j] for j in range(len(pids)) if pids[j] != pids[i]]
        if positives and negatives:
            terms.append(max(0.0, max(positives) - min(negatives) + margin))
    return sum(terms) / len(terms) if terms else 0.0


@settings(max_examples=60, deadline=None)
@given(pids=st.lists(st.integers(0, 3), min_size=1, max_size=9), margin=st.sampled_from([0.1, 0.3, 2.0]), seed=st.integers(0, 1000))
def test_equals_nested_loops(pids, margin, seed):
    embeddings = torch.randn(len(pids), 3, generator=torch.Generator().manual_seed(seed))
    loss = batch_hard_triplet(embeddings, torch.tensor(pids), margin)
    assert float(loss) == pytest.approx(reference(embeddings.tolist(), pids, margin), rel=1e-4, abs=1e-5)


def test_by_hand():
    embeddings = torch.tensor([[0.0], [1.0], [1.5], [4.0]])  # anchors: 1-1.5, 1-0.5, 2.5-0.5, 2.5-3 (+0.3)
    assert float(batch_hard_triplet(embeddings, torch.tensor([5, 5, 9, 9]), 0.3)) == pytest.approx((0 + 0.8 + 2.3 + 0) / 4, abs=1e-6)


def test_anchors_without_a_positive_are_left_out():
    embeddings = torch.tensor([[0.0], [1.0], [1.5]])
    assert float(batch_hard_triplet(embeddings, torch.tensor([5, 5, 9]), 0.3)) == pytest.approx((0 + 0.8) / 2, abs=1e-6)


@pytest.mark.parametrize("pids", [[1, 2, 3], [1, 1, 1], [1]])
def test_without_an_anchor_the_loss_is_a_differentiable_zero(pids):
    embeddings = torch.randn(len(pids), 3, requires_grad=True)
    loss = batch_hard_triplet(embeddings, torch.tensor(pids), 0.3)
    loss.backward()
    assert loss.item() == 0 and not embeddings.grad.any()


def test_gradient_is_right():
    torch.manual_seed(1)
    embeddings, pids, step = torch.randn(6, 3, requires_grad=True), torch.tensor([0, 0, 0, 1, 1, 1]), 1e-2
    batch_hard_triplet(embeddings, pids, 5.0).backward()
    for i, d in ((0, 0), (3, 2), (5, 1)):
        nudge = torch.zeros(6, 3)
        nudge[i, d] = step
        difference = batch_hard_triplet((embeddings + nudge).detach(), pids, 5.0) - batch_hard_triplet((embeddings - nudge).detach(), pids, 5.0)
        assert float(embeddings.grad[i, d]) == pytest.approx(float(difference) / (2 * step), abs=2e-3)


def test_gradient_stays_finite_at_distance_0():
    embeddings = torch.tensor([[1.0, 2.0]] * 4, requires_grad=True)
    loss = batch_hard_triplet(embeddings, torch.tensor([0, 0, 1, 1]), 0.3)
    loss.backward()
    assert loss.item() == pytest.approx(0.3) and torch.isfinite(embeddings.grad).all()


def test_large_close_embeddings_keep_their_distance():
    embeddings = torch.tensor([[1000.0, 0.0], [1000.0, 0.01], [1000.0, 0.02], [1000.0, 5.0]])
    assert float(batch_hard_triplet(embeddings, torch.tensor([0, 0, 1, 1]), 0.1)) == pytest.approx(reference(embeddings.tolist(), [0, 0, 1, 1], 0.1), rel=1e-3)


def test_half_precision_input_gives_float32():
    assert batch_hard_triplet(torch.randn(4, 3, dtype=torch.bfloat16), torch.tensor([0, 0, 1, 1]), 0.3).dtype == torch.float32
