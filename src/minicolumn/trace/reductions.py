"""NumPy's reductions and statistics on traced arrays."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.op import Op
from minicolumn.ir.ops import order, reductions
from minicolumn.ir.shapes import Dim, normalize_axes, normalize_axis, ones_at
from minicolumn.trace.promote import array, as_float
from minicolumn.trace.tracer import cast, stop_gradient

if TYPE_CHECKING:
    from numpy._globals import _NoValueType

    from minicolumn.ir.arrays import Array, ArrayFunction, Operand
    from minicolumn.trace.arguments import Axes, DTypeLike, Flag, Mask, Optional


def _summing_dtype(x: Array, dtype: DTypeLike) -> Any:
    # NumPy sums booleans and small integers in the machine's own integer.
    if dtype is not None:
        return cast(x, np.dtype(dtype))
    return cast(x, np.dtype(np.int64)) if np.dtype(x.dtype).kind in "bi" else x


def _masked(x: Array, where: Mask, fill: float) -> Any:
    return x if where is None or where is True else np.where(where, x, np.asarray(fill, x.dtype))


def _reduce(op: Op, x: Array, axis: Axes, keepdims: Flag) -> Any:
    axes = normalize_axes(axis, x.ndim)
    out = op(x, axes=axes) if axes else x
    return np.reshape(out, ones_at(x.shape, axes)) if kept(keepdims) else out


def kept(keepdims: Flag) -> bool:
    """Return whether reduced axes stay; NumPy's own functions pass "no value" where nothing was said."""
    return keepdims is not np._NoValue and bool(keepdims)


def _initial(out: Array, initial: Optional, combine: ArrayFunction) -> Any:
    return out if initial is None or initial is np._NoValue else combine(out, initial)


def sum_(
    a: Operand, axis: Axes = None, dtype: DTypeLike = None, out: None = None, keepdims: Flag = False,
    initial: Optional = None, where: Mask = None,
) -> Any:  # fmt: skip
    """Return the sum over axes; booleans and signed integers are summed in int64."""
    x = _masked(_summing_dtype(array(a), dtype), where, 0)
    return _initial(_reduce(reductions.SUM, x, axis, keepdims), initial, np.add)


def prod_(
    a: Operand, axis: Axes = None, dtype: DTypeLike = None, out: None = None, keepdims: Flag = False,
    initial: Optional = None, where: Mask = None,
) -> Any:  # fmt: skip
    """Return the product over axes; booleans and signed integers are multiplied in int64."""
    x = _masked(_summing_dtype(array(a), dtype), where, 1)
    return _initial(_reduce(reductions.PROD, x, axis, keepdims), initial, np.multiply)


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


def max_(
    a: Operand,
    axis: Axes = None,
    out: None = None,
    keepdims: Flag = False,
    initial: Optional = None,
    where: Mask = None,
) -> Any:
    """Return the maximum over axes; elements that tie share the derivative evenly."""
    x = array(a)
    x = _masked(x, where, _lowest(x.dtype)) if where is not None else x
    return _initial(_reduce(reductions.MAX, x, axis, keepdims), initial, np.maximum)


def min_(
    a: Operand,
    axis: Axes = None,
    out: None = None,
    keepdims: Flag = False,
    initial: Optional = None,
    where: Mask = None,
) -> Any:
    """Return the minimum over axes; elements that tie share the derivative evenly."""
    x = array(a)
    x = _masked(x, where, _highest(x.dtype)) if where is not None else x
    return _initial(_reduce(reductions.MIN, x, axis, keepdims), initial, np.minimum)


def all_(
    a: Operand, axis: Axes = None, out: None = None, keepdims: Flag = False, *, where: Mask = None
) -> Any:
    """Return whether all elements over axes are true."""
    x = _masked(cast(array(a), np.dtype(np.bool_)), where, True)
    return _reduce(reductions.ALL, x, axis, keepdims)


def any_(
    a: Operand, axis: Axes = None, out: None = None, keepdims: Flag = False, *, where: Mask = None
) -> Any:
    """Return whether any element over axes is true."""
    x = _masked(cast(array(a), np.dtype(np.bool_)), where, False)
    return _reduce(reductions.ANY, x, axis, keepdims)


def count_nonzero(a: Operand, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Return the number of elements over axes that are not 0."""
    return sum_(array(a) != 0, axis=axis, keepdims=keepdims)


def _count(x: Array, axis: Axes, where: Mask) -> Any:
    if where is not None and where is not True:
        return sum_(cast(np.broadcast_to(where, x.shape), x.dtype), axis=axis, keepdims=True)
    axes = normalize_axes(axis, x.ndim)
    unknown = next((x.shape[a] for a in axes if isinstance(x.shape[a], Dim)), None)
    if unknown is not None:
        raise TraceError(
            f"a mean over an axis of {unknown.name!r} elements needs their number, which is not known while "
            "tracing; hand it over as an argument and write np.sum(...) / number"
        )
    return prod(x.shape[a] for a in axes)


def mean_(
    a: Operand,
    axis: Axes = None,
    dtype: DTypeLike = None,
    out: None = None,
    keepdims: Flag = False,
    *,
    where: Mask = None,
) -> Any:
    """Return the arithmetic mean over axes; integers are averaged in float64."""
    x = as_float(array(a)) if dtype is None else cast(array(a), np.dtype(dtype))
    mean = sum_(x, axis=axis, keepdims=True, where=where) / _count(x, axis, where)
    return _squeezed(mean, x, axis, keepdims)


def _squeezed(reduced: Array, x: Array, axis: Axes, keepdims: Flag) -> Any:
    if kept(keepdims):
        return reduced
    axes = normalize_axes(axis, x.ndim)
    return np.reshape(reduced, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def average(
    a: Operand, axis: Axes = None, weights: Mask = None, returned: bool = False, *, keepdims: Flag = False
) -> Any:
    """Return the weighted mean over axes, and on demand the sum of the weights."""
    x = as_float(array(a))
    if weights is None:
        out, total = mean_(x, axis=axis, keepdims=keepdims), _count(x, axis, None)
        return (out, np.full(out.shape, total, x.dtype)) if returned else out
    w = array(weights)
    if w.shape != x.shape:
        if not isinstance(axis, (int, np.integer)) or w.shape != (x.shape[axis],):
            raise ShapeError(
                f"average: weights have shape {list(w.shape)}, expected {list(x.shape)} or one a row of axis"
            )
        w = np.reshape(w, [n if i == normalize_axis(int(axis), x.ndim) else 1 for i, n in enumerate(x.shape)])
        w = np.broadcast_to(w, x.shape)
    total = sum_(w, axis=axis, keepdims=keepdims)
    out = sum_(x * w, axis=axis, keepdims=keepdims) / total
    return (out, total) if returned else out


def var_(
    a: Operand, axis: Axes = None, dtype: DTypeLike = None, out: None = None, ddof: float = 0,
    keepdims: Flag = False, *, where: Mask = None, mean: Optional = None,
    correction: float | _NoValueType | None = None,
) -> Any:  # fmt: skip
    """Return the variance over axes, the sum of squares divided by count - ddof."""
    x = as_float(array(a)) if dtype is None else cast(array(a), np.dtype(dtype))
    if mean is None or mean is np._NoValue:
        mean = mean_(x, axis=axis, keepdims=True, where=where)
    centred = x - mean
    freedom: Any = ddof if correction is None or correction is np._NoValue else correction
    total = sum_(centred * centred, axis=axis, keepdims=True, where=where)
    count = _count(x, axis, where)
    left = max(count - freedom, 0) if isinstance(count, int) else np.maximum(count - freedom, 0)
    return _squeezed(total / left, x, axis, keepdims)


def root(x: Array) -> Any:
    """Return the square root with slope 0 at 0, the middle of what lengths and spreads allow there."""
    zero = x == 0
    return np.where(zero, 0.0, np.sqrt(np.where(zero, 1.0, x)))


def std_(a: Operand, *args: Any, **kwargs: Any) -> Any:
    """Return the standard deviation over axes, with derivative 0 where it is 0."""
    return root(var_(a, *args, **kwargs))


def ptp(a: Operand, axis: Axes = None, out: None = None, keepdims: Flag = False) -> Any:
    """Return the range, maximum - minimum, over axes."""
    return max_(a, axis=axis, keepdims=keepdims) - min_(a, axis=axis, keepdims=keepdims)


def logsumexp(
    a: Operand, axis: Axes = 0, keepdims: Flag = False, initial: Optional = None, where: Mask = None
) -> Any:
    """Return log(sum(exp(a))), with the largest element taken out first so that nothing overflows."""
    x = _masked(as_float(array(a)), where, -np.inf)
    top = max_(x, axis=axis, keepdims=True)
    # An infinite maximum cannot be subtracted from itself.
    shift = stop_gradient(np.where(np.isfinite(top), top, 0.0))
    out = np.log(sum_(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return _initial(_squeezed(out, x, axis, keepdims), initial, np.logaddexp)


def _argument(op: Op) -> Callable[..., Any]:
    def find(a: Operand, axis: int | None = None, out: None = None, *, keepdims: Flag = False) -> Any:
        x = array(a)
        flat = np.reshape(x, -1) if axis is None else x
        place = normalize_axis(0 if axis is None else axis, flat.ndim)
        found = op(flat, axis=place)
        if not kept(keepdims):
            return found
        return np.reshape(found, (1,) * x.ndim if axis is None else ones_at(x.shape, (place,)))

    return find


def _running(op: Op) -> Callable[..., Any]:
    def run(a: Operand, axis: int | None = None, dtype: DTypeLike = None, out: None = None) -> Any:
        x = _summing_dtype(array(a), dtype)
        flat = np.reshape(x, -1) if axis is None else x
        return op(flat, axis=normalize_axis(0 if axis is None else axis, flat.ndim))

    return run


cumsum, cumprod = _running(order.CUMSUM), _running(order.CUMPROD)


def _cumulative(run: ArrayFunction, start: int) -> Callable[..., Any]:
    def call(
        x: Operand,
        /,
        *,
        axis: int | None = None,
        dtype: DTypeLike = None,
        out: None = None,
        include_initial: Flag = False,
    ):
        x = array(x)
        if axis is None and x.ndim != 1:
            raise ShapeError(f"an axis is needed to accumulate {x.ndim} dimensions")
        found = run(x, axis=axis or 0, dtype=dtype)
        if not include_initial:
            return found
        place = normalize_axis(axis or 0, found.ndim)
        first = np.full(ones_at(found.shape, (place,)), start, found.dtype)
        return np.concatenate([first, found], axis=place)

    return call


def nan_to_num(
    x: Operand, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Return the array with NaN and infinities replaced by numbers."""
    x = array(x)
    limits = np.finfo(x.dtype)
    out = np.where(np.isnan(x), nan, x)
    out = np.where(x == np.inf, float(limits.max) if posinf is None else posinf, out)
    return np.where(x == -np.inf, float(limits.min) if neginf is None else neginf, out)


def _skipping_nan(function: ArrayFunction, extreme: bool = False) -> Callable[..., Any]:
    def call(a: Operand, axis: Axes = None, *, where: Mask = None, **kwargs: Any) -> Any:
        x = array(a)
        valid: Any = ~np.isnan(x) if where is None else ~np.isnan(x) & where
        found = function(np.where(valid, x, 0.0), axis=axis, where=valid, **kwargs)
        if not extreme:
            return found
        # Of nothing but NaN there is no largest element.
        return np.where(any_(valid, axis, keepdims=kwargs.get("keepdims", False)), found, np.nan)

    return call


def nancumsum(a: Operand, axis: int | None = None, dtype: DTypeLike = None, out: None = None) -> Any:
    """Return the cumulative sum with NaN counted as 0."""
    return cumsum(np.where(np.isnan(a), 0.0, a), axis, dtype)


def nancumprod(a: Operand, axis: int | None = None, dtype: DTypeLike = None, out: None = None) -> Any:
    """Return the cumulative product with NaN counted as 1."""
    return cumprod(np.where(np.isnan(a), 1.0, a), axis, dtype)


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: sum_,
    np.prod: prod_,
    np.max: max_,
    np.amax: max_,
    np.min: min_,
    np.amin: min_,
    np.all: all_,
    np.any: any_,
    np.count_nonzero: count_nonzero,
    np.mean: mean_,
    np.average: average,
    np.var: var_,
    np.std: std_,
    np.ptp: ptp,
    np.argmax: _argument(reductions.ARGMAX),
    np.argmin: _argument(reductions.ARGMIN),
    np.cumsum: cumsum,
    np.cumprod: cumprod,
    np.nan_to_num: nan_to_num,
    np.nansum: _skipping_nan(sum_),
    np.nanmean: _skipping_nan(mean_),
    np.nanprod: _skipping_nan(prod_),
    np.nanvar: _skipping_nan(var_),
    np.nanstd: _skipping_nan(std_),
    np.nanmax: _skipping_nan(max_, extreme=True),
    np.nanmin: _skipping_nan(min_, extreme=True),
    np.nancumsum: nancumsum,
    np.nancumprod: nancumprod,
}
if hasattr(np, "cumulative_sum"):
    TABLE[np.cumulative_sum] = _cumulative(cumsum, 0)
    TABLE[np.cumulative_prod] = _cumulative(cumprod, 1)
