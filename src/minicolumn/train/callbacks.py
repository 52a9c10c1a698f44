"""What users hang into a training. A callback decides from the history alone, so it holds no state of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minicolumn.errors import DataError
from minicolumn.train.history import History, Row

# For these, more is better; for every other figure, less.
HIGHER_IS_BETTER = frozenset({"accuracy", "balanced_accuracy", "roc_auc", "r2"})


def lower_is_better(monitor: str) -> bool:
    """Return whether a figure is better when it is lower, judged by its name.

    >>> lower_is_better("val_loss"), lower_is_better("val_accuracy")
    (True, False)
    """
    return monitor.removeprefix("val_") not in HIGHER_IS_BETTER


@dataclass
class Training:
    """A training while it runs, as callbacks see it."""

    network: Any
    epochs: int
    steps: int
    rows: int
    params: Any = None
    history: History = field(default_factory=History)
    monitor: str | None = None
    best_params: Any = None
    best_epoch: int = 0
    stop_reason: str | None = None

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.stop_reason = self.stop_reason or reason

    def keep_best(self, monitor: str) -> None:
        """Have the weights of the best epoch handed back."""
        if self.monitor not in (None, monitor):
            raise DataError(f"two callbacks want the best weights, by {self.monitor!r} and by {monitor!r}; use one")
        self.monitor = monitor


class Callback:
    """The base of callbacks; each method is optional.

    on_start   once, before the first epoch
    on_chunk   a few times a second within an epoch; `done` of `training.steps` steps are behind
    on_epoch   after each epoch, with its row of the history
    on_end     once, after the last, also when a training was interrupted or diverged
    """

    def on_start(self, training: Training) -> None:
        """Do nothing."""

    def on_chunk(self, training: Training, done: int, loss: float) -> None:
        """Do nothing."""

    def on_epoch(self, training: Training, row: Row) -> None:
        """Do nothing."""

    def on_end(self, training: Training) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class EarlyStopping(Callback):
    """Stop when a figure has not got better for a while, and hand back the weights of its best epoch.

        stop after epoch e  if  e - best epoch >= patience

    patience    epochs without a better figure
    min_delta   by how much a figure must be better to count
    monitor     a column of the history; None takes val_loss, or loss where nothing is held out
    Source      Prechelt 1998, "Early stopping - but when?"
    Differs     Keras hands back the last weights unless told otherwise; here it is always the best ones.

    >>> EarlyStopping(patience=5)
    EarlyStopping(patience=5, min_delta=0.0, monitor=None)
    """

    patience: int = 10
    min_delta: float = 0.0
    monitor: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.patience, int) or self.patience < 1:
            raise DataError(f"EarlyStopping: patience must be a whole number of at least 1, got {self.patience!r}")
        if not self.min_delta >= 0:
            raise DataError(f"EarlyStopping: min_delta must not be negative, got {self.min_delta!r}")

    def on_epoch(self, training: Training, row: Row) -> None:
        monitor = self.monitor or ("val_loss" if "val_loss" in row else "loss")
        training.keep_best(monitor)
        if monitor not in row:
            raise DataError(f"EarlyStopping: there is no {monitor!r} to watch; there are {', '.join(row)}")
        if len(training.history) - self._best(training.history, monitor) >= self.patience:
            training.stop("early stopping")

    def _best(self, history: History, monitor: str) -> int:
        """Return after how many epochs the figure was last better than before by min_delta."""
        sign = 1.0 if lower_is_better(monitor) else -1.0
        best, place = float("inf"), 0
        for i, value in enumerate(history[monitor]):
            if sign * value < best - self.min_delta:
                best, place = sign * value, i + 1
        return place


@dataclass(frozen=True)
class KeepBest(Callback):
    """Hand back the weights of the best epoch, without stopping earlier.

    monitor     a column of the history; None takes val_loss, or loss where nothing is held out
    """

    monitor: str | None = None

    def on_epoch(self, training: Training, row: Row) -> None:
        training.keep_best(self.monitor or ("val_loss" if "val_loss" in row else "loss"))
