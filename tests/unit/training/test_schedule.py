import math

import pytest
import torch

from qafm.config.training import OptimizerConfig
from qafm.training.schedule import build_adam, linear_factor, lr_factor, set_lr


def test_papers_schedule() -> None:
    assert [lr_factor(epoch, 120, 10) for epoch in (0, 4, 9)] == [0.1, 0.5, 1.0]
    assert lr_factor(10, 120, 10) == 1.0
    assert lr_factor(65, 120, 10) == pytest.approx(0.5)
    assert lr_factor(119, 120, 10) == pytest.approx(0.5 * (1 + math.cos(math.pi * 109 / 110)))


def test_without_warmup_and_shorter_than_warmup() -> None:
    assert lr_factor(0, 5, 0) == 1.0
    assert lr_factor(2, 3, 10) == pytest.approx(0.3)


def test_linear_schedule_by_hand() -> None:
    assert [linear_factor(step, 10, 0.2) for step in range(10)] == pytest.approx([0.5, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125])
    assert [linear_factor(step, 4, 0.0) for step in range(4)] == [1, 0.75, 0.5, 0.25]
    assert [linear_factor(step, 4, 1.0) for step in range(4)] == [0.25, 0.5, 0.75, 1]
    assert linear_factor(0, 1, 0.1) == 1.0
    assert [linear_factor(step, 7, 0.1) for step in (0, 1, 6)] == pytest.approx([1, 1, 1 / 6])  # a part of a step of warm-up is a whole one


def test_a_groups_own_factor_lasts_through_the_schedule() -> None:
    slow, fast = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = build_adam([{"params": [slow], "factor": 0.1}, {"params": [fast]}], OptimizerConfig(lr=0.01))
    for epoch in range(20):
        set_lr(optimizer, lr_factor(epoch, 20, 5))
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * optimizer.param_groups[1]["lr"])
        assert optimizer.param_groups[1]["lr"] == pytest.approx(0.01 * lr_factor(epoch, 20, 5))


def test_empty_groups_are_left_out_and_own_settings_kept() -> None:
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = build_adam([{"params": []}, {"params": [parameter], "base_lr": 0.5, "weight_decay": 0.0}], OptimizerConfig(weight_decay=0.3))
    assert len(optimizer.param_groups) == 1
    assert optimizer.param_groups[0]["base_lr"] == 0.5
    assert optimizer.param_groups[0]["weight_decay"] == 0.0


def test_weight_decay_is_added_to_the_gradient() -> None:
    """By hand: Adam's first step is the rate times the sign of the sum; decay apart from the gradient (AdamW) would go the other way."""
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = build_adam([{"params": [parameter]}], OptimizerConfig(lr=0.01, weight_decay=0.1))
    parameter.grad = torch.tensor([-0.05])
    optimizer.step()
    assert parameter.tolist() == pytest.approx([0.99], abs=1e-5)
