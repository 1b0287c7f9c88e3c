"""The one training loop of the project."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from qafm.config.training import BatchConfig, OptimizerConfig
from qafm.runtime.resume import ResumeState
from qafm.runtime.torch_setup import describe_device, seed_everything
from qafm.training.batches import identity_batches
from qafm.training.early_stopping import EarlyStopping
from qafm.training.schedule import lr_factor, set_lr

LOGGER = logging.getLogger("qafm")
Losses = dict[str, torch.Tensor]
History = list[dict[str, float]]
Weights = dict[str, torch.Tensor]


def _nothing_to_report(_epoch: int) -> dict[str, float]:
    return {}


@dataclass(frozen=True)
class Task:
    """What a stage hands to the loop.

    Attributes:
        name: heads the messages and seeds the run together with `seed`.
        model: all that is trained; its state is saved for resuming.
        optimizer: with `base_lr` in each group.
        loss: indices of a batch (int64 [B], or [B, n] where a sample is several images, on the device) -> named scalar losses, whose sum is minimised.
        train_mode: puts the model's parts into train or eval mode for an epoch.
        before_epoch: called first in each epoch; what it returns goes into the history.
        after_epoch: called last in each epoch, with the model as that epoch left it; what it returns goes into the history.
    """

    name: str
    seed: int
    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[torch.Tensor], Losses]
    train_mode: Callable[[int], object]
    before_epoch: Callable[[int], dict[str, float]] = field(default=_nothing_to_report)
    after_epoch: Callable[[int], dict[str, float]] = field(default=_nothing_to_report)


@dataclass(frozen=True)
class Plan:
    """How long a task is trained, and on what.

    Attributes:
        epochs: number of epochs, or the largest one with `stopping`.
        batches: the epoch's generator -> the indices of each of its batches.
        lr_factor: (epoch, step, steps of this epoch), 0-based -> factor on each group's `base_lr` in that step.
        stopping: when to end early and which epoch's weights to keep; None: train to the end and keep the last ones.
    """

    epochs: int
    batches: Callable[[np.random.Generator], Sequence[np.ndarray]]
    lr_factor: Callable[[int, int, int], float]
    stopping: EarlyStopping | None = None


def train(task: Task, labels: torch.Tensor, *, epochs: int, batch: BatchConfig, schedule: OptimizerConfig, resume: ResumeState | None = None) -> History:
    """`train_plan` for `epochs` on batches drawn by identity (`labels`, int [N]), the learning rate set per epoch, no early stopping."""
    identities = labels.cpu().numpy()
    plan = Plan(
        epochs=epochs,
        batches=lambda rng: list(identity_batches(identities, batch, rng)),
        lr_factor=lambda epoch, _step, _steps: lr_factor(epoch, epochs, schedule.warmup_epochs),
    )
    return train_plan(task, plan, labels.device, resume)


def train_plan(task: Task, plan: Plan, device: torch.device, resume: ResumeState | None = None) -> History:
    """Train as planned; with `resume`, go on after the last epoch saved there and save after each one.

    Every epoch is seeded by (task, seed, epoch), so that a resumed run equals an undisturbed one. With early stopping the model ends with the
    weights of its best epoch.

    Returns:
        One dict per epoch: mean losses, what `before_epoch` and `after_epoch` reported, and `images_seen`: how many images were shown so far, each as often
        as it was; with early stopping `kept`, too: 1 in the epoch whose weights the model has, 0 in the others.

    Raises:
        FloatingPointError: a loss, or the value that decides when to stop, is not finite; nothing of that epoch is saved.
    """
    history, best = _restore(task, device, resume)
    while len(history) < plan.epochs and not (plan.stopping is not None and plan.stopping.is_over(history)):
        start = time.monotonic()
        epoch = len(history)
        history.append(_epoch(task, plan, device, epoch, int(history[-1]["images_seen"]) if history else 0))
        if plan.stopping is not None and plan.stopping.best_epoch(history) == epoch:
            best = {name: value.detach().cpu().clone() for name, value in task.model.state_dict().items()}
        if resume is not None:
            state = {"model": task.model.state_dict(), "optimizer": task.optimizer.state_dict(), "history": history}
            resume.save(state | ({} if best is None else {"best": best}))
        text = " ".join(f"{key} {value:.3f}" for key, value in history[-1].items() if key not in ("epoch", "images_seen"))
        LOGGER.info("epoch %d/%d: %s (%.1f s)", epoch + 1, plan.epochs, text, time.monotonic() - start)
    if plan.stopping is not None and best is not None:
        task.model.load_state_dict(best)
        kept = plan.stopping.best_epoch(history)
        LOGGER.info("the weights of epoch %d are kept: its %s is best", kept + 1, plan.stopping.measure)
        return [row | {"kept": int(epoch == kept)} for epoch, row in enumerate(history)]
    return history


def _epoch(task: Task, plan: Plan, device: torch.device, epoch: int, seen: int) -> dict[str, float]:
    """One epoch, after `seen` images; returns its line of the history."""
    rng = seed_everything(task.name, task.seed, epoch)
    report = task.before_epoch(epoch)
    task.train_mode(epoch)
    batches = plan.batches(rng)
    means = _train_epoch(task, plan, device, epoch, batches)
    _check_finite(task, epoch, means)
    after = task.after_epoch(epoch)
    if plan.stopping is not None:
        _check_finite(task, epoch, {plan.stopping.measure: after[plan.stopping.measure]})
    return {"epoch": epoch + 1, **means, **report, **after, "images_seen": seen + sum(batch.size for batch in batches)}


def _check_finite(task: Task, epoch: int, values: dict[str, float]) -> None:
    if not all(math.isfinite(value) for value in values.values()):
        raise FloatingPointError(f"{task.name}: loss is not finite in epoch {epoch + 1}: {values}")


def _train_epoch(task: Task, plan: Plan, device: torch.device, epoch: int, batches: Sequence[np.ndarray]) -> dict[str, float]:
    """One pass over `batches`; returns the mean of each loss."""
    sums: dict[str, torch.Tensor] = {}
    shown = tqdm(batches, desc=f"{task.name} {epoch + 1}/{plan.epochs}", unit="batch", leave=False, disable=None)
    for step, indices in enumerate(shown):
        set_lr(task.optimizer, plan.lr_factor(epoch, step, len(batches)))
        losses = task.loss(torch.from_numpy(indices).to(device))
        task.optimizer.zero_grad(set_to_none=True)
        torch.stack([value.float() for value in losses.values()]).sum().backward()
        task.optimizer.step()
        for name, value in losses.items():
            sums[name] = sums.get(name, torch.zeros((), device=device)) + value.detach()
    return {name: float(value) / max(1, len(batches)) for name, value in sums.items()}


def _restore(task: Task, device: torch.device, resume: ResumeState | None) -> tuple[History, Weights | None]:
    """The history so far, and the weights of its best epoch where they were kept."""
    state: dict[str, Any] | None = resume.load(describe_device(device)) if resume is not None else None
    if state is None:
        return [], None
    task.model.load_state_dict(state["model"])
    task.optimizer.load_state_dict(state["optimizer"])
    LOGGER.info("resuming after epoch %d", len(state["history"]))
    return state["history"], state.get("best")
