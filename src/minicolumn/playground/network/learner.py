"""The learner: points, network and training of the room as one thing that can be changed while it learns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minicolumn.data.points.points import Points
from minicolumn.errors import DataError
from minicolumn.nn import L1, L2, MaxNorm
from minicolumn.nn.layer import Params
from minicolumn.optim import optimizer_by_name, schedule_by_name
from minicolumn.playground.classic_rule import classic_rule
from minicolumn.playground.lines import line
from minicolumn.playground.network.architecture import Architecture, architecture_of, first_params
from minicolumn.playground.network.carry import Labels, carried, labels_of
from minicolumn.playground.network.columns import written_out
from minicolumn.playground.network.setup import Setup
from minicolumn.playground.network.tables import EncodedTable
from minicolumn.playground.network.task import Task, task_of
from minicolumn.playground.network.whole import Whole
from minicolumn.train import EarlyStopping, Trainer

Array = np.ndarray
ENDLESS = 10**9  # epochs: the page says when it ends
KEPT_ROWS = 2  # of the history, which the page draws as it comes


def training_settings(setup: Setup, task: Task, rows: int) -> dict[str, Any]:
    """Return the keywords of `fit` that a setup stands for.

    rows    to train on; a batch has no more
    """
    penalty = {"none": None, "l1": L1, "l2": L2}[setup.regularization]
    return {
        "loss": task.record,
        "optimizer": optimizer_by_name(setup.optimizer).with_rate(setup.learning_rate),
        "schedule": schedule_by_name(setup.schedule),
        # The classic rule never moves where a batch is larger than the rows; here it is all of them.
        "batch_size": setup.batch_size if setup.rule == "classic" else min(setup.batch_size, rows),
        "shuffle": setup.rule != "classic",
        "regularizer": penalty(setup.regularization_rate) if penalty and setup.regularization_rate else None,
        "constraint": None if setup.max_norm is None else MaxNorm(setup.max_norm),
        "seed": setup.seed,
        "epochs": ENDLESS if setup.schedule == "constant" else setup.schedule_epochs,
    }


class Learner:
    """A training that goes on while its points, its network and its settings change.

    setup, points   what it stands for; table: what the points were encoded from, if from a table
    task            what the outputs are to be
    architecture    the network, and which of its neurons are drawn
    whole           the same, where it is a network that is trained as it came
    trainer         the training itself
    epoch, step     since the weights were drawn; seconds: of training, since then

    >>> from minicolumn.data.points.points import make_points
    >>> learner = Learner(Setup(), make_points("circle", rows=60, noise=0, train_percent=50, seed="1"))
    >>> _ = learner.trainer.advance(epochs=3)
    >>> learner.epoch, learner.step
    (3, 9)
    """

    def __init__(
        self,
        setup: Setup,
        points: Points,
        table: EncodedTable | None = None,
        params: Params | None = None,
        like: tuple[Learner, Labels | None] | None = None,
        whole: Whole | None = None,
    ) -> None:
        self.setup, self.points, self.table, self.whole = setup, points, table, whole
        self.seconds, self.steps_per_second = 0.0, 0.0
        self.task = _task(setup, points, whole)
        self.architecture = whole or _described(setup, points, self.task)
        self._behind = (like[0].epoch, like[0].step) if like else (0, 0)  # of earlier trainers
        if params is None:
            params = self._carried(*like) if like else self._first(setup)
        self.first = params
        self.trainer = self._trainer(params)

    def _first(self, setup: Setup) -> Params:
        """Draw first weights."""
        inputs = len(self.points.inputs)
        if self.whole is not None:
            return self.whole.network.init(setup.seed, (inputs,))
        return first_params(self.drawn, setup, inputs)

    @property
    def drawn(self) -> Architecture:
        """The network of the setup, layer by layer.

        Errors      DataError for one that is trained as it came
        """
        if isinstance(self.architecture, Whole):
            raise DataError(line("wholeFixed"))
        return self.architecture

    def _trainer(self, params: Params) -> Trainer:
        setup, task, points = self.setup, self.task, self.points
        X, y = _rows(points, task, ~points.held)
        trainer = Trainer(
            self.architecture.network, X, y, params=params,
            **_watched(setup, points, task, "validation_data", "callbacks"),
            **training_settings(setup, task, len(X)),
        )  # fmt: skip
        if setup.rule == "classic":
            trainer.change(rule=classic_rule)
        if not trainer.callbacks:
            trainer.limit_history(KEPT_ROWS)
        return trainer

    @property
    def epoch(self) -> int:
        """Whole epochs since the weights were drawn."""
        return self._behind[0] + self.trainer.epoch

    @property
    def step(self) -> int:
        """Steps since the weights were drawn."""
        return self._behind[1] + self.trainer.step

    @property
    def weights(self) -> list[tuple[Array, Array]]:
        """The weights and biases of every drawn layer, copies; see `drawn`."""
        return self.drawn.weights(self.trainer.params)

    @property
    def arrays(self) -> list[Array]:
        """All weights, array by array, copies."""
        return self.architecture.arrays(self.trainer.params)

    @property
    def labels(self) -> list[list[Any]]:
        """Labels of the inputs and of the units of every layer, as `carried` takes them."""
        return labels_of(self.setup.features, self.drawn.units)

    # Changes ------------------------------------------------------------------------------------------------

    def steps_to(self, epoch: int) -> int:
        """Return how many steps are left to the end of an epoch, counted from 1."""
        return (epoch - self.epoch) * self.trainer.steps - self.trainer.done

    def advance(self, *, most: int | None = None, **goal: Any) -> None:
        """Train on, see `Trainer.advance`; for no more than `most` steps.

        Where early stopping ends it, the best weights are those that it goes on with.
        """
        began, first = time.perf_counter(), self.step
        try:
            self.trainer.advance(**self._bounded(most, goal))
        finally:
            took = time.perf_counter() - began
            self.seconds += took
            self.steps_per_second = (self.step - first) / took
        if self.trainer.stopped == "early stopping":
            self.trainer.set_params(self.trainer.best_params)

    def _bounded(self, most: int | None, goal: dict[str, Any]) -> dict[str, Any]:
        """Return how far to go, in steps where there is an end of the run: nothing goes by two goals."""
        if most is None:
            return goal
        steps = goal.get("steps", int(goal.get("seconds", 0.0) / self.trainer.seconds_a_step))
        return {"steps": max(1, min(most, steps))}

    def changed(self, setup: Setup, points: Points | None = None, after: Labels | None = None) -> Learner:
        """Return the learner that goes on with another setup or other points; weights stay where they can.

        points      None keeps those of now
        after       which of the units each unit of the new network is, see `carried`; None: by their places
        Returns     this one where its network stays, and with it what the optimizer remembers: nothing is
                    compiled for another number. Else a new one
        Errors      DataError, and nothing was changed
        """
        held = self.points if points is None else points
        task = _task(setup, held, self.whole)
        stays = self.whole is not None or _described(setup, held, task) == self.architecture
        if stays and (setup.rule, setup.patience) == (self.setup.rule, self.setup.patience):
            self._go_on(setup, held, task)
            return self
        again = Learner(setup, held, self.table, like=(self, after), whole=self.whole)
        again.seconds, again.steps_per_second = self.seconds, self.steps_per_second
        again.first = self.first if stays else again._first(setup)
        return again

    def _go_on(self, setup: Setup, points: Points, task: Task) -> None:
        """Change the training in place: its settings, and its rows where they are other ones."""
        rows: dict[str, Any] = {}
        if points is not self.points or task != self.task:
            rows["X"], rows["y"] = _rows(points, task, ~points.held)
            rows |= _watched(setup, points, task, "validation_data")
        count = int((~points.held).sum())
        self.trainer.change(**rows, **training_settings(setup, task, count))
        self.setup, self.points, self.task = setup, points, task

    def _carried(self, old: Learner, after: Labels | None) -> Params:
        """Return the weights of another learner, as far as there is a place for them here."""
        if self.whole is not None:
            return old.trainer.params
        fresh = self._first(self.setup)
        if after is None:
            after = _by_place(old.labels, self.setup.features, self.architecture.units)
        weights = carried(old.weights, old.labels, self.drawn.weights(fresh), after)
        return self.drawn.with_weights(fresh, weights)

    def begun_anew(self, setup: Setup, *, same: bool = False) -> Learner:
        """Return the learner with other first weights, drawn by the setup's seed, or the same ones again."""
        return Learner(setup, self.points, self.table, self.first if same else None, whole=self.whole)

    def set_weights(self, weights: Sequence[tuple[Array, Array]]) -> None:
        """Put other weights in place of those of now; what the optimizer remembers stays."""
        self.trainer.set_params(self.drawn.with_weights(self.trainer.params, weights))

    @property
    def names(self) -> list[str]:
        """What the features are called: a column of the table in full, or the formula with such names."""
        inputs, names = self.points.inputs, self.column_names
        if self.table is None:
            return list(self.setup.features)
        full = dict(zip(inputs, names, strict=True))
        return [full.get(text) or written_out(text, inputs, names) for text in self.setup.features]

    @property
    def column_names(self) -> tuple[str, ...]:
        """What the inputs are called: the columns of the table, where there is one."""
        return self.points.inputs if self.table is None else self.table.encoder.features

    def resume(self, data: Array, epoch: int, step: int) -> None:
        """Go on from weights that were shown before.

        data        the bytes of all weights and biases in order, float32
        Errors      DataError for another number of weights than the network has
        """
        now = self.arrays
        sizes = [part.size for part in now]
        if len(data) != 4 * sum(sizes):
            raise DataError(line("weightCount", count=sum(sizes), given=len(data) / 4))
        parts = np.split(data.view(np.float32), np.cumsum(sizes)[:-1])
        told = [part.reshape(old.shape) for part, old in zip(parts, now, strict=True)]
        self.trainer.set_params(self.architecture.with_arrays(self.trainer.params, told))
        self._behind = epoch, step

    # What is to be seen -------------------------------------------------------------------------------------

    def measured(self) -> dict[str, Any]:
        """Return losses and scores on training and test points, and the confusion matrix of the latter.

        Returns     {"loss": {"train", "test"}, "scores": {"train": {...}, "test": {...}},
                    "confusion": int32 [K, K]}
        """
        outputs = self.trainer.outputs(self.points.X.astype(np.float32))
        parts = {"train": ~self.points.held, "test": self.points.held}
        loss = {name: self._loss(outputs[rows], self.points.y[rows]) for name, rows in parts.items()}
        answers = self.task.answers(outputs)
        scores = {name: self.task.scores(answers[rows], self.points.y[rows]) for name, rows in parts.items()}
        found: dict[str, Any] = {"loss": loss, "scores": scores}
        if self.task.classes:
            shown = self.points.held if self.points.held.any() else ~self.points.held
            found["confusion"] = self.task.confusion(answers[shown], self.points.y[shown])
        return found

    def _loss(self, outputs: Array, y: Array) -> float:
        if not len(y):
            return float("nan")
        with np.errstate(all="ignore"):
            loss = float(self.task.record(outputs, self.task.targets(y)))
        return loss / 2.0 if self.setup.rule == "classic" else loss  # its error is (o - t)^2 / 2


def _task(setup: Setup, points: Points, whole: Whole | None) -> Task:
    """Return the task that points set; a network that is trained as it came has the unit of its own."""
    if whole is None:
        return task_of(points, setup.loss)
    if setup.loss == whole.task.loss or setup.loss == "auto":
        task = replace(whole.task, classes=points.classes)
    else:
        task = replace(whole.task, classes=points.classes, loss=setup.loss, exact=None)
    if task.outputs != whole.task.outputs or task.kind != whole.task.kind:
        raise DataError(line("wholeOutputs", count=whole.task.outputs))
    return task


def _described(setup: Setup, points: Points, task: Task) -> Architecture:
    return architecture_of(setup, points.inputs, task.outputs, task.ending)


def _rows(points: Points, task: Task, chosen: Array) -> tuple[Array, Array]:
    return points.X[chosen].astype(np.float32), task.targets(points.y[chosen])


def _watched(setup: Setup, points: Points, task: Task, *names: str) -> dict[str, Any]:
    """Return what a trainer needs for early stopping, of these: test points to measure on, the callback."""
    if setup.patience is None or not points.held.any():
        return {}
    found: dict[str, Any] = {"callbacks": [EarlyStopping(patience=setup.patience)]}
    found["validation_data"] = _rows(points, task, points.held)
    return {name: found[name] for name in names}


def _by_place(before: Labels, features: Sequence[str], units: Sequence[int]) -> list[list[Any]]:
    """Return which old unit each new one is, where layers and units only came or went at the end."""
    *hidden, last = before[1:]
    found: list[list[Any]] = [list(features)]
    for layer, count in enumerate(units[:-1]):
        old = hidden[layer] if layer < len(hidden) else []
        found.append([*old[:count], *([None] * (count - len(old[:count])))])
    return [*found, [*last[: units[-1]], *([None] * (units[-1] - len(last)))]]
