"""`Perceptron`: Rosenblatt's perceptron, a linear classifier, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from minicolumn.errors import DataError, ShapeError, did_you_mean, warn_user
from minicolumn.estimators.one_versus_rest import (
    ClassWeight,
    MistakeBounds,
    Targets,
    known_tables,
    read_targets,
)
from minicolumn.estimators.parameters import check_class_weight
from minicolumn.estimators.perceptron_rule import PerceptronStep, RowOrders, Score, UnitStopping, train_units
from minicolumn.estimators.rollback import rollback
from minicolumn.model.rows import LabeledRows
from minicolumn.nn.classic import separation
from minicolumn.registry import Number, Setting
from minicolumn.registry.shared import EPOCHS, LEARNING_RATE, PATIENCE

Array = np.ndarray
# Its own defaults are texts, so a type checker would take nothing else.
_validate_data: Callable[..., Any] = validate_data
PENALTIES = ("l2", "l1", "elasticnet")
_NUMBERS: dict[str, Setting] = {
    "alpha": Number(help="How much the penalty counts.", ge=0),
    "l1_ratio": Number(help="Share of l1 in elasticnet.", name="l1_ratio", ge=0, le=1),
    "max_iter": EPOCHS,
    "tol": Number(help="By how much a loss must be lower.", ge=0, optional=True),
    "eta0": LEARNING_RATE,
    "validation_fraction": Number(help="Share held out.", name="validation_fraction", gt=0, lt=1),
    "n_iter_no_change": PATIENCE,
}


class Perceptron(ClassifierMixin, BaseEstimator):
    """Linear classifier that is trained by its mistakes alone: Rosenblatt's perceptron.

        z = x w + b,  y = +-1:    where y z <= 0:   w += eta0 y x,   b += eta0 y

    This is stochastic subgradient descent on the perceptron loss max(0, -y z), a row at a time. Two classes
    take one unit; more take one-versus-rest, one unit against all others for each; where y has columns of 0
    and 1, each label takes one. `mc.Trainer` trains all units side by side, and each stops by itself. On
    linearly separable rows the mistakes are bounded, see `convergence`; on others they never end.

    penalty             "l2" shrinks the weights at each row by eta0 * alpha, "l1" moves them by it towards 0,
                        "elasticnet" does both, by l1_ratio; None does neither
    alpha, l1_ratio     strength of the penalty, and which share of it is "l1"
    fit_intercept       whether the bias b is learnt
    max_iter            the most epochs of `fit`; `partial_fit` does one
    tol                 a unit stops after `n_iter_no_change` epochs whose mean loss, with the penalty and
                        without row weights, is not lower than the best by so much; None does all epochs
    shuffle             whether each epoch has its own order of rows
    verbose             above 0, the figures of each epoch are told to the logger "minicolumn"
    eta0                learning rate; without a penalty it only scales the weights
    n_jobs              taken and not needed: one training holds all units
    random_state        chooses the orders and the rows held out
    early_stopping      stop a unit by its accuracy on held-out rows instead; it keeps its last weights
    validation_fraction share of those rows
    n_iter_no_change    epochs in a row that may fail
    class_weight        {class: factor} on the learning rate, or "balanced"; for labels, {label: factor}
    warm_start          whether `fit` goes on from the last weights

    Attributes          classes_, coef_ [units, features], intercept_ [units], n_iter_ (epochs of the last
                        unit to stop), t_ (1 + rows seen), n_features_in_, feature_names_in_, multilabel_;
                        n_corrections_ [units], of the last fit
    Source              Rosenblatt 1958, "The perceptron: a probabilistic model for information storage";
                        Novikoff 1962
    Differs             from `sklearn.linear_model.Perceptron`, whose parameters these are: y may have several
                        labels; one order of rows serves all classes; X must be dense. With shuffle=False and
                        no penalty the weights are the same bits wherever sums of products are exact.

    >>> import numpy as np, minicolumn as mc
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> mc.Perceptron(tol=None, max_iter=20).fit(X, [0, 1, 1, 1]).predict(X)
    array([0, 1, 1, 1])
    """

    def __init__(
        self,
        *,
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: ClassWeight = None,
        warm_start: bool = False,
    ) -> None:
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start

    # Learning ----------------------------------------------------------------------------------------------

    @rollback
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        coef_init: ArrayLike | None = None,
        intercept_init: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train until every unit has stopped getting better, or for max_iter epochs.

        X               [rows, features]
        y               [rows] classes of any kind, or [rows, labels] of 0 and 1
        coef_init       weights to start from, shaped like coef_; else 0, or the last ones with warm_start
        intercept_init  biases to start from, shaped like intercept_
        sample_weight   [rows], factors on the learning rate
        Returns         itself; an interrupt (Ctrl-C) is raised and leaves it as it was
        Errors          ValueError for data that do not fit; DivergenceError where losses or weights leave the
                        finite numbers
        Warns           ConvergenceWarning where max_iter came first, and where the rows are XOR or its kin
        """
        self._check_parameters()
        rows, given = self._data(X, y, reset=True)
        targets = read_targets(given)
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        self._begin(rows, targets, coef_init, intercept_init)
        self._learn(rows, targets, sample_weight, self.max_iter)
        known = known_tables(rows, targets.names, *self._wrong(rows, targets))
        if known:
            warn_user(
                f"Perceptron: {'; '.join(known)}; a network with a hidden layer can: mc.MLPClassifier",
                ConvergenceWarning,
            )
        elif self.tol is not None and self.n_iter_ == self.max_iter:
            warn_user(
                f"Perceptron: stopped by max_iter={self.max_iter} before the units stopped getting better; "
                "raise max_iter, or see by `convergence(X, y)` whether a plane can divide the classes at all",
                ConvergenceWarning,
            )
        return self

    @rollback
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on some rows, from the weights as they are; without early stopping.

        X, y            as for `fit`; y need not hold every class
        classes         all classes there are, needed in the first call; labels are counted from y's columns
        sample_weight   [rows], factors on the learning rate
        Errors          as for `fit`; DataError for other classes or labels than in the calls before
        """
        self._check_parameters()
        if self.early_stopping:
            raise DataError("Perceptron: early_stopping must be False with partial_fit, which does one epoch")
        if isinstance(self.class_weight, str):
            raise DataError(
                'Perceptron: class_weight "balanced" needs all rows; give partial_fit a dict of weights'
            )
        first = not hasattr(self, "classes_")
        rows, given = self._data(X, y, reset=first)
        if first and classes is None and np.ndim(given) == 1:
            raise DataError("Perceptron: classes must be passed on the first call to partial_fit")
        told = None if classes is None else np.asarray(classes)
        if not first and told is not None and not np.array_equal(self.classes_, np.unique(told)):
            raise DataError(f"Perceptron: classes are {told.tolist()}, before {self.classes_.tolist()}")
        targets = read_targets(given, told if first else self.classes_)
        if first:
            self._begin(rows, targets, None, None)
        elif targets.multilabel != self.multilabel_:
            raise DataError("Perceptron: y has another kind of target than in the calls before")
        return self._learn(rows, targets, sample_weight, 1)

    def _data(self, X: ArrayLike, y: ArrayLike, reset: bool) -> tuple[Array, Array]:
        """Return X as float32 or float64 in C order, and y, as scikit-learn checks them.

        reset       whether the number and names of the features are noted, not compared
        """
        dtypes = (np.float64, np.float32)
        return _validate_data(self, X, y, reset=reset, dtype=dtypes, order="C", multi_output=True)

    def _begin(self, X: Array, targets: Targets, coef: ArrayLike | None, intercept: ArrayLike | None) -> None:
        """Note the classes, and the weights to start from: zeros, or a copy of given ones that fit."""
        shape = (targets.units, X.shape[1])
        weight = np.zeros(shape, X.dtype) if coef is None else np.array(coef, X.dtype)
        bias = np.zeros(shape[0], X.dtype) if intercept is None else np.array(intercept, X.dtype)
        if weight.size != shape[0] * shape[1] or bias.size != shape[0]:
            found = f"coef {list(weight.shape)} and intercept {list(bias.shape)}"
            raise ShapeError(f"Perceptron: to start from {found}, expected {list(shape)} and [{shape[0]}]")
        self.coef_, self.intercept_ = weight.reshape(shape), bias.reshape(shape[0])
        self.classes_, self.multilabel_, self.t_ = targets.classes, targets.multilabel, 1.0

    def _learn(self, X: Array, targets: Targets, sample_weight: ArrayLike | None, epochs: int) -> Self:
        """Train the units from coef_ and intercept_ as they are; note what they came to, and how.

        epochs      at most; a row's weight is that of its side in each problem times its own
        """
        weights = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        check_class_weight(self.class_weight)
        draws = check_random_state(self.random_state)
        held = self._held_out(targets, weights)
        yes, no = targets.class_weights(self.class_weight)
        positive = targets.positive
        factors = np.where(positive, yes, no).astype(X.dtype) * weights[:, None]
        rows, score = LabeledRows(X, np.where(positive, 1, -1).astype(X.dtype), factors), None
        if self.early_stopping:
            rows, score = rows.take(~held), _scorer(X[held], positive[held], weights[held])
        seed = int(draws.randint(np.iinfo(np.int32).max)) if self.shuffle else None
        orders = RowOrders(seed, len(rows), seen=int(self.t_) - 1, each=len(X))
        step = self._step(targets.units)
        start = step.first_state(self.coef_.T, self.intercept_)
        watch = UnitStopping(start, self.tol, self.n_iter_no_change, score, self.verbose > 0)
        self.n_iter_ = train_units(step, rows, start, watch, orders, epochs)
        self.coef_, self.intercept_ = np.ascontiguousarray(watch.weight.T), watch.bias
        self.n_corrections_ = watch.corrections
        self.t_ += self.n_iter_ * len(X)
        return self

    def _step(self, units: int) -> PerceptronStep:
        """Return the learning rule that the parameters ask for."""
        ratio = {"l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio, None: 0.0}[self.penalty]
        pull = 0.0 if self.penalty is None else float(self.eta0 * self.alpha)
        rate, fit_bias = float(self.eta0), bool(self.fit_intercept)
        return PerceptronStep.of(units, rate, fit_bias, shrink=(1.0 - ratio) * pull, cut=ratio * pull)

    def _held_out(self, targets: Targets, weights: Array) -> Array:
        """Return which rows are held out to judge by, bool [rows]."""
        held = np.zeros(len(weights), bool)
        if not self.early_stopping:
            return held
        splitter = ShuffleSplit if targets.multilabel else StratifiedShuffleSplit
        split = splitter(test_size=self.validation_fraction, random_state=self.random_state)
        held[next(split.split(held[:, None], targets.values))[1]] = True
        if not weights[held].any():
            raise DataError("Perceptron: all held-out rows have weight 0; choose another random_state")
        return held

    def _check_parameters(self) -> None:
        """Refuse parameters out of range: DataError, one line."""
        if self.penalty is not None and self.penalty not in PENALTIES:
            hint = did_you_mean(str(self.penalty), PENALTIES)
            raise DataError(
                f"Perceptron: unknown penalty {self.penalty!r}{hint}; there are {', '.join(PENALTIES)}, None"
            )
        for name, setting in _NUMBERS.items():
            setting.required(getattr(self, name), f"Perceptron: {name}")

    # Explaining --------------------------------------------------------------------------------------------

    def convergence(self, X: ArrayLike, y: ArrayLike) -> MistakeBounds:
        """Tell whether each unit's rows are linearly separable, and Novikoff's mistake bound; print it.

            corrections <= (R / margin)^2       R the length of the longest row, with 1 for the bias

        The perceptron convergence theorem: the bound holds whatever the order of the rows, for units that
        start from 0 and all of whose corrections are as large, so without a penalty, sample weights and class
        weights. Where no hyperplane divides the rows, training never ends by itself.

        X, y        rows, as for `fit`
        Returns     margins, bounds and a verdict for each unit, beside its corrections in the last fit
        Errors      NotFittedError before `fit`; ValueError for data that do not fit
        Source      Novikoff 1962; hyperplanes are found by linear programming, margins by least squares, so
                    this takes far longer than `fit` on many rows

        >>> import numpy as np, minicolumn as mc
        >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 0, 0, 1]
        >>> print(mc.Perceptron(tol=None, max_iter=20).fit(X, y).convergence(X, y).separation.verdicts)
        ('divides all rows',)
        """
        check_is_fitted(self)
        rows, given = self._data(X, y, reset=False)
        targets = read_targets(given, self.classes_)
        wrong, signs = self._wrong(rows, targets)
        found = separation(rows.astype(np.float64), signs, wrong.sum(axis=0), self.fit_intercept)
        return MistakeBounds(found, self.n_corrections_, targets.names)

    def _wrong(self, X: Array, targets: Targets) -> tuple[Array, Array]:
        """Return where each unit is wrong, bool, and what it should say, +1 or -1; [rows, units] each."""
        signs = np.where(targets.positive, 1.0, -1.0)
        return signs * (X @ self.coef_.T + self.intercept_) <= 0, signs

    # Answering ---------------------------------------------------------------------------------------------

    def decision_function(self, X: ArrayLike) -> Array:
        """Return each unit's score, x w + b: above 0 for its own class, or for the second of two.

        X           [rows, features]
        Returns     [rows] for two classes, else [rows, classes] or [rows, labels]
        """
        check_is_fitted(self)
        rows = _validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        scores = rows @ self.coef_.T + self.intercept_
        return scores if self.multilabel_ or len(self.classes_) > 2 else scores[:, 0]

    def predict(self, X: ArrayLike) -> Array:
        """Return the class of each row, [rows], or its labels as 0 and 1, [rows, labels].

        X           [rows, features]
        Returns     of several classes that of the highest score; of equal ones the first
        Errors      NotFittedError before `fit`; ValueError for data that do not fit
        """
        scores = self.decision_function(X)
        if self.multilabel_:
            return (scores > 0).astype(int)
        return self.classes_[scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        return tags


def _scorer(X: Array, positive: Array, weights: Array) -> Score:
    """Return the function that gives each unit's weighted accuracy on held-out rows.

    X           [rows, fan_in]; positive: bool [rows, units]; weights: [rows], not all 0
    Returns     a function of weight [fan_in, units] and bias [units] that gives [units]
    """

    def score(weight: Array, bias: Array) -> Array:
        right = (X @ weight + bias > 0) == positive
        return np.average(right, axis=0, weights=weights)

    return score
