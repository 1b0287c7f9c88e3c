"""The plan of both trainings: a linear schedule per step, early stopping on a validation value."""

from collections.abc import Callable, Sequence

import numpy as np

from qafm.config.par import ParTrainingConfig, SiameseTrainingConfig
from qafm.training.early_stopping import EarlyStopping
from qafm.training.loop import Plan
from qafm.training.schedule import linear_factor


def plain_plan(training: ParTrainingConfig | SiameseTrainingConfig, batches: Callable[[np.random.Generator], Sequence[np.ndarray]]) -> Plan:
    """How long and at which learning rate to train on `batches`, which draws an epoch's; every epoch has as many."""
    return Plan(
        epochs=training.epochs,
        batches=batches,
        lr_factor=lambda epoch, step, steps: linear_factor(epoch * steps + step, training.epochs * steps, training.warmup_share),
        stopping=EarlyStopping(training.stop_on, "lower" if training.stop_on == "val_loss" else "higher", training.patience),
    )
