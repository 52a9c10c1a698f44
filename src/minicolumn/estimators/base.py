"""Base class of the multi-layer perceptrons: from scikit-learn's `fit` to a training run and back.

`fit` checks parameters and rows, holds rows out, trains (once for each restart), and sets the attributes that
scikit-learn's networks have. What targets, scores and predictions are is said by `MLPClassifier` and
`MLPRegressor`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import _check_sample_weight, _num_samples, check_is_fitted, validate_data

from minicolumn import random
from minicolumn.errors import DataError, first_line, warn_user
from minicolumn.estimators import parameters, registration  # noqa: F401
from minicolumn.estimators.card import estimator_card
from minicolumn.estimators.compiled import compiled
from minicolumn.estimators.convergence import ConvergenceState
from minicolumn.estimators.fitting import FitPlan, fit_one
from minicolumn.estimators.heads import Head
from minicolumn.estimators.holdout import Data, Features, FeaturesLike, Parts, split
from minicolumn.estimators.members import (
    OF_ONE_NETWORK,
    OUT_OF_BAG,
    OfOneNetwork,
    check_going_on,
    fit_members,
)
from minicolumn.estimators.network import (
    from_params,
    to_params,
)
from minicolumn.estimators.parameters import MLPParameters
from minicolumn.estimators.saved import fitted_to_json, load_estimator
from minicolumn.estimators.scales import check_scales
from minicolumn.estimators.sklearn_callbacks import CallbackSupportMixin, Hooks
from minicolumn.estimators.topology import hidden_of
from minicolumn.estimators.training import check_batch
from minicolumn.model import Model
from minicolumn.model.compute import Forward
from minicolumn.model.files import PathLike
from minicolumn.nn import Layer, Sequential
from minicolumn.nn.layer import Params
from minicolumn.train import History, Snapshot

Array = np.ndarray
SPARSE = ["csr", "csc"]
# scikit-learn has no annotations, from which a type checker takes the types of its defaults.
validated: Callable[..., Any] = validate_data
# What a fresh fit forgets of the one before.
_FORGOTTEN = (
    "temperature_",
    "held_outputs_",
    "held_targets_",
    "held_weights_",
    "estimators_",
    *OF_ONE_NETWORK,
    *OUT_OF_BAG,
)


class BaseMLP(CallbackSupportMixin, MLPParameters):
    """Base of the multi-layer perceptrons; subclasses say what targets, scores and predictions are.

    It implements fitting and prediction by template methods: `_encode`, `_check_targets`, `_default_score`,
    `_keep_out_of_bag`, `_target_state` and `_restore_target` must be overridden, the others may be. Weights
    live in `coefs_` and `intercepts_` alone, of an ensemble in those of its members, so that they may be
    changed there.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = parameters.CONSTRAINTS

    n_features_in_: int  # set by validate_data
    coefs_: Any = OfOneNetwork()
    intercepts_: Any = OfOneNetwork()
    t_: Any = OfOneNetwork()
    loss_curve_: Any = OfOneNetwork()
    best_loss_: Any = OfOneNetwork()
    validation_scores_: Any = OfOneNetwork()
    best_validation_score_: Any = OfOneNetwork()
    validation_loss_curve_: Any = OfOneNetwork()
    # What the network's outputs mean, known once a fit has begun.
    _meaning: Any
    # Where the training stands, for one that goes on.
    _snapshot: Snapshot | None

    # What subclasses say ------------------------------------------------------------------------------------

    def _encode(self, y: Array, first: bool, incremental: bool) -> tuple[Array, Head]:
        """Return the targets as the network takes them, and the output head.

        y               checked targets
        first           whether this fit begins from scratch, so that classes are learnt anew
        incremental     whether this is `partial_fit`, whose rows need not hold every class
        Errors          DataError for labels that the classes so far do not have
        """
        raise NotImplementedError

    def _default_score(self, data: Data, outputs: Array) -> float:
        """Return the score that `early_stopping` watches without `scoring`: accuracy or R^2; NaN if diverged.

        outputs     the network's predictions for `data`, [rows, outputs]
        """
        raise NotImplementedError

    def _strata(self, data: Data) -> Array | None:
        """Return the strata of a stratified hold-out split, class numbers [rows]; None for a plain one."""
        return None

    def _check_targets(self, X: FeaturesLike, y: ArrayLike, reset: bool) -> tuple[Features, Array]:
        """Return X and y as checked arrays of one length.

        reset       whether the number and names of features are learnt from X, or checked against it
        Errors      ValueError of scikit-learn
        """
        raise NotImplementedError

    def _class_weights(self, y: Array, weight: Array | None, incremental: bool) -> Array | None:
        """Return the sample weights times the class weights, [rows]; None for 1 each."""
        return weight

    def _held_fraction(self) -> float:
        """Return the fraction of the rows that is held out for validation; 0 for none."""
        early = self.early_stopping and self.solver != "lbfgs"
        return self.validation_fraction if early else 0.0

    def _placed(self, network: Sequential, params: Params, data: Data) -> Params:
        """Return freshly drawn weights after output-bias initialisation, where the loss asks for it."""
        return params

    def _finish(self, params: Params, parts: Parts) -> Params:
        """Return the weights to keep, after temperature scaling; keep residuals for conformal intervals."""
        return params

    def _calibrate_members(self, apart: Sequence[tuple[Data, Self]]) -> None:
        """Scale the temperature of all members, by rows that each has not seen, where that is asked for."""

    def _keep_out_of_bag(self, data: Data, outputs: Array, rows: int) -> None:
        """Keep what members predict, [found, outputs], for the rows that they held out, among so many."""
        raise NotImplementedError

    def _keep_held(self, data: Data | None, outputs: Array | None) -> None:
        """Keep predictions for rows that were held out, as conformal intervals are made of them."""

    def _target_state(self) -> dict[str, Any]:
        """Return what a file has to say of the target beside classes, as JSON values."""
        raise NotImplementedError

    def _restore_target(self, training: dict[str, Any], units: int) -> Head:
        """Set what is learnt of targets from a file's `training`, and return the output head.

        units       outputs of the file's network
        Errors      ModelFileError, whose text begins with a verb; DataError, TypeError or KeyError
        """
        raise NotImplementedError

    # Fitting ------------------------------------------------------------------------------------------------

    def _fit(
        self,
        X: FeaturesLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        X_val: FeaturesLike | None = None,
        y_val: ArrayLike | None = None,
        incremental: bool = False,
    ) -> Self:
        """Fit, warm start or partial fit: check, hold out, train from each start, keep the best.

        X               [rows, features], dense or sparse
        y               targets as the subclass takes them
        sample_weight   [rows], >= 0; rows of weight 0 are left out
        X_val, y_val    validation rows, both or neither
        incremental     one epoch over these rows, from where the last call stood
        Errors          ValueError for parameters, rows or targets that cannot be used
        """
        parameters.validate(self)
        parameters.check_parameters(self)
        if incremental and self.early_stopping:
            raise DataError("partial_fit does not support early_stopping=True")
        first = not self._has_learnt() or not (self.warm_start or incremental)
        check_going_on(self, first)
        data, head = self._prepare(X, y, sample_weight, first, incremental)
        self._begin(head, first)
        given = self._validation_rows(X_val, y_val)
        plan = FitPlan(data, head, _num_samples(X), given, first, incremental)
        hooks = self._hooks(
            X,
            y,
            sample_weight,
            self.members if self.members > 1 else plan.most_epochs(self.max_iter, self.n_restarts),
        )
        if self.members > 1:
            fit_members(self, plan, hooks)
            self._rows = {"train": len(data)}
        else:
            parts = self._hold_out(data, given, incremental)
            check_batch(self, len(parts.train))
            outcome = fit_one(self, parts, plan, hooks)
            self._rows = {} if incremental else parts.sizes
            if outcome.stopped == "interrupted":
                warn_user("Training interrupted by user.")
            if outcome.doubt:
                warn_user(outcome.doubt, ConvergenceWarning)
        hooks.end()
        return self

    def _has_learnt(self) -> bool:
        """Return whether there are weights, of one network or of several."""
        return "coefs_" in vars(self) or "estimators_" in vars(self)

    def _hooks(self, X: FeaturesLike, y: ArrayLike, sample_weight: ArrayLike | None, subtasks: int) -> Hooks:
        """Begin the context of scikit-learn's callbacks; subtasks: epochs at most, or members."""
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        attributes = lambda params: self._attributes(self._network(), params)  # noqa: E731
        return Hooks(self, X, y, metadata, subtasks, attributes)

    def _prepare(
        self,
        X: FeaturesLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        first: bool,
        incremental: bool,
    ) -> tuple[Data, Head]:
        """Return the checked and encoded rows whose weight is not 0, and the output head.

        Errors      DataError where all weights are 0, ValueError of scikit-learn for what is no data
        """
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
        """Set the attributes that are known before training, and reset the learnt ones of a fresh fit."""
        self.n_outputs_ = head.units
        self.out_activation_ = head.out_activation
        self._loss, self._meaning = head.record, head.outputs
        if first or not hasattr(self, "_seed"):
            self._seed = parameters.seed_of(self.random_state)
        if first:
            for name in _FORGOTTEN:
                self.__dict__.pop(name, None)
            self.history_ = History()
            if self.members == 1:
                self._snapshot, self._convergence, self.loss_curve_ = None, ConvergenceState(), []
                self.t_ = 0

    def _validation_rows(self, X_val: FeaturesLike | None, y_val: ArrayLike | None) -> Data | None:
        """Return the validation rows that were given, checked and encoded; None for none.

        Errors      DataError where only one of the two is given, or where they do not fit
        """
        if (X_val is None) != (y_val is None):
            raise DataError("fit: give X_val and y_val together")
        if X_val is None or y_val is None:
            return None
        try:
            X, y = self._check_targets(X_val, y_val, reset=False)
            return Data(X, self._encode(y, False, True)[0], y)
        except ValueError as error:
            raise DataError(f"X_val and y_val: {first_line(error)}") from None

    def _hold_out(self, data: Data, given: Data | None, incremental: bool) -> Parts:
        """Return training and validation rows: those that were given if any, else a random split."""
        data, calibration = self._calibration_rows(data, incremental)
        fraction = 0.0 if incremental else self._held_fraction()
        if given is not None or not fraction:
            return Parts(data, given, calibration)
        kept, held = split(data, fraction, self._split_seed(), self._strata(data), "validation_fraction")
        return Parts(kept, held, calibration)

    def _calibration_rows(self, data: Data, incremental: bool) -> tuple[Data, Data | None]:
        """Return the rows without a calibration set, and this; None for none."""
        return data, None

    def _split_seed(self) -> int:
        """Return the seed of the hold-out split, from the stream "split", so that it moves no other draw."""
        return int(random.stream(self._seed, "split")[1])

    def _scorer(self, network: Sequential, held: Data | None) -> Callable[[Params], float] | None:
        """Return the function that scores weights on the held-out rows; None where there are none.

        Errors      DataError while training where `scoring` gives anything but a number
        """
        if held is None:
            return None
        if self.scoring is None:
            return lambda params: self._default_score(held, self._outputs(params, held.X))
        from sklearn.metrics import check_scoring

        scorer: Any = check_scoring(self, scoring=self.scoring)

        def score(params: Params) -> float:
            found = scorer(self._as_of(network, params), held.X, held.target)
            if not isinstance(found, Real):
                raise DataError(f"scoring must give one number, it gave {found!r}")
            return float(found)

        return score

    def _attributes(self, network: Sequential, params: Params) -> dict[str, object]:
        """Return `coefs_` and `intercepts_` of some weights, in the dtype that the user sees."""
        coefs, intercepts = from_params(network, params, self._dtype_out)
        return {"coefs_": coefs, "intercepts_": intercepts}

    def _as_of(self, network: Sequential, params: Params) -> Self:
        """Return a shallow copy that has some weights, for scorers; it takes arrays without column names."""
        view = copy.copy(self)
        view.__dict__.update(self._attributes(network, params))
        view.__dict__.pop("feature_names_in_", None)
        return view

    # Predicting ---------------------------------------------------------------------------------------------

    def _network(self) -> Sequential:
        """Return the layers that the parameters and the target ask for, without weights."""
        network: Any = self._made()[0]
        return network.members[0] if "estimators_" in vars(self) else network

    def _made(self) -> tuple[Layer, Forward]:
        """Return the network, of an ensemble that of all members, and its compiled forward pass."""
        loss, outputs = self._loss, self._meaning
        settings = (
            hidden_of(self),
            self.activation,
            self.n_outputs_,
            self.dropout,
            self.input_dropout,
            len(vars(self).get("estimators_", ())),
        )
        return compiled(*settings, loss, outputs)

    def _ready(self, X: FeaturesLike) -> tuple[Forward, Params, Features]:
        """Return the compiled forward pass, the weights, and the checked rows.

        Errors      scikit-learn's NotFittedError; ValueError for rows of another number of features
        """
        check_is_fitted(self)
        rows = validated(self, X, accept_sparse=SPARSE, reset=False)
        return self._made()[1], self._params(), rows

    def _params(self) -> Params:
        """Return the weights as the network takes them, of an ensemble those of each member."""
        if "estimators_" in vars(self):
            return {str(n): member._params() for n, member in enumerate(self.estimators_)}
        return to_params(self._network(), self.coefs_, self.intercepts_, np.dtype(self.dtype))

    def _predictions(self, X: FeaturesLike) -> Array:
        """Return the network's predictions, [rows, outputs], output activation included."""
        run, params, X = self._ready(X)
        return run.outputs(params, X)

    def _predictions_of(self, X: Features) -> Array:
        """Return the predictions for checked rows, [rows, outputs]."""
        return self._outputs(self._params(), X)

    def _outputs(self, params: Params, X: Features) -> Array:
        """Return the predictions of some weights for checked rows, [rows, outputs]."""
        return self._made()[1].outputs(params, X)

    def save(self, path: PathLike) -> None:
        """Write a model file: network, weights, classes, parameters, learnt attributes; no code in it.

        `load` gives the estimator back, `mc.load` a model that needs no scikit-learn; of a classifier both
        answer with labels. Of a regressor with held-out rows the file also holds their targets and
        predictions, which intervals are made of; `to_model().save(path)` holds the network alone.

        path        .safetensors; an existing file is replaced
        Differs     scikit-learn's persistence is pickle, which runs code when it is loaded
        Errors      DataError where the network or its loss is an own function
        """
        model = self.to_model()
        replace(model, training={**model.training, "fitted": fitted_to_json(self)}).save(path)

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Return the fitted estimator that `save` wrote; its predictions are the same to the bit.

        The optimizer's moments are not in the file: `partial_fit` and a warm start go on from the weights
        with an optimizer that begins anew. `coefs_` are the weights as the network computes with them,
        rounded to `dtype`. Parameters that no file can hold (own functions, a `RandomState`) have their
        defaults.

        path        of a file that `save` of this class wrote
        Errors      ModelFileError, in one line, for anything else
        Differs     `joblib.load` unpickles, which can run anything that the file says
        """
        return load_estimator(cls, path)

    def to_model(self) -> Model:
        """Return the network with its weights, classes and history as a `mc.Model`, without scikit-learn.

        Its `predictor()` answers for one row in a microsecond or two, without scikit-learn's checks; it gives
        what the network gives, so probabilities where the estimator gives labels.

        Errors      scikit-learn's NotFittedError
        """
        check_is_fitted(self)
        network, params = self._made()[0], self._params()
        training = {"estimator": type(self).__name__, "epochs_run": self.n_iter_, **self._described()}
        rows, shape = self.history_.rows, (self.n_features_in_,)
        name, settings = (
            ("", {}) if self._loss is None else (self._loss.name, dict(self._loss.measured().changed))
        )
        model = Model(network, params, shape, name, training=training, history=rows, loss_settings=settings)
        return model.with_card(estimator_card(self, model))

    def encode_target(self, y: ArrayLike) -> Array:
        """Return targets as the network takes them: class numbers, or floats [rows, outputs].

        Loss landscapes, backpropagation reports and `mc.Model.evaluate` take them so.

        y           as for `fit`
        Errors      DataError for labels the classes do not have, or another number of outputs than learnt;
                    scikit-learn's NotFittedError
        """
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
        """Return what the model file says beside the network: names of features, and of classes."""
        names = getattr(self, "feature_names_in_", None)
        return {} if names is None else {"features": [str(name) for name in names]}

    def __sklearn_tags__(self) -> Tags:
        """Return scikit-learn's capabilities: sparse X is taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _stochastic(self) -> bool:
        """Return whether `partial_fit` is there; AttributeError for lbfgs, in scikit-learn's words."""
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
            )
        return True
