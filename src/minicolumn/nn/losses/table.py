"""The catalogue of losses: one record for each, with what the rest of the package needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from minicolumn.registry import Registry, Rule, Setting, settings_of

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

    output_activation   what turns the network's raw outputs into predictions
    task                "regression", "binary" or "multiclass"
    targets             which targets it takes
    middle              where the last axis of the outputs describes one target: the place of the number to
                        expect, by the settings; None where each target has one output
    width               how many outputs that takes, by the settings; None where `middle` is
    settings            what its function's keywords may be, found once: reading a file looks into no function
    """

    name: str
    function: Callable[..., Any]
    output_activation: str
    task: str
    formula: str
    targets: Range = ANY
    middle: Callable[..., int] | None = None
    width: Callable[..., int] | None = None
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

    @property
    def probabilities(self) -> bool:
        """Whether the predictions are probabilities, not margins or numbers."""
        return self.task != "regression" and self.output_activation in ("logistic", "softmax")


def _nearest_to_half(levels: tuple[float, ...]) -> int:
    return min(range(len(levels)), key=lambda place: abs(levels[place] - 0.5))


_RULES = (
    # Numbers, by their distance
    LossRule("squared_error", squared_error, "linear", "regression", "(y - t)^2"),
    LossRule("absolute_error", absolute_error, "linear", "regression", "|y - t|"),
    LossRule(
        "huber",
        huber,
        "linear",
        "regression",
        "d^2 / 2 if |d| <= delta else delta (|d| - delta / 2), d = y - t",
    ),
    LossRule("log_cosh", log_cosh, "linear", "regression", "log cosh(y - t)"),
    LossRule(
        "quantile",
        quantile,
        "linear",
        "regression",
        "q (t - y) if y <= t else (1 - q) (y - t)",
        middle=_nearest_to_half,
        width=lambda levels: len(levels),
    ),
    LossRule(
        "absolute_percentage_error",
        absolute_percentage_error,
        "linear",
        "regression",
        "|y - t| / |t|",
    ),
    LossRule(
        "squared_log_error",
        squared_log_error,
        "exponential",
        "regression",
        "(log(1 + e^y) - log(1 + t))^2",
        NOT_NEGATIVE,
    ),
    LossRule("cosine_distance", cosine_distance, "linear", "regression", "1 - y . t / (|y| |t|)"),
    # Numbers, by their likelihood
    LossRule("poisson", poisson, "exponential", "regression", "e^y - t y + t log t - t", NOT_NEGATIVE),
    LossRule("gamma", gamma, "exponential", "regression", "t e^-y + y - log t - 1", POSITIVE),
    LossRule(
        "tweedie",
        tweedie,
        "exponential",
        "regression",
        "t^(2-p) / ((1-p)(2-p)) - t e^((1-p)y) / (1-p) + e^((2-p)y) / (2-p)",
        NOT_NEGATIVE,
    ),
    LossRule(
        "gaussian_nll",
        gaussian_nll,
        "linear",
        "regression",
        "(v + (t - m)^2 e^-v + log 2 pi) / 2, y = (m, v)",
        middle=lambda: 0,
        width=lambda: 2,
    ),
    # Yes or no
    LossRule(
        "binary_cross_entropy",
        binary_cross_entropy,
        "logistic",
        "binary",
        "t log(1 + e^-y) + (1 - t) log(1 + e^y)",
        SHARES,
    ),
    LossRule(
        "binary_focal",
        binary_focal,
        "logistic",
        "binary",
        "-(1 - p)^gamma log p, p = logistic(y) of the right answer",
        SHARES,
    ),
    LossRule("hinge", hinge, "linear", "binary", "max(0, 1 - s y), s = 2 t - 1", SHARES),
    LossRule("squared_hinge", squared_hinge, "linear", "binary", "max(0, 1 - s y)^2, s = 2 t - 1", SHARES),
    # One class out of several
    LossRule(
        "softmax_cross_entropy",
        softmax_cross_entropy,
        "softmax",
        "multiclass",
        "-sum t log softmax(y)",
        SHARES,
    ),
    LossRule(
        "softmax_focal",
        softmax_focal,
        "softmax",
        "multiclass",
        "-sum t (1 - p)^gamma log p, p = softmax(y)",
        SHARES,
    ),
    LossRule(
        "categorical_hinge",
        categorical_hinge,
        "linear",
        "multiclass",
        "max(0, 1 + max_wrong y - y_right)",
        SHARES,
    ),
    LossRule(
        "kl_divergence", kl_divergence, "softmax", "multiclass", "sum t (log t - log softmax(y))", SHARES
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

LOSSES: Registry[LossRule] = Registry("loss", {rule.name: rule for rule in _RULES}, ALIASES, full=False)


def loss_by_name(name: str) -> LossRule:
    """Look a loss up, by its own name or one from `ALIASES`.

    Errors      DataError for an unknown name

    >>> loss_by_name("softmax_cross_entropy").output_activation
    'softmax'
    >>> loss_by_name("mse").name
    'squared_error'
    """
    return LOSSES[name]
