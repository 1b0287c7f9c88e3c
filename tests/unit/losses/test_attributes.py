import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.losses.attributes import attribute_loss
from qafm.tables.attributes import ATTRIBUTE_SIZES


def make_logits(images, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(images,) if size == 2 else (images, size) for size in ATTRIBUTE_SIZES]
    return tuple(torch.randn(shape, generator=generator).requires_grad_() for shape in shapes)


def reference(attribute_logits, codes):
    """Per head the mean over its known labels."""
    heads = []
    for k, logits in enumerate(attribute_logits):
        terms = []
        for n, code in enumerate(row[k] for row in codes):
            if code < 0:
                continue
            row = logits[n].tolist()
            row = [0.0, row] if isinstance(row, float) else row  # a binary logit against 0
            terms.append(math.log(sum(math.exp(x) for x in row)) - row[code])
        if terms:
            heads.append(sum(terms) / len(terms))
    return heads


codes_of_images = st.lists(st.tuples(*[st.integers(-1, size - 1) for size in ATTRIBUTE_SIZES]), min_size=1, max_size=5)


@settings(max_examples=50, deadline=None)
@given(codes=codes_of_images, reduce=st.sampled_from(["sum", "mean"]))
def test_equals_nested_loops(codes, reduce):
    logits = make_logits(len(codes))
    loss, heads = attribute_loss(logits, torch.tensor(codes), reduce)
    expected = reference(logits, codes)
    assert heads == len(expected)
    assert loss.item() == pytest.approx(sum(expected) / (len(expected) if reduce == "mean" and expected else 1), rel=1e-4)


@torch.no_grad()
def test_default_is_the_sum():
    logits, codes = make_logits(2), torch.zeros(2, 12, dtype=torch.int64)
    assert float(attribute_loss(logits, codes)[0]) == pytest.approx(12 * float(attribute_loss(logits, codes, "mean")[0]), rel=1e-5)


def test_a_head_without_labels_gets_no_gradient_at_all():
    logits, codes = make_logits(3), torch.zeros(3, 12, dtype=torch.int64)
    codes[:, [4, 9]] = -1
    codes[0, 11] = -1
    loss, heads = attribute_loss(logits, codes)
    loss.backward()
    assert heads == 10 and [k for k in range(12) if logits[k].grad is None] == [4, 9]
    assert not logits[11].grad[0].any() and logits[11].grad[1:].any()


def test_nothing_known_is_a_harmless_zero():
    logits = make_logits(3)
    loss, heads = attribute_loss(logits, torch.full((3, 12), -1), "mean")
    loss.backward()
    assert loss.item() == 0 and heads == 0 and all(x.grad is None for x in logits)


@torch.no_grad()
def test_right_answers_cost_less():
    codes = torch.tensor([[1] * 9 + [3, 7, 8]])
    right = [torch.full((1,), 9.0) if size == 2 else 9 * torch.nn.functional.one_hot(codes[:, k], size).float() for k, size in enumerate(ATTRIBUTE_SIZES)]
    assert float(attribute_loss(right, codes)[0]) < 0.02 < 50 < float(attribute_loss([-x for x in right], codes)[0])


def test_extreme_and_half_precision_logits():
    codes = torch.zeros(1, 12, dtype=torch.int64)
    logits = [torch.full((1,), 1e4) if size == 2 else torch.full((1, size), 1e4) for size in ATTRIBUTE_SIZES]
    assert torch.isfinite(attribute_loss(logits, codes)[0])
    assert attribute_loss([x.bfloat16() for x in logits], codes)[0].dtype == torch.float32
