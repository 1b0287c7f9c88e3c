"""Early stopping: when a training ends before its last epoch, and which epoch's weights it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EarlyStopping:
    """Ends a training once a value of its history has not improved for a while.

    Attributes:
        measure: column of the history, reported by the task after each epoch.
        better: whether a lower or a higher value is better.
        patience: epochs without an improvement after which the training ends, >= 1.
    """

    measure: str
    better: Literal["lower", "higher"]
    patience: int

    def best_epoch(self, history: Sequence[dict[str, float]]) -> int:
        """Index of the best epoch of a `history` that is not empty; the first of equal ones."""
        sign = 1 if self.better == "lower" else -1
        return min(range(len(history)), key=lambda epoch: sign * history[epoch][self.measure])

    def is_over(self, history: Sequence[dict[str, float]]) -> bool:
        """Whether the last `patience` epochs were no better than the best one before them."""
        return len(history) > 0 and len(history) - 1 - self.best_epoch(history) >= self.patience
