"""The table of activations. They are plain NumPy, in the form that stays right at the ends.

They keep float32 float32. Derivatives come from autodiff, so each is written in the form whose derivative is
right too. NaN goes in, NaN comes out, except through ``step``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn.nn.activations import gated, rectifiers, sigmoids, softmax
from minicolumn.nn.losses import log_softmax
from minicolumn.registry import FunctionRule, Registry, Setting, is_function, settings_of

Array = np.ndarray


def linear(x: Array) -> Array:
    """Return the input: ``f(x) = x``.

    >>> linear(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """
    return x


def exponential(x: Array) -> Array:
    """Turn a logarithm into what it is the logarithm of: for expected counts.

        f(x) = e^x

    >>> exponential(np.array([0.0]))
    array([1.])
    """
    return np.exp(x)


def log_sigmoid(x: Array) -> Array:
    """Return the logarithm of the logistic: for logarithms of probabilities.

        f(x) = -log(1 + e^-x)

    >>> log_sigmoid(np.array([-100.0, 0.0, 100.0])).round(4)
    array([-100.    ,   -0.6931,   -0.    ])
    """
    return -rectifiers.softplus(-x)


@dataclass(frozen=True, slots=True)
class ActivationRule(FunctionRule):
    """An activation with what the rest of the package needs to know about it.

    name, function
    formula
    init        the initialisation that keeps the signal's variance through it
    trainable   False where the derivative is 0 everywhere
    by_row      whether each output depends on the whole last axis
    scores      how many numbers of the last axis go in for each that comes out: 2 for glu
    settings    what its function's keywords may be, and are by default
    """

    name: str
    function: Callable[[Array], Array] = field(compare=False)  # which the name tells, with its settings
    formula: str
    init: str
    trainable: bool = True
    by_row: bool = False
    scores: int = 1
    settings: Mapping[str, Setting] = field(init=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", settings_of(self.function))


_RULES = (
    ActivationRule("linear", linear, "x", "glorot_uniform"),
    # Between two bounds.
    ActivationRule("step", sigmoids.step, "1 if x >= 0 else 0", "glorot_uniform", trainable=False),
    ActivationRule("logistic", sigmoids.logistic, "1 / (1 + e^-x)", "glorot_uniform"),
    ActivationRule("tanh", sigmoids.tanh, "tanh x", "glorot_uniform"),
    ActivationRule("hard_tanh", sigmoids.hard_tanh, "min(max(x, -1), 1)", "glorot_uniform"),
    ActivationRule("hard_sigmoid", sigmoids.hard_sigmoid, "min(max(x / 6 + 1/2, 0), 1)", "glorot_uniform"),
    ActivationRule(
        "sparse_sigmoid", sigmoids.sparse_sigmoid, "min(max((x + 1) / 2, 0), 1)", "glorot_uniform"
    ),
    ActivationRule("softsign", sigmoids.softsign, "x / (1 + |x|)", "glorot_uniform"),
    ActivationRule("sine", sigmoids.sine, "sin x", "glorot_uniform"),
    # The ReLU family.
    ActivationRule("relu", rectifiers.relu, "max(x, 0)", "he_normal"),
    ActivationRule("relu6", rectifiers.relu6, "min(max(x, 0), 6)", "he_normal"),
    ActivationRule("leaky_relu", rectifiers.leaky_relu, "x if x > 0 else slope x", "he_normal"),
    ActivationRule("threshold", rectifiers.threshold, "x if x > level else value", "he_normal"),
    ActivationRule("elu", rectifiers.elu, "x if x > 0 else alpha (e^x - 1)", "he_normal"),
    ActivationRule("celu", rectifiers.celu, "x if x > 0 else alpha (e^(x / alpha) - 1)", "he_normal"),
    ActivationRule("selu", rectifiers.selu, "1.0507 (x if x > 0 else 1.6733 (e^x - 1))", "lecun_normal"),
    ActivationRule("softplus", rectifiers.softplus, "log(1 + e^x)", "he_normal"),
    ActivationRule("squareplus", rectifiers.squareplus, "(x + sqrt(x^2 + b)) / 2", "he_normal"),
    ActivationRule("sparse_plus", rectifiers.sparse_plus, "x if x > 1 else max(x + 1, 0)^2 / 4", "he_normal"),
    ActivationRule("hard_shrink", rectifiers.hard_shrink, "x if |x| > threshold else 0", "glorot_uniform"),
    ActivationRule(
        "soft_shrink", rectifiers.soft_shrink, "sign(x) max(|x| - threshold, 0)", "glorot_uniform"
    ),
    ActivationRule("tanh_shrink", rectifiers.tanh_shrink, "x - tanh x", "glorot_uniform"),
    # The input, weighed by a share of itself.
    ActivationRule("mish", gated.mish, "x tanh(log(1 + e^x))", "he_normal"),
    ActivationRule("silu", gated.silu, "x / (1 + e^-x)", "he_normal"),
    ActivationRule("hard_silu", gated.hard_silu, "x min(max(x / 6 + 1/2, 0), 1)", "he_normal"),
    ActivationRule("gelu", gated.gelu, "x Phi(x)", "he_normal"),
    ActivationRule(
        "gelu_tanh", gated.gelu_tanh, "x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2", "he_normal"
    ),
    ActivationRule("glu", gated.glu, "a / (1 + e^-b), x = [a | b]", "glorot_uniform", by_row=True, scores=2),
    # Exponentials and logarithms; shares of the last axis.
    ActivationRule("exponential", exponential, "e^x", "glorot_uniform"),
    ActivationRule("log_sigmoid", log_sigmoid, "-log(1 + e^-x)", "glorot_uniform"),
    ActivationRule("softmax", softmax.softmax, "e^x_i / sum_j e^x_j", "glorot_uniform", by_row=True),
    ActivationRule("log_softmax", log_softmax, "x_i - log sum_j e^x_j", "glorot_uniform", by_row=True),
    ActivationRule("sparsemax", softmax.sparsemax, "max(x_i - t, 0), sum 1", "glorot_uniform", by_row=True),
)


def _own(name: str, function: Any, *, formula: str = "", init: str = "glorot_uniform") -> Any:
    """Return the rule of a function of one's own, whose keywords may be settings."""
    return ActivationRule(name, function, formula, init) if is_function(function) else NotImplemented


# What other libraries call them.
ALIASES = {"sigmoid": "logistic", "identity": "linear", "swish": "silu"}
ACTIVATIONS: Registry[ActivationRule] = Registry(
    "activation",
    {rule.name: rule for rule in _RULES},
    ALIASES,
    full=False,
    adopt=_own,
    wanted="a NumPy function of one array that keeps its shape",
)


def activation_by_name(name: str) -> ActivationRule:
    """Look an activation up, by its name here or by its usual one elsewhere; settings follow a colon.

    Errors      DataError for an unknown name or setting, or a value out of range

    >>> activation_by_name("relu").formula
    'max(x, 0)'
    >>> activation_by_name("swish").name
    'silu'
    >>> activation_by_name("leaky_relu:slope=0.3").function(np.array([-1.0, 2.0]))
    array([-0.3,  2. ])
    """
    return _made(name) if isinstance(name, str) else ACTIVATIONS.make(name)


# Layers ask by name each time they are applied.
_made = functools.lru_cache(maxsize=256)(ACTIVATIONS.make)
