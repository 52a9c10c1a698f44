"""Hyperparameters: types, constraints, and the optimizer, schedule and penalty that they stand for.

Nothing is looked up or converted in `__init__`, as scikit-learn asks of estimators; `fit` comes here for it.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, InvalidParameterError, Options, StrOptions

from minicolumn.errors import DataError, did_you_mean, warn_user
from minicolumn.estimators.network import Activation, for_each, known_activations
from minicolumn.estimators.topology import LAYERS, hidden_of
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.nn import L1, L2, ElasticNet, Loss, PerRow, activation_by_name
from minicolumn.nn.constrain import CONSTRAINTS as WEIGHT_CONSTRAINTS
from minicolumn.nn.layers.noise import RATE as SILENCED
from minicolumn.nn.regularize import STRENGTH
from minicolumn.nn.widths import SHAPES
from minicolumn.optim import OPTIMIZERS, SCHEDULES, Optimizer
from minicolumn.registry import Integer, Number, Setting, read_text
from minicolumn.registry.shared import BATCH_SIZE, EPOCHS, LEARNING_RATE, PATIENCE, STEPS, THREADS, UNITS
from minicolumn.train.callbacks import MIN_DELTA, Callback, CallbackLike, check_callbacks
from minicolumn.train.types import Constraint, LossFunction, ScheduleFunction

Array = np.ndarray
# Types of the parameters, as users give them.
RandomState = int | np.random.RandomState | None
# A scorer of (estimator, X, y), or its name.
Scoring = str | Callable[..., float]
# One weight for each label; several outputs take a list of them.
ClassWeight = Literal["balanced"] | Mapping[Any, float] | Sequence[Mapping[Any, float]]


class MLPParameters(BaseEstimator):
    """The parameters of both multi-layer perceptrons and their types; `MLPClassifier` explains them."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]]

    hidden_layer_sizes: ArrayLike
    activation: Activation | Sequence[Activation]
    n_layers: int | None
    width: int | None
    shape: str | None
    solver: str | Optimizer
    alpha: float
    batch_size: int | Literal["auto"]
    learning_rate: str | ScheduleFunction
    learning_rate_init: float | None
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: RandomState
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    loss: str | Loss | LossFunction
    dropout: float | Sequence[float]
    input_dropout: float
    l1: float
    constraint: str | Constraint | None
    scoring: Scoring | None
    callbacks: CallbackLike | Sequence[CallbackLike] | None
    init_from: Model | PathLike | None
    n_restarts: int
    members: int
    dtype: DTypeLike
    threads: int | None


class NamesWithSettings(StrOptions):
    """A constraint: one of some names, behind which settings may follow, as in "sgd:momentum=0.5".

    names   returns them, asked each time: one may be added to a registry
    """

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names
        super().__init__(self.options)

    @property
    def options(self) -> set[str]:
        """The names of now; `check_parameters` looks at the settings."""
        return set(self._names())

    @options.setter
    def options(self, given: set[str]) -> None:
        pass  # scikit-learn's own constructor writes what it was given

    def is_satisfied_by(self, val: object) -> bool:
        return isinstance(val, str) and val.partition(":")[0].strip() in self.options


def interval(setting: Setting) -> Interval:
    """Return the range of a setting of the registry as scikit-learn's constraint.

    >>> print(interval(Number(help="", ge=0, lt=1)))
    a float in the range [0.0, 1.0)
    """
    assert isinstance(setting, Number | Integer)
    low, high = (None if math.isinf(bound) else bound for bound in (setting.low, setting.high))
    open_low, open_high = setting.gt >= setting.ge, setting.lt <= setting.le
    closed = {(False, False): "both", (False, True): "left", (True, False): "right", (True, True): "neither"}
    kind: Any = Integral if isinstance(setting, Integer) else Real
    if kind is Integral:
        low, high = (None if bound is None else int(bound) for bound in (low, high))
    return Interval(kind, low, high, closed=closed[low is None or open_low, high is None or open_high])


MEMBERS = Integer(help="Networks whose predictions are averaged.", ge=1, le=10_000)
RATE = Interval(Real, 0, 1, closed="left")  # scikit-learn's, where nothing of ours says more
FAR = 100.0  # times as large: such a rate is no choice but a mistake
RATE_OF_BOTH = 1e-3  # scikit-learn's, for both of its solvers that have one
_SGD, _ADAM = OPTIMIZERS.settings("sgd"), OPTIMIZERS.settings("adam")
CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", interval(UNITS)],
    "activation": [NamesWithSettings(known_activations), "array-like", callable],
    "n_layers": [interval(LAYERS), None],
    "width": [interval(UNITS), None],
    "shape": [StrOptions({*SHAPES}), None],
    "solver": [NamesWithSettings(lambda: ("lbfgs", *OPTIMIZERS.known)), Optimizer],
    "alpha": [interval(STRENGTH)],
    "batch_size": [StrOptions({"auto"}), interval(BATCH_SIZE)],
    "learning_rate": [NamesWithSettings(lambda: ("invscaling", "adaptive", *SCHEDULES.known)), callable],
    "learning_rate_init": [interval(LEARNING_RATE), None],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [interval(EPOCHS)],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [interval(MIN_DELTA)],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [interval(_SGD["momentum"])],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [RATE],
    "beta_1": [interval(_ADAM["b1"])],
    "beta_2": [interval(_ADAM["b2"])],
    "epsilon": [Interval(Real, 0, None, closed="neither")],  # 0 is refused there
    "n_iter_no_change": [interval(PATIENCE), Options(Real, {np.inf})],
    "max_fun": [interval(STEPS)],
    # What scikit-learn's do not have.
    "dropout": [interval(SILENCED), "array-like"],
    "input_dropout": [interval(SILENCED)],
    "l1": [interval(STRENGTH)],
    "constraint": [NamesWithSettings(lambda: WEIGHT_CONSTRAINTS.known), callable, None],
    "scoring": [str, callable, None],
    "callbacks": [str, list, tuple, Callback, None],
    "init_from": [str, bytes, os.PathLike, Model, None],
    "n_restarts": [interval(STEPS)],
    "members": [interval(MEMBERS)],
    "dtype": [
        StrOptions({"float32", "float64"}),
        Options(type, {np.float32, np.float64}),
        Options(np.dtype, {np.dtype(np.float32), np.dtype(np.float64)}),
    ],
    "threads": [interval(THREADS), None],
}


def validate(estimator: MLPParameters) -> None:
    """Check each parameter against its constraints; messages are scikit-learn's and a hint.

    Errors      scikit-learn's InvalidParameterError, a ValueError
    """
    try:
        estimator._validate_params()
    except InvalidParameterError as error:
        hint = _nearest(estimator, str(error))
        raise InvalidParameterError(f"{error}".removesuffix(".") + hint if hint else f"{error}") from None


def _nearest(estimator: MLPParameters, message: str) -> str:
    """Return a "did you mean" for the value that a message refuses; "" where no name is near.

    message     of scikit-learn, which begins with the parameter's name
    """
    for name, allowed in estimator._parameter_constraints.items():
        value = getattr(estimator, name)
        if name == "loss" and isinstance(value, int | tuple | list):  # first of MLPRegressor's arguments
            return f"; did you mean hidden_layer_sizes={value!r}?"
        if message.startswith(f"The {name!r} parameter") and isinstance(value, str):
            options = (rule.options for rule in allowed if isinstance(rule, StrOptions))
            return did_you_mean(value.partition(":")[0], sorted(set().union(*options)))
    return ""


def optimizer_of(estimator: MLPParameters) -> Optimizer:
    """Return the optimizer that `solver` and the parameters beside it stand for; a record stands for itself.

        "sgd"                       momentum, nesterovs_momentum
        those with b1, b2 (adam)    beta_1, beta_2, epsilon
        all                         learning_rate_init; settings in the text go first

    Errors      DataError for an unknown name, and for "lbfgs", which is no optimizer of steps

    >>> import minicolumn as mc
    >>> optimizer_of(mc.MLPClassifier(solver="sgd:momentum=0.5", learning_rate_init=0.1))
    SGD(learning_rate=0.1, momentum=0.5, nesterov=True, weight_decay=0.0)
    """
    e = estimator
    if isinstance(e.solver, Optimizer):
        return e.solver
    name, told = read_text(e.solver)
    known = OPTIMIZERS.settings(name)
    given: dict[str, Any] = {"learning_rate": _rate_of(e)}
    if name == "sgd":
        given |= {"momentum": e.momentum, "nesterov": bool(e.nesterovs_momentum and e.momentum > 0)}
    elif {"b1", "b2"} <= set(known):
        given |= {"b1": e.beta_1, "b2": e.beta_2, "eps": e.epsilon}
    # What stands in the text goes before scikit-learn's parameters.
    own = {key: value for key, value in given.items() if key in known and key not in told}
    return OPTIMIZERS.make(e.solver, **own)


def solver_name(estimator: MLPParameters) -> str | None:
    """Return the name of the solver, without settings; None for a record."""
    return read_text(estimator.solver)[0] if isinstance(estimator.solver, str) else None


def averages(estimator: MLPParameters) -> bool:
    """Return whether the solver averages: the weights kept are others than those that are trained."""
    return estimator.solver != "lbfgs" and optimizer_of(estimator).averages


def _rate_of(estimator: MLPParameters) -> float:
    """Return the initial learning rate: the one given, or the solver's own; 0.001 for "adam" and "sgd"."""
    given = estimator.learning_rate_init
    if given is not None:
        return float(given)
    if solver_name(estimator) in ("adam", "sgd"):
        return RATE_OF_BOTH
    assert isinstance(estimator.solver, str)  # a record brings its own
    return float(OPTIMIZERS.make(estimator.solver).learning_rate)


def optimizer_after(estimator: MLPParameters, rows: int, factor: float) -> Optimizer | None:
    """Return the optimizer as a training leaves it, with the rate at which the next epoch would begin.

    rows        seen so far, over all epochs: scikit-learn's `t_`
    factor      on the rate, that "adaptive" has come to
    Returns     None for lbfgs
    """
    if estimator.solver == "lbfgs":
        return None
    optimizer, rate = optimizer_of(estimator), estimator.learning_rate
    learnt = getattr(optimizer, "learning_rate", None)
    if learnt is None or not isinstance(rate, str):
        return optimizer
    if lowers_its_rate(estimator):
        return optimizer.with_rate(learnt * factor)
    if rate == "invscaling" and solver_name(estimator) != "adam":
        return optimizer.with_rate(learnt / pow(rows + 1, estimator.power_t))
    return optimizer


def lowers_its_rate(estimator: MLPParameters) -> bool:
    """Return whether the rate is divided by 5 on a plateau: learning_rate="adaptive", but not of "adam".

    scikit-learn ignores it for Adam, which adapts its steps itself, and so does this.
    """
    return estimator.learning_rate == "adaptive" and solver_name(estimator) != "adam"


@dataclasses.dataclass(frozen=True)
class InverseScaling:
    """Inverse scaling: the rate falls once an epoch by a power of the rows seen, scikit-learn's "invscaling".

        factor = (rows seen before this epoch + 1)^-power

    The first epoch of a fit keeps the rate as it is.

    power           scikit-learn's `power_t`
    rows, steps     in an epoch
    seen, first     rows and steps before this fit
    afresh          whether the optimizer starts anew in this fit

    >>> InverseScaling(0.5, rows=8, steps=1)(np.arange(4), 4).round(3)
    array([1.   , 0.333, 0.243, 0.2  ])
    """

    power: float
    rows: int
    steps: int
    seen: int = 0
    first: int = 0
    afresh: bool = True

    def __call__(self, step: int | Array, total_steps: int) -> Array:
        """Return the factor at a step or at steps [n], counted over all fits; float64, shaped like step."""
        epoch = (np.asarray(step) - self.first) // self.steps
        factor = np.power(self.seen + epoch * self.rows + 1.0, -self.power)
        return np.where(epoch == 0, 1.0, factor) if self.afresh else factor


class Progress(TypedDict):
    """Where a fit stands, for `InverseScaling`, whose fields these are."""

    rows: int
    steps: int
    seen: int
    first: int
    afresh: bool


def schedule_of(estimator: MLPParameters, **progress: Unpack[Progress]) -> ScheduleFunction | str:
    """Return the learning-rate schedule that `learning_rate` stands for, a factor on the rate by the step.

    "adaptive" is "constant" here: the convergence criteria lower the rate. So is "invscaling" for Adam, as in
    scikit-learn.

    progress    `rows`, `steps`, `seen`, `first` and `afresh` of `InverseScaling`
    """
    rate = estimator.learning_rate
    if not isinstance(rate, str):
        return rate
    if rate == "adaptive" or (rate == "invscaling" and solver_name(estimator) == "adam"):
        return "constant"
    if rate == "invscaling":
        return InverseScaling(float(estimator.power_t), **progress)
    return SCHEDULES.make(rate)


def seed_of(random_state: RandomState) -> int:
    """Return a seed: an integer is one, a `RandomState` draws one, None draws from NumPy's global one."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def regularizer_of(estimator: MLPParameters) -> PerRow | None:
    """Return the penalty on the weights, divided by the rows of a batch as in scikit-learn; None without one.

    (l1 |W|_1 + alpha / 2 |W|^2) / rows          biases are not penalised
    """
    l1, l2 = float(estimator.l1), float(estimator.alpha)
    if l1 and l2:
        return PerRow(ElasticNet(l1, l2))
    return PerRow(L1(l1) if l1 else L2(l2)) if l1 or l2 else None


def check_class_weight(given: ClassWeight | str | None) -> None:
    """Refuse class weights below 0, which would ask the network to be wrong about a class.

    given       None, "balanced", {label: weight}, or a list of such for several outputs
    Errors      DataError that names the labels
    """
    for weights in given if isinstance(given, list) else [given]:
        each = weights.items() if isinstance(weights, dict) else ()
        below = {label: w for label, w in each if not (isinstance(w, Real) and float(w) >= 0)}
        if below:
            raise DataError(f"class_weight must be >= 0, got {below}")


def check_parameters(estimator: MLPParameters) -> None:
    """Check the parameters against each other, once `validate` has checked each by itself.

    Warns of a learning rate that is far from the solver's own default, or that is not used.

    Errors      DataError for settings in texts that nothing has, for what lbfgs cannot do (dropout,
                constraint, callbacks), and for lists of another length than there are hidden layers
    """
    _check_texts(estimator)
    _check_rate(estimator)
    if estimator.solver == "lbfgs":
        if np.any(estimator.dropout) or estimator.input_dropout:
            raise DataError("solver='lbfgs' needs a loss that does not change, so no dropout; use 'adam'")
        if estimator.constraint is not None:
            raise DataError("solver='lbfgs' knows no constraint; use 'adam'")
        if estimator.callbacks:
            raise DataError("solver='lbfgs' has no epochs that callbacks could watch; use 'adam'")
    for name in for_each("activation", estimator.activation, len(hidden_of(estimator))):
        if isinstance(name, str):
            _check_activation(str(name))  # of an array it is NumPy's own kind of text


def _check_texts(estimator: MLPParameters) -> None:
    """Refuse unknown settings in "name:setting=value" texts, and those out of range; names the parameter."""
    makers: dict[str, Callable[[str], object]] = {
        "solver": OPTIMIZERS.make, "learning_rate": SCHEDULES.make, "loss": Loss,
        "constraint": WEIGHT_CONSTRAINTS.make,
    }  # fmt: skip
    check_callbacks(type(estimator).__name__, estimator.callbacks or ())
    for name, make in makers.items():
        text = getattr(estimator, name)
        if isinstance(text, str) and ":" in text:
            try:
                make(text)
            except DataError as error:
                raise DataError(f"{name}: {error}") from None


def _check_activation(name: str) -> None:
    """Refuse an activation that does not exist, or whose settings are out of range."""
    plain = name.partition(":")[0]
    if plain not in known_activations():
        raise DataError(f"activation holds {name!r}{did_you_mean(plain, known_activations())}")
    try:
        activation_by_name(name)
    except DataError as error:
        raise DataError(f"activation: {error}") from None


def _check_rate(estimator: MLPParameters) -> None:
    """Warn where learning_rate_init is not used, or is scikit-learn's default for a solver that needs more.

    The latter where the solver's own default is at least 100 times as large, as of Adadelta, whose is 1.
    """
    solver = estimator.solver
    if not isinstance(solver, str):
        if estimator.learning_rate_init not in (None, RATE_OF_BOTH, solver.learning_rate):
            warn_user(
                f"solver={solver} brings its own rate, so learning_rate_init="
                f"{estimator.learning_rate_init:g} is not used; give the solver by name, or the rate to it",
            )
        return
    if solver in ("lbfgs", "adam", "sgd"):
        return
    if "learning_rate" in read_text(solver)[1]:
        if estimator.learning_rate_init not in (None, RATE_OF_BOTH):
            warn_user(
                f"solver={solver!r} tells its own rate, so learning_rate_init="
                f"{estimator.learning_rate_init:g} is not used; say it once",
            )
        return
    own = OPTIMIZERS.make(solver).learning_rate
    if estimator.learning_rate_init == RATE_OF_BOTH and own >= FAR * RATE_OF_BOTH:
        warn_user(
            f"solver={solver!r} is meant for a rate of {own:g} and runs at learning_rate_init=0.001; "
            "learning_rate_init=None takes its own",
        )
