"""Learning rate: per epoch linear warm-up, then cosine to zero; or per step linear warm-up, then linear to zero."""

import math

import torch

from qafm.config.training import OptimizerConfig


def lr_factor(epoch: int, epochs: int, warmup_epochs: int) -> float:
    """Factor on the learning rate in `epoch` (0-based) of `epochs`: (e+1)/warmup, then (1 + cos(pi t)) / 2."""
    if epoch < warmup_epochs:
        return (epoch + 1) / warmup_epochs
    return 0.5 * (1 + math.cos(math.pi * (epoch - warmup_epochs) / max(1, epochs - warmup_epochs)))


def linear_factor(step: int, steps: int, warmup_share: float) -> float:
    """Factor on the learning rate in `step` (0-based) of `steps`: up to 1 in the first `warmup_share` of them, then in equal steps down to 0.

    No step is lost to a rate of 0: the first one has 1 / warm-up steps, the last one 1 / steps after the warm-up.
    """
    warmup = math.ceil(warmup_share * steps)
    return (step + 1) / warmup if step < warmup else (steps - step) / max(1, steps - warmup)


def set_lr(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set each group's learning rate to its `base_lr` times `factor`, so that a group's own factor lasts."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def build_adam(groups: list[dict], config: OptimizerConfig) -> torch.optim.Adam:
    """Adam over parameter groups; a group's optional `factor` multiplies the learning rate for good.

    A parameter without a gradient is left alone, its weight decay included.
    """
    for group in groups:
        group["base_lr"] = group.pop("base_lr", config.lr) * group.pop("factor", 1.0)
        group["params"] = list(group["params"])
    return torch.optim.Adam([group for group in groups if group["params"]], lr=config.lr, weight_decay=config.weight_decay, fused=True)
