import dataclasses
import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from qafm.config.training import BatchConfig, OptimizerConfig
from qafm.runtime.resume import ResumeState
from qafm.training.early_stopping import EarlyStopping
from qafm.training.loop import Plan, Task, train, train_plan
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
    assert all(set(row) == {"epoch", "identity", "extra", "noted", "images_seen"} for row in history)
    assert [row["images_seen"] for row in history] == [24, 48, 72, 96, 120]  # 3 pairs of identities x 2 x 2 images x 2 rounds
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
    saved = resume.load("cpu")
    assert saved is not None
    assert len(saved["history"]) == 2


def test_what_is_reported_after_an_epoch_stands_beside_its_losses_and_disturbs_nothing(tmp_path: Path) -> None:
    def looking(task: Task) -> Task:
        def look(epoch: int) -> dict[str, float]:
            task.model.eval()
            torch.rand(3)
            return {"looked": 10.0 * epoch} if epoch % 2 else {}

        return dataclasses.replace(task, after_epoch=look)

    plain, resume = run(make_task()), ResumeState(tmp_path / "state", "key")
    with pytest.raises(Interrupted):
        run(looking(make_task(3)), resume)
    history = run(looking(make_task()), resume)
    assert [row.pop("looked", None) for row in history] == [None, 10.0, None, 30.0, None]
    assert history == plain


VALUES = [5.0, 3.0, 4.0, 3.0, 2.0, 6.0, 6.0, 1.0]


def stopped_task(values: list[float], stop_before: int | None = None) -> Task:
    """As `make_task`, with values to stop on that are set by hand, and the weights every epoch ended with."""
    task = make_task(stop_before)
    return dataclasses.replace(task, after_epoch=lambda epoch: {"score": values[epoch]})


def plan(stopping: EarlyStopping | None, seen: list[float] | None = None) -> Plan:
    def factor(epoch: int, step: int, steps: int) -> float:
        (seen if seen is not None else []).append(epoch + step / steps)
        return 1.0

    return Plan(8, lambda rng: np.array_split(rng.permutation(len(LABELS)), 3), factor, stopping)


def weights_after(epochs: int) -> dict[str, torch.Tensor]:
    task = stopped_task(VALUES)
    train_plan(task, dataclasses.replace(plan(None), epochs=epochs), LABELS.device)
    return task.model.state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("better", "patience", "epochs", "best"),
    [("lower", 2, 4, 2), ("lower", 3, 8, 8), ("higher", 5, 8, 6), ("higher", 2, 3, 1), ("higher", 9, 8, 6)],
)
def test_early_stopping_ends_in_time_and_keeps_the_best_weights(better: Literal["lower", "higher"], patience: int, epochs: int, best: int) -> None:
    task = stopped_task(VALUES)
    history = train_plan(task, plan(EarlyStopping("score", better, patience)), LABELS.device)
    assert [row["score"] for row in history] == VALUES[:epochs]
    assert same(task.model.state_dict(), weights_after(best))
    assert not same(task.model.state_dict(), weights_after(best + 1 if best < 8 else best - 1))


@pytest.mark.parametrize(
    ("first", "patience", "epochs", "best"),
    [(2, 2, 7, 5), (2, 1, 6, 5), (3, 1, 6, 5), (7, 1, 8, 8), (9, 1, 8, 8)],  # values 5 3 4 3 2 6 6 1
)
def test_the_first_epochs_can_be_left_out(first: int, patience: int, epochs: int, best: int) -> None:
    task = stopped_task(VALUES)
    history = train_plan(task, plan(EarlyStopping("score", "lower", patience, first)), LABELS.device)
    assert [row["score"] for row in history] == VALUES[:epochs]
    assert [row["kept"] for row in history] == [int(epoch == best) for epoch in range(1, epochs + 1)]
    assert same(task.model.state_dict(), weights_after(best))


@pytest.mark.parametrize("stop_before", [1, 3])
def test_interrupted_early_stopping_ends_with_the_same_weights(tmp_path: Path, stop_before: int) -> None:
    stopping = EarlyStopping("score", "lower", 2)
    undisturbed = stopped_task(VALUES)
    expected = train_plan(undisturbed, plan(stopping), LABELS.device)
    resume = ResumeState(tmp_path / "state", "key")
    with pytest.raises(Interrupted):
        train_plan(stopped_task(VALUES, stop_before), plan(stopping), LABELS.device, resume)
    for _ in range(2):  # the second time there is nothing left to train
        again = stopped_task(VALUES)
        assert train_plan(again, plan(stopping), LABELS.device, resume) == expected
        assert same(again.model.state_dict(), undisturbed.model.state_dict())


def test_the_learning_rate_is_set_in_every_step() -> None:
    seen: list[float] = []
    task = stopped_task(VALUES)
    rates = []
    loss = task.loss

    def watched(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        rates.append(task.optimizer.param_groups[0]["lr"])
        return loss(batch)

    halved = dataclasses.replace(plan(None, seen), epochs=2, lr_factor=lambda epoch, step, steps: 0.5 ** (epoch * steps + step))
    train_plan(dataclasses.replace(task, loss=watched), halved, LABELS.device)
    assert rates == [0.05 * 0.5**i for i in range(6)]
    train_plan(stopped_task(VALUES), dataclasses.replace(plan(None, seen), epochs=2), LABELS.device)
    assert seen == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3])


def test_a_value_to_stop_on_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    resume = ResumeState(tmp_path / "state", "key")
    with pytest.raises(FloatingPointError, match=r"test: loss is not finite in epoch 2: \{'score': nan\}"):
        train_plan(stopped_task([1.0, math.nan]), plan(EarlyStopping("score", "lower", 2)), LABELS.device, resume)
    saved = resume.load("cpu")
    assert saved is not None
    assert len(saved["history"]) == 1


def test_a_sample_may_be_several_images() -> None:
    task = make_task()
    shapes = []

    def loss(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        shapes.append(tuple(batch.shape))
        return task.loss(batch.flatten())

    triplets = Plan(1, lambda rng: [rng.integers(0, len(LABELS), (5, 3)), rng.integers(0, len(LABELS), (4, 3))], lambda *_: 1.0)
    train_plan(dataclasses.replace(task, loss=loss), triplets, LABELS.device)
    assert shapes == [(5, 3), (4, 3)]


def test_a_step_follows_the_gradient_of_the_sum_and_leaves_what_no_loss_reaches() -> None:
    """By hand: SGD at a rate of 0.1, then 0.05; the second parameter has a loss in the first step only, and a weight decay that would move it in the second."""
    both, once = torch.nn.Parameter(torch.tensor(1.0)), torch.nn.Parameter(torch.tensor(1.0))
    model = torch.nn.ParameterList([both, once])
    optimizer = torch.optim.SGD([{"params": [both]}, {"params": [once], "weight_decay": 0.5}], lr=0.1)
    for group in optimizer.param_groups:
        group["base_lr"] = 0.1

    def loss(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"a": 2 * both, "b": 3 * both} | ({"c": 4 * once} if batch[0] == 0 else {})

    steps = Plan(1, lambda _rng: [np.array([0]), np.array([1])], lambda _epoch, step, _steps: 0.5**step)
    (row,) = train_plan(Task("by hand", 1, model, optimizer, loss, lambda _epoch: None), steps, torch.device("cpu"))
    assert both.item() == pytest.approx(1 - 0.1 * 5 - 0.05 * 5)
    assert once.item() == pytest.approx(1 - 0.1 * (4 + 0.5))
    assert (row["a"], row["b"], row["images_seen"]) == (pytest.approx((2 * 1 + 2 * 0.5) / 2), pytest.approx((3 * 1 + 3 * 0.5) / 2), 2)


def test_an_epoch_is_trained_in_the_mode_it_asks_for_whatever_was_measured_before_it() -> None:
    task, seen = make_task(), []
    loss = task.loss

    def measured(_epoch: int) -> dict[str, float]:
        task.model.eval()
        return {}

    def watched(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append(task.model.training)
        return loss(batch)

    run(dataclasses.replace(task, before_epoch=measured, loss=watched), epochs=2)
    assert seen and all(seen)


def test_name_and_seed_of_the_task_decide_its_draws() -> None:
    drawn: list[list[int]] = []

    def shown(task: Task) -> list[int]:
        batches: list[int] = []
        loss = task.loss

        def watched(batch: torch.Tensor) -> dict[str, torch.Tensor]:
            batches.extend(batch.tolist())
            return loss(batch)

        run(dataclasses.replace(task, loss=watched), epochs=1)
        return batches

    for name, seed in (("test", 7), ("test", 7), ("other", 7), ("test", 8)):
        drawn.append(shown(dataclasses.replace(make_task(), name=name, seed=seed)))
    assert drawn[0] == drawn[1] and drawn[0] != drawn[2] and drawn[0] != drawn[3]


def test_the_rate_of_an_epoch_follows_warm_up_and_cosine() -> None:
    task, rates = make_task(), []
    loss = task.loss

    def watched(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        rates.append(task.optimizer.param_groups[0]["lr"])
        return loss(batch)

    schedule = OptimizerConfig(lr=0.05, warmup_epochs=2)
    train(dataclasses.replace(task, loss=watched), LABELS, epochs=4, batch=BATCH, schedule=schedule)
    assert rates == pytest.approx([0.05 * factor for factor in (0.5, 1, 1, 0.5) for _ in range(6)])
