"""Dispatch of NumPy's ufuncs and functions on traced arrays, with errors that name the nearest that works."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import TraceError, did_you_mean
from minicolumn.ir.op import Op
from minicolumn.trace import (
    choosing,
    differences,
    indexing,
    joining,
    matrices,
    nan_reductions,
    padding,
    products,
    quantiles,
    reductions,
    shaping,
    sorting,
)
from minicolumn.trace.aliases import answered, overwrite
from minicolumn.trace.elements import elements, gathered, of_elements
from minicolumn.trace.indexing import getitem
from minicolumn.trace.promote import array, dtype_or_kind, loop_dtypes, said_dtypes
from minicolumn.trace.tracer import Traced, apply, cast
from minicolumn.trace.ufuncs import ACCUMULATE, REDUCE, UFUNCS, squared

if TYPE_CHECKING:
    from minicolumn.ir.arrays import ArrayFunction, Operand
    from minicolumn.trace.arguments import Axes, DTypeLike, Kind

__all__ = [
    "FUNCTIONS",
    "OF_ELEMENTS",
    "call_function",
    "call_ufunc",
    "elements",
    "gathered",
    "getitem",
    "operate",
    "overwrite",
    "squared",
]

OF_ELEMENTS = of_elements(UFUNCS)

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    **reductions.TABLE,
    **nan_reductions.TABLE,
    **shaping.TABLE,
    **joining.TABLE,
    **padding.TABLE,
    **choosing.TABLE,
    **indexing.TABLE,
    **products.TABLE,
    **sorting.TABLE,
    **quantiles.TABLE,
    **differences.TABLE,
    **matrices.TABLE,
}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer ``ufunc.method(*inputs, **kwargs)`` for traced inputs."""
    if kwargs.get("out") is not None and any(o is not None for o in kwargs["out"]):
        raise TraceError(
            f"np.{ufunc.__name__}(..., out=...) and in-place operators on plain arrays would lose the trace; "
            "write y = np.f(x), or x = x + y in place of x += y"
        )
    if any(map(_has_elements, inputs)):
        inputs = _gathered(inputs)
    if method == "reduce":
        return _reduce(ufunc, *inputs, **kwargs)
    if method == "accumulate" and ufunc.__name__ in ACCUMULATE:
        return ACCUMULATE[ufunc.__name__](*inputs, **{"axis": 0, **kwargs})
    if method == "outer":
        left, right = map(array, inputs)
        return ufunc(np.reshape(left, left.shape + (1,) * right.ndim), right, **kwargs)
    if method != "__call__":
        instead = "; it writes into an array: use np.where(mask, new, old)" if method == "at" else ""
        raise TraceError(f"np.{ufunc.__name__}.{method} cannot be traced{instead}")
    if kwargs or any(isinstance(x, (list, tuple)) for x in inputs):
        return _call(ufunc, tuple(array(x) if isinstance(x, (list, tuple)) else x for x in inputs), **kwargs)
    return _row(ufunc, inputs, tuple(map(dtype_or_kind, inputs)))


def _reduce(
    ufunc: np.ufunc, x: Operand, axis: Axes = 0, dtype: DTypeLike = None, out: None = None, **kwargs: Any
) -> Any:
    if dtype is not None:
        kwargs["dtype"] = dtype
    if ufunc is np.logaddexp:
        return reductions.logsumexp(x, axis=axis, **kwargs)
    if ufunc.__name__ not in REDUCE:
        raise TraceError(f"np.{ufunc.__name__}.reduce cannot be traced{did_you_mean(ufunc.__name__, REDUCE)}")
    return REDUCE[ufunc.__name__](x, axis=axis, **kwargs)


def _call(
    ufunc: np.ufunc,
    inputs: tuple[Operand, ...],
    *,
    where: Operand = True,
    dtype: DTypeLike = None,
    signature: Any = None,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
    out: None = None,
    **extra: object,
) -> Any:
    if where is not True:
        raise TraceError(
            f"np.{ufunc.__name__}(..., where=...) leaves elements undefined; use np.where(mask, f(x), x)"
        )
    if extra or order not in ("C", "F", "A", "K"):  # the layout in memory changes no value
        said = ", ".join(extra) or f"order={order!r}"
        raise TraceError(f"np.{ufunc.__name__}: {said} cannot be traced")
    kinds = tuple(map(dtype_or_kind, inputs))
    if dtype is None and signature is None and casting == "same_kind":
        return _row(ufunc, inputs, kinds)
    if dtype is not None and signature is not None:
        raise TraceError(f"np.{ufunc.__name__}: dtype and signature say the same thing; give one of them")
    return _applied(_row_of(ufunc), inputs, said_dtypes(ufunc, kinds, dtype, signature, casting))


def _row(ufunc: np.ufunc, operands: tuple[Operand, ...], kinds: tuple[Kind, ...]) -> Any:
    """Apply a row of the table to operands in the dtypes of the loop that NumPy would choose."""
    row, dtypes = _row_and_dtypes(ufunc, kinds)
    return _applied(row, operands, dtypes)


def _applied(row: Callable[..., Any], operands: tuple[Operand, ...], dtypes: tuple[Any, ...]) -> Any:
    converted = tuple(map(cast, operands, dtypes))
    return apply(row, converted, {}) if isinstance(row, Op) else row(*converted)


@lru_cache(maxsize=4096)
def _row_and_dtypes(ufunc: np.ufunc, kinds: tuple[Kind, ...]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return _row_of(ufunc), loop_dtypes(ufunc, kinds)


def _row_of(ufunc: np.ufunc) -> Callable[..., Any]:
    row = UFUNCS.get(ufunc.__name__)
    if row is None:
        raise TraceError(f"np.{ufunc.__name__} has no traced form{did_you_mean(ufunc.__name__, UFUNCS)}")
    return row


def _has_elements(x: Any) -> bool:
    """Return whether something is an array of objects, or a list with one: traced numbers, see `elements`."""
    if type(x) is np.ndarray:
        return x.dtype.hasobject
    return type(x) in (list, tuple) and any(map(_has_elements, x))


def _gathered(x: Any) -> Any:
    if type(x) is np.ndarray and x.dtype.hasobject:
        return gathered(x)
    listed = [_gathered(part) for part in x] if type(x) in (list, tuple) else x
    return tuple(listed) if type(x) is tuple else listed


def operate(ufunc: np.ufunc, *operands: Any) -> Any:
    """Answer an operator: the ufunc, but Python numbers alone give what counts as a Python number."""
    if any(map(_has_elements, operands)):
        operands = _gathered(operands)
    kinds = tuple(map(dtype_or_kind, operands))
    result = _row(ufunc, operands, kinds)
    if isinstance(kinds[0], type) and isinstance(kinds[-1], type):
        for out in result if isinstance(result, tuple) else (result,):
            if isinstance(out, Traced) and out.dtype != np.bool_:
                out.node.weak = True
    return result


def call_function(func: ArrayFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer ``func(*args, **kwargs)`` for traced arguments."""
    row = FUNCTIONS.get(func)
    if row is None:
        raise TraceError(_no_such(func))
    if kwargs.get("out") is not None:
        raise TraceError(f"np.{func.__name__}(..., out=...) would lose the trace; use its result")
    kwargs.pop("out", None)
    if any(map(_has_elements, (*args, *kwargs.values()))):
        args, kwargs = _gathered(args), {name: _gathered(x) for name, x in kwargs.items()}
    try:
        out = row(*args, **kwargs)
    except TypeError as error:
        if "argument" in str(error) and not isinstance(error, TraceError):
            raise TraceError(f"np.{func.__name__}: {str(error).split('() ')[-1]} when traced") from None
        raise
    return answered(func, out, args, kwargs)


def _no_such(func: ArrayFunction) -> str:
    name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
    if "fft" in name:
        return (
            f"{name} needs complex numbers, which graphs do not have; write the transform as a matrix product"
        )
    known = {f.__name__ for f in FUNCTIONS} | set(UFUNCS)
    near = _INSTEAD.get(func.__name__)
    hint = f"; {near}" if near else did_you_mean(func.__name__, known)
    return (
        f"{name} cannot be traced{hint or '; write it with the NumPy functions that can (see docs/numpy.md)'}"
    )


# Functions whose nearest relative is not the one with the nearest spelling.
_INSTEAD = {
    "eig": "np.linalg.eigh is there for symmetric matrices, and np.linalg.svd",
    "eigvals": "np.linalg.eigvalsh is there for symmetric matrices, and np.linalg.svdvals",
    "lstsq": "np.linalg.pinv(a) @ b is the solution, and np.linalg.solve(a.T @ a, a.T @ b) for full rank",
    "copyto": "use np.where(mask, new, old)",
    "put": "use np.where(mask, new, old)",
    "place": "use np.where(mask, new, old)",
    "putmask": "use np.where(mask, new, old)",
    "put_along_axis": "use np.where(mask, new, old)",
    "fill_diagonal": "use np.where(np.eye(n, dtype=bool), value, x)",
    "convolve": "sum shifted slices, or use np.dot with a matrix of windows",
    "apply_along_axis": "work on the whole array with axis= arguments, or use mc.scan",
    "vectorize": "NumPy functions work on whole arrays already; use np.where for branches",
    "histogram": "counts have no derivative; use stop_gradient values outside the trace",
    "unique": "its shape depends on values; call it outside the trace",
}
