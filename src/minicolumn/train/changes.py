"""Changes to a training that has begun: settings, rows, and the width of hidden layers.

Each is checked before anything is touched: where one is refused, the training is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from minicolumn import random
from minicolumn.errors import DataError, MinicolumnError
from minicolumn.model.rows import LabeledRows
from minicolumn.model.scores import name_of
from minicolumn.nn.layer import Params
from minicolumn.train.data import check_data, check_shape
from minicolumn.train.interrupts import deferred
from minicolumn.train.resize import Resizing, grown, pruned
from minicolumn.train.settings import (
    NAMES,
    Keywords,
    Settings,
    check_network,
    check_settings,
    unknown_keyword,
)
from minicolumn.train.snapshot import check_constrained
from minicolumn.train.speculative import SpeculativeLoop
from minicolumn.train.step import State
from minicolumn.train.types import Inputs, Validation
from minicolumn.tree import flatten, map_leaves

CHANGEABLE = (*NAMES, "learning_rate", "X", "y", "sample_weight", "validation_data")


class Changeable(SpeculativeLoop):
    """The part of a `Trainer` that changes what is trained, between two steps."""

    def change(
        self,
        *,
        learning_rate: float | None = None,
        X: Inputs | None = None,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        validation_data: Validation | None = None,
        **settings: Unpack[Keywords],
    ) -> None:
        """Change settings or rows; weights stay, and so does what an optimizer of the same kind remembers.

        learning_rate   of the optimizer; a factor that callbacks have set stays
        X, y, sample_weight     other rows of the same shape, or weights; an epoch that was begun begins anew,
                        as it does for another `seed` or `shuffle`, which order its rows
        validation_data other rows to measure on
        settings        any keyword of `fit` but dtype: `optimizer`, `batch_size`, `epochs` (in all), ...

        A schedule spreads over the steps of all `epochs` as they are after the change. Nothing is compiled
        anew for another learning rate.

        Errors      one line, and the trainer is as before: ShapeError for rows of another shape,
                    DataError for what is out of range or does not fit the targets, TypeError for
                    unknown names
        Differs     in Keras a new optimizer needs `compile`, which forgets all moments; in scikit-learn other
                    parameters with `warm_start` begin the optimizer afresh

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> trainer = mc.Trainer(mc.nn.Dense(1), X, 2 * X, loss="squared_error", batch_size=8)
        >>> trainer.change(learning_rate=0.1, batch_size=10)
        >>> round(trainer.learning_rate, 6), trainer.steps
        (0.1, 4)
        """
        check_names("change", settings, CHANGEABLE)
        s = check_settings("change", settings, self.settings)
        if s.dtype != self.settings.dtype:
            raise DataError(f"change: dtype stays {self.settings.dtype}; begin a new training for {s.dtype}")
        if learning_rate is not None:
            s = replace(s, optimizer=s.optimizer.with_rate(learning_rate))
        check_network("change", self.network, s.rule)
        train, held = self._changed_rows(s, X, y, sample_weight, validation_data)
        if self.monitor is not None and not _has_figure(self.monitor, s, held):
            raise DataError(
                f"change: {self.monitor} chooses the best weights and would not be measured any more"
            )
        check_constrained("change", s.constraint, self.state.params)
        if s.loss is not self.settings.loss or y is not None:
            self._check_loss(s, train)
        # Rows without weight are left out, so other weights may be other rows.
        other_rows = X is not None or sample_weight is not None
        engine, at = (
            self._engine(self.network, s, train, held),
            self._at._replace(state=self._changed_state(s)),
        )
        if other_rows or (s.seed, s.shuffle) != (self.settings.seed, self.settings.shuffle):
            at = at._replace(seen=0, sums=(), seconds=0.0)
        with deferred():
            self._plan(engine)
            self._at = at
            self.held_fraction = 0.0 if other_rows or validation_data is not None else self.held_fraction
            self.epochs = s.epochs if "epochs" in settings else self.epochs
            self.horizon = self._last_step()

    def _check_loss(self, s: Settings, train: LabeledRows) -> None:
        """Compute the loss of some rows, so that one that does not fit the targets is refused at once."""
        rows = train.take(np.arange(min(s.batch_size, len(train)))).dense()
        try:
            with np.errstate(all="ignore"):
                s.loss(self.network.apply(self.state.params, rows.X), rows.y, None)
        except MinicolumnError as error:
            raise type(error)(f"change: {error}") from None

    def _changed_rows(
        self,
        s: Settings,
        X: Inputs | None,
        y: ArrayLike | None,
        weight: ArrayLike | None,
        validation_data: Validation | None,
    ) -> tuple[LabeledRows, LabeledRows | None]:
        """Return the rows to go on with, each checked against the settings that are to be.

        Rows that were held out stay held out, unless others are given.
        """
        if (X is None) != (y is None):
            raise DataError("change: give X and y together")
        rows, held = self.train_rows, self.held_rows
        if X is None or y is None:
            inputs, targets, weight = rows.X, rows.y, rows.weight if weight is None else weight
        else:
            inputs, targets = X, y
        check_shape("change", inputs, self.input_shape)
        if validation_data is None and held is not None:
            validation_data = held.X, held.y, held.weight
        return check_data("change", self.network, s, inputs, targets, weight, validation_data)

    def _changed_state(self, s: Settings) -> State:
        """Return the state to go on with: the weights, and moments of the same kind."""
        state, old = self.state, self.settings.optimizer
        fresh = s.optimizer.start(state.params, self.engine.roles)
        same = type(old) is type(s.optimizer) and flatten(fresh)[1] == flatten(state.moments)[1]
        return State(state.params, state.moments if same else fresh)

    def grow(self, layer: int, units: int, keep: bool = True) -> None:
        """Widen a hidden layer by some units, drawn as first weights are.

            h = f(x W + b),  out = h V:     W and b get columns drawn anew, V rows of 0 (keep) or drawn anew

        layer       its index in the network, as in the names of the weights
        units       how many more, at least 1
        keep        whether the function is kept: then the next layer does not listen to the new units yet,
                    and learns to
        Errors      DataError for a layer that is not a hidden dense one
        Source      function-preserving, as in Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641)
        Differs     there new units are copies of old ones; in Keras another width is another model

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> net = mc.nn.Sequential(mc.nn.Dense(3, "tanh"), mc.nn.Dense(1))
        >>> trainer = mc.Trainer(net, X, X**2, loss="squared_error")
        >>> before = trainer.outputs(X)
        >>> trainer.grow(layer=0, units=2)
        >>> trainer.params["0"]["weight"].shape, bool(np.allclose(trainer.outputs(X), before))
        ((1, 5), True)
        """
        resizing = grown(self.network, layer, units)
        self._resize(resizing, resizing.without_effect if keep else None)

    def prune(self, layer: int, units: int | Sequence[int]) -> None:
        """Prune units of a hidden layer: those with these numbers, or so many of the least important.

            importance of unit j = |W[:, j]| |V[j, :]|      (Euclidean lengths of what comes in and goes out)

        layer       its index in the network, as in the names of the weights
        units       indices of units, or how many
        Errors      DataError for a layer that is not a hidden dense one, and where no unit would be left
        Differs     PyTorch's `prune` masks weights, which stay in memory and in the products; here the arrays
                    shrink

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> net = mc.nn.Sequential(mc.nn.Dense(3, "tanh"), mc.nn.Dense(1))
        >>> trainer = mc.Trainer(net, X, X**2, loss="squared_error")
        >>> trainer.prune(layer=0, units=[1])
        >>> trainer.network
        Sequential(Dense(2, activation='tanh'), Dense(1))
        """
        self._resize(pruned(self.network, self.state.params, layer, units))

    def _resize(self, resizing: Resizing, settle: Callable[[Params], Params] | None = None) -> None:
        """Go on with a resized network; moments of units that stay are kept, best weights are those of now.

        settle      changes the new weights, as `Resizing.without_effect` does
        """
        s, old = self.settings, self.state
        # Each time other weights: drawn by the seed and by how far the training is.
        seed = int(random.fold_in(random.stream(s.seed, "init"), self._at.step)[1])
        fresh = resizing.network.init(seed, self.input_shape, s.dtype)
        before = len(old.params[str(resizing.following)]["weight"])
        params = resizing.rescaled(resizing.carried(fresh, old.params), before)
        params = params if settle is None else settle(params)
        roles = resizing.network.roles(self.input_shape)
        moments = resizing.carried(s.optimizer.start(params, roles), old.moments)
        best = None if self._best is None else (self.epoch, map_leaves(np.array, params))
        engine = self._engine(resizing.network, s, self.train_rows, self.held_rows)
        with deferred():
            self._plan(engine)
            self._at, self._best = self._at._replace(state=State(params, moments)), best
            self._good = None  # weights of the old size are no way back


def check_names(who: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse keywords that do not exist.

    known       all that there are, for the hint
    Errors      TypeError, as of any function of Python
    """
    for name in given:
        if name not in NAMES:
            raise TypeError(unknown_keyword(who, name, known))


def _has_figure(figure: str, settings: Settings, held: LabeledRows | None) -> bool:
    """Return whether a column of the history is measured with some settings and validation rows."""
    names = ("loss", *map(name_of, settings.metrics)) if held else ()
    return figure == "loss" or figure in [f"val_{name}" for name in names]
