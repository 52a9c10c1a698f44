"""What users hang into a training. Those here decide from the history alone and hold no state."""

from __future__ import annotations

import logging
import re
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike
from minicolumn.registry import Number, Record, Registry, Search, Text, kind_of, split_texts
from minicolumn.registry.shared import PATIENCE
from minicolumn.train.history import Row
from minicolumn.train.settings import kind

if TYPE_CHECKING:
    from minicolumn.train.trainer import Trainer

logger = logging.getLogger("minicolumn")

MIN_DELTA = Number(help="By how much a figure must be better.", ge=0, search=Search(0.0, 0.01))
MONITOR = Text(help="The column of the history that is watched.")


class Callback(Record):
    """The base of callbacks; each method is optional.

    on_start   once, before the first step
    on_chunk   a few times a second within an epoch; `done` of `trainer.steps` steps are behind
    on_epoch   after each epoch, with its row of the history
    on_end     once, at the end of `run`, also when it was interrupted or diverged

    Each gets the `Trainer` as it stands: its `params`, `history`, `network`, `epochs`, `steps` and `rows`;
    `stop(reason)` ends it at once, `rate_factor` lowers the learning rate, `change(...)` changes anything
    else, `keep_best(figure)` has the best weights handed back. `row` is the epoch's row of the history, such
    as {"epoch": 3, "loss": 0.2, "val_loss": 0.3, ...}. Short epochs are trained several in one native call,
    a tenth of a second at most, and told afterwards one by one, each with the weights and figures it had.

    >>> import numpy as np, minicolumn as mc
    >>> class GoodEnough(mc.Callback):
    ...     def on_epoch(self, trainer, row):
    ...         if row["loss"] < 0.3:
    ...             trainer.stop("good enough")
    >>> X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> run = mc.fit(mc.nn.Dense(2), X, y, optimizer=mc.optim.Adam(0.1), epochs=500, callbacks=[GoodEnough()])
    >>> run.stopped, bool(run.history["loss"][-1] < 0.3), len(run.history) < 500
    ('good enough', True, True)
    """

    def on_start(self, trainer: Trainer, /) -> None:
        """Do nothing."""

    def on_chunk(self, trainer: Trainer, done: int, loss: float, /) -> None:
        """Do nothing."""

    def on_epoch(self, trainer: Trainer, row: Row, /) -> None:
        """Do nothing."""

    def on_end(self, trainer: Trainer, /) -> None:
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

    patience: Annotated[int, PATIENCE] = 10
    min_delta: Annotated[float, MIN_DELTA] = 0.0
    monitor: Annotated[str | None, MONITOR] = None

    def on_start(self, trainer: Trainer) -> None:
        if trainer.keep_best(self.monitor) == "loss" and self.monitor is None:
            warnings.warn(
                "EarlyStopping watches the loss of the rows that are trained on, since none are held out; "
                "hold some out (validation_fraction), or say monitor='loss'",
                UserWarning,
                stacklevel=2,
            )

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        if trainer.waited(trainer.keep_best(self.monitor), self.min_delta) >= self.patience:
            trainer.stop("early stopping")


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

    factor: Annotated[
        float, Number(help="On the learning rate, each time.", gt=0, lt=1, search=Search(0.05, 0.9))
    ] = 0.1
    patience: Annotated[int, PATIENCE] = 10
    min_delta: Annotated[float, MIN_DELTA] = 0.0
    monitor: Annotated[str | None, MONITOR] = None
    minimum: Annotated[
        float, Number(help="The least factor on the learning rate.", ge=0, lt=1, search=Search(0.0, 0.1))
    ] = 0.0

    def on_start(self, trainer: Trainer) -> None:
        trainer.figure(self.monitor)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        waited = trainer.waited(trainer.figure(self.monitor), self.min_delta)
        if waited and waited % self.patience == 0:
            now = trainer.rate_factor
            trainer.rate_factor = min(now, max(now * self.factor, self.minimum))  # never up to the minimum


@dataclass(frozen=True)
class KeepBest(Callback):
    """Hand back the weights of the best epoch, without stopping earlier.

    monitor     a column of the history; None takes val_loss, or loss where nothing is held out

    >>> KeepBest("val_accuracy")
    KeepBest(monitor='val_accuracy')
    """

    monitor: Annotated[str | None, MONITOR] = None

    def on_start(self, trainer: Trainer) -> None:
        trainer.keep_best(self.monitor)


class Checkpoint(Callback):
    """Write a checkpoint now and then, from which `Trainer.resume` goes on to the bit; one at the end, too.

    path        the file; at every instant it holds the last checkpoint or the one before
    every       between two: seconds, or a text such as "30s", "5m" or "1h"

    A process that is killed loses what came after the last one. An interrupt (Ctrl-C) ends the training, and
    the last state is written; another one waits until that is done.

    >>> import numpy as np, pathlib, tempfile, minicolumn as mc
    >>> X = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "wave.safetensors"
    >>> run = mc.fit(mc.nn.Dense(1), X, X**2, loss="squared_error", callbacks=[mc.Checkpoint(path)])
    >>> mc.Trainer.resume(path, X, X**2).epoch
    20
    """

    def __init__(self, path: PathLike, every: float | str = "60s") -> None:
        self.path, self.every = path, as_seconds("Checkpoint: every", every)
        self._last = 0.0

    def on_start(self, trainer: Trainer) -> None:
        """Start the clock."""
        self._last = time.monotonic()

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        """Write if it is time."""
        self._write_if_due(trainer)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Write if it is time."""
        self._write_if_due(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """Write how it ended."""
        if trainer.stopped == "interrupted":
            logger.warning("saving %s", self.path)
        trainer.save(self.path)

    def _write_if_due(self, trainer: Trainer) -> None:
        if time.monotonic() - self._last >= self.every:
            trainer.save(self.path)
            self._last = time.monotonic()


def as_seconds(where: str, time: float | str) -> float:
    """Return a time in seconds, also where it is a text.

    Errors      DataError for what is none

    >>> as_seconds("every", "5m"), as_seconds("every", 0.5)
    (300.0, 0.5)
    """
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smh]?)", str(time).strip())
    if isinstance(time, bool) or not isinstance(time, int | float | str) or not found:
        raise DataError(f"{where}: expected seconds, or a time such as 30s, 5m or 1h, got {time!r:.60}")
    return float(found[1]) * {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}[found[2]]


CALLBACKS: Registry[type[Callback]] = Registry(
    "callback",
    {"early_stopping": EarlyStopping, "reduce_on_plateau": ReduceOnPlateau, "keep_best": KeepBest},
    adopt=kind_of(Callback),
    wanted="a frozen dataclass that derives from mc.Callback",
)


CallbackLike = str | Callback


def check_callbacks(who: str, callbacks: Any) -> tuple[Callback, ...]:
    """Return the callbacks, made of their names where these are given; refuse anything else.

    callbacks   a callback, a name with settings, or several; a text may hold several, with commas between

    >>> check_callbacks("fit", "early_stopping:patience=5,min_delta=0.1,keep_best")
    (EarlyStopping(patience=5, min_delta=0.1, monitor=None), KeepBest(monitor=None))
    """
    listed = callbacks if isinstance(callbacks, Sequence) and not isinstance(callbacks, str) else [callbacks]
    found: list[Callback] = []
    for callback in listed:
        if isinstance(callback, str):
            found += (_by_name(who, text) for text in split_texts(callback))
        elif isinstance(callback, Callback):
            found.append(callback)
        else:
            raise DataError(
                f"{who}: callbacks holds a {kind(callback)}, expected mc.Callback objects or names in a list"
            )
    return tuple(found)


def _by_name(who: str, text: str) -> Callback:
    try:
        return CALLBACKS.make(text)
    except DataError as error:
        raise DataError(f"{who}: callbacks: {error}") from None
