"""What every companion's training does, step by step."""

from typing import Any

import pytest
import torch


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float, tuple[float, float]]]:
    """Learning rate, weight decay and betas of every step that Adam takes, group by group."""
    seen: list[tuple[float, float, tuple[float, float]]] = []
    step = torch.optim.Adam.step

    def noted(optimizer: Any, *arguments: Any) -> Any:
        seen.extend((group["lr"], group["weight_decay"], group["betas"]) for group in optimizer.param_groups)
        return step(optimizer, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    return seen
