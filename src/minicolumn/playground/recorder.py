"""A recorder: makes the snapshots of one training, seldom enough to cost it next to nothing.

Epochs are noted as they come, every second one is dropped where there are too many. What has to be computed
(norms, gradients, the confusion matrix) is computed by NumPy, so that nothing is compiled for it, and no
more often than a fiftieth of the time allows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from minicolumn.errors import MinicolumnError
from minicolumn.lower.threads import one_thread
from minicolumn.model.metrics import confusion
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layer import Params
from minicolumn.nn.outputs import ClassOutputs
from minicolumn.playground.board import WatchedRun
from minicolumn.playground.layers import layer_rows, layers_of, shortened
from minicolumn.train import Trainer
from minicolumn.train.backward import backward_pass, norm
from minicolumn.train.history import Row
from minicolumn.tree import leaves

T = TypeVar("T")
_log = logging.getLogger("minicolumn.playground")
EVERY = 0.1  # seconds between two snapshots
LONGEST_LABEL = 80  # letters of a class
SHARE = 0.02  # of the time that norms, gradients and the confusion matrix may take
PATIENCE = 1.0  # seconds that a training has to last before its gradients are looked at
MOST_POINTS = 500  # of a curve
MOST_NORMS = 200
GRADIENT_ROWS = 32
CONFUSION_ROWS = 500
MOST_CLASSES = 40
MOST_LAYERS = 24  # whose norms are told


class Thinned(Generic[T]):
    """Values in order, so many at most: where there would be more, every second one goes.

    >>> thinned = Thinned(4)
    >>> for number in range(10):
    ...     thinned.add(number)
    >>> thinned.all()
    (0, 4, 8, 9)
    """

    def __init__(self, most: int) -> None:
        self._most, self._every, self._count = most, 1, 0
        self._kept: list[T] = []
        self._last: list[T] = []

    def add(self, value: T) -> None:
        """Take a value; the newest is always there."""
        if self._count % self._every:
            self._last = [value]
        else:
            self._kept.append(value)
            self._last = []
            if len(self._kept) >= self._most:
                self._kept, self._every = self._kept[::2], 2 * self._every
        self._count += 1

    def all(self) -> tuple[T, ...]:
        """Return the values that are kept."""
        return (*self._kept, *self._last)


class Recorder:
    """The recorder of one training.

    put         takes each snapshot
    number      of the training in this process
    clock       seconds, from any start
    classes     names of the classes, in the order of their codes; without, or where there are other ones,
                they are numbered
    """

    def __init__(
        self,
        trainer: Trainer,
        number: int,
        put: Callable[[WatchedRun], None],
        name: str = "",
        clock: Callable[[], float] = time.monotonic,
        classes: Sequence[str] = (),
    ) -> None:
        self._put, self._number, self._clock = put, number, clock
        self._begun = self._due = clock()
        self._next = self._begun + EVERY
        self._rows: Thinned[Row] = Thinned(MOST_POINTS)
        self._within: Thinned[tuple[float, float]] = Thinned(MOST_POINTS)
        self._weights: Thinned[tuple[float, ...]] = Thinned(MOST_NORMS)
        self._gradients: Thinned[tuple[float, ...]] = Thinned(MOST_NORMS)
        self._confusion: np.ndarray | None = None
        self._gradual, self._is_warm = True, False  # the former until an own loss refuses
        for row in trainer.history:  # of a training that is gone on with
            self._rows.add(row)
        params = trainer.params
        rows = layer_rows(trainer.network, trainer.input_shape, params)
        self._layers = [row["path"] for row in rows if row["parameters"]][:MOST_LAYERS]
        self._outputs = _class_outputs(trainer)
        self._about = _about(trainer, name, rows, self._layers)
        named = self._outputs is not None and len(classes) == _classes(trainer)
        self._about["classes"] = [shortened(str(label), LONGEST_LABEL) for label in classes] if named else []
        self._show(trainer)

    @property
    def is_due(self) -> bool:
        """Whether it is time for a snapshot."""
        return self._clock() >= self._next

    def note_batch(self, epochs: float, loss: float) -> None:
        """Note the loss within a long epoch, with so many behind."""
        self._within.add((epochs, loss))

    def note_epoch(self, row: Row) -> None:
        """Note an epoch."""
        self._rows.add(row)

    def end(self, trainer: Trainer) -> None:
        """Show how it ended."""
        self._look(trainer, self._clock() - self._begun >= PATIENCE)
        self._show(trainer, trainer.stopped or "stopped")

    def show(self, trainer: Trainer) -> None:
        """Show where the training stands."""
        now = self._clock()
        if now >= self._due:
            gradients, cpu = now - self._begun >= PATIENCE, time.thread_time()
            self._look(trainer, gradients)
            # The first time NumPy and the rules of derivatives warm up, which says nothing of the next.
            self._due = now + (time.thread_time() - cpu) / SHARE if self._is_warm else now
            self._is_warm = gradients
        self._next = now + EVERY
        self._show(trainer)

    def _show(self, trainer: Trainer, stopped: str | None = None) -> None:
        self._put(
            WatchedRun(
                number=self._number, about=self._about, epoch=trainer.epoch, step=trainer.step,
                done=trainer.done, seconds=self._clock() - self._begun, stopped=stopped,
                best_epoch=trainer.best_epoch if trainer.monitor else 0, rows=self._rows.all(),
                within=self._within.all(), weight_norms=self._weights.all(),
                gradient_norms=self._gradients.all(), confusion=self._confusion,
            )
        )  # fmt: skip

    def _look(self, trainer: Trainer, gradients: bool) -> None:
        """Compute what is not noted anyway."""
        params = trainer.params
        at = trainer.epoch + (trainer.done / trainer.steps if trainer.done < trainer.steps else 0.0)
        parts = layers_of(trainer.network, trainer.input_shape, params)
        norms = {path: norm(own) for path, _, _, own in parts}
        self._weights.add((at, *(norms.get(path, np.nan) for path in self._layers)))
        with np.errstate(all="ignore"), one_thread():
            try:
                if gradients and self._gradual:
                    self._gradients.add((at, *self._gradient_norms(trainer, params)))
                self._confusion = self._confused(trainer, params)
            except (MinicolumnError, ArithmeticError, ValueError, TypeError, IndexError) as error:
                _log.info("gradients and confusion are not shown any more: %s", error)
                self._outputs, self._gradual = None, False

    def _gradient_norms(self, trainer: Trainer, params: Params) -> list[float]:
        """Return the norm of each layer's gradient of the loss, over the first rows, without dropout."""
        rows = trainer.train_rows.take(slice(0, GRADIENT_ROWS))
        found = backward_pass(trainer.network, trainer.settings, params, rows, compiled=False).layers
        norms = {part.path: part.gradient_norm for part in found}
        return [norms.get(path, np.nan) for path in self._layers]

    def _confused(self, trainer: Trainer, params: Params) -> np.ndarray | None:
        """Return the confusion matrix of the held-out rows, or of the trained ones; evenly some of many."""
        if self._outputs is None:
            return None
        rows = _measured_rows(trainer)
        places = np.linspace(0, len(rows) - 1, min(len(rows), CONFUSION_ROWS)).astype(np.int64)
        chosen = rows.take(places).dense()
        scores = np.asarray(trainer.network.apply(params, chosen.X))
        predictions = activation_by_name(self._outputs.activation).function(scores)
        guess = np.asarray(self._outputs.codes(predictions))
        truth = chosen.y.argmax(axis=1) if chosen.y.ndim == 2 and chosen.y.shape[1] > 1 else chosen.y.ravel()
        return confusion(truth.astype(np.int64), guess, _classes(trainer))


def _measured_rows(trainer: Trainer) -> Any:
    return trainer.train_rows if trainer.held_rows is None else trainer.held_rows


def _classes(trainer: Trainer) -> int:
    return max(2, *trainer.network.output_shape(trainer.input_shape))


def _class_outputs(trainer: Trainer) -> ClassOutputs | None:
    """Return what the outputs mean, where each row has one class of a few."""
    record = trainer.settings.record
    meaning = None if record is None else record.outputs
    shape = trainer.network.output_shape(trainer.input_shape)
    one = isinstance(meaning, ClassOutputs) and len(shape) == 1 and (meaning.describes_one or shape == (1,))
    if not one or _classes(trainer) > MOST_CLASSES:
        return None
    assert isinstance(meaning, ClassOutputs)
    return meaning


def _about(trainer: Trainer, name: str, layers: list[dict[str, Any]], measured: list[str]) -> dict[str, Any]:
    """Return what does not change while a training lasts, as plain values."""
    s, held = trainer.settings, trainer.held_rows
    record = s.record
    return {
        "name": name, "layers": layers, "normed": measured,
        "parameters": sum(int(np.size(leaf)) for leaf in leaves(trainer.params)),
        "rows": {"train": len(trainer.train_rows), "held": 0 if held is None else len(held)},
        "epochs": trainer.epochs, "steps": trainer.steps, "batch_size": s.batch_size,
        "loss": record.name if record else getattr(s.loss, "__name__", "loss"),
        "optimizer": shortened(repr(s.optimizer), 120), "watched": trainer.monitor or "",
        "lower": {n: not trainer.higher_is_better.get(n, False) for n in trainer.figures},
    }  # fmt: skip
