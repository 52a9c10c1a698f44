"""`MLPRegressor`: scikit-learn's, with what was asked of it and declined."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from minicolumn.errors import DataError
from minicolumn.estimators.base import SPARSE, BaseMLP
from minicolumn.estimators.heads import Head, losses_for, regression_head
from minicolumn.estimators.holdout import Data, Parts, split
from minicolumn.estimators.intervals import conformal_radius, why_none
from minicolumn.estimators.network import last_dense
from minicolumn.estimators.parameters import CONSTRAINTS, NamesWithSettings
from minicolumn.estimators.rollback import rollback
from minicolumn.estimators.scales import check_target_scale
from minicolumn.estimators.sklearn_callbacks import with_callbacks
from minicolumn.nn import Sequential
from minicolumn.nn.outputs import NumberOutputs

Array = np.ndarray


class MLPRegressor(RegressorMixin, BaseMLP):
    """A multi-layer perceptron for numbers, by scikit-learn's interface.

        weights = argmin  mean over rows of w_i loss(network(x_i), y_i) + (alpha / 2 |W|^2 + l1 |W|_1) / rows

    Every parameter and learnt attribute of scikit-learn's `MLPRegressor` is here with its meaning and its
    default; see its documentation for these, and `MLPClassifier` for the parameters that both classes have
    beyond it. Its own are:

    loss                "squared_error" (half of it, as in scikit-learn), "poisson", another name of
                        `mc.nn.LOSSES` for numbers, or a NumPy function of (outputs, targets, sample_weight);
                        the loss of a row is the sum over its outputs. Of one number a row,
                        `mc.nn.Loss("quantile", levels=(0.05, 0.5, 0.95))` learns quantiles that cannot cross,
                        and "gaussian_nll" mean and spread
    scoring             None is R2
    conformal_fraction  share of the rows held out to calibrate `predict_interval`; 0 takes those held out
                        for early stopping, or X_val

    Learnt beside scikit-learn's attributes: `history_` (a `mc.History`, whose `plot()` draws it, whose
    `kept` is the epoch that the weights are of; with `val_score` where rows are held out, which callbacks
    may watch), `validation_loss_curve_` where rows are held out, `held_outputs_`, `held_targets_` and
    `held_weights_` of the calibration set.

    Errors      ValueError (`mc.DataError` and scikit-learn's own) for what cannot be used
    Differs     from scikit-learn: computed in float32; the first weights are the same (quantiles and
                "gaussian_nll", which it has not, begin at the answer for all rows alike), the orders of the
                rows are not; with several outputs scikit-learn descends their summed error and reports the
                mean, here both are the sum

    >>> X = np.linspace(-2.0, 2.0, 100)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=(32,), activation="tanh", solver="lbfgs", random_state=0)
    >>> bool(model.fit(X, np.sin(2 * X[:, 0])).score(X, np.sin(2 * X[:, 0])) > 0.99)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **CONSTRAINTS,
        "loss": [NamesWithSettings(lambda: losses_for("regression")), callable],
        "conformal_fraction": [Interval(Real, 0, 1, closed="left")],
    }

    _meaning: NumberOutputs

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float | None = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        l1: float = 0.0,
        constraint: Any = None,
        scoring: Any = None,
        callbacks: Any = None,
        n_restarts: int = 1,
        conformal_fraction: float = 0.0,
        dtype: Any = "float32",
        threads: int | None = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.l1 = l1
        self.constraint = constraint
        self.scoring = scoring
        self.callbacks = callbacks
        self.n_restarts = n_restarts
        self.conformal_fraction = conformal_fraction
        self.dtype = dtype
        self.threads = threads

    @with_callbacks
    @rollback
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Any:
        """Learn from rows and their numbers.

        X               [rows, features], dense or sparse, or a pandas or polars table
        y               [rows] or [rows, outputs]
        sample_weight   [rows], >= 0: a weight of k counts as k copies of the row
        X_val, y_val    rows to measure on after each epoch; early_stopping then splits none off
        Returns         self
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @available_if(lambda estimator: estimator._stochastic())
    @with_callbacks
    @rollback
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Go over some rows once, from where the last call stood; see `MLPClassifier.partial_fit`."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the numbers expected, [rows] or [rows, outputs]; of quantiles the one nearest to 1/2.

        return_std  also return the standard deviation of each row, [rows], which "gaussian_nll" learns
        """
        outputs = self._predictions(X)
        if not return_std:
            return self._numbers(outputs)
        spread = self._meaning.spread(outputs)
        if spread is None:
            raise DataError(
                "predict: return_std needs loss='gaussian_nll', which learns the spread of each row"
            )
        return self._numbers(outputs), spread.astype(self._dtype_out, copy=False)

    def predict_quantiles(self, X: Any) -> Array:
        """Return the quantiles at the levels of the loss, [rows, levels]; in no row do they cross.

        Errors      DataError where the loss is not "quantile"
        """
        check_is_fitted(self)
        if not self._meaning.quantile_levels:
            raise DataError(
                "predict_quantiles: fit with loss=mc.nn.Loss('quantile', levels=(0.05, 0.5, 0.95))"
            )
        return self._predictions(X).astype(self._dtype_out, copy=False)

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Return ends between which the truth lies with a given probability.

        From the network alone, where it has learnt quantiles at (1 - coverage) / 2 and (1 + coverage) / 2, or
        mean and spread: as good as what it has learnt. Where rows were held out, the ends are moved by what
        they missed of those, and hold whatever the network has learnt (see `conformal_radius`): of quantiles
        by the same distance everywhere, of mean and spread by a multiple of the spread, of one number to both
        sides of it. Rows that also decided when to stop make intervals a little too narrow; those of
        `conformal_fraction` do not.

        coverage    0 < coverage < 1
        Returns     [rows, 2], or [rows, outputs, 2]: the lower end and the upper
        Errors      DataError where no rows were held out, or too few, and the network does not tell
        """
        band = self._meaning.band(self._predictions(X), coverage)
        held, targets = self.held_outputs_, self.held_targets_
        radius: Array | float = 0.0
        if held is not None and targets is not None:
            missed = self._meaning.band(held, coverage).residuals(targets)
            radius = conformal_radius(missed, coverage, self.held_weights_)
        elif not band.is_whole:
            raise DataError(why_none(self._meaning, coverage))
        ends = band.widened(radius).astype(self._dtype_out, copy=False)
        return ends[:, 0] if ends.shape[1] == 1 else ends

    # Targets and predictions --------------------------------------------------------------------------------

    def _check_targets(self, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=SPARSE,
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _encode(self, y: Array, first: bool, incremental: bool) -> tuple[Array, Head]:
        if y.dtype.kind not in "fiub":
            raise DataError(f"y must hold numbers, got {y.dtype}")
        Y = y.reshape(len(y), -1)
        head = regression_head(self.loss, Y.shape[1])
        outputs = head.outputs
        assert isinstance(outputs, NumberOutputs)
        if first and not incremental and head.out_activation == "identity":
            check_target_scale(y, placed=outputs.is_distribution)
        return Y.astype(np.float64), head

    def _numbers(self, outputs: Array) -> Array:
        outputs = outputs.astype(self._dtype_out, copy=False)
        numbers = self._meaning.expected(outputs)
        return numbers[:, 0] if numbers.ndim > 1 and numbers.shape[1] == 1 else numbers

    def _default_score(self, data: Data, outputs: Array) -> float:
        from sklearn.metrics import r2_score

        if not np.isfinite(outputs).all():
            return float("nan")
        return float(r2_score(data.target, self._numbers(outputs), sample_weight=data.weight))

    def _placed(self, network: Sequential, params: Any, data: Data) -> Any:
        # From 0 a training would first have to find the place and the unit of the numbers, by steps of a
        # fixed size; a variance that is far too small makes those steps useless. Single numbers begin where
        # scikit-learn's do; numbers whose spread overflows are refused by whoever trains.
        distribution = self._meaning.is_distribution
        bias = self._meaning.initial_bias(data.y, data.weight, self.n_outputs_) if distribution else None
        if bias is None:
            return params
        name = last_dense(network)
        return params | {name: params[name] | {"bias": bias.astype(self.dtype)}}

    # Intervals ----------------------------------------------------------------------------------------------

    def _hold_out(self, data: Data, X_val: Any, y_val: Any, incremental: bool) -> Parts:
        if not self.conformal_fraction or incremental:
            return super()._hold_out(data, X_val, y_val, incremental)
        data, calibration = split(
            data, self.conformal_fraction, self._split_seed() + 1, None, "conformal_fraction"
        )
        return replace(super()._hold_out(data, X_val, y_val, incremental), calibration=calibration)

    def _finish(self, params: Any, parts: Parts) -> Any:
        rows = parts.calibration or parts.held
        # Those of other weights say nothing of these.
        self.held_outputs_ = self.held_targets_ = self.held_weights_ = None
        if rows is not None:
            self.held_outputs_, self.held_targets_ = self._outputs(params, rows.X), rows.y
            self.held_weights_ = rows.weight
        return params
