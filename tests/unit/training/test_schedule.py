import math

import pytest
import torch

from qafm.config.training import OptimizerConfig
from qafm.training.schedule import build_adam, lr_factor, set_lr


def test_papers_schedule() -> None:
    assert [lr_factor(epoch, 120, 10) for epoch in (0, 4, 9)] == [0.1, 0.5, 1.0]
    assert lr_factor(10, 120, 10) == 1.0
    assert lr_factor(65, 120, 10) == pytest.approx(0.5)
    assert lr_factor(119, 120, 10) == pytest.approx(0.5 * (1 + math.cos(math.pi * 109 / 110)))


def test_without_warmup_and_shorter_than_warmup() -> None:
    assert lr_factor(0, 5, 0) == 1.0
    assert lr_factor(2, 3, 10) == pytest.approx(0.3)


def test_a_groups_own_factor_lasts_through_the_schedule() -> None:
    slow, fast = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = build_adam([{"params": [slow], "factor": 0.1}, {"params": [fast]}], OptimizerConfig(lr=0.01))
    for epoch in range(20):
        set_lr(optimizer, epoch, 20, 5)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * optimizer.param_groups[1]["lr"])
        assert optimizer.param_groups[1]["lr"] == pytest.approx(0.01 * lr_factor(epoch, 20, 5))


def test_empty_groups_are_left_out_and_own_settings_kept() -> None:
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = build_adam([{"params": []}, {"params": [parameter], "base_lr": 0.5, "weight_decay": 0.0}], OptimizerConfig(weight_decay=0.3))
    assert len(optimizer.param_groups) == 1
    assert optimizer.param_groups[0]["base_lr"] == 0.5
    assert optimizer.param_groups[0]["weight_decay"] == 0.0
