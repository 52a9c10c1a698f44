"""What users hang into a training. Those here decide from the history alone and hold no state."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.metrics import HIGHER_IS_BETTER
from minicolumn.nn.settings import settle_number, settle_whole
from minicolumn.train.history import History, Row


def lower_is_better(monitor: str) -> bool:
    """Return whether a figure is better when it is lower, judged by its name.

    >>> lower_is_better("val_loss"), lower_is_better("val_accuracy")
    (True, False)
    """
    return monitor.removeprefix("val_") not in HIGHER_IS_BETTER


@dataclass
class Training:
    """A training while it runs, as callbacks see it.

    network         what is trained
    epochs          how many are wanted; steps: in each of them; rows: trained on
    figures         what each row of the history will hold that can be watched
    higher_is_better    of figures whose name does not say it; None where nobody knows
    params          the weights after the last whole epoch
    history         one row for each whole epoch
    best_params     the weights that are handed back, those after `best_epoch` (0: as they were at the start)
    rate_factor     a factor on the learning rate beside the schedule's; callbacks may set it
    """

    network: Any
    epochs: int
    steps: int
    rows: int
    figures: tuple[str, ...] = ("loss",)
    params: Any = None
    history: History = field(default_factory=History)
    monitor: str | None = None
    best_params: Any = None
    best_epoch: int = 0
    stop_reason: str | None = None
    rate_factor: float = 1.0
    higher_is_better: Mapping[str, bool | None] = field(default_factory=dict)

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.stop_reason = self.stop_reason or reason

    def figure(self, monitor: str | None = None) -> str:
        """Return the figure to watch: `monitor`, one of `figures`; for None val_loss, or loss without it."""
        chosen = monitor or ("val_loss" if "val_loss" in self.figures else "loss")
        if chosen not in self.figures:
            hint = did_you_mean(chosen, self.figures)
            raise DataError(f"there is no {chosen!r} to watch{hint}; there are {', '.join(self.figures)}")
        if self.higher_is_better.get(chosen, False) is None:
            name = chosen.removeprefix("val_")
            raise DataError(
                f"there is no telling whether {chosen} is better when it is higher; "
                f"say it: mc.train.Metric({name!r}, function, higher_is_better=True)"
            )
        return chosen

    def keep_best(self, monitor: str | None = None) -> str:
        """Have the weights of the best epoch handed back, from now on; return the figure that decides.

        monitor     one of `figures`; None takes val_loss, or loss where nothing is held out
        """
        chosen = self.figure(monitor)
        if self.monitor not in (None, chosen):
            raise DataError(
                f"two callbacks want the best weights, by {self.monitor!r} and by {chosen!r}; use one"
            )
        self.monitor = chosen
        return chosen

    def lower_is_better(self, figure: str) -> bool:
        """Return whether a figure is better when it is lower, as its metric says or else its name."""
        higher = self.higher_is_better.get(figure)
        return lower_is_better(figure) if higher is None else not higher

    def add(self, row: Row, params: Any) -> None:
        """Note a whole epoch."""
        self.history.rows.append(row)
        self.params = params

    def settle_best(self) -> None:
        """Take the last epoch's weights for the best ones, if they are."""
        if not self.history or self.best_epoch == len(self.history) or not self._improved():
            return
        self.best_params, self.best_epoch = self.params, len(self.history)

    def _improved(self) -> bool:
        if self.monitor is None or not self.best_epoch:
            return True
        sign = 1.0 if self.lower_is_better(self.monitor) else -1.0
        old, new = (sign * self.history[self.monitor][place] for place in (self.best_epoch - 1, -1))
        return bool(new <= old or old != old)  # of equal ones the last, which has learnt longest


class Callback:
    """The base of callbacks; each method is optional.

    on_start   once, before the first epoch
    on_chunk   a few times a second within an epoch; `done` of `training.steps` steps are behind
    on_epoch   after each epoch, with its row of the history
    on_end     once, after the last, also when a training was interrupted or diverged

    Each gets the `training` as it stands: `params` and `history` after the last whole epoch, `network`,
    `epochs`, `steps` and `rows`; `stop(reason)` ends it after this epoch, `rate_factor` lowers the learning
    rate, `keep_best(figure)` has the best weights handed back. `row` is the epoch's row of the history, such
    as {"epoch": 3, "loss": 0.2, "val_loss": 0.3, ...}.

    >>> import numpy as np, minicolumn as mc
    >>> class GoodEnough(mc.Callback):
    ...     def on_epoch(self, training, row):
    ...         if row["loss"] < 0.3:
    ...             training.stop("good enough")
    >>> X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> run = mc.fit(mc.nn.Dense(2), X, y, optimizer=mc.optim.Adam(0.1), epochs=500, callbacks=[GoodEnough()])
    >>> run.stopped, bool(run.history["loss"][-1] < 0.3), len(run.history) < 500
    ('good enough', True, True)
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
    monitor     a column of the history; None takes val_loss, or where nothing is held out loss, with a
                warning, since a loss on rows that are learnt seldom stops anything
    Source      Prechelt 1998, "Early stopping - but when?"
    Differs     Keras hands back the last weights unless told otherwise; here it is always the best ones.

    >>> EarlyStopping(patience=5)
    EarlyStopping(patience=5, min_delta=0.0, monitor=None)
    """

    patience: int = 10
    min_delta: float = 0.0
    monitor: str | None = None

    def __post_init__(self) -> None:
        settle_whole(self, "patience", 1)
        settle_number(self, "min_delta", "a number >= 0", lambda delta: delta >= 0)

    def on_start(self, training: Training) -> None:
        if training.keep_best(self.monitor) == "loss" and self.monitor is None:
            warnings.warn(
                "EarlyStopping watches the loss of the rows that are trained on, since none are held out; "
                "hold some out (validation_fraction), or say monitor='loss'",
                UserWarning,
                stacklevel=2,
            )

    def on_epoch(self, training: Training, row: Row) -> None:
        if _waited(training, training.keep_best(self.monitor), self.min_delta) >= self.patience:
            training.stop("early stopping")


@dataclass(frozen=True)
class ReduceOnPlateau(Callback):
    """Lower the learning rate whenever a figure has not got better for a while.

        rate_factor = max(rate_factor * factor, minimum)      each time `patience` epochs went by in vain

    factor      0 < factor < 1
    patience    epochs without a better figure; counted anew after each lowering
    min_delta   by how much a figure must be better to count
    monitor     a column of the history; None takes val_loss, or loss where nothing is held out
    minimum     the least factor on the learning rate
    Source      as Keras' ReduceLROnPlateau
    Differs     PyTorch waits for one epoch more, and its threshold is relative unless told. Both have a
                cool-down, and their minimum is a rate; here it is a factor, beside that of a schedule.

    >>> ReduceOnPlateau(factor=0.5, patience=3)
    ReduceOnPlateau(factor=0.5, patience=3, min_delta=0.0, monitor=None, minimum=0.0)
    """

    factor: float = 0.1
    patience: int = 10
    min_delta: float = 0.0
    monitor: str | None = None
    minimum: float = 0.0

    def __post_init__(self) -> None:
        settle_number(self, "factor", "0 < number < 1", lambda factor: 0 < factor < 1)
        settle_whole(self, "patience", 1)
        settle_number(self, "min_delta", "a number >= 0", lambda delta: delta >= 0)
        settle_number(self, "minimum", "0 <= number < 1", lambda minimum: 0 <= minimum < 1)

    def on_start(self, training: Training) -> None:
        training.figure(self.monitor)

    def on_epoch(self, training: Training, row: Row) -> None:
        waited = _waited(training, training.figure(self.monitor), self.min_delta)
        if waited and waited % self.patience == 0:
            now = training.rate_factor
            training.rate_factor = min(now, max(now * self.factor, self.minimum))  # never up to the minimum


@dataclass(frozen=True)
class KeepBest(Callback):
    """Hand back the weights of the best epoch, without stopping earlier.

    monitor     a column of the history; None takes val_loss, or loss where nothing is held out

    >>> KeepBest("val_accuracy")
    KeepBest(monitor='val_accuracy')
    """

    monitor: str | None = None

    def on_start(self, training: Training) -> None:
        training.keep_best(self.monitor)


def _waited(training: Training, monitor: str, min_delta: float) -> int:
    """Return how many epochs have passed since a figure was last better than before by ``min_delta``."""
    values = training.history[monitor]
    best, gain = float("inf"), 0
    for epoch, value in enumerate(values if training.lower_is_better(monitor) else -values, 1):
        if value < best - min_delta:
            best, gain = value, epoch
    return len(values) - gain
