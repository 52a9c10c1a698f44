"""Special functions, which SciPy defines and NumPy does not; it is loaded when one of them first runs."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import TraceError
from minicolumn.ir.op import Op, Rule, define
from minicolumn.ir.ops.elementwise import binary, unary
from minicolumn.ir.ops.rules import mapped

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array

# What SciPy's double precision may miss where native code has a function of its own: those of Cephes, whose
# erfc is 6e-14 off.
CEPHES_ULP = 8.0


def _scipy(name: str) -> Callable[..., Any]:
    def call(*args: np.ndarray) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*args)

    return call


def _rare(name: str, *vjp: Rule | None, doc: str = "", **traits: Any) -> Op:
    """Define a function that SciPy computes in every lowering."""
    define_it = unary if len(vjp) == 1 else binary
    return define_it(name, _scipy(name), *vjp, doc=doc, host="f", **traits)


ERF = unary("erf", _scipy("erf"), lambda g, out, x: g * (2.0 / sqrt(pi)) * np.exp(-x * x), ulp=CEPHES_ULP)
ERFC = unary("erfc", _scipy("erfc"), lambda g, out, x: g * (-2.0 / sqrt(pi)) * np.exp(-x * x), ulp=500.0)
ERFINV = _rare("erfinv", lambda g, out, x: g * (0.5 * sqrt(pi)) * np.exp(out * out))
ERFCINV = _rare("erfcinv", lambda g, out, x: g * (-0.5 * sqrt(pi)) * np.exp(out * out))
ERFCX = _rare("erfcx", lambda g, out, x: g * (2.0 * x * out - 2.0 / sqrt(pi)), doc="exp(x^2) erfc(x)")
# The density over the distribution. Both vanish far to the left; their ratio, about -x there, does not.
LOG_NDTR = _rare(
    "log_ndtr",
    lambda g, out, x: g * (sqrt(2.0 / pi) / ERFCX(x * (-1.0 / sqrt(2.0)))),
    doc="log of the standard normal distribution function",
)
GAMMA = _rare("gamma", lambda g, out, x: g * out * POLYGAMMA(x, n=0), zero_signs=(0,))
GAMMALN = _rare("gammaln", lambda g, out, x: g * POLYGAMMA(x, n=0))
GAMMASGN = _rare("gammasgn", None, zero_signs=(0,))


def _polygamma(x: np.ndarray, *, n: int) -> np.ndarray:
    import scipy.special

    value = scipy.special.digamma(x) if n == 0 else scipy.special.polygamma(n, x)
    return np.asarray(value, x.dtype)


POLYGAMMA = define(
    "polygamma",
    kind="map",
    infer=lambda x, *, n: mapped("polygamma", 1, "f")(x),
    numpy=_polygamma,
    vjp=(lambda g, out, x, *, n: g * POLYGAMMA(x, n=n + 1),),
    host="f",
    doc="The n-th derivative of the digamma function; n = 0 is digamma itself.",
)
BETALN = _rare(
    "betaln",
    lambda g, out, x, y: g * (POLYGAMMA(x, n=0) - POLYGAMMA(x + y, n=0)),
    lambda g, out, x, y: g * (POLYGAMMA(y, n=0) - POLYGAMMA(x + y, n=0)),
)


def _log_slope(zero: Array, y: Array) -> Any:
    # Tie: where x = 0 and y = 0 the slope is -infinite; 0 keeps entropies of one-hot rows finite.
    return np.where(zero, 0.0, np.log(np.where(zero, 1.0, y)))


XLOGY = binary(
    "xlogy",
    _scipy("xlogy"),
    lambda g, out, x, y: g * _log_slope((x == 0) & (y == 0), y),
    lambda g, out, x, y: g * (x / np.where((x == 0) & (y == 0), 1.0, y)),
    doc="x log(y), and 0 where x = 0 whatever y is.",
    ulp=CEPHES_ULP,
)
XLOG1PY = binary(
    "xlog1py",
    _scipy("xlog1py"),
    lambda g, out, x, y: g * np.log1p(np.where((x == 0) & (y == -1), 0.0, y)),
    lambda g, out, x, y: g * (x / np.where((x == 0) & (y == -1), 1.0, 1.0 + y)),
    doc="x log(1 + y), and 0 where x = 0 whatever y is.",
    ulp=CEPHES_ULP,
)

# Bessel functions of a fixed order, and incomplete integrals with fixed exponents --------------------------


def _fixed(name: str, operand: str) -> Rule:
    def refuse(*_: object) -> Any:
        raise TraceError(f"{name} has no derivative rule for its {operand}; pass it as a plain number")

    return refuse


def _bessel(name: str, below: float, above: float) -> Op:
    # Each is the mean of its neighbours' orders, up to sign: DLMF 10.6.1 and 10.29.1.
    def slope(g: Array, out: Array, order: Array, x: Array) -> Any:
        return g * (below * op(order - 1.0, x) + above * op(order + 1.0, x))

    op = _rare(name, _fixed(name, "order"), slope)
    return op


JV, YV, IV = _bessel("jv", 0.5, -0.5), _bessel("yv", 0.5, -0.5), _bessel("iv", 0.5, 0.5)
I0 = _rare("i0", lambda g, out, x: g * I1(x))
I1 = _rare("i1", lambda g, out, x: g * 0.5 * (I0(x) + IV(np.asarray(2.0, x.dtype), x)))


def _gamma_density(a: Array, x: Array) -> Any:
    return np.exp(XLOGY(a - 1.0, x) - x - GAMMALN(a))


GAMMAINC = _rare(
    "gammainc",
    _fixed("gammainc", "exponent"),
    lambda g, out, a, x: g * _gamma_density(a, x),
)
GAMMAINCC = _rare(
    "gammaincc",
    _fixed("gammaincc", "exponent"),
    lambda g, out, a, x: -g * _gamma_density(a, x),
)
BETAINC = define(
    "betainc",
    kind="map",
    infer=mapped("betainc", 3, "f"),
    numpy=_scipy("betainc"),
    vjp=(
        _fixed("betainc", "first exponent"),
        _fixed("betainc", "second exponent"),
        lambda g, out, a, b, x: g * np.exp(XLOGY(a - 1.0, x) + XLOG1PY(b - 1.0, -x) - BETALN(a, b)),
    ),
    host="f",
)
