"""Convergence tracking: learning curves, the watched figure, the best weights, and why a training ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.metrics import higher_is_better
from minicolumn.nn.layer import Params
from minicolumn.train.history import History, Row


def lower_is_better(monitor: str) -> bool:
    """Return whether a figure is better when it is lower, judged by its name.

    >>> lower_is_better("val_loss"), lower_is_better("val_accuracy")
    (True, False)
    """
    return not higher_is_better(monitor.removeprefix("val_"))


class Tracker:
    """Convergence tracking, the part of a `Trainer` without a network: by what callbacks decide, and what.

    figures         what each row of the history holds that can be watched
    higher_is_better    of figures whose name does not say it; None where nobody knows
    history         one row for each whole epoch
    monitor         the figure by which the best weights are chosen; None keeps the newest
    rate_factor     a factor on the learning rate beside the schedule's; callbacks may set it
    stop_reason     why it ended; None while it goes on

    >>> tracker = Tracker(("loss", "val_loss"))
    >>> tracker.keep_best()
    'val_loss'
    >>> for epoch, loss in enumerate([0.5, 0.3, 0.4], 1):
    ...     tracker.add({"loss": 0.1, "val_loss": loss}, {"weight": epoch})
    ...     tracker.settle_best()
    >>> tracker.best_epoch, tracker.best_params, tracker.waited("val_loss")
    (2, {'weight': 2}, 1)
    """

    def __init__(
        self,
        figures: tuple[str, ...] = ("loss",),
        higher_is_better: Mapping[str, bool | None] | None = None,
        params: Params | None = None,
    ) -> None:
        self.figures = figures
        self.higher_is_better = dict(higher_is_better or {})
        self.history = History()
        self.monitor: str | None = None
        self._rate_factor = 1.0
        self.stop_reason: str | None = None
        self._params: Params = {} if params is None else params
        self._best: tuple[int, Any] | None = None  # the epoch of the best weights, and what they are made of

    @property
    def rate_factor(self) -> float:
        """Return the factor on the learning rate beside the schedule's; callbacks may set it.

        Errors      DataError where it is set to what is no finite number >= 0
        """
        return self._rate_factor

    @rate_factor.setter
    def rate_factor(self, factor: float) -> None:
        number = isinstance(factor, int | float | np.integer | np.floating) and not isinstance(factor, bool)
        if not number or not 0.0 <= factor < np.inf:
            raise DataError(f"rate_factor must be a finite number >= 0, got {factor!r:.60}")
        self._rate_factor = float(factor)

    @property
    def params(self) -> Params:
        """Return the weights as they are now."""
        return self._params

    @property
    def best_params(self) -> Params:
        """Return the weights that are handed back: those of `best_epoch`, or without a monitor the newest."""
        if self.monitor is None or self._best is None:
            return self.params
        self._best = self._best[0], self._params_of(self._best[1])  # made once
        return self._handed(self._best[1])

    @property
    def best_epoch(self) -> int:
        """Return the epoch whose weights are handed back, counted from 1; 0 before the end of the first."""
        if self.monitor is None:
            return self.history.epochs
        return 0 if self._best is None else self._best[0]

    def stop(self, reason: str) -> None:
        """End the training here: after this epoch, or within it where it is asked for there.

        reason      becomes `stopped`; the first of several counts
        Errors      DataError for what is no text
        """
        if not isinstance(reason, str) or not reason:
            raise DataError(f"stop: the reason must be a text, got {reason!r:.60}")
        self.stop_reason = self.stop_reason or reason

    def figure(self, monitor: str | None = None) -> str:
        """Return the figure to watch: `monitor`, one of `figures`; for None val_loss, or loss without it.

        Errors      DataError for one that does not exist, or of which nobody knows which way is better
        """
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
        Errors      DataError as for `figure`, and where another figure decides already
        """
        chosen = self.figure(monitor)
        if self.monitor not in (None, chosen):
            raise DataError(
                f"two callbacks want the best weights, by {self.monitor!r} and by {chosen!r}; use one"
            )
        if self.history.most is not None:
            raise DataError(
                "the best weights are chosen by the figures of every epoch, of which a limited history drops "
                "some; limit no history, or keep no best weights"
            )
        self.monitor = chosen
        return chosen

    def keep_last(self) -> None:
        """Have the newest weights handed back, and no longer those of the best epoch.

        For `on_end`: before it, who watches a figure, as early stopping does, asks for the best ones again.
        """
        self.monitor = self._best = None

    def lower_is_better(self, figure: str) -> bool:
        """Return whether a figure is better when it is lower, as its metric says or else its name."""
        higher = self.higher_is_better.get(figure)
        return lower_is_better(figure) if higher is None else not higher

    def waited(self, monitor: str, min_delta: float = 0.0) -> int:
        """Return the epochs since a figure was last better by `min_delta`; see `History.waited`."""
        return self.history.waited(monitor, min_delta, self.lower_is_better(monitor))

    def add(self, row: Row, params: Params | None = None) -> None:
        """Note a whole epoch, and the weights after it."""
        self.history.add(row, self.history.epochs + 1)
        self._params = {} if params is None else params

    def settle_best(self) -> None:
        """Take the last epoch's weights for the best ones, if its figure is better than the best."""
        if self.monitor is not None and self.history and self._improved(self.monitor):
            self._best = self.history.epochs, self._kept()

    def _kept(self) -> Any:
        """Return what the weights of now can be made of later; by default these themselves."""
        return self.params

    def _params_of(self, kept: Any) -> Params:
        return kept

    def _handed(self, params: Params) -> Params:
        """Return kept weights as they are handed out: whoever changes those must not change these."""
        return params

    def _improved(self, monitor: str) -> bool:
        if self._best is None:
            return True
        rows, nothing = self.history.rows, float("nan")
        old, new = rows[self._best[0] - 1].get(monitor, nothing), rows[-1].get(monitor, nothing)
        better = new < old if self.lower_is_better(monitor) else new > old
        return bool(better or old != old)  # of equal ones the first, from which patience counts
