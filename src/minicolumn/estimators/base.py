"""What both estimators share: from scikit-learn's fit to a training, and its learnt attributes."""

from __future__ import annotations

import copy
import functools
import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from minicolumn import random
from minicolumn.errors import DataError
from minicolumn.estimators import parameters, registration  # noqa: F401
from minicolumn.estimators.convergence import say
from minicolumn.estimators.heads import Head
from minicolumn.estimators.holdout import Data, Parts, split
from minicolumn.estimators.network import (
    build_network,
    carried_over,
    check_sizes,
    dense_layers,
    draw_weights,
    from_params,
    to_params,
)
from minicolumn.estimators.scales import check_scales
from minicolumn.estimators.sklearn_callbacks import CallbackSupportMixin, Hooks
from minicolumn.estimators.training import Books, NothingLearnt, Outcome, Task, train
from minicolumn.model import Model
from minicolumn.model.compute import Forward, forward
from minicolumn.model.files import PathLike
from minicolumn.nn import Loss, Sequential
from minicolumn.nn.outputs import NumberOutputs, Outputs
from minicolumn.registry import is_plain
from minicolumn.train import History, Snapshot

Array = np.ndarray
SPARSE = ["csr", "csc"]
# What a fresh fit forgets of the one before.
_FORGOTTEN = (
    "coefs_",
    "intercepts_",
    "validation_scores_",
    "validation_loss_curve_",
    "temperature_",
    "held_outputs_",
    "held_targets_",
    "held_weights_",
)


class BaseMLP(CallbackSupportMixin, BaseEstimator):
    """A multi-layer perceptron as scikit-learn knows it; subclasses say what targets and scores are."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = parameters.CONSTRAINTS

    # Set by subclasses' __init__, and by validate_data.
    hidden_layer_sizes: Any
    activation: Any
    solver: Any
    max_iter: int
    random_state: Any
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    dropout: Any
    input_dropout: float
    scoring: Any
    n_restarts: int
    dtype: Any
    n_features_in_: int
    # What the network's outputs mean, known once a fit has begun.
    _meaning: Any

    # What subclasses say ------------------------------------------------------------------------------------

    def _encode(self, y: Array, first: bool, incremental: bool) -> tuple[Array, Head]:
        """Return the targets for the network, and its end."""
        raise NotImplementedError

    def _default_score(self, data: Data, outputs: Array) -> float:
        """Return the score of predictions on some rows."""
        raise NotImplementedError

    def _strata(self, data: Data) -> Array | None:
        """Return by what rows are held out evenly."""
        return None

    def _check_targets(self, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
        """Return X and y as checked arrays."""
        raise NotImplementedError

    def _class_weights(self, y: Array, weight: Array | None, incremental: bool) -> Array | None:
        """Return the weights of the rows with those of their classes."""
        return weight

    def _held_fraction(self) -> float:
        """Return what share of the rows is held out to measure on."""
        early = self.early_stopping and self.solver != "lbfgs"
        return self.validation_fraction if early else 0.0

    def _placed(self, network: Sequential, params: Any, data: Data) -> Any:
        """Return freshly drawn weights, moved to where the targets are."""
        return params

    def _finish(self, params: Any, parts: Parts) -> Any:
        """Return the weights to keep, once the training is over."""
        return params

    # Fitting ------------------------------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any = None,
        y_val: Any = None,
        incremental: bool = False,
    ) -> Any:
        parameters.validate(self)
        parameters.check_parameters(self)
        if incremental and self.early_stopping:
            raise DataError("partial_fit does not support early_stopping=True")
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        data, head = self._prepare(X, y, sample_weight, first, incremental)
        self._begin(head, first)
        network = self._network()
        self.n_layers_ = 1 + len(dense_layers(network))
        parts = self._hold_out(data, X_val, y_val, incremental)
        epochs, restarts = (1, 1) if incremental else (self.max_iter, self.n_restarts if first else 1)
        hooks = self._hooks(network, X, y, sample_weight, epochs * restarts)
        task = self._task(network, head, parts, epochs, hooks)
        starts = [
            (seed, self._start(network, seed, incremental, parts.train)) for seed in self._seeds(restarts)
        ]
        outcome = self._best_of([replace(task, seed=seed, start=start) for seed, start in starts])
        if outcome.stopped == "all epochs" and not incremental:
            _warn_of_the_end(self.max_iter)
        self._learn(outcome, len(parts.train))
        params = self._finish(outcome.params, parts)
        self._optimizer = parameters.optimizer_after(self, self.t_, self._books.factor)
        self.coefs_, self.intercepts_ = from_params(network, params, self._dtype_out)
        hooks.end()
        return self

    def _best_of(self, tasks: list[Task]) -> Outcome:
        """Train from each start, and return what came of the best; one that diverges at once is none."""
        outcomes: dict[int, Outcome] = {}
        for number, task in enumerate(tasks, 1):
            say(self.verbose and len(tasks) > 1, f"Start {number} of {len(tasks)}")
            try:
                outcomes[number] = train(task)
            except NothingLearnt:
                if number == len(tasks) and not outcomes:
                    raise
                say(self.verbose, f"Start {number} diverged")
        best = min(outcomes, key=lambda number: outcomes[number].figure(self.early_stopping))
        say(self.verbose and len(tasks) > 1, f"Start {best} is the best, and kept")
        return outcomes[best]

    def _hooks(self, network: Sequential, X: Any, y: Any, sample_weight: Any, epochs: int) -> Hooks:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        attributes = lambda params: self._attributes(network, params)  # noqa: E731
        return Hooks(self, X, y, metadata, epochs, attributes)

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, first: bool, incremental: bool
    ) -> tuple[Data, Head]:
        """Return the rows that count, and the end of the network."""
        X, y = self._check_targets(X, y, reset=first)
        # Weights come in the dtype of X, as scikit-learn's do, whatever they were computed in.
        self._dtype_out = np.result_type(X.dtype, np.dtype(self.dtype))
        encoded, head = self._encode(y, first, incremental)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        weight = self._class_weights(y, weight, incremental)
        data = Data(X, encoded, y, weight)
        if weight is not None and not weight.all():
            if not weight.any():
                raise DataError("sample_weight must not be 0 for all rows")
            data = data.take(np.flatnonzero(weight))
        if first:
            check_scales(X, np.dtype(self.dtype), getattr(self, "feature_names_in_", None))
        return data, head

    def _begin(self, head: Head, first: bool) -> None:
        """Set what is known before the first step, and what a fresh fit forgets."""
        self.n_outputs_ = head.units
        self.out_activation_ = head.out_activation
        self._loss, self._meaning = head.record, head.outputs
        if first or not hasattr(self, "_seed"):
            self._seed = _seed_of(self.random_state)
        if first:
            self._snapshot, self._books = None, Books()
            self.history_, self.loss_curve_ = History(), []
            self.t_ = 0
            for name in _FORGOTTEN:
                self.__dict__.pop(name, None)

    def _hold_out(self, data: Data, X_val: Any, y_val: Any, incremental: bool) -> Parts:
        """Return the rows to train on, and those held out."""
        if (X_val is None) != (y_val is None):
            raise DataError("fit: give X_val and y_val together")
        if X_val is not None:
            try:
                X, y = self._check_targets(X_val, y_val, reset=False)
                return Parts(data, Data(X, self._encode(y, False, True)[0], y))
            except ValueError as error:
                raise DataError(f"X_val and y_val: {str(error).splitlines()[0]}") from None
        fraction = 0.0 if incremental else self._held_fraction()
        if not fraction:
            return Parts(data)
        return Parts(*split(data, fraction, self._split_seed(), self._strata(data), "validation_fraction"))

    def _split_seed(self) -> int:
        return int(random.stream(self._seed, "split")[1])

    def _task(self, network: Sequential, head: Head, parts: Parts, epochs: int, hooks: Hooks) -> Task:
        return Task(
            estimator=self,
            network=network,
            head=head,
            data=parts.train,
            held=parts.held,
            start=Snapshot(None),
            seed=self._seed,
            epochs=epochs,
            hooks=hooks,
            seen=getattr(self, "t_", 0),
            books=getattr(self, "_books", Books()),
            score=self._scorer(network, parts.held),
        )

    def _seeds(self, count: int) -> list[int]:
        """Return a seed for each random start."""
        key = random.key(self._seed)
        return [self._seed, *(int(random.fold_in(key, k)[1]) for k in range(1, count))]

    def _start(self, network: Sequential, seed: int, incremental: bool, data: Data) -> Snapshot:
        """Return where to start: at random weights, or at those learnt so far."""
        dtype = np.dtype(self.dtype)
        if not hasattr(self, "coefs_"):
            drawn = draw_weights(network, self.n_features_in_, seed, dtype)
            return Snapshot(self._placed(network, drawn, data))
        check_sizes(network, self.intercepts_)
        stood = getattr(self, "_snapshot", None) or Snapshot(None)
        params = to_params(network, self.coefs_, self.intercepts_, dtype)
        if not incremental or stood.moments is None:
            return replace(stood, params=params, moments=None, best_epoch=0)
        if stood.params is not None:  # of an optimizer that averages: those that it trains are others
            params = carried_over(network, stood.params)
        return replace(stood, params=params, moments=carried_over(network, stood.moments), best_epoch=0)

    def _scorer(self, network: Sequential, held: Data | None) -> Any:
        """Return the function that scores weights on the held rows."""
        if held is None:
            return None
        if self.scoring is None:
            return lambda params: self._default_score(held, self._outputs(params, held.X))
        from sklearn.metrics import check_scoring

        scorer: Any = check_scoring(self, scoring=self.scoring)

        def score(params: Any) -> float:
            found = scorer(self._as_of(network, params), held.X, held.target)
            if not isinstance(found, Real):
                raise DataError(f"scoring must give one number, it gave {found!r}")
            return float(found)

        return score

    def _attributes(self, network: Sequential, params: Any) -> dict[str, Any]:
        coefs, intercepts = from_params(network, params, self._dtype_out)
        return {"coefs_": coefs, "intercepts_": intercepts}

    def _as_of(self, network: Sequential, params: Any) -> Any:
        """Return the estimator as it is at some moment of its training; it takes arrays without names."""
        view = copy.copy(self)
        view.__dict__.update(self._attributes(network, params))
        view.__dict__.pop("feature_names_in_", None)
        return view

    def _learn(self, outcome: Outcome, rows: int) -> None:
        """Set the attributes that a training gives."""
        fresh = len(outcome.losses)
        self.n_iter_ = fresh
        self.loss_ = outcome.loss
        trained = outcome.snapshot.params if parameters.averages(self) else None
        self._snapshot = replace(outcome.snapshot, params=trained, best_params=None)
        self._books, self.history_ = outcome.books, outcome.history
        self.t_ = getattr(self, "t_", 0) + (fresh * rows if self.solver != "lbfgs" else 0)
        self.loss_curve_ = [*getattr(self, "loss_curve_", []), *outcome.losses]
        self._no_improvement_count = outcome.books.idle
        scored = outcome.scores is not None
        before = getattr(self, "validation_scores_", None) or []
        self.validation_scores_ = [*before, *outcome.scores] if outcome.scores is not None else None
        self.best_validation_score_ = outcome.books.best_score if scored else None
        self.best_loss_ = None if self.early_stopping else outcome.books.best_loss
        if scored:
            self.validation_loss_curve_ = [row["val_loss"] for row in self.history_ if "val_loss" in row]

    # Predicting ---------------------------------------------------------------------------------------------

    def _network(self) -> Sequential:
        return self._made()[0]

    def _made(self) -> tuple[Sequential, Forward]:
        """Return the network, and what it is at work."""
        loss, outputs = self._loss, self._meaning
        settings = (
            self.hidden_layer_sizes,
            self.activation,
            self.n_outputs_,
            self.dropout,
            self.input_dropout,
        )
        return (_kept if is_plain((*settings, loss, outputs)) else _make)(*settings, loss, outputs)

    def _ready(self, X: Any) -> tuple[Forward, Any, Any]:
        """Return the network at work, its weights, and the rows once they are checked."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=SPARSE, reset=False)
        network, run = self._made()
        return run, to_params(network, self.coefs_, self.intercepts_, np.dtype(self.dtype)), X

    def _predictions(self, X: Any) -> Array:
        """Return what the network makes of rows that are still to be checked, [rows, outputs]."""
        run, params, X = self._ready(X)
        return run.outputs(params, X)

    def _outputs(self, params: Any, X: Any) -> Array:
        """Return what the network makes of checked rows with some weights, [rows, outputs]."""
        return self._made()[1].outputs(params, X)

    def save(self, path: PathLike) -> None:
        """Write a model file, which `mc.load` opens: network, weights, classes, history; no code in it.

        Errors      DataError where the network or its loss is an own function
        """
        self.to_model().save(path)

    def to_model(self) -> Model:
        """Return the network with its weights, classes and history as a `mc.Model`.

        Its `predictor()` answers for one row in a microsecond or two, without scikit-learn's checks; it gives
        what the network gives, so probabilities where the estimator gives labels.
        """
        check_is_fitted(self)
        network = self._network()
        params = to_params(network, self.coefs_, self.intercepts_, np.dtype(self.dtype))
        training = {"estimator": type(self).__name__, "epochs_run": self.n_iter_, **self._described()}
        rows, shape = self.history_.rows, (self.n_features_in_,)
        name, settings = (
            ("", {}) if self._loss is None else (self._loss.name, dict(self._loss.measured().changed))
        )
        return Model(network, params, shape, name, training=training, history=rows, loss_settings=settings)

    def encode_target(self, y: Any) -> Array:
        """Return targets as the network takes them: class numbers, or floats [rows, outputs]."""
        check_is_fitted(self)
        y = np.asarray(y)
        if y.ndim not in (1, 2) or not y.size:
            raise DataError(f"encode_target: y has shape {list(y.shape)}, expected [rows] or [rows, outputs]")
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        encoded, head = self._encode(y, first=False, incremental=True)
        if head.units != self.n_outputs_:
            raise DataError(
                f"encode_target: y of shape {list(y.shape)} asks for {head.units} outputs, the network has "
                f"{self.n_outputs_}"
            )
        return encoded

    def _described(self) -> dict[str, Any]:
        """Return what the model file says beside the network."""
        names = getattr(self, "feature_names_in_", None)
        return {} if names is None else {"features": [str(name) for name in names]}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _stochastic(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
            )
        return True


def _make(
    sizes: Any,
    activation: Any,
    units: int,
    dropout: Any,
    input_dropout: float,
    loss: Loss | None,
    outputs: Outputs,
) -> tuple[Sequential, Forward]:
    end = outputs.end if isinstance(outputs, NumberOutputs) else ()
    network = build_network(sizes, activation, units, dropout, input_dropout, end)
    return network, forward(network, loss, outputs)


_kept = functools.lru_cache(maxsize=32)(_make)


def _seed_of(random_state: Any) -> int:
    """Return a seed: an integer is one, everything else draws one."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _warn_of_the_end(epochs: int) -> None:
    warnings.warn(
        f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the optimization hasn't converged "
        "yet.",
        ConvergenceWarning,
        stacklevel=5,
    )
