"""The one training loop of the project."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from qafm.config.training import BatchConfig, OptimizerConfig
from qafm.runtime.resume import ResumeState
from qafm.runtime.torch_setup import seed_everything
from qafm.training.batches import Sampler, identity_batches
from qafm.training.schedule import set_lr

LOGGER = logging.getLogger("qafm")
Losses = dict[str, torch.Tensor]
History = list[dict[str, float]]


def _nothing(_epoch: int) -> dict[str, float]:
    return {}


@dataclass(frozen=True)
class Task:
    """What a stage hands to the loop.

    Attributes:
        name: heads the messages and seeds the run together with `seed`.
        model: all that is trained; its state is saved for resuming.
        optimizer: with `base_lr` in each group.
        loss: indices of a batch (int64 [B], on the labels' device) -> named scalar losses, whose sum is minimised.
        train_mode: puts the model's parts into train or eval mode for an epoch.
        before_epoch: called first in each epoch; what it returns goes into the history.
        after_epoch: called last in each epoch, likewise; it may put the model into eval mode.
    """

    name: str
    seed: int
    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[torch.Tensor], Losses]
    train_mode: Callable[[int], object]
    before_epoch: Callable[[int], dict[str, float]] = field(default=_nothing)
    after_epoch: Callable[[int], dict[str, float]] = field(default=_nothing)


def train(
    task: Task,
    labels: torch.Tensor,
    *,
    epochs: int,
    batch: BatchConfig | Sampler,
    schedule: OptimizerConfig | None,
    resume: ResumeState | None = None,
) -> History:
    """Train for `epochs`; with `resume`, go on after the last epoch saved there and save after each one.

    Every epoch is seeded by (task, seed, epoch), so that a resumed run equals an undisturbed one.

    Args:
        task: what is trained, on what.
        labels: identity of each image, int [N].
        epochs: number of epochs in all.
        batch: how many identities and images each make a batch, or a sampler that draws batches otherwise.
        schedule: gives the epochs of warm-up before the cosine; None: the learning rate stays as the optimiser has it.
        resume: state between epochs.

    Returns:
        One dict per epoch: mean losses and whatever `before_epoch` and `after_epoch` reported.

    Raises:
        FloatingPointError: a loss is not finite; nothing of that epoch is saved.
    """
    history = _restore(task, resume)
    identities = labels.cpu().numpy()
    for epoch in range(len(history), epochs):
        start = time.monotonic()
        rng = seed_everything(task.name, task.seed, epoch)
        if schedule is not None:
            set_lr(task.optimizer, epoch, epochs, schedule.warmup_epochs)
        report = task.before_epoch(epoch)
        task.train_mode(epoch)
        batches = list(identity_batches(identities, batch, rng) if isinstance(batch, BatchConfig) else batch(identities, rng))
        means = _train_epoch(task, labels.device, tqdm(batches, desc=f"{task.name} {epoch + 1}/{epochs}", unit="batch", leave=False, disable=None))
        if not all(math.isfinite(value) for value in means.values()):
            raise FloatingPointError(f"{task.name}: loss is not finite in epoch {epoch + 1}: {means}")
        history.append({"epoch": epoch + 1, **means, **report, **task.after_epoch(epoch)})
        if resume is not None:
            resume.save({"model": task.model.state_dict(), "optimizer": task.optimizer.state_dict(), "history": history})
        text = " ".join(f"{key} {value:.3f}" for key, value in history[-1].items() if key != "epoch")
        LOGGER.info("epoch %d/%d: %s (%.1f s)", epoch + 1, epochs, text, time.monotonic() - start)
    return history


def _train_epoch(task: Task, device: torch.device, batches: "tqdm[np.ndarray]") -> dict[str, float]:
    """One pass over `batches`; returns the mean of each loss."""
    sums: dict[str, torch.Tensor] = {}
    for indices in batches:
        losses = task.loss(torch.from_numpy(indices).to(device))
        task.optimizer.zero_grad(set_to_none=True)
        torch.stack([value.float() for value in losses.values()]).sum().backward()
        task.optimizer.step()
        for name, value in losses.items():
            sums[name] = sums.get(name, torch.zeros((), device=device)) + value.detach()
    return {name: float(value) / max(1, len(batches)) for name, value in sums.items()}


def _restore(task: Task, resume: ResumeState | None) -> History:
    state: dict[str, Any] | None = resume.load() if resume is not None else None
    if state is None:
        return []
    task.model.load_state_dict(state["model"])
    task.optimizer.load_state_dict(state["optimizer"])
    LOGGER.info("resuming after epoch %d", len(state["history"]))
    return state["history"]
