"""The plan of both trainings: a linear schedule per step, early stopping on a validation value."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from qafm.config.par import ParTrainingConfig, SiameseTrainingConfig
from qafm.training.early_stopping import EarlyStopping
from qafm.training.loop import Plan
from qafm.training.schedule import linear_factor


def plain_plan(training: ParTrainingConfig | SiameseTrainingConfig, batches: Callable[[np.random.Generator], Sequence[np.ndarray]]) -> Plan:
    """How long and at which learning rate to train on `batches`, which draws an epoch's; every epoch has as many.

    An epoch in which the learning rate still rises is not the one whose weights are kept.
    """
    better = "lower" if training.stop_on == "val_loss" else "higher"
    after_warmup = min(math.ceil(training.warmup_share * training.epochs), training.epochs - 1)
    return Plan(
        epochs=training.epochs,
        batches=batches,
        lr_factor=lambda epoch, step, steps: linear_factor(epoch * steps + step, training.epochs * steps, training.warmup_share),
        stopping=EarlyStopping(training.stop_on, better, training.patience, after_warmup),
    )
