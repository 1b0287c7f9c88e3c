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
        first: index of the first epoch that can be the best one, >= 0: the warm-up's are no trained network.
    """

    measure: str
    better: Literal["lower", "higher"]
    patience: int
    first: int = 0

    def best_epoch(self, history: Sequence[dict[str, float]]) -> int:
        """Index of the best epoch of a `history` that is not empty; the first of equal ones. As long as there is none from `first` on, the last one."""
        sign = 1 if self.better == "lower" else -1
        return min(range(min(self.first, len(history) - 1), len(history)), key=lambda epoch: sign * history[epoch][self.measure])

    def is_over(self, history: Sequence[dict[str, float]]) -> bool:
        """Whether the last `patience` epochs were no better than the best one before them."""
        return len(history) > self.first and len(history) - 1 - self.best_epoch(history) >= self.patience
