"""Changes to a training that has begun: settings, rows, and the width of hidden layers.

Each is checked before anything is touched: where one is refused, the training is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import EllipsisType
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from minicolumn import random
from minicolumn.errors import DataError, MinicolumnError, ShapeError
from minicolumn.model.rows import LabeledRows
from minicolumn.model.scores import name_of
from minicolumn.nn.layer import Layer, Params
from minicolumn.train.data import check_data, check_shape
from minicolumn.train.engine import Engine, Rule
from minicolumn.train.interrupts import deferred
from minicolumn.train.layer_surgery import Rearrangement, inserted, removed, with_identity
from minicolumn.train.resize import Resizing, grown, pruned
from minicolumn.train.settings import (
    NAMES,
    Keywords,
    Settings,
    check_network,
    check_settings,
    unknown_keyword,
)
from minicolumn.train.snapshot import check_constrained, check_params
from minicolumn.train.speculative import SpeculativeLoop
from minicolumn.train.step import State
from minicolumn.train.types import Inputs, Validation
from minicolumn.tree import Tree, flatten, map_leaves

CHANGEABLE = (*NAMES, "learning_rate", "X", "y", "sample_weight", "validation_data")


class Changeable(SpeculativeLoop):
    """The part of a `Trainer` that changes what is trained, between two steps."""

    def change(
        self,
        *,
        network: Layer | None = None,
        rule: Rule | EllipsisType | None = ...,
        learning_rate: float | None = None,
        X: Inputs | None = None,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        validation_data: Validation | None = None,
        **settings: Unpack[Keywords],
    ) -> None:
        """Change settings or rows; weights stay, and so does what an optimizer of the same kind remembers.

        network         with weights of the same names and shapes, such as other activations or rates of
                        dropout; `grow`, `prune`, `insert_layer` and `remove_layer` change shapes
        rule            makes the `Step` of another learning rule, from a network and settings; None goes back
                        to gradient descent. Moments of another rule begin afresh
        learning_rate   of the optimizer; a factor that callbacks have set stays
        X, y, sample_weight     other rows of the same shape, or weights; an epoch that was begun begins anew,
                        as it does for another `seed` or `shuffle`, which order its rows
        validation_data other rows to measure on
        settings        any keyword of `fit` but dtype: `optimizer`, `batch_size`, `epochs` (in all), ...

        A schedule spreads over the steps of all `epochs` as they are after the change. Nothing is compiled
        anew for another learning rate, schedule, seed, strength of a penalty of the same kind (0 included),
        momentum, weight decay, rate of `mc.nn.Dropout` or `mc.nn.GaussianNoise` (each from above 0 to above
        0), or as many rows over at the end of an epoch. For other changes it is, at the next step: see
        `prepare`.

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
        rule = self.rule if isinstance(rule, EllipsisType) else _check_rule(rule)
        network = check_network("change", self.network if network is None else network, s.rule)
        if network is not self.network:
            check_params("change", network, s, self.state.params, self.input_shape)
        train, held = self._changed_rows(network, s, X, y, sample_weight, validation_data)
        if self.monitor is not None and not _has_figure(self.monitor, s, held):
            raise DataError(
                f"change: {self.monitor} chooses the best weights and would not be measured any more"
            )
        check_constrained("change", s.constraint, self.state.params)
        if s.loss is not self.settings.loss or y is not None:
            self._check_loss(network, s, train)
        # Rows without weight are left out, so other weights may be other rows.
        other_rows = X is not None or sample_weight is not None
        engine = self._engine(network, s, train, held, rule)
        at = self._at._replace(state=self._changed_state(engine))
        if other_rows or (s.seed, s.shuffle) != (self.settings.seed, self.settings.shuffle):
            at = at._replace(seen=0, sums=(), seconds=0.0)
        with deferred():
            self._plan(engine)
            self._at, self.rule = at, rule
            self.held_fraction = 0.0 if other_rows or validation_data is not None else self.held_fraction
            self.epochs = s.epochs if "epochs" in settings else self.epochs
            self.horizon = self._last_step()

    def _check_loss(self, network: Layer, s: Settings, train: LabeledRows) -> None:
        """Compute the loss of some rows, so that one that does not fit the targets is refused at once."""
        rows = train.take(np.arange(min(s.batch_size, len(train)))).dense()
        try:
            with np.errstate(all="ignore"):
                s.loss(network.apply(self.state.params, rows.X), rows.y, None)
        except MinicolumnError as error:
            raise type(error)(f"change: {error}") from None

    def _changed_rows(
        self,
        network: Layer,
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
        return check_data("change", network, s, inputs, targets, weight, validation_data)

    def _changed_state(self, engine: Engine) -> State:
        """Return the state to go on with: the weights, and moments of the same kind of rule and optimizer."""
        state, fresh = self.state, engine.start(self.state.params)
        same = self._kinds(self.engine) == self._kinds(engine)
        return State(state.params, state.moments if same and alike(fresh, state.moments) else fresh)

    @staticmethod
    def _kinds(engine: Engine) -> tuple[type, ...]:
        return type(engine.step), type(engine.settings.optimizer)

    def set_params(self, params: Params) -> None:
        """Set the weights, as by hand; the history stays, and the next step goes on from them.

        params      in the structure and shapes of `trainer.params`, as arrays or lists of numbers
        Errors      ShapeError for other names or shapes, DataError for numbers that are not finite, for
                    weights that the constraint would move, and for an optimizer that hands back a mean of
                    weights; the trainer is then as before

        What the optimizer remembers stays. However the training is cut into advances before and after, it is
        the same training to the bit.

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> trainer = mc.Trainer(mc.nn.Dense(1), X, 2 * X, loss="squared_error")
        >>> params = trainer.params
        >>> params["weight"][0, 0], params["bias"][0] = 2.0, 0.5
        >>> trainer.set_params(params)
        >>> trainer.outputs([[1.0]])
        array([[2.5]], dtype=float32)
        """
        s = self.settings
        if s.optimizer.averages:
            name = type(s.optimizer).__name__
            raise DataError(
                f"set_params: {name} hands back a mean of the weights of all steps, which cannot be set"
            )
        given = _numbers("set_params", params)
        new = check_params("set_params", self.network, s, given, self.input_shape)
        check_constrained("set_params", s.constraint, new)
        self._go_on_with(self.engine, State(new, self.state.moments))

    def _go_on_with(self, engine: Engine, state: State, best: tuple[int, Params] | None = None) -> None:
        """Go on from other weights, perhaps by another engine; what was trained ahead is dropped.

        best        the best weights from now on, in place of those so far
        """
        with deferred():
            self._plan(engine)
            self._at, self._good = self._at._replace(state=state), None  # the old weights are no way back
            self._best = best or self._best

    def insert_layer(self, at: int, layer: Layer, keep: bool = True) -> bool:
        """Insert a layer into a `Sequential`; all weights whose shape stays go on, the others are drawn.

            f(h W + b)   with   W = a I,  b = c    (keep)       where f(a h + c) is straight on all rows

        at          index that it has afterwards, from 0
        layer       any, such as `mc.nn.Dense(2, "tanh")`, `mc.nn.Dropout(0.2)` or `mc.nn.BatchNorm()`
        keep        whether a dense layer with as many units as inputs begins by passing them on where it can:
                    linear ones and relu behind relu as the identity; others where they are straight, such as
                    selu above 0 or mish above 10, and the next layer takes it back; tanh cannot
        Returns     whether the network computes what it did before, on the rows trained on
        Errors      DataError for an index out of range, or a network that is no `Sequential`; ShapeError for
                    shapes that do not fit; the trainer is then as before
        Source      Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641)

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> net = mc.nn.Sequential(mc.nn.Dense(3, "relu"), mc.nn.Dense(1))
        >>> trainer = mc.Trainer(net, X, X**2, loss="squared_error")
        >>> trainer.insert_layer(1, mc.nn.Dense(3, "relu"))
        True
        >>> trainer.network
        Sequential(Dense(3, activation='relu'), Dense(3, activation='relu'), Dense(1))
        """
        change = inserted(self.network, at, layer)
        return self._rearrange("insert_layer", change, int(at) if keep else None)

    def remove_layer(self, at: int) -> bool:
        """Remove a layer of a `Sequential`; all weights whose shape stays go on, the others are drawn.

        at          its index, from 0
        Returns     whether the network computes what it did before, on the rows trained on
        Errors      as for `insert_layer`; DataError for the only layer
        """
        return self._rearrange("remove_layer", removed(self.network, at))

    def _rearrange(self, who: str, change: Rearrangement, new: int | None = None) -> bool:
        """Go on with a layer more or less; see `insert_layer`. `new` is to pass on what it is given."""
        s, old = self.settings, self.state
        network = check_network(who, change.network, s.rule)
        was, now = (net.output_shape(self.input_shape) for net in (self.network, network))
        if was != now:
            raise ShapeError(f"{who}: outputs would have shape {list(now)}, the training's are {list(was)}")
        params = change.carried(network.init(self._drawing_seed(), self.input_shape, s.dtype), old.params)
        X = self.train_rows.dense().X
        params = (None if new is None else with_identity(change.network, new, params, X)) or params
        engine = self._engine(network, s, self.train_rows, self.held_rows, self.rule)
        moments = change.moments(engine.start(params), old.moments)
        # Sums in another order differ by rounding.
        kept = np.allclose(network.apply(params, X), self.network.apply(old.params, X), rtol=1e-4, atol=1e-5)
        best = None if self._best is None else (self.epoch, map_leaves(np.array, params))
        self._go_on_with(engine, State(params, moments), best)
        return bool(kept)

    def _drawing_seed(self) -> int:
        """Return what new weights are drawn by: the seed, and how far the training is."""
        return int(random.fold_in(random.stream(self.settings.seed, "init"), self._at.step)[1])

    def grow(self, layer: int, units: int, keep: bool = True, copies: bool = False) -> None:
        """Widen a hidden layer by some units, drawn as first weights are, or copies of those that are there.

            h = f(x W + b),  out = h V:     W and b get columns drawn anew, V rows of 0 (keep) or drawn anew
            copies:                         W and b get columns again, and the copies share the row of V

        layer       its index in the network, as in the names of the weights
        units       how many more, at least 1
        keep        whether the function is kept: then the next layer does not listen to new units yet, and
                    learns to
        copies      whether new units are copies of old ones, in turn, which keep the function too, also
                    behind layer and RMS normalization where all units are copied
        Errors      DataError for a layer that is not a hidden dense one
        Source      Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641)
        Differs     there new units are copies, with noise; in Keras another width is another model

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> net = mc.nn.Sequential(mc.nn.Dense(3, "tanh"), mc.nn.Dense(1))
        >>> trainer = mc.Trainer(net, X, X**2, loss="squared_error")
        >>> before = trainer.outputs(X)
        >>> trainer.grow(layer=0, units=2)
        >>> trainer.params["0"]["weight"].shape, bool(np.allclose(trainer.outputs(X), before))
        ((1, 5), True)
        """
        resizing = grown(self.network, layer, units, copies)
        settle = resizing.shared_out if copies else resizing.without_effect
        self._resize(resizing, settle if keep or copies else None)

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
        fresh = resizing.network.init(self._drawing_seed(), self.input_shape, s.dtype)
        before = len(old.params[str(resizing.following)]["weight"])
        params = resizing.rescaled(resizing.carried(fresh, old.params), before)
        params = params if settle is None else settle(params)
        engine = self._engine(resizing.network, s, self.train_rows, self.held_rows, self.rule)
        moments = resizing.carried(engine.start(params), old.moments)
        best = None if self._best is None else (self.epoch, map_leaves(np.array, params))
        self._go_on_with(engine, State(params, moments), best)


def check_names(who: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse keywords that do not exist.

    known       all that there are, for the hint
    Errors      TypeError, as of any function of Python
    """
    for name in given:
        if name not in NAMES:
            raise TypeError(unknown_keyword(who, name, known))


def alike(one: Tree, other: Tree) -> bool:
    """Return whether two trees have one structure and arrays of the same shapes."""
    (leaves, structure), (others, found) = flatten(one), flatten(other)
    pairs = zip(leaves, others, strict=False)
    return structure == found and all(np.shape(a) == np.shape(b) for a, b in pairs)


def _check_rule(rule: Rule | None) -> Rule | None:
    if rule is not None and not callable(rule):
        raise DataError(f"change: rule must be a function of a network and settings, got {rule!r:.60}")
    return rule


def _numbers(who: str, params: object, path: str = "") -> Any:
    """Return weights as arrays of finite numbers, in nested dicts; shapes are checked elsewhere.

    Errors      DataError, with the path of what is none
    """
    if isinstance(params, dict):
        found = params.items()
        return {name: _numbers(who, part, f"{path}.{name}" if path else f"{name}") for name, part in found}
    try:
        array = np.array(params)
    except ValueError:  # a ragged list
        array = np.array(None)
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise DataError(f"{who}: {path or 'params'} must hold finite numbers, got {params!r:.60}")
    return array


def _has_figure(figure: str, settings: Settings, held: LabeledRows | None) -> bool:
    """Return whether a column of the history is measured with some settings and validation rows."""
    names = ("loss", *map(name_of, settings.metrics)) if held else ()
    return figure == "loss" or figure in [f"val_{name}" for name in names]
