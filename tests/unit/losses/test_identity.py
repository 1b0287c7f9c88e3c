import math

import pytest
import torch

from qafm.losses.identity import identity_loss


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_equals_the_smoothed_sum(smoothing):
    torch.manual_seed(0)
    logits, targets = torch.randn(5, 4), torch.tensor([0, 3, 1, 1, 2])
    total = 0.0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        log_sum = math.log(sum(math.exp(x) for x in row))
        for k in range(4):
            share = smoothing / 4 + (1 - smoothing if k == target else 0)
            total += share * (log_sum - row[k])
    assert float(identity_loss(logits, targets, smoothing)) == pytest.approx(total / 5, rel=1e-5)


def test_is_computed_in_float32():
    logits, targets = torch.randn(4, 3, dtype=torch.bfloat16), torch.tensor([0, 1, 2, 0])
    loss = identity_loss(logits, targets, 0.1)
    assert loss.dtype == torch.float32 and torch.equal(loss, identity_loss(logits.float(), targets, 0.1))
