"""`MLPClassifier`: scikit-learn's multi-layer perceptron classifier, trained natively, with more parameters.

Added are those that were asked of scikit-learn and declined there: dropout, other activations and losses,
class weights, validation rows of one's own, callbacks, calibration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import Tags, column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from minicolumn.errors import DataError
from minicolumn.estimators.base import SPARSE, BaseMLP, validated
from minicolumn.estimators.heads import Head, classification_head, losses_for
from minicolumn.estimators.holdout import Data, Features, FeaturesLike, Parts
from minicolumn.estimators.members import spread_out
from minicolumn.estimators.network import Activation, from_params, last_dense
from minicolumn.estimators.parameters import (
    CONSTRAINTS,
    ClassWeight,
    NamesWithSettings,
    RandomState,
    Scoring,
    check_class_weight,
)
from minicolumn.estimators.rollback import rollback
from minicolumn.estimators.sklearn_callbacks import for_stochastic_solvers, with_callbacks
from minicolumn.model.classifier import check_label_count, labels_from_json, labels_to_json
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.nn import Loss
from minicolumn.nn.layer import Params
from minicolumn.nn.outputs import ClassOutputs
from minicolumn.optim import Optimizer
from minicolumn.tabular.calibrate import best_factor
from minicolumn.train.callbacks import CallbackLike
from minicolumn.train.types import Constraint, LossFunction, ScheduleFunction

Array = np.ndarray


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron classifier with scikit-learn's interface, trained by native code.

        weights = argmin  mean over rows of w_i loss(network(x_i), y_i) + (alpha / 2 |W|^2 + l1 |W|_1) / rows
        loss    = - log softmax(z)[class],   for two classes log(1 + e^-sz), s = +-1,   for labels their sum

    Every parameter of scikit-learn's `MLPClassifier` is here with its meaning and its default:

    hidden_layer_sizes  units of each hidden layer, (100,); an integer is one layer
    activation          of the hidden layers: "identity", "logistic", "tanh" or "relu"
    solver              "adam", "sgd" or "lbfgs", which takes all rows at once
    alpha               strength of the L2 penalty, 0.0001; biases are not penalised
    batch_size          rows of a mini-batch; "auto" is min(200, rows)
    learning_rate       of "sgd": "constant", "invscaling", rate / (rows seen + 1)^power_t, or "adaptive",
                        which divides the rate by 5 on each plateau
    learning_rate_init  the first learning rate, 0.001; power_t: the exponent of "invscaling", 0.5
    max_iter            epochs at most, 200; of lbfgs iterations. max_fun: its evaluations of the loss, 15000
    shuffle             whether each epoch has its own order of the rows
    random_state        an integer for the same result each time; None draws a seed
    tol                 the least improvement that counts, 1e-4, elsewhere called min_delta
    n_iter_no_change    epochs without one until the training stops, 10
    verbose             whether to write a line an epoch
    warm_start          whether `fit` goes on from the weights so far
    momentum            of "sgd", 0.9; nesterovs_momentum: whether it looks ahead
    early_stopping      whether rows are held out, whose score decides when to stop and which weights to keep
    validation_fraction of the rows that is held out, 0.1
    beta_1, beta_2, epsilon     of "adam": decay rates of the two moments, and what keeps 0 / 0 away

    Beyond scikit-learn's, in these and in parameters of its own:

    n_layers, width, shape      in place of hidden_layer_sizes, for searches that draw plain numbers: hidden
                        layers (1), units of the first (100), and whether it is "constant", "funnel" (each
                        half as wide as the one before) or "pyramid" (even steps down)
    activation          also any name of `mc.nn.ACTIVATIONS`, with settings as in "leaky_relu:slope=0.3", a
                        NumPy function, or a list, one a hidden layer
    solver              also any name of `mc.optim.OPTIMIZERS`, or a record such as `mc.optim.AdamW(1e-3)`,
                        whose own learning rate then counts
    learning_rate       also a schedule: a name of `mc.optim.SCHEDULES` or a record such as
                        `mc.optim.Cosine()`, for any solver but lbfgs
    loss                "log_loss", a name of `mc.nn.LOSSES` that fits the target, or a NumPy function of
                        (outputs, targets, sample_weight): raw outputs [batch, outputs], and class numbers
                        int [batch] of several classes, else 0 or 1, [batch, outputs]
    class_weight        None, "balanced" or {class: weight}: as if each row had its class's as sample_weight
    learning_rate_init  None is the solver's own: 0.001 for "adam" and "sgd", else the default of its record
    dropout             rate after the hidden layers, one for all or one for each
    input_dropout       rate of the inputs
    l1                  strength of the L1 penalty, shared by the rows of a batch as `alpha` is
    constraint          `mc.nn.MaxNorm(3)` or its kin, applied to the weights after each step
    scoring             what early stopping watches: a scorer's name, or a function of (estimator, X, y);
                        None is accuracy
    callbacks           `mc.Callback` objects for `fit`, such as `mc.EarlyStopping`
    init_from           a model, or the path of its file: a fit that would begin with random weights begins
                        with its hidden layers, of which units and activations are those asked for; the
                        output layer is drawn. With warm_start a second fit goes on from the first, as ever
    n_restarts          so many random starts, of which the best is kept: by the score of the held-out rows,
                        or by the loss where none are held out
    members             so many networks are trained side by side, one thread each, and their probabilities
                        averaged; 1 is scikit-learn's one network. See below
    calibrate           whether held-out rows choose a temperature for the probabilities; it changes no label
    dtype               of the computation, float32 unless asked otherwise; lbfgs computes in float64
    threads             the most that native code uses; the bits do not depend on it

    Learnt attributes, scikit-learn's first:

    coefs_, intercepts_ weights [fan_in, units] and biases [units] of each layer; they may be changed
    classes_            the labels, sorted; of several labels a row, their indices
    loss_, best_loss_   training loss of the last epoch, and the least; the latter None with early_stopping
    loss_curve_         training loss of each epoch, the penalty included
    validation_scores_, best_validation_score_  of the held-out rows; None where there are none
    n_iter_, t_         epochs of the last fit; rows seen over all epochs
    n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_   the network's dimensions
    history_            a `mc.History`: `plot()` draws it, `kept` is the epoch that the weights are of; with
                        `val_score` where rows are held out, which callbacks may watch
    validation_loss_curve_  loss of the held-out rows after each epoch
    temperature_        of the calibration: probabilities are softmax(z / temperature_)

    Of several members, each is an estimator of one network with a random_state of its own, the first with
    that of the whole; their mean is one network and one native call. Where rows are held out (early_stopping,
    calibrate), each member holds out other ones in turn, so that as many members as 1 / validation_fraction
    hold out every row once; X_val is everybody's. One temperature is fitted to what all held out. partial_fit
    and warm_start go on with each member. Callbacks that look at the history alone are each member's; others
    are refused. Members that diverge are left out, and said; an interrupt leaves those that have learnt.

    estimators_         the members; coefs_, intercepts_, loss_curve_ and the like are theirs alone
    loss_, n_iter_, history_    their mean, their most epochs, the mean of their curves
    oob_decision_function_  probabilities of each row by the members that held it out, NaN where none did;
                        oob_score_: their accuracy, weighted as validation scores are. Both only where rows
                        were held out in turn; a file keeps the score alone

    A training that diverges ends with a warning that names the cause, and the weights of the last whole
    epoch; if that was none, with a ValueError that does. Sparse X is made dense some steps or rows at a time,
    and as a whole by lbfgs.

    Errors      ValueError (`mc.DataError` and scikit-learn's own) for what cannot be used
    Source      Rumelhart, Hinton & Williams 1986; Glorot & Bengio 2010 for the initial weights; Guo, Pleiss,
                Sun & Weinberger 2017 (arXiv 1706.04599) for the temperature
    Differs     from scikit-learn: computed in float32; the initial weights are the same, the orders of the
                rows are not; `epsilon` acts outside of Adam's corrections, as published; momentum is below 1

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), max_iter=500, learning_rate_init=0.02, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **CONSTRAINTS,
        "loss": [NamesWithSettings(lambda: ("log_loss", *losses_for("binary", "multiclass"))), callable],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
        "calibrate": ["boolean"],
    }

    _meaning: ClassOutputs

    def __init__(
        self,
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
        loss: str | Loss | LossFunction = "log_loss",
        class_weight: ClassWeight | None = None,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        l1: float = 0.0,
        constraint: str | Constraint | None = None,
        scoring: Scoring | None = None,
        callbacks: CallbackLike | Sequence[CallbackLike] | None = None,
        init_from: Model | PathLike | None = None,
        n_restarts: int = 1,
        members: int = 1,
        calibrate: bool = False,
        dtype: DTypeLike = "float32",
        threads: int | None = None,
    ) -> None:
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
        self.loss = loss
        self.class_weight = class_weight
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.l1 = l1
        self.constraint = constraint
        self.scoring = scoring
        self.callbacks = callbacks
        self.init_from = init_from
        self.n_restarts = n_restarts
        self.members = members
        self.calibrate = calibrate
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
        """Fit the network to labelled rows.

        X               [rows, features], dense or sparse, or a pandas or polars table
        y               [rows] labels of any kind, or [rows, labels] of 0 and 1
        sample_weight   [rows], >= 0: a weight of k counts as k copies of the row
        X_val, y_val    validation rows, measured after each epoch; early_stopping then splits none off
        Returns         self
        Errors          ValueError, of which DataError is one, for what cannot be used, and where the first
                        epoch diverges; the estimator is then as it was before
        Warns           ConvergenceWarning where max_iter ends it, or a later divergence does; UserWarning for
                        columns of very different scales
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @for_stochastic_solvers
    @with_callbacks
    @rollback
    def partial_fit(
        self,
        X: FeaturesLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch over some rows, from where the last call stood: incremental learning.

        With the same rows each time, k calls are `fit` with max_iter=k, to the bit, as long as that would
        not stop earlier: weights, the optimizer's moments, orders and dropout go on.

        X, y            as for `fit`, but y need not hold every class
        sample_weight   [rows], >= 0
        classes         all labels that will ever come; needed in the first call
        Returns         self
        Errors          DataError for labels beyond the classes, with early_stopping, and for class_weight=
                        "balanced"; AttributeError for solver="lbfgs", which has no `partial_fit`
        """
        self._declare(y, classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: FeaturesLike) -> Array:
        """Return the most probable label of each row.

        X           [rows, features], dense or sparse, or a pandas or polars table
        Returns     [rows], of the dtype of the labels; of several labels a row, 0 and 1, [rows, labels]
        Errors      scikit-learn's NotFittedError; ValueError for another number of features
        """
        run, params, X = self._ready(X)
        if self._binarizer is not None:
            return self._labels(run.outputs(params, X))
        # Of a single class there is but one place, whatever the outputs.
        return self.classes_.take(run.codes(params, X), mode="clip")

    def predict_proba(self, X: FeaturesLike) -> Array:
        """Return the probability of each class: softmax(z), or the logistic of one logit and its complement.

        X           as for `predict`
        Returns     [rows, classes] in the order of `classes_`, rows adding up to 1; of several labels a row,
                    each label's own, [rows, labels]
        """
        return self._probabilities(self._predictions(X))

    def _probabilities(self, p: Array) -> Array:
        """Return the probability of each class, [rows, classes], of predictions [rows, outputs]."""
        if len(self.classes_) == 1 and p.shape[1] < 3:
            return np.ones((len(p), 1), p.dtype)
        return self._meaning.class_scores(p)

    def predict_log_proba(self, X: FeaturesLike) -> Array:
        """Return the natural logarithm of `predict_proba`, [rows, classes]; -inf where that is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    # Targets ------------------------------------------------------------------------------------------------

    def _declare(self, y: ArrayLike, classes: ArrayLike | None) -> None:
        """Set the classes in the first call of `partial_fit`, and refuse others later.

        Errors      DataError where they are missing at first, or differ later
        """
        known = hasattr(self, "classes_")
        if classes is None:
            if not known:
                raise DataError("classes must be passed on the first call to partial_fit.")
            return
        labels = unique_labels(classes)
        if known and not np.array_equal(self.classes_, labels):
            raise DataError(
                f"`classes={labels!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        if not known or not hasattr(self, "_binarizer"):
            given: Any = y
            several = type_of_target(given).startswith("multilabel")
            dense = given.toarray() if issparse(given) else given  # else its predictions would be sparse, too
            self._binarizer = LabelBinarizer().fit(dense) if several else None
            self.classes_ = labels

    def _check_targets(self, X: FeaturesLike, y: ArrayLike, reset: bool) -> tuple[Features, Array]:
        given: Any = y
        labels = given.toarray() if issparse(given) else given  # labels, which are few
        checked, labels = validated(
            self,
            X,
            labels,
            accept_sparse=SPARSE,
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        check_classification_targets(labels)
        single = labels.ndim == 2 and labels.shape[1] == 1
        return checked, column_or_1d(labels, warn=True) if single else labels

    def _encode(self, y: Array, first: bool, incremental: bool) -> tuple[Array, Head]:
        if not hasattr(self, "classes_") or (first and not incremental):
            self._binarizer = LabelBinarizer().fit(y) if y.ndim > 1 else None
            # Of objects, such as text beside numbers, scikit-learn says what may be a label; it takes longer.
            find = unique_labels if y.dtype.kind == "O" else np.unique
            self.classes_ = find(y) if self._binarizer is None else self._binarizer.classes_
        else:
            if (y.ndim > 1) != (self._binarizer is not None):
                now, then = ("several labels", "one label") if y.ndim > 1 else ("one label", "several labels")
                raise DataError(f"`y` has {now} for each row; it had {then} before")
            self._check_labels(unique_labels(y), incremental)
        if self._binarizer is not None:
            Y = self._binarizer.transform(y)
            return Y.astype(np.int32), classification_head(self.loss, Y.shape[1], multilabel=True)
        classes = len(self.classes_)
        head = classification_head(self.loss, classes if classes > 2 else 1, multilabel=False)
        numbers = np.searchsorted(self.classes_, y).astype(np.int32)
        return numbers if head.outputs.describes_one else numbers[:, None], head

    def _check_labels(self, labels: Array, incremental: bool) -> None:
        """Refuse labels [count] that differ from the classes of a warm start, or lie beyond them."""
        if self.warm_start and not incremental and set(labels) != set(self.classes_):
            raise DataError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {labels}"
            )
        if len(np.setdiff1d(labels, self.classes_, assume_unique=True)):
            raise DataError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {labels}."
            )

    def _class_weights(self, y: Array, weight: Array | None, incremental: bool) -> Array | None:
        if self.class_weight is None:
            return weight
        if incremental and self.class_weight == "balanced":
            raise DataError(
                "class_weight='balanced' needs all rows at once; for partial_fit give {class: weight}, such "
                "as sklearn.utils.class_weight.compute_class_weight returns"
            )
        check_class_weight(self.class_weight)
        own = compute_sample_weight(self.class_weight, y)
        return own if weight is None else own * weight

    def _strata(self, data: Data) -> Array | None:
        if data.target.ndim > 1:
            return None
        if len(self.classes_) <= 2:  # as in scikit-learn, which names the class that is too small
            return data.y.reshape(len(data), 1).astype(bool)
        # Where a class is too small to be in both parts, rows are held out whatever their class.
        counts, held = np.bincount(data.y), self.validation_fraction * len(data)
        few = min(held, len(data) - held) < len(counts) or counts[counts > 0].min() < 2
        return None if few else data.y

    # Predictions --------------------------------------------------------------------------------------------

    def _labels(self, outputs: Array) -> Array:
        """Return the labels of predictions [rows, outputs]: argmax, or a threshold of 1/2 on each label."""
        if self._binarizer is not None:
            return np.asarray(self._binarizer.inverse_transform(outputs))
        if outputs.shape[1] == 2 and len(self.classes_) <= 2:
            outputs = outputs[:, 1:]  # two outputs for two classes
        single = outputs.shape[1] == 1
        codes = (outputs[:, 0] > 0.5).astype(np.intp) if single else outputs.argmax(axis=1)
        return self.classes_.take(codes, mode="clip")  # of a single class there is but one place

    def _default_score(self, data: Data, outputs: Array) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        right = self._labels(outputs) == data.target
        return float(np.average(right if right.ndim == 1 else right.all(axis=1), weights=data.weight))

    def _held_fraction(self) -> float:
        return super()._held_fraction() or (self.validation_fraction if self.calibrate else 0.0)

    def _finish(self, params: Params, parts: Parts) -> Params:
        """Return the weights after temperature scaling on the held-out rows; unchanged without `calibrate`.

            W' = W / T,  b' = b / T  of the last layer,       T = argmin of the log loss of softmax(z / T)

        No label changes, since T > 0. `best_factor`, which draws T towards 1 where rows are few, finds 1 / T.
        """
        self.__dict__.pop("temperature_", None)  # of weights that are no more
        held = parts.held
        if not self.calibrate or held is None:
            return params
        return self._scaled(params, self._inverse_temperature([(held, self._outputs(params, held.X))]))

    def _scaled(self, params: Params, factor: float) -> Params:
        """Return weights of which the last layer's are multiplied by a factor."""
        last = last_dense(self._network())
        return {**params, last: {name: value * factor for name, value in params[last].items()}}

    def _inverse_temperature(self, judged: Sequence[tuple[Data, Array]]) -> float:
        """Return the factor on the last layer, by rows and their predictions; keep the temperature."""
        one = self._meaning.describes_one
        # Each boolean label is a row of two classes.
        p = [found if one else self._meaning.class_scores(found.ravel()) for _, found in judged]
        y = np.concatenate([data.y.ravel() for data, _ in judged])
        weights = [np.ones(len(data)) if data.weight is None else data.weight for data, _ in judged]
        labels = [
            np.repeat(w, data.y.size // len(data)) for w, (data, _) in zip(weights, judged, strict=True)
        ]
        factor = best_factor(np.concatenate(p), y, np.concatenate(labels))
        self.temperature_ = 1.0 / factor
        return factor

    def _calibrate_members(self, apart: Sequence[tuple[Data, Self]]) -> None:
        self.__dict__.pop("temperature_", None)
        if not self.calibrate or not apart:
            return
        factor = self._inverse_temperature([(data, member._predictions_of(data.X)) for data, member in apart])
        for member in self.estimators_:
            params = member._scaled(member._params(), factor)
            member.coefs_, member.intercepts_ = from_params(self._network(), params, self._dtype_out)

    def _keep_out_of_bag(self, data: Data, outputs: Array, rows: int) -> None:
        found = self._probabilities(outputs).astype(self._dtype_out, copy=False)
        self.oob_decision_function_ = spread_out(found, data, rows)

    def _described(self) -> dict[str, Any]:
        return {**super()._described(), **labels_to_json(self.classes_)}

    def _target_state(self) -> dict[str, Any]:
        return {"multilabel": self._binarizer is not None}

    def _restore_target(self, training: dict[str, Any], units: int) -> Head:
        labels, several = labels_from_json(training), training["fitted"]["multilabel"] is True
        check_label_count(len(labels), (units,), several)
        # Two rows, without and with all labels, tell scikit-learn how many there are.
        rows = np.repeat([[0], [1]], len(labels), axis=1)
        self._binarizer = LabelBinarizer().fit(rows) if several else None
        self.classes_ = labels
        columns = len(labels) if several or len(labels) > 2 else 1
        return classification_head(self.loss, columns, multilabel=several)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
