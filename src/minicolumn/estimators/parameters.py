"""The estimators' parameters: what they may be, and what `fit` takes for them."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, InvalidParameterError, Options, StrOptions

from minicolumn.errors import DataError, did_you_mean
from minicolumn.estimators.network import KNOWN, for_each, hidden_sizes
from minicolumn.nn import L1, L2, ElasticNet, Loss, PerRow, activation_by_name
from minicolumn.nn.layers.noise import RATE as SILENCED
from minicolumn.nn.regularize import STRENGTH
from minicolumn.optim import OPTIMIZERS, SCHEDULES, Optimizer
from minicolumn.registry import Integer, Number, read_text
from minicolumn.train.callbacks import Callback

Array = np.ndarray


class NamesWithSettings(StrOptions):
    """Names, behind which settings may follow; `check_parameters` looks at those."""

    def is_satisfied_by(self, val: Any) -> bool:
        return isinstance(val, str) and val.partition(":")[0].strip() in self.options


def interval(setting: Number | Integer) -> Interval:
    """Return the range of a setting as scikit-learn checks it.

    >>> print(interval(Number(help="", ge=0, lt=1)))
    a float in the range [0.0, 1.0)
    """
    low, high = (None if math.isinf(bound) else bound for bound in (setting.low, setting.high))
    open_low, open_high = setting.gt >= setting.ge, setting.lt <= setting.le
    closed = {(False, False): "both", (False, True): "left", (True, False): "right", (True, True): "neither"}
    kind: Any = Integral if isinstance(setting, Integer) else Real
    if kind is Integral:
        low, high = (None if bound is None else int(bound) for bound in (low, high))
    return Interval(kind, low, high, closed=closed[low is None or open_low, high is None or open_high])


RATE = Interval(Real, 0, 1, closed="left")
FAR = 100.0  # times as large: such a rate is no choice but a mistake
RATE_OF_BOTH = 1e-3  # scikit-learn's, for both of its solvers that have one
CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [NamesWithSettings(KNOWN), "array-like", callable],
    "solver": [NamesWithSettings({"lbfgs", *OPTIMIZERS.known}), Optimizer],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [NamesWithSettings({"invscaling", "adaptive", *SCHEDULES.known}), callable],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither"), None],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [RATE],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [RATE],
    "beta_1": [RATE],
    "beta_2": [RATE],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    # What scikit-learn's do not have.
    "dropout": [interval(SILENCED), "array-like"],
    "input_dropout": [interval(SILENCED)],
    "l1": [interval(STRENGTH)],
    "constraint": [callable, None],
    "scoring": [str, callable, None],
    "callbacks": [list, tuple, Callback, None],
    "n_restarts": [Interval(Integral, 1, None, closed="left")],
    "dtype": [
        StrOptions({"float32", "float64"}),
        Options(type, {np.float32, np.float64}),
        Options(np.dtype, {np.dtype(np.float32), np.dtype(np.float64)}),
    ],
    "threads": [Interval(Integral, 1, None, closed="left"), None],
}


def validate(estimator: Any) -> None:
    """Refuse values that parameters cannot have, in scikit-learn's words and with the nearest name that fits.

    Errors      scikit-learn's InvalidParameterError, a ValueError
    """
    try:
        estimator._validate_params()
    except InvalidParameterError as error:
        hint = _nearest(estimator, str(error))
        raise InvalidParameterError(f"{error}".removesuffix(".") + hint if hint else f"{error}") from None


def _nearest(estimator: Any, message: str) -> str:
    """Return what the refused value may have meant, if it is nearly the name of something that fits."""
    for name, allowed in estimator._parameter_constraints.items():
        value = getattr(estimator, name)
        if name == "loss" and isinstance(value, int | tuple | list):  # first of MLPRegressor's arguments
            return f"; did you mean hidden_layer_sizes={value!r}?"
        if message.startswith(f"The {name!r} parameter") and isinstance(value, str):
            options = (rule.options for rule in allowed if isinstance(rule, StrOptions))
            return did_you_mean(value.partition(":")[0], sorted(set().union(*options)))
    return ""


def optimizer_of(estimator: Any) -> Optimizer:
    """Return the optimizer that `solver` and its parameters stand for; a record stands for itself."""
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


def solver_name(estimator: Any) -> str | None:
    """Return the name of the solver, without settings; None for a record."""
    return read_text(estimator.solver)[0] if isinstance(estimator.solver, str) else None


def averages(estimator: Any) -> bool:
    """Return whether the weights that are kept are others than those that are trained."""
    return estimator.solver != "lbfgs" and optimizer_of(estimator).averages


def _rate_of(estimator: Any) -> float:
    given = estimator.learning_rate_init
    if given is not None:
        return float(given)
    if solver_name(estimator) in ("adam", "sgd"):
        return RATE_OF_BOTH
    return float(OPTIMIZERS.make(estimator.solver).learning_rate)


def optimizer_after(estimator: Any, rows: int, factor: float) -> Optimizer | None:
    """Return the optimizer as a training leaves it, with the rate that an epoch more would begin with.

    rows        seen so far
    factor      what "adaptive" has made of the rate
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


def lowers_its_rate(estimator: Any) -> bool:
    """Return whether the learning rate is lowered where scikit-learn's "adaptive" does so."""
    return estimator.learning_rate == "adaptive" and solver_name(estimator) != "adam"


@dataclasses.dataclass(frozen=True)
class InverseScaling:
    """Lower the rate with the rows seen, once an epoch, as scikit-learn's "invscaling" does.

        (rows seen before this epoch + 1)^-power

    The first epoch of a fit keeps the rate as it is.

    rows, steps     in an epoch
    seen, first     rows and steps before this fit
    afresh          whether the optimizer starts anew in this fit
    """

    power: float
    rows: int
    steps: int
    seen: int = 0
    first: int = 0
    afresh: bool = True

    def __call__(self, step: Any, total_steps: int) -> Array:
        epoch = (np.asarray(step) - self.first) // self.steps
        factor = np.power(self.seen + epoch * self.rows + 1.0, -self.power)
        return np.where(epoch == 0, 1.0, factor) if self.afresh else factor


def schedule_of(estimator: Any, **place: Any) -> Callable[[Any, int], Any] | str:
    """Return the schedule that `learning_rate` stands for.

    place   `rows`, `steps`, `seen`, `first` and `afresh` of `InverseScaling`
    """
    rate = estimator.learning_rate
    if not isinstance(rate, str):
        return rate
    if rate == "adaptive" or (rate == "invscaling" and solver_name(estimator) == "adam"):
        return "constant"
    if rate == "invscaling":
        return InverseScaling(float(estimator.power_t), **place)
    return SCHEDULES.make(rate)


def regularizer_of(estimator: Any) -> PerRow | None:
    """Return the penalty on the weights, shared by the rows of a batch as in scikit-learn."""
    l1, l2 = float(estimator.l1), float(estimator.alpha)
    if l1 and l2:
        return PerRow(ElasticNet(l1, l2))
    return PerRow(L1(l1) if l1 else L2(l2)) if l1 or l2 else None


def check_class_weight(given: Any) -> None:
    """Refuse class weights below 0: rows that a network should be wrong about."""
    for weights in given if isinstance(given, list) else [given]:
        each = weights.items() if isinstance(weights, dict) else ()
        below = {label: w for label, w in each if not (isinstance(w, Real) and float(w) >= 0)}
        if below:
            raise DataError(f"class_weight must be >= 0, got {below}")


def check_parameters(estimator: Any) -> None:
    """Refuse parameters that contradict each other, and warn of a rate that is far from the solver's own."""
    _check_texts(estimator)
    _check_rate(estimator)
    if estimator.solver == "lbfgs":
        if np.any(estimator.dropout) or estimator.input_dropout:
            raise DataError("solver='lbfgs' needs a loss that does not change, so no dropout; use 'adam'")
        if estimator.constraint is not None:
            raise DataError("solver='lbfgs' knows no constraint; use 'adam'")
        if estimator.callbacks:
            raise DataError("solver='lbfgs' has no epochs that callbacks could watch; use 'adam'")
    for name in for_each("activation", estimator.activation, len(hidden_sizes(estimator.hidden_layer_sizes))):
        if isinstance(name, str):
            _check_activation(str(name))  # of an array it is NumPy's own kind of text


def _check_texts(estimator: Any) -> None:
    """Refuse settings in texts that nothing has, or out of their range."""
    for name, make in (("solver", OPTIMIZERS.make), ("learning_rate", SCHEDULES.make), ("loss", Loss)):
        text = getattr(estimator, name)
        if isinstance(text, str) and ":" in text:
            try:
                make(text)
            except DataError as error:
                raise DataError(f"{name}: {error}") from None


def _check_activation(name: str) -> None:
    plain = name.partition(":")[0]
    if plain not in KNOWN:
        raise DataError(f"activation holds {name!r}{did_you_mean(plain, KNOWN)}")
    try:
        activation_by_name(name)
    except DataError as error:
        raise DataError(f"activation: {error}") from None


def _check_rate(estimator: Any) -> None:
    solver = estimator.solver
    if not isinstance(solver, str):
        if estimator.learning_rate_init not in (None, RATE_OF_BOTH, solver.learning_rate):
            warnings.warn(
                f"solver={solver} brings its own rate, so learning_rate_init="
                f"{estimator.learning_rate_init:g} is not used; give the solver by name, or the rate to it",
                UserWarning,
                stacklevel=5,
            )
        return
    if solver in ("lbfgs", "adam", "sgd"):
        return
    if "learning_rate" in read_text(solver)[1]:
        if estimator.learning_rate_init not in (None, RATE_OF_BOTH):
            warnings.warn(
                f"solver={solver!r} tells its own rate, so learning_rate_init="
                f"{estimator.learning_rate_init:g} is not used; say it once",
                UserWarning,
                stacklevel=5,
            )
        return
    own = OPTIMIZERS.make(solver).learning_rate
    if estimator.learning_rate_init == RATE_OF_BOTH and own >= FAR * RATE_OF_BOTH:
        warnings.warn(
            f"solver={solver!r} is meant for a rate of {own:g} and runs at learning_rate_init=0.001; "
            "learning_rate_init=None takes its own",
            UserWarning,
            stacklevel=5,
        )
