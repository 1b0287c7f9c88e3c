import math
from pathlib import Path

import pytest
import torch

from qafm.config.training import BatchConfig, OptimizerConfig
from qafm.runtime.resume import ResumeState
from qafm.training.loop import Task, train
from qafm.training.schedule import build_adam

LABELS = torch.arange(6).repeat_interleave(4)
BATCH, SCHEDULE = BatchConfig(ids=2, images_per_id=2), OptimizerConfig(lr=0.05, warmup_epochs=1)


class Interrupted(Exception):
    """Stands for a kill between two epochs."""


def make_task(stop_before: int | None = None, bad_epoch: int | None = None) -> Task:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 6))
    state = {"epoch": -1}
    inputs = torch.randn(len(LABELS), 3, generator=torch.Generator().manual_seed(5))

    def before_epoch(epoch: int) -> dict[str, float]:
        if epoch == stop_before:
            raise Interrupted
        state["epoch"] = epoch
        return {"noted": float(epoch)}

    def loss(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        value = torch.nn.functional.cross_entropy(model(inputs[batch] + torch.randn(len(batch), 3)), LABELS[batch])
        return {"identity": value * math.nan if state["epoch"] == bad_epoch else value, "extra": 0.1 * value}

    optimizer = build_adam([{"params": model.parameters()}], SCHEDULE)
    return Task("test", 7, model, optimizer, loss, lambda _epoch: model.train(), before_epoch)


def run(task: Task, resume: ResumeState | None = None, epochs: int = 5) -> list[dict[str, float]]:
    return train(task, LABELS, epochs=epochs, batch=BATCH, schedule=SCHEDULE, resume=resume)


def test_history_names_every_loss_and_report() -> None:
    history = run(make_task())
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5]
    assert all(set(row) == {"epoch", "identity", "extra", "noted"} for row in history)
    assert all(row["extra"] == pytest.approx(0.1 * row["identity"], rel=1e-5) for row in history)


@pytest.mark.parametrize("stop_before", [1, 3, 4])
def test_interrupted_run_ends_with_the_same_weights(tmp_path: Path, stop_before: int) -> None:
    undisturbed = make_task()
    expected = run(undisturbed)
    resume = ResumeState(tmp_path / "state", "key")
    with pytest.raises(Interrupted):
        run(make_task(stop_before), resume)
    again = make_task()
    assert run(again, resume) == expected
    for name, tensor in undisturbed.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name


def test_state_of_other_settings_is_not_used_and_removed(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(make_task(2), ResumeState(tmp_path / "state", "old"))
    other = ResumeState(tmp_path / "state", "new")
    assert run(make_task(), other) == run(make_task())
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["new.pt"]


def test_a_loss_that_is_not_finite_stops_the_run_and_saves_nothing_of_it(tmp_path: Path) -> None:
    resume = ResumeState(tmp_path / "state", "key")
    with pytest.raises(FloatingPointError, match="test: loss is not finite in epoch 3"):
        run(make_task(bad_epoch=2), resume)
    saved = resume.load()
    assert saved is not None
    assert len(saved["history"]) == 2
