"""Learning rate per epoch: linear warm-up, then cosine to zero."""

import math

import torch

from qafm.config.training import OptimizerConfig


def lr_factor(epoch: int, epochs: int, warmup_epochs: int) -> float:
    """Factor on the learning rate in `epoch` (0-based) of `epochs`: (e+1)/warmup, then (1 + cos(pi t)) / 2."""
    if epoch < warmup_epochs:
        return (epoch + 1) / warmup_epochs
    return 0.5 * (1 + math.cos(math.pi * (epoch - warmup_epochs) / max(1, epochs - warmup_epochs)))


def set_lr(optimizer: torch.optim.Optimizer, epoch: int, epochs: int, warmup_epochs: int) -> None:
    """Set each group's learning rate to its `base_lr` times the factor of `epoch`, so that a group's own factor lasts."""
    factor = lr_factor(epoch, epochs, warmup_epochs)
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
