import math
from dataclasses import replace
from pathlib import Path

import numpy as np
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


def test_a_sampler_draws_the_batches(tmp_path: Path) -> None:
    drawn: list[list[int]] = []

    def sampler(labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        assert np.array_equal(labels, LABELS.numpy())
        return np.array_split(rng.permutation(len(labels)), 3)

    def recorded(task: Task) -> Task:
        loss = task.loss

        def noted(batch: torch.Tensor) -> dict[str, torch.Tensor]:
            drawn.append(batch.tolist())
            return loss(batch)

        return replace(task, loss=noted)

    history = train(recorded(make_task()), LABELS, epochs=2, batch=sampler, schedule=SCHEDULE)
    assert [len(batch) for batch in drawn] == [8, 8, 8] * 2
    first, second = ([index for batch in drawn[start : start + 3] for index in batch] for start in (0, 3))
    assert sorted(first) == sorted(second) == list(range(24)) and first != second
    resume = ResumeState(tmp_path / "state", "key")
    with pytest.raises(Interrupted):
        train(make_task(1), LABELS, epochs=2, batch=sampler, schedule=SCHEDULE, resume=resume)
    assert train(make_task(), LABELS, epochs=2, batch=sampler, schedule=SCHEDULE, resume=resume) == history


def test_without_a_schedule_the_learning_rate_stays() -> None:
    task, rates = make_task(), []
    noted = replace(task, after_epoch=lambda _epoch: {"lr": task.optimizer.param_groups[0]["lr"]})
    for schedule in (SCHEDULE, None):
        rates.append([row["lr"] for row in train(noted, LABELS, epochs=4, batch=BATCH, schedule=schedule)])
        task.optimizer.param_groups[0]["lr"] = 0.03
    assert len(set(rates[0])) > 1 and rates[1] == [0.03] * 4


def test_what_is_reported_after_an_epoch_stands_beside_its_losses_and_disturbs_nothing(tmp_path: Path) -> None:
    def looking(task: Task) -> Task:
        def look(epoch: int) -> dict[str, float]:
            task.model.eval()
            torch.rand(3)
            return {"looked": 10.0 * epoch} if epoch % 2 else {}

        return replace(task, after_epoch=look)

    plain, resume = run(make_task()), ResumeState(tmp_path / "state", "key")
    with pytest.raises(Interrupted):
        run(looking(make_task(3)), resume)
    history = run(looking(make_task()), resume)
    assert [row.pop("looked", None) for row in history] == [None, 10.0, None, 30.0, None]
    assert history == plain
