"""Callbacks: early stopping, learning-rate reduction on a plateau, best weights, checkpoints, and their base.

Those that decide, decide from the history alone and hold no state, so one record can serve several trainings
at once and a resumed training goes on as if it had never been cut.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from minicolumn.errors import DataError, did_you_mean, warn_user
from minicolumn.model.files import PathLike
from minicolumn.nn.layer import Layer
from minicolumn.nn.layers.containers import Frozen, Sequential, thawed
from minicolumn.registry import Integer, Number, Record, Registry, Search, Text, kind_of, split_texts
from minicolumn.registry.shared import PATIENCE
from minicolumn.train.foreign import HOOKS
from minicolumn.train.history import Row
from minicolumn.train.settings import kind

if TYPE_CHECKING:
    from minicolumn.train.trainer import Trainer

logger = logging.getLogger("minicolumn")

MIN_DELTA = Number(help="By how much a figure must be better.", ge=0, search=Search(0.0, 0.01))
MONITOR = Text(help="The column of the history that is watched.")


class Callback(Record):
    """The base of callbacks: hooks that the training loop calls; each method is optional.

    on_start   once, before the first step
    on_chunk   a few times a second within an epoch; `done` of `trainer.steps` steps are behind, and `loss` is
               that of the last batch, or the mean of an epoch that was trained in one call
    on_epoch   after each epoch, with its row of the history
    on_end     once, at the end of `run`, also when it was interrupted or diverged

    and `quiet_epochs` tells how far the loop may go on without asking. `only_watches` says that it shows a
    training and has no part in it: checkpoints leave it out. `explains` tells whether a checkpoint that holds
    other settings than were planned may do so because of it.

    Each gets the `Trainer` as it stands: its `params`, `history`, `network`, `epochs`, `steps` and `rows`;
    `stop(reason)` ends it at once, `rate_factor` lowers the learning rate, `change(...)` changes anything
    else, `keep_best(figure)` has the best weights handed back and `keep_last()` the last ones. `row` is the
    epoch's row of the history, such as {"epoch": 3, "loss": 0.2, "val_loss": 0.3, ...}. Short epochs are
    trained several in one native call, a tenth of a second at most, and told afterwards one by one, each with
    the weights and figures it had.

    Errors      what a method raises comes out of `fit` or `advance`; the step or epoch that it was told of
                counts
    Differs     Keras and skorch have hooks for each batch. Here a batch may take a microsecond, so `on_chunk`
                tells of many at a time. There callbacks hold the model; here they are given the trainer.

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

    only_watches: ClassVar[bool] = False

    def on_start(self, trainer: Trainer, /) -> None:
        """Do nothing."""

    def on_chunk(self, trainer: Trainer, done: int, loss: float, /) -> None:
        """Do nothing."""

    def on_epoch(self, trainer: Trainer, row: Row, /) -> None:
        """Do nothing."""

    def on_end(self, trainer: Trainer, /) -> None:
        """Do nothing."""

    def quiet_epochs(self, trainer: Trainer, /) -> float:
        """Return for how many epochs from now on this surely neither stops nor changes the training.

        So many may be trained in one native call without one of them being in vain; it changes no result.
        The base returns 0: nobody knows. What only watches returns infinity.
        """
        return 0

    def explains(self, name: str, planned: Any, stands: Any, trainer: Trainer, /) -> bool:
        """Return whether it may have changed a setting of a training from what was planned to what stands.

        name        of the setting, or "network"; trainer: as it stands in a checkpoint
        Returns     False by the base
        """
        return False


@dataclass(frozen=True)
class EarlyStopping(Callback):
    """Early stopping: end when a figure has not got better for a while, with the best epoch's weights.

        epoch e is better if figure(e) < best so far - min_delta     (> and + where higher is better)
        stop after epoch e if e - last better epoch >= patience

    A figure that equals the best is no better: of a plateau the first epoch counts. Its weights are handed
    back, and patience counts from it.

    patience    epochs without a better figure
    min_delta   in the figure's unit, by how much it must be better to count. It decides when to stop; which
                weights are handed back is decided by the plain best figure
    monitor     a column of the history; None takes val_loss, or where nothing is held out loss, with a
                warning, since a loss on rows that are learnt seldom stops anything
    Errors      DataError when the training begins, for a figure that is not measured, and where another
                callback wants the best weights by another figure
    Source      Prechelt 1998, "Early stopping - but when?"
    Differs     Keras and skorch hand back the last weights unless told otherwise; here it is always the best
                ones, as in scikit-learn. Its `n_iter_no_change` waits for one epoch more, and its `tol` is
                1e-4 where nothing is said; skorch's threshold is relative.

    >>> EarlyStopping(patience=5)
    EarlyStopping(patience=5, min_delta=0.0, monitor=None)
    """

    patience: Annotated[int, PATIENCE] = 10
    min_delta: Annotated[float, MIN_DELTA] = 0.0
    monitor: Annotated[str | None, MONITOR] = None

    def on_start(self, trainer: Trainer) -> None:
        if trainer.keep_best(self.monitor) == "loss" and self.monitor is None:
            warn_user(
                "EarlyStopping watches the loss of the rows that are trained on, since none are held out; "
                "hold some out (validation_fraction), or say monitor='loss'"
            )

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        monitor = trainer.monitor or trainer.keep_best(self.monitor)
        if trainer.waited(monitor, self.min_delta) >= self.patience:
            trainer.stop("early stopping")

    def quiet_epochs(self, trainer: Trainer) -> float:
        monitor = trainer.monitor or trainer.keep_best(self.monitor)
        return self.patience - trainer.waited(monitor, self.min_delta)


@dataclass(frozen=True)
class ReduceOnPlateau(Callback):
    """Reduce the learning rate on a plateau: whenever a figure has not got better for a while.

        rate_factor = max(rate_factor * factor, minimum)      each time `patience` epochs went by in vain
        learning rate = optimizer's learning_rate * schedule(step) * rate_factor

    factor      0 < factor < 1
    patience    epochs without a better figure; counted anew after each lowering
    min_delta   in the figure's unit, by how much it must be better to count
    monitor     a column of the history; None takes val_loss, or loss where nothing is held out
    minimum     the least factor on the learning rate
    Errors      DataError when the training begins, for a figure that is not measured
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

    def quiet_epochs(self, trainer: Trainer) -> float:
        return self.patience - trainer.waited(trainer.figure(self.monitor), self.min_delta) % self.patience


@dataclass(frozen=True)
class KeepBest(Callback):
    """Keep the weights of the best epoch and hand them back, without stopping earlier.

        params = weights after the epoch with the best figure, of equal ones the first

    monitor     a column of the history; None takes val_loss, or loss where nothing is held out
    Errors      DataError when the training begins, for a figure that is not measured
    Differs     Keras' ModelCheckpoint(save_best_only=True) writes them to a file, to be loaded by hand

    >>> KeepBest("val_accuracy")
    KeepBest(monitor='val_accuracy')
    """

    monitor: Annotated[str | None, MONITOR] = None

    def on_start(self, trainer: Trainer) -> None:
        trainer.keep_best(self.monitor)


@dataclass(frozen=True)
class Unfreeze(Callback):
    """Unfreeze layers as the training goes on, from the output back: gradual unfreezing.

        after epoch e, where `every` divides e:  the last `layers` of the frozen layers learn from now on

    It looks at the layers of a `Sequential` that are `mc.nn.Frozen`; weights stay, and what the optimizer
    remembers.

    every       epochs between two; the first layers are freed after so many
    layers      how many layers with parameters each time; None frees all at once
    Source      Howard & Ruder 2018, "ULMFiT" (arXiv 1801.06146), section 3.3: one layer an epoch
    Differs     in Keras `trainable` is set by hand, and the model compiled anew

    >>> Unfreeze(every=3, layers=1)
    Unfreeze(every=3, layers=1)
    """

    every: Annotated[int, Integer(help="Epochs between two.", ge=1, search=Search(1, 20))] = 5
    layers: Annotated[
        int | None, Integer(help="How many each time; all of them by default.", ge=1, search=Search(1, 4))
    ] = None

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        frozen = _frozen(trainer)
        if frozen and trainer.epoch % self.every == 0:
            freed = frozen if self.layers is None else _last(frozen, trainer, self.layers)
            layers = [
                layer.inner if place in freed and isinstance(layer, Frozen) else layer
                for place, layer in enumerate(_layers(trainer))
            ]
            trainer.change(network=Sequential(*layers))

    def quiet_epochs(self, trainer: Trainer) -> float:
        return self.every - trainer.epoch % self.every if _frozen(trainer) else math.inf

    def explains(self, name: str, planned: Any, stands: Any, trainer: Trainer) -> bool:
        """Return whether the network is the planned one with some layers freed, and time enough for it."""
        if name != "network" or trainer.epoch < self.every or thawed(planned) != thawed(stands):
            return False
        if not isinstance(planned, Sequential) or not isinstance(stands, Sequential):
            return False
        pairs = zip(planned.layers, stands.layers, strict=True)
        return all(was == now or was == Frozen(now) for was, now in pairs)


def _layers(trainer: Trainer) -> tuple[Layer, ...]:
    return trainer.network.layers if isinstance(trainer.network, Sequential) else ()


def _frozen(trainer: Trainer) -> list[int]:
    """Return the places of the layers that are frozen."""
    return [place for place, layer in enumerate(_layers(trainer)) if isinstance(layer, Frozen)]


def _last(frozen: list[int], trainer: Trainer, count: int) -> list[int]:
    """Return the last of some layers, so many with parameters, and those without among and behind them."""
    held = [place for place in frozen if trainer.params[str(place)]]
    return [place for place in frozen if place >= held[-count:][0]] if held else frozen


class Checkpoint(Callback):
    """Write a checkpoint now and then, from which `Trainer.resume` goes on to the bit; one at the end, too.

    path        the file; at every instant it holds the last checkpoint or the one before
    every       between two: seconds, or a text such as "30s", "5m" or "1h"

    A process that is killed loses what came after the last one. An interrupt (Ctrl-C) ends the training, and
    the last state is written; another one waits until that is done.

    Errors      DataError for an `every` that is no time, and at the start for a training with own functions,
                which no file holds; as it runs, what `Trainer.save` raises
    Differs     the interval is time, not batches or epochs. Keras' ModelCheckpoint and a PyTorch state_dict
                hold weights and moments; here also the place within the epoch, the history, the best weights
                and the callbacks, so that shuffles and stops go on as they would have.

    >>> import numpy as np, pathlib, tempfile, minicolumn as mc
    >>> X = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "wave.safetensors"
    >>> run = mc.fit(mc.nn.Dense(1), X, X**2, loss="squared_error", callbacks=[mc.Checkpoint(path)])
    >>> mc.Trainer.resume(path, X, X**2).epoch
    20
    """

    only_watches = True

    def __init__(self, path: PathLike, every: float | str = "60s") -> None:
        self.path, self.every = path, as_seconds("Checkpoint: every", every)
        self._last = 0.0

    def on_start(self, trainer: Trainer) -> None:
        """Start the clock; refuse at once what no file could hold later."""
        trainer.check_savable()
        self._last = time.monotonic()

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        """Write if it is time."""
        self._write_if_due(trainer)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Write if it is time."""
        self._write_if_due(trainer)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: it only watches."""
        return math.inf

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
    """Return a duration in seconds, also where it is a text with a unit: s, m or h.

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
    {
        "early_stopping": EarlyStopping,
        "reduce_on_plateau": ReduceOnPlateau,
        "keep_best": KeepBest,
        "unfreeze": Unfreeze,
    },
    adopt=kind_of(Callback),
    wanted="a frozen dataclass that derives from mc.Callback",
)

# Callbacks of later stages by name: their public names in the package, which loads them when they are asked
# for (docs/decisions/031).
LATER = {"monitor": "Monitor"}

CallbackLike = str | Callback


def check_callbacks(who: str, callbacks: CallbackLike | Sequence[CallbackLike]) -> tuple[Callback, ...]:
    """Return the callbacks in the order in which they are told, made of their names where these are given.

    who         asks, for messages
    callbacks   a callback, a name with settings, or several; a text may hold several, with commas between
    Errors      DataError for anything that is no `Callback`, a class in place of an object among them

    >>> check_callbacks("fit", "early_stopping:patience=5,min_delta=0.1,keep_best")
    (EarlyStopping(patience=5, min_delta=0.1, monitor=None), KeepBest(monitor=None))
    """
    listed = callbacks if isinstance(callbacks, Sequence) and not isinstance(callbacks, str) else [callbacks]
    found: list[Callback] = []
    for callback in listed:
        if isinstance(callback, str):
            found += (_by_name(who, text) for text in split_texts(callback))
        elif isinstance(callback, Callback):
            _must_have_no_other_hooks(who, callback)
            found.append(callback)
        else:
            raise DataError(
                f"{who}: callbacks holds a {kind(callback)}, expected mc.Callback objects or names in a list"
            )
    return tuple(found)


def _must_have_no_other_hooks(who: str, callback: Callback) -> None:
    """Refuse a callback with a method that looks like a hook, and that nobody would ever call."""
    for name in dir(type(callback)):
        if name.startswith("on_") and not hasattr(Callback, name):
            meant = HOOKS.get(name)
            near = did_you_mean(name, [hook for hook in dir(Callback) if hook.startswith("on_")])
            hint = f"; here it is {meant}" if meant else near if meant is None else ""
            raise DataError(f"{who}: {type(callback).__name__}.{name} is called by nobody{hint}")


def with_monitor(who: str, callbacks: tuple[Callback, ...], monitor: bool) -> tuple[Callback, ...]:
    """Return the callbacks, and one that shows the training in a browser if that is wanted and not there.

    Errors      DataError for a `monitor` that is neither true nor false
    """
    if not isinstance(monitor, bool):
        raise DataError(f"{who}: monitor must be True or False, got {monitor!r:.60}")
    if not monitor:
        return callbacks
    watcher = _by_name(who, "monitor")
    return callbacks if type(watcher) in map(type, callbacks) else (*callbacks, watcher)


def _by_name(who: str, text: str) -> Callback:
    name = text.partition(":")[0].strip()
    try:
        return (_later(name) if name in LATER else CALLBACKS).make(text)
    except DataError as error:
        near = "" if name in (*CALLBACKS.known, *LATER) else did_you_mean(name, LATER)
        raise DataError(f"{who}: callbacks: {error}{near}") from None


def _later(name: str) -> Registry[type[Callback]]:
    """Return a registry of one callback of a later stage, which this loads."""
    import minicolumn

    return Registry("callback", {name: getattr(minicolumn, LATER[name])})
