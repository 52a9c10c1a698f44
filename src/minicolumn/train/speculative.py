"""Speculative training: short epochs are trained several in one native call, ahead of who is told of them.

    train count epochs as if nobody interfered -> tell of one after the other -> drop the rest where one did

Each epoch keeps the state after it, so what is dropped is trained anew from there: the weights are the same
bits as where every epoch had a call of its own. Where nobody is told, all of them are passed at once.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.train.epochs import Epochs
from minicolumn.train.loop import Loop, LoopState

FEW = 8  # epochs that may be trained in vain


class SpeculativeLoop(Loop):
    """The training loop with short epochs trained ahead, several in one call."""

    def _pass_epochs(self, most: int) -> bool:
        """Pass whole epochs, of at most so many steps, that are trained together; False for none."""
        if self._at.seen or most < self.steps or self._one_by_one:
            return False
        if not self._fits_next():
            self._ahead = None
            self._train_ahead(most // self.steps)
            if self.stop_reason:
                return True
        if self._is_unwatched and self._ahead is not None and self._ahead.count:
            self._take_all(self._ahead, most // self.steps)
            return True
        passed = 0
        while (passed + 1) * self.steps <= most and self._fits_next():
            self._take()
            passed += 1
            if self.stop_reason or self._later:
                break
        return passed > 0

    def _fits_next(self) -> bool:
        """Return whether the next epoch was trained ahead, at the learning rates that hold now."""
        at, ahead = self._at, self._ahead
        if ahead is None or ahead.left(at.epoch) <= 0:
            return False
        k = at.epoch + 1 - ahead.first
        return self.engine.rates_hold(ahead, k, self.rate_factor, at.step, self.horizon)

    @property
    def _is_unwatched(self) -> bool:
        """Return whether nobody looks at an epoch, so that nothing can change between two of them."""
        return not self._listens_to_epochs and self.monitor is None and self.engine.has_plain_schedule

    def _train_ahead(self, most: int) -> None:
        """Train some epochs in one call: as if nobody stopped, and no rate changed but by the schedule.

        As far as callbacks say that they are quiet; beyond that few at first, then no more than were trained
        already: a stop drops no more than half. What a callback drops is trained anew.
        """
        quiet = self._quiet_epochs()
        if self.stop_reason:
            return
        at, engine, state = self._at, self.engine, self.state
        possible, pace = engine.most_epochs(state), self._pace
        self._one_by_one = not possible
        if self._one_by_one:
            return
        fitting = pace.steps // self.steps if pace.is_known else engine.guessed_epochs(state, pace.seconds)
        count = min(most, possible, fitting)
        if self._quiet:
            count = int(min(count, max(FEW, at.epoch - self._first_epoch, quiet)))
        count, began = max(1, count), time.perf_counter()
        rates = self._rates(count * self.steps).reshape(count, self.steps)
        every = self.history.every if self._is_unwatched else 1
        self._ahead = engine.epochs(state, at.epoch + 1, rates, self.rate_factor, at.step, every)
        pace.took(count * self.steps, time.perf_counter() - began)
        self._one_by_one = not self._ahead.count  # it left the finite numbers: step by step it is seen where

    def _quiet_epochs(self) -> float:
        """Return how many epochs no callback interferes with.

        Errors      DataError where one gives no number
        """
        quiet: Any = math.inf
        self._is_telling = True
        try:
            answers = [(quiet_epochs, quiet_epochs(self)) for quiet_epochs in self._quiet]
        finally:
            self._is_telling = False
        for quiet_epochs, given in answers:
            if not isinstance(given, int | float | np.integer | np.floating):
                name = type(getattr(quiet_epochs, "__self__", quiet_epochs)).__name__
                raise DataError(f"{name}: quiet_epochs must give a number of epochs, it gave {given!r:.60}")
            quiet = min(quiet, 0 if given != given else given)
        return quiet

    def _take(self) -> None:
        """Go on to the end of the next epoch that was trained ahead."""
        at, ahead = self._at, self._ahead
        assert ahead is not None
        k = at.epoch + 1 - ahead.first
        state, row, self._good = ahead.state(k), ahead.rows[k], (at.state, at.step)
        step, rate = at.step + self.steps, ahead.rate(k)
        if self._listeners["on_chunk"]:
            self._at = LoopState(state, step, at.epoch, self.rows, ahead.sums_of(k), rate, ahead.seconds)
            self._tell("on_chunk", self.steps, row[self.engine.parts[0]])
            if self._ahead is not ahead:  # something was changed: the epoch ends as one trained in pieces
                if self._at.seen >= self.rows:
                    self._end_epoch()
                return
        self._note(row, LoopState(state, step, at.epoch + 1, rate=rate))

    def _take_all(self, ahead: Epochs, most: int) -> None:
        """Go on over all epochs that were trained ahead, or so many, which nobody is to be told of."""
        at = self._at
        first = at.epoch + 1 - ahead.first
        count = min(ahead.count - first, most)
        last = first + count - 1
        step, epoch = at.step + count * self.steps, at.epoch + count
        self._good = ahead.state(last - 1) if count > 1 else at.state, step - self.steps
        self.history.pass_by([ahead.rows[k] for k in range(first, last + 1) if k in ahead.rows], epoch)
        self._at = LoopState(ahead.state(last), step, epoch, rate=ahead.rate(last))
