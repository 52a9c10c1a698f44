"""Functions that SciPy defines and NumPy does not. SciPy is loaded when one of them first runs."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import numpy as np

from minicolumn.ir.op import define
from minicolumn.ir.ops.elementwise import binary, same, unary


def _scipy(name: str) -> Callable[..., Any]:
    def call(*args: np.ndarray) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*args)

    return call


ERF = unary("erf", _scipy("erf"), lambda g, out, x: g * (2.0 / sqrt(pi)) * np.exp(-x * x))
ERFC = unary("erfc", _scipy("erfc"), lambda g, out, x: g * (-2.0 / sqrt(pi)) * np.exp(-x * x))
ERFINV = unary("erfinv", _scipy("erfinv"), lambda g, out, x: g * (0.5 * sqrt(pi)) * np.exp(out * out))
# The density over the distribution, taken in the exponent: both vanish far to the left, their ratio does not.
LOG_NDTR = unary(
    "log_ndtr",
    _scipy("log_ndtr"),
    lambda g, out, x: g * np.exp(-0.5 * x * x - out) / sqrt(2.0 * pi),
    "log of the standard normal distribution function",
)
GAMMALN = unary("gammaln", _scipy("gammaln"), lambda g, out, x: g * POLYGAMMA(x, n=0))
GAMMASGN = unary("gammasgn", _scipy("gammasgn"))


def _polygamma(x: np.ndarray, *, n: int) -> np.ndarray:
    import scipy.special

    value = scipy.special.digamma(x) if n == 0 else scipy.special.polygamma(n, x)
    return np.asarray(value, x.dtype)


POLYGAMMA = define(
    "polygamma",
    kind="map",
    infer=lambda x, *, n: same(x),
    numpy=_polygamma,
    vjp=(lambda g, out, x, *, n: g * POLYGAMMA(x, n=n + 1),),
    doc="The n-th derivative of the digamma function; n = 0 is digamma itself.",
)
I0 = unary("i0", _scipy("i0"), lambda g, out, x: g * I1(x))
I1 = unary("i1", _scipy("i1"), lambda g, out, x: g * (I0(x) - np.where(x == 0, 0.5, out / np.where(x == 0, 1.0, x))))
XLOGY = binary(
    "xlogy",
    _scipy("xlogy"),
    lambda g, out, x, y: g * XLOGY((x != 0).astype(x.dtype), y),
    lambda g, out, x, y: g * np.where(x == 0, 0.0, x / y),
    doc="x log(y), and 0 where x = 0 whatever y is.",
)
XLOG1PY = binary(
    "xlog1py",
    _scipy("xlog1py"),
    lambda g, out, x, y: g * XLOG1PY((x != 0).astype(x.dtype), y),
    lambda g, out, x, y: g * np.where(x == 0, 0.0, x / (1.0 + y)),
    doc="x log(1 + y), and 0 where x = 0 whatever y is.",
)
