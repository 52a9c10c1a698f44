"""Ufuncs: one table from those of NumPy and SciPy to operations, or short compositions of them.

A row is called with operands that already have the dtype of NumPy's own loop.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import elementwise as e
from minicolumn.ir.ops import logic as b
from minicolumn.ir.ops import special as s
from minicolumn.ir.ops.products import MATMUL
from minicolumn.trace.promote import array
from minicolumn.trace.tracer import Traced, cast, fresh

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, ArrayFunction, Operand
    from minicolumn.trace.arguments import DTypeLike, Optional


def _as_bool(x: Array) -> Any:
    return x if x.dtype == np.bool_ else b.NOT_EQUAL(x, np.zeros((), x.dtype))


def _on_bool(op: ArrayFunction) -> Callable[..., Any]:
    return lambda *xs: op(*map(_as_bool, xs))


def _heaviside(x: Array, half: Array) -> Any:
    step = np.where(x > 0, 1.0, 0.0).astype(half.dtype)
    return np.where(np.isnan(x), np.nan, np.where(x == 0, half, step))


def _fmax(x: Array, y: Array) -> Any:
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.maximum(x, y)))


def _fmin(x: Array, y: Array) -> Any:
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.minimum(x, y)))


def _modf(x: Array) -> tuple[Any, Any]:
    # Both parts have the sign of x, zeros too; what an infinity has behind the point is 0.
    return np.where(np.isinf(x), np.copysign(np.zeros((), x.dtype), x), np.fmod(x, 1.0)), np.trunc(x)


def _ldexp(x: Array, n: Array) -> Any:
    """Return x 2^n in steps whose powers are finite, with one rounding."""
    limits = np.finfo(x.dtype)
    low, high = int(limits.minexp), int(limits.maxexp) - 1
    rest = cast(n, x.dtype)
    for _ in range(2):
        # A step down leaves enough to do that a first rounding, below the least normal number, cannot show.
        step = np.where(rest < low, low + limits.nmant + 1.0, np.where(rest > high, float(high), 0.0))
        step = cast(step, x.dtype)
        x, rest = x * np.exp2(step), rest - step
    return x * np.exp2(np.clip(rest, low, high))


def _loggamma(x: Array) -> Any:
    return np.where(x < 0, np.nan, s.GAMMALN(x))


def _beta(x: Array, y: Array) -> Any:
    sign = s.GAMMASGN(x) * s.GAMMASGN(y) * s.GAMMASGN(x + y)
    return sign * np.exp(s.BETALN(x, y))


def _logit(x: Array) -> Any:
    return np.log(x) - np.log1p(-x)


def _ndtr(x: Array) -> Any:
    return 0.5 * s.ERFC(x * (-1.0 / sqrt(2.0)))


def _ndtri(p: Array) -> Any:
    return -sqrt(2.0) * s.ERFCINV(2.0 * p)


def _entr(x: Array) -> Any:
    return np.where(x < 0, -np.inf, -s.XLOGY(np.maximum(x, 0.0), np.maximum(x, 0.0)))


def _rel_entr(x: Array, y: Array) -> Any:
    ok = (x >= 0) & (y > 0)
    safe_y = np.where(ok, y, 1.0)
    value = s.XLOGY(np.where(ok, x, 0.0), np.where(ok & (x > 0), x, 1.0) / safe_y)
    return np.where(ok, value, np.where((x == 0) & (y >= 0), 0.0, np.inf).astype(x.dtype))


def _kl_div(x: Array, y: Array) -> Any:
    return _rel_entr(x, y) - x + y


def _matmul(x: Array, y: Array) -> Any:
    if not x.ndim or not y.ndim:
        raise ShapeError("matmul: operands need at least one axis; for numbers use *")
    left, right = x, y
    if x.ndim == 1:
        left = np.reshape(x, (1, x.shape[0]))
    if y.ndim == 1:
        right = np.reshape(y, (y.shape[0], 1))
    out = MATMUL(left, right)
    if y.ndim == 1:
        out = np.reshape(out, out.shape[:-1])
    if x.ndim == 1:
        out = np.reshape(out, out.shape[:-2] + out.shape[-1:] if y.ndim > 1 else out.shape[:-1])
    return out


def _reciprocal(x: Array) -> Any:
    if x.dtype.kind != "f":
        raise TraceError("np.reciprocal of integers is 0 nearly everywhere and cannot be traced; use 1.0 / x")
    return e.DIVIDE(np.ones((), x.dtype), x)


def squared(x: Array) -> Any:
    """Return x * x; of a length, spread or size what is within keeps its derivatives, at 0 too."""
    if isinstance(x, Traced) and x.node.op is e.ROOT:
        return e.SQUARED_ROOT(_within(x))
    if isinstance(x, Traced) and x.node.op is e.ABSOLUTE:
        x = _within(x)
    return np.multiply(x, x)


def _within(x: Traced) -> Traced:
    return Traced(x.node.inputs[0])  # type: ignore[arg-type]


def _power(x: Array, y: Array) -> Any:
    """Return x ** y; of a length, spread or size with a second derivative at 0 where it has one."""
    if isinstance(x, Traced) and not isinstance(y, Traced) and np.ndim(y) == 0:
        if x.node.op is e.ROOT and (y == 2 or y >= 3):
            return e.ROOT_POWER(_within(x), y)
        if x.node.op is e.ABSOLUTE and y % 2 == 0:
            x = _within(x)
    return e.POWER(x, y)


def _identity(x: Array) -> Any:
    return fresh(x)


UFUNCS: dict[str, Callable[..., Any]] = {
    "add": e.ADD,
    "subtract": e.SUBTRACT,
    "multiply": e.MULTIPLY,
    "divide": e.DIVIDE,
    "true_divide": e.DIVIDE,
    "floor_divide": e.FLOOR_DIVIDE,
    "remainder": e.REMAINDER,
    "mod": e.REMAINDER,
    "fmod": e.FMOD,
    "divmod": lambda x, y: (e.FLOOR_DIVIDE(x, y), e.REMAINDER(x, y)),
    "modf": _modf,
    "power": _power,
    "float_power": _power,
    "negative": e.NEGATIVE,
    "positive": _identity,
    "absolute": e.ABSOLUTE,
    "fabs": e.ABSOLUTE,
    "sign": e.SIGN,
    "conjugate": _identity,
    "floor": e.FLOOR,
    "ceil": e.CEIL,
    "trunc": e.TRUNC,
    "rint": e.RINT,
    "maximum": e.MAXIMUM,
    "minimum": e.MINIMUM,
    "fmax": _fmax,
    "fmin": _fmin,
    "exp": e.EXP,
    "exp2": e.EXP2,
    "exp10": lambda x: np.exp(x * log(10.0)),
    "expm1": e.EXPM1,
    "log": e.LOG,
    "log2": e.LOG2,
    "log10": e.LOG10,
    "log1p": e.LOG1P,
    "logaddexp": e.LOGADDEXP,
    "logaddexp2": e.LOGADDEXP2,
    "sqrt": e.SQRT,
    "cbrt": e.CBRT,
    "square": squared,
    "reciprocal": _reciprocal,
    "hypot": e.HYPOT,
    "sin": e.SIN,
    "cos": e.COS,
    "tan": e.TAN,
    "arcsin": e.ARCSIN,
    "arccos": e.ARCCOS,
    "arctan": e.ARCTAN,
    "arctan2": e.ARCTAN2,
    "sinh": e.SINH,
    "cosh": e.COSH,
    "tanh": e.TANH,
    "arcsinh": e.ARCSINH,
    "arccosh": e.ARCCOSH,
    "arctanh": e.ARCTANH,
    "degrees": lambda x: x * (180.0 / pi),
    "rad2deg": lambda x: x * (180.0 / pi),
    "radians": lambda x: x * (pi / 180.0),
    "deg2rad": lambda x: x * (pi / 180.0),
    "copysign": lambda x, y: np.abs(x) * np.where(np.signbit(y), -1.0, 1.0).astype(x.dtype),
    "heaviside": _heaviside,
    "ldexp": _ldexp,
    # Truth and bits
    "equal": b.EQUAL,
    "not_equal": b.NOT_EQUAL,
    "less": b.LESS,
    "less_equal": b.LESS_EQUAL,
    "greater": b.GREATER,
    "greater_equal": b.GREATER_EQUAL,
    "isnan": b.ISNAN,
    "isinf": b.ISINF,
    "isfinite": b.ISFINITE,
    "signbit": b.SIGNBIT,
    "logical_and": _on_bool(b.BITWISE_AND),
    "logical_or": _on_bool(b.BITWISE_OR),
    "logical_xor": _on_bool(b.BITWISE_XOR),
    "logical_not": _on_bool(b.INVERT),
    "bitwise_and": b.BITWISE_AND,
    "bitwise_or": b.BITWISE_OR,
    "bitwise_xor": b.BITWISE_XOR,
    "invert": b.INVERT,
    "left_shift": b.LEFT_SHIFT,
    "right_shift": b.RIGHT_SHIFT,
    # Products
    "matmul": _matmul,
    "vecdot": lambda x, y: _matmul(x[..., None, :], y[..., None])[..., 0, 0],
    "matvec": lambda x, y: _matmul(x, y[..., None])[..., 0],
    "vecmat": lambda x, y: _matmul(x[..., None, :], y)[..., 0, :],
    # scipy.special
    "expit": e.LOGISTIC,
    "log_expit": lambda x: -e.SOFTPLUS(-x),
    "logit": _logit,
    "erf": s.ERF,
    "erfc": s.ERFC,
    "erfinv": s.ERFINV,
    "erfcinv": s.ERFCINV,
    "erfcx": s.ERFCX,
    "ndtr": _ndtr,
    "ndtri": _ndtri,
    "log_ndtr": s.LOG_NDTR,
    "gamma": s.GAMMA,
    "rgamma": lambda x: s.GAMMASGN(x) * np.exp(-s.GAMMALN(x)),
    "gammainc": s.GAMMAINC,
    "gammaincc": s.GAMMAINCC,
    "betainc": s.BETAINC,
    "gammaln": s.GAMMALN,
    "gammasgn": s.GAMMASGN,
    "loggamma": _loggamma,
    "psi": lambda x: s.POLYGAMMA(x, n=0),
    "digamma": lambda x: s.POLYGAMMA(x, n=0),
    "beta": _beta,
    "betaln": s.BETALN,
    "xlogy": s.XLOGY,
    "xlog1py": s.XLOG1PY,
    "entr": _entr,
    "rel_entr": _rel_entr,
    "kl_div": _kl_div,
    "i0": s.I0,
    "i1": s.I1,
    "iv": s.IV,
    "jv": s.JV,
    "j0": lambda x: s.JV(np.zeros((), x.dtype), x),
    "j1": lambda x: s.JV(np.ones((), x.dtype), x),
    "yv": s.YV,
    "yn": lambda n, x: s.YV(cast(n, x.dtype), x),
    "y0": lambda x: s.YV(np.zeros((), x.dtype), x),
    "y1": lambda x: s.YV(np.ones((), x.dtype), x),
}


def _in_dtype(reduction: ArrayFunction) -> Callable[..., Any]:
    def reduce(x: Operand, dtype: DTypeLike = None, **kwargs: Any) -> Any:
        return reduction(x if dtype is None else cast(array(x), np.dtype(dtype)), **kwargs)

    return reduce


def _truth(reduction: ArrayFunction, combine: ArrayFunction) -> Callable[..., Any]:
    def reduce(x: Operand, dtype: DTypeLike = None, initial: Optional = np._NoValue, **kwargs: Any) -> Any:
        if dtype is not None and np.dtype(dtype) != np.bool_:
            raise TraceError(f"dtype={np.dtype(dtype)}: the truth of all or any elements is bool")
        if initial is None:
            raise TraceError("initial=None: the truth of all or any elements starts from its neutral element")
        out = reduction(x, **kwargs)
        return out if initial is np._NoValue else combine(out, initial)

    return reduce


# ufunc.reduce and ufunc.accumulate are NumPy functions under another name.
REDUCE: dict[str, Callable[..., Any]] = {
    "add": np.sum,
    "multiply": np.prod,
    "maximum": _in_dtype(np.max),
    "minimum": _in_dtype(np.min),
    "logical_and": _truth(np.all, np.logical_and),
    "logical_or": _truth(np.any, np.logical_or),
}


def _running(combine: ArrayFunction) -> Callable[..., Any]:
    """Return the running form of a function that may combine an element with itself, by doubling."""

    def run(x: Operand, axis: int = 0, dtype: DTypeLike = None, out: None = None) -> Any:
        found = np.moveaxis(x if dtype is None else cast(array(x), np.dtype(dtype)), axis, 0)  # type: ignore[arg-type]
        step = 1
        while step < found.shape[0]:
            found = np.concatenate([found[:step], combine(found[step:], found[:-step])])
            step *= 2
        return np.moveaxis(found, 0, axis)

    return run


ACCUMULATE: dict[str, Callable[..., Any]] = {
    "add": np.cumsum,
    "multiply": np.cumprod,
    "maximum": _running(np.maximum),
    "minimum": _running(np.minimum),
}
