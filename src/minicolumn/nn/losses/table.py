"""The registry of losses: one record for each, with what the rest of the package needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from minicolumn.nn.losses.binary import binary_cross_entropy, binary_focal, hinge, squared_hinge
from minicolumn.nn.losses.likelihood import gamma, gaussian_nll, poisson, tweedie
from minicolumn.nn.losses.multiclass import (
    categorical_hinge,
    kl_divergence,
    softmax_cross_entropy,
    softmax_focal,
)
from minicolumn.nn.losses.regression import (
    absolute_error,
    absolute_percentage_error,
    cosine_distance,
    huber,
    log_cosh,
    quantile,
    squared_error,
    squared_log_error,
)
from minicolumn.nn.outputs import (
    Direction,
    Margins,
    Normal,
    Outputs,
    Point,
    Probabilities,
    Quantiles,
    Rate,
    statistics,
)
from minicolumn.nn.outputs.record import Task
from minicolumn.registry import Registry, Rule, Setting, is_function, settings_of

if TYPE_CHECKING:
    from minicolumn.nn.losses.record import Loss

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Range:
    """Which targets have a finite loss with a lowest point."""

    low: float = -INFINITY
    high: float = INFINITY
    above: bool = False  # whether they must be above `low`, which is then itself none

    def holds(self, lowest: float, highest: float) -> bool:
        """Return whether targets from `lowest` to `highest` are all inside."""
        return (lowest > self.low if self.above else lowest >= self.low) and highest <= self.high

    def __str__(self) -> str:
        if self.above:
            return f"above {self.low:g}"
        return f"from {self.low:g}" + (f" to {self.high:g}" if self.high < INFINITY else " on")


ANY, SHARES, NOT_NEGATIVE, POSITIVE = Range(), Range(0.0, 1.0), Range(0.0), Range(0.0, above=True)


@dataclass(frozen=True, slots=True)
class LossRule(Rule):
    """A loss with what the rest of the package needs to know about it.

    outputs     what it takes the network's outputs for, or a function of its settings that says so
    targets     which targets it takes
    takes_shares    whether targets of classes usually are the share of each, not class numbers
    multiclass  name of the loss that is this one for one class out of several; of losses of yes or no
    is_own      whether it is somebody's own: it is given weights in any case, 1 for each row where there are
                none, and beside one output targets in its shape, as any function that is no entry
    settings    what its function's keywords may be, found once: reading a file looks into no function
    """

    name: str
    function: Callable[..., Any]
    outputs: Outputs | Callable[..., Outputs]
    formula: str
    targets: Range = ANY
    takes_shares: bool = False
    multiclass: str = ""
    is_own: bool = False
    settings: Mapping[str, Setting] = field(init=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", settings_of(self.function))

    @property
    def defaults(self) -> dict[str, Any]:
        """The settings where nothing is said."""
        return {name: setting.default for name, setting in self.settings.items()}

    def make(self, **settings: Any) -> Loss:
        """Return the loss with settings, as a record."""
        from minicolumn.nn.losses.record import Loss

        return Loss(self.name, **settings)

    def values(self, record: Any) -> Mapping[str, Any] | None:
        """Return all settings of a loss of this rule; None for any other."""
        return record.settings if getattr(record, "rule", None) is self else None

    def outputs_with(self, settings: Mapping[str, Any]) -> Outputs:
        """Return what the outputs mean with all settings given."""
        return self.outputs if isinstance(self.outputs, Outputs) else self.outputs(**settings)

    @property
    def task(self) -> Task:
        """Return "regression", "binary" or "multiclass"."""
        return self.outputs_with(self.defaults).task

    @property
    def output_activation(self) -> str:
        """Return the name of what turns the network's raw outputs into predictions."""
        return self.outputs_with(self.defaults).activation


YES_OR_NO, ONE_OF_SEVERAL = Probabilities("logistic"), Probabilities("softmax")

_RULES = (
    # Numbers, by their distance
    LossRule("squared_error", squared_error, Point(), "(y - t)^2"),
    LossRule("absolute_error", absolute_error, Point(statistics.median), "|y - t|"),
    LossRule(
        "huber",
        huber,
        Point(statistics.median),
        "d^2 / 2 if |d| <= delta else delta (|d| - delta / 2), d = y - t",
    ),
    LossRule("log_cosh", log_cosh, Point(statistics.median), "log cosh(y - t)"),
    LossRule(
        "quantile",
        quantile,
        lambda levels: Quantiles(levels),
        "q (t - y) if y <= t else (1 - q) (y - t)",
    ),
    LossRule(
        "absolute_percentage_error",
        absolute_percentage_error,
        Point(statistics.relative_median, "ratio"),
        "|y - t| / |t|",
    ),
    LossRule(
        "squared_log_error",
        squared_log_error,
        Rate(statistics.log1p_mean, "absolute"),
        "(log(1 + e^y) - log(1 + t))^2",
        NOT_NEGATIVE,
    ),
    LossRule("cosine_distance", cosine_distance, Direction(), "1 - y . t / (|y| |t|)"),
    # Numbers, by their likelihood
    LossRule("poisson", poisson, Rate(), "e^y - t y + t log t - t", NOT_NEGATIVE),
    LossRule("gamma", gamma, Rate(), "t e^-y + y - log t - 1", POSITIVE),
    LossRule(
        "tweedie",
        tweedie,
        Rate(),
        "t^(2-p) / ((1-p)(2-p)) - t e^((1-p)y) / (1-p) + e^((2-p)y) / (2-p)",
        NOT_NEGATIVE,
    ),
    LossRule("gaussian_nll", gaussian_nll, Normal(), "(v + (t - m)^2 e^-v + log 2 pi) / 2, y = (m, v)"),
    # Yes or no
    LossRule(
        "binary_cross_entropy",
        binary_cross_entropy,
        YES_OR_NO,
        "t log(1 + e^-y) + (1 - t) log(1 + e^y)",
        SHARES,
        multiclass="softmax_cross_entropy",
    ),
    LossRule(
        "binary_focal",
        binary_focal,
        replace(YES_OR_NO, proper=False),
        "-(1 - p)^gamma log p, p = logistic(y) of the right answer",
        SHARES,
        multiclass="softmax_focal",
    ),
    LossRule("hinge", hinge, Margins(several=False), "max(0, 1 - s y), s = 2 t - 1", SHARES),
    LossRule(
        "squared_hinge", squared_hinge, Margins(several=False), "max(0, 1 - s y)^2, s = 2 t - 1", SHARES
    ),
    # One class out of several
    LossRule(
        "softmax_cross_entropy",
        softmax_cross_entropy,
        ONE_OF_SEVERAL,
        "-sum t log softmax(y)",
        SHARES,
    ),
    LossRule(
        "softmax_focal",
        softmax_focal,
        replace(ONE_OF_SEVERAL, proper=False),
        "-sum t (1 - p)^gamma log p, p = softmax(y)",
        SHARES,
    ),
    LossRule(
        "categorical_hinge",
        categorical_hinge,
        Margins(several=True),
        "max(0, 1 + max_wrong y - y_right)",
        SHARES,
    ),
    LossRule(
        "kl_divergence",
        kl_divergence,
        ONE_OF_SEVERAL,
        "sum t (log t - log softmax(y))",
        SHARES,
        takes_shares=True,
    ),
)

# Names by which others know them. Labels and shares of classes are one loss here, and outputs are always raw.
ALIASES = {
    "binary_crossentropy": "binary_cross_entropy",
    "binary_focal_crossentropy": "binary_focal",
    "categorical_cross_entropy": "softmax_cross_entropy",
    "categorical_crossentropy": "softmax_cross_entropy",
    "categorical_focal_crossentropy": "softmax_focal",
    "cosine_similarity": "cosine_distance",
    "focal": "softmax_focal",
    "kldivergence": "kl_divergence",
    "logcosh": "log_cosh",
    "mae": "absolute_error",
    "mape": "absolute_percentage_error",
    "mean_absolute_error": "absolute_error",
    "mean_absolute_percentage_error": "absolute_percentage_error",
    "mean_squared_error": "squared_error",
    "mean_squared_logarithmic_error": "squared_log_error",
    "mse": "squared_error",
    "msle": "squared_log_error",
    "pinball": "quantile",
    "sparse_categorical_cross_entropy": "softmax_cross_entropy",
    "sparse_categorical_crossentropy": "softmax_cross_entropy",
}


def _own(name: str, function: Any, *, outputs: Any = Point(), formula: str = "") -> Any:  # noqa: B008  a frozen record
    """Return the rule of a loss of one's own; `outputs` says what the network's outputs mean."""
    if not is_function(function):
        return NotImplemented
    return LossRule(name, function, outputs, formula, is_own=True)


LOSSES: Registry[LossRule] = Registry(
    "loss",
    {rule.name: rule for rule in _RULES},
    ALIASES,
    full=False,
    adopt=_own,
    wanted="a NumPy function of (outputs, targets, sample_weight)",
)


def loss_by_name(name: str) -> LossRule:
    """Look a loss up, by its own name or one from `ALIASES`.

    Errors      DataError for an unknown name

    >>> loss_by_name("softmax_cross_entropy").output_activation
    'softmax'
    >>> loss_by_name("mse").name
    'squared_error'
    """
    return LOSSES[name]
