"""`MLPRegressor`: scikit-learn's multi-layer perceptron regressor, with probabilistic losses and intervals.

Added are what `MLPClassifier` adds, losses that learn a predictive distribution (quantiles, mean and spread),
and split conformal prediction intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from minicolumn.errors import DataError
from minicolumn.estimators.base import SPARSE, BaseMLP, validated
from minicolumn.estimators.heads import Head, losses_for, regression_head
from minicolumn.estimators.holdout import Data, Features, FeaturesLike, Parts, split
from minicolumn.estimators.intervals import conformal_radius, why_none
from minicolumn.estimators.members import spread_out
from minicolumn.estimators.network import Activation, last_dense
from minicolumn.estimators.parameters import (
    CONSTRAINTS,
    NamesWithSettings,
    RandomState,
    Scoring,
)
from minicolumn.estimators.rollback import rollback
from minicolumn.estimators.saved import arrays_from_json, arrays_to_json
from minicolumn.estimators.scales import check_target_scale
from minicolumn.estimators.sklearn_callbacks import for_stochastic_solvers, with_callbacks
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.nn import Loss, Sequential
from minicolumn.nn.layer import Params
from minicolumn.nn.losses import as_loss
from minicolumn.nn.outputs import NumberOutputs
from minicolumn.optim import Optimizer
from minicolumn.train.callbacks import CallbackLike
from minicolumn.train.types import Constraint, LossFunction, ScheduleFunction

Array = np.ndarray


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron regressor with scikit-learn's interface, trained by native code.

        weights = argmin  mean over rows of w_i loss(network(x_i), y_i) + (alpha / 2 |W|^2 + l1 |W|_1) / rows
        loss    = sum over the targets of (network(x) - y)^2 / 2

    Every parameter and learnt attribute of scikit-learn's `MLPRegressor` is here with its meaning and its
    default. `MLPClassifier` explains those that both classes have, scikit-learn's and others; its
    class_weight and calibrate are for classes only. Of this class's own:

    loss                "squared_error" (half of it, as in scikit-learn), "poisson", another name of
                        `mc.nn.LOSSES` for numbers, or a NumPy function of (outputs, targets, sample_weight);
                        the loss of a row is the sum over its outputs. Of one number a row,
                        `mc.nn.Loss("quantile", levels=(0.05, 0.5, 0.95))` learns quantiles that cannot cross,
                        and "gaussian_nll" mean and standard deviation
    scoring             what early stopping watches; None is R^2, the coefficient of determination
    conformal_fraction  fraction of the rows held out to calibrate `predict_interval`; 0 takes those held out
                        for early stopping, or X_val. Of several members all leave these rows out; those held
                        out in turn for early stopping make jackknife intervals, without a promise for every
                        network (see `minicolumn.model.residuals`)

    Learnt attributes beside those of `MLPClassifier`, which has classes_ and temperature_ instead:

    oob_prediction_     of several members, what is predicted for each row by those that held it out, NaN
                        where none did, and oob_score_, their R^2; as `MLPClassifier` has them
    held_outputs_       predictions for the calibration set, [rows, outputs]; None without one
    held_targets_       its targets, [rows, targets]
    held_weights_       its sample weights, [rows], or None

    Errors      ValueError (`mc.DataError` and scikit-learn's own) for what cannot be used
    Source      Rumelhart, Hinton & Williams 1986; Koenker & Bassett 1978 for quantile regression; Nix &
                Weigend 1994 for "gaussian_nll"; `conformal_radius` names those of the intervals
    Differs     from scikit-learn: computed in float32; the initial weights are the same (quantiles and
                "gaussian_nll", which it lacks, begin at the marginal distribution of the targets), the orders
                of the rows are not; with several outputs scikit-learn descends their summed error and reports
                the mean, here both are the sum

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
        loss: str | Loss | LossFunction = "squared_error",
        hidden_layer_sizes: ArrayLike = (100,),
        activation: Activation | Sequence[Activation] = "relu",
        *,
        n_layers: int | None = None,
        width: int | None = None,
        shape: str | None = None,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: str | ScheduleFunction = "constant",
        learning_rate_init: float | None = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        l1: float = 0.0,
        constraint: str | Constraint | None = None,
        scoring: Scoring | None = None,
        callbacks: CallbackLike | Sequence[CallbackLike] | None = None,
        init_from: Model | PathLike | None = None,
        n_restarts: int = 1,
        members: int = 1,
        conformal_fraction: float = 0.0,
        dtype: DTypeLike = "float32",
        threads: int | None = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.n_layers = n_layers
        self.width = width
        self.shape = shape
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
        self.init_from = init_from
        self.n_restarts = n_restarts
        self.members = members
        self.conformal_fraction = conformal_fraction
        self.dtype = dtype
        self.threads = threads

    @with_callbacks
    @rollback
    def fit(
        self,
        X: FeaturesLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: FeaturesLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the network to rows and their targets.

        X               [rows, features], dense or sparse, or a pandas or polars table
        y               [rows] or [rows, targets]; best near mean 0 and standard deviation 1
        sample_weight   [rows], >= 0: a weight of k counts as k copies of the row
        X_val, y_val    validation rows, measured after each epoch; early_stopping then splits none off
        Returns         self
        Errors          ValueError, of which DataError is one, for what cannot be used, and where the first
                        epoch diverges; the estimator is then as it was before
        Warns           ConvergenceWarning where max_iter ends it, or a later divergence does; UserWarning for
                        columns or targets that should be scaled
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @for_stochastic_solvers
    @with_callbacks
    @rollback
    def partial_fit(self, X: FeaturesLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train for one epoch over some rows, from where the last call stood: incremental learning.

        k calls with the same rows are `fit` with max_iter=k, to the bit; see `MLPClassifier.partial_fit`.

        X, y            as for `fit`, with the same number of features and targets in each call
        sample_weight   [rows], >= 0
        Returns         self
        Errors          DataError with early_stopping; AttributeError for solver="lbfgs"
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: FeaturesLike, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Return the expected target of each row; of quantiles the one whose level is nearest to 1/2.

        X           [rows, features], dense or sparse, or a pandas or polars table
        return_std  also return the standard deviation of each row, [rows], which "gaussian_nll" learns
        Returns     [rows], or [rows, targets]; with return_std a pair
        Errors      DataError for return_std with another loss; scikit-learn's NotFittedError; ValueError for
                    another number of features
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

    def predict_quantiles(self, X: FeaturesLike) -> Array:
        """Return the conditional quantiles at the levels of the loss; in no row do they cross.

        The last layer gives the first quantile and non-negative differences (a monotone quantile head).

        X           as for `predict`
        Returns     [rows, levels], ascending in each row
        Errors      DataError where the loss is not "quantile"

        >>> X = np.linspace(-1.0, 1.0, 200)[:, None]
        >>> loss = "quantile:levels=0.1+0.5+0.9"
        >>> model = MLPRegressor(loss, (8,), solver="lbfgs", random_state=0).fit(X, X[:, 0])
        >>> model.predict_quantiles(X[:2]).shape
        (2, 3)
        """
        check_is_fitted(self)
        if not self._meaning.quantile_levels:
            raise DataError(
                "predict_quantiles: fit with loss=mc.nn.Loss('quantile', levels=(0.05, 0.5, 0.95))"
            )
        return self._predictions(X).astype(self._dtype_out, copy=False)

    def predict_interval(self, X: FeaturesLike, coverage: float = 0.9) -> Array:
        """Return prediction intervals: ends between which the target lies with a given probability.

            band(x) widened by q,       q = the ceil((n + 1) coverage)-th smallest residual of n held-out rows

        From the network alone, where it has learnt quantiles at (1 - coverage) / 2 and (1 + coverage) / 2, or
        mean and spread: as good as what it has learnt. Where rows were held out, the ends are moved by what
        they missed of those, and hold whatever the network has learnt (see `conformal_radius`): of quantiles
        by the same distance everywhere, of mean and spread by a multiple of the spread, of one number to both
        sides of it. Rows that also decided when to stop make intervals a little too narrow; those of
        `conformal_fraction` do not.

        X           as for `predict`
        coverage    0 < coverage < 1, marginal over rows: not the same for every x
        Returns     [rows, 2], or [rows, targets, 2]: the lower end and the upper
        Errors      DataError where no rows were held out, or too few, and the network does not tell
        Source      `conformal_radius`; Romano, Patterson & Candes 2019 (arXiv 1905.03222) for quantiles

        >>> rng = np.random.default_rng(0)
        >>> X, noise = rng.uniform(-1, 1, (500, 1)), rng.normal(0, 0.1, 500)
        >>> model = MLPRegressor(
        ...     hidden_layer_sizes=(8,), solver="lbfgs", conformal_fraction=0.3, random_state=0
        ... ).fit(X, X[:, 0] + noise)
        >>> low, high = model.predict_interval(np.array([[0.5]]), coverage=0.9)[0]
        >>> bool(low < 0.5 < high), bool(0.25 < high - low < 0.45)  # 2 x 1.645 x 0.1 = 0.33
        (True, True)
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

    def _check_targets(self, X: FeaturesLike, y: ArrayLike, reset: bool) -> tuple[Features, Array]:
        checked, targets = validated(
            self,
            X,
            y,
            accept_sparse=SPARSE,
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        single = targets.ndim == 2 and targets.shape[1] == 1
        return checked, column_or_1d(targets, warn=True) if single else targets

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

    def _target_state(self) -> dict[str, Any]:
        return {"held": arrays_to_json((self.held_outputs_, self.held_targets_, self.held_weights_))}

    def _restore_target(self, training: dict[str, Any], units: int) -> Head:
        outputs, targets, self.held_weights_ = arrays_from_json(training["fitted"]["held"], 3)
        self.held_outputs_, self.held_targets_ = outputs, targets
        record = as_loss(self.loss)
        describes_one = record is not None and cast(NumberOutputs, record.outputs).describes_one
        head = regression_head(self.loss, 1 if describes_one else units)
        if outputs is not None and (outputs.ndim, outputs.shape[-1]) != (2, units):
            raise DataError("held-out outputs are of another network")
        return head

    def _numbers(self, outputs: Array) -> Array:
        """Return the point predictions of outputs [rows, outputs]: [rows], or [rows, targets] of several."""
        outputs = outputs.astype(self._dtype_out, copy=False)
        numbers = self._meaning.expected(outputs)
        return numbers[:, 0] if numbers.ndim > 1 and numbers.shape[1] == 1 else numbers

    def _default_score(self, data: Data, outputs: Array) -> float:
        from sklearn.metrics import r2_score

        if not np.isfinite(outputs).all():
            return float("nan")
        return float(r2_score(data.target, self._numbers(outputs), sample_weight=data.weight))

    def _placed(self, network: Sequential, params: Params, data: Data) -> Params:
        """Return the weights after output-bias initialisation at the marginal distribution of the targets.

        Only of losses that learn a distribution; the others begin as scikit-learn's do.
        """
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

    def _calibration_rows(self, data: Data, incremental: bool) -> tuple[Data, Data | None]:
        """Split the conformal calibration set off, before any validation rows are."""
        if not self.conformal_fraction or incremental:
            return data, None
        return split(data, self.conformal_fraction, self._split_seed() + 1, None, "conformal_fraction")

    def _finish(self, params: Params, parts: Parts) -> Params:
        """Keep predictions and targets of the calibration set, or else of the validation rows."""
        rows = parts.calibration or parts.held
        self._keep_held(rows, None if rows is None else self._outputs(params, rows.X))
        return params

    def _keep_held(self, data: Data | None, outputs: Array | None) -> None:
        # Those of other weights say nothing of these.
        self.held_outputs_ = self.held_targets_ = self.held_weights_ = None
        if data is not None:
            self.held_outputs_, self.held_targets_, self.held_weights_ = outputs, data.y, data.weight

    def _keep_out_of_bag(self, data: Data, outputs: Array, rows: int) -> None:
        self.oob_prediction_ = spread_out(self._numbers(outputs), data, rows)
