"""NumPy's reductions and statistics on traced arrays."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.op import Op
from minicolumn.ir.ops import order, reductions
from minicolumn.ir.ops.elementwise import ROOT
from minicolumn.ir.shapes import Dim, Shape, drop_axes, normalize_axes, normalize_axis, ones_at
from minicolumn.trace.promote import array, as_float, loop_dtypes, promoted
from minicolumn.trace.tracer import cast, stop_gradient

if TYPE_CHECKING:
    from numpy._globals import _NoValueType

    from minicolumn.ir.arrays import Array, ArrayFunction, Operand
    from minicolumn.trace.arguments import Axes, DTypeLike, Flag, Mask, Optional


def _summing_dtype(x: Array, dtype: DTypeLike) -> Any:
    # NumPy sums booleans and small integers in the machine's own integer.
    if dtype is not None:
        return cast(x, np.dtype(dtype))
    if np.dtype(x.dtype).kind == "u":
        raise TraceError(
            f"dtype: NumPy adds and multiplies {x.dtype} in uint64, which graphs do not have; "
            "say dtype=np.int64 or another that they have"
        )
    return cast(x, np.dtype(np.int64)) if np.dtype(x.dtype).kind in "bi" else x


def floating(x: Array, dtype: DTypeLike) -> Any:
    """Return what means and spreads are taken of: floating numbers of the dtype that was asked for."""
    if dtype is None:
        return as_float(x)
    if np.dtype(dtype).kind != "f":
        raise TraceError(
            f"dtype={np.dtype(dtype)} would cut a mean off to it; take it with .astype afterwards"
        )
    return cast(x, np.dtype(dtype))


def is_given(value: object) -> bool:
    """Return whether an argument was said; NumPy's own functions pass "no value" where it was not."""
    return value is not np._NoValue


def masks(where: Mask) -> bool:
    return where is not None and where is not True and is_given(where)


def mask_of(where: Mask, shape: Shape) -> Any:
    """Return which elements count, as booleans of the array's shape."""
    mask = array(where)  # type: ignore[arg-type]
    if mask.dtype != np.bool_:
        raise TraceError(f"where: booleans expected, got {mask.dtype}; write where=mask != 0")
    return np.broadcast_to(mask, shape)


def _masked(x: Array, where: Mask, fill: Operand) -> Any:
    return np.where(mask_of(where, x.shape), x, cast(fill, x.dtype)) if masks(where) else x


def has_start(name: str, x: Array, axes: Axes, where: Mask) -> None:
    """Refuse what NumPy cannot start without ``initial``: a mask, and a reduction of no elements."""
    if masks(where):
        raise TraceError(f"np.{name}(where=...) needs initial=..., the value where the mask leaves nothing")
    if any(x.shape[a] == 0 for a in normalize_axes(axes, x.ndim)):
        raise ShapeError(f"{name} of zero elements has no value without initial: shape {list(x.shape)}")


def _reduce(op: Op, x: Array, axis: Axes, keepdims: Flag) -> Any:
    axes = normalize_axes(axis, x.ndim)
    out = op(x, axes=axes) if axes else x
    return np.reshape(out, ones_at(x.shape, axes)) if kept(keepdims) else out


def kept(keepdims: Flag) -> bool:
    """Return whether reduced axes stay; NumPy's own functions pass "no value" where nothing was said."""
    return keepdims is not np._NoValue and bool(keepdims)


def _with_initial(out: Array, initial: Optional, combine: ArrayFunction) -> Any:
    return combine(out, cast(initial, out.dtype)) if is_given(initial) else out  # type: ignore[arg-type]


def _folded(
    name: str, op: Op, combine: ArrayFunction, neutral: int, x: Array,
    axis: Axes, keepdims: Flag, initial: Optional, where: Mask,
) -> Any:  # fmt: skip
    """Return a sum or product, which start from a neutral element unless ``initial=None`` forbids it."""
    if initial is None:
        has_start(name, x, axis, where)
        initial = np._NoValue
    return _with_initial(_reduce(op, _masked(x, where, neutral), axis, keepdims), initial, combine)


def sum_(
    a: Operand, axis: Axes = None, dtype: DTypeLike = None, out: None = None, keepdims: Flag = False,
    initial: Optional = np._NoValue, where: Mask = None,
) -> Any:  # fmt: skip
    """Return the sum over axes; booleans and signed integers are summed in int64."""
    x = _summing_dtype(array(a), dtype)
    return _folded("sum", reductions.SUM, np.add, 0, x, axis, keepdims, initial, where)


def prod_(
    a: Operand, axis: Axes = None, dtype: DTypeLike = None, out: None = None, keepdims: Flag = False,
    initial: Optional = np._NoValue, where: Mask = None,
) -> Any:  # fmt: skip
    """Return the product over axes; booleans and signed integers are multiplied in int64."""
    x = _summing_dtype(array(a), dtype)
    return _folded("prod", reductions.PROD, np.multiply, 1, x, axis, keepdims, initial, where)


def _extreme(
    name: str, op: Op, combine: ArrayFunction, x: Array,
    axis: Axes, keepdims: Flag, initial: Optional, where: Mask,
) -> Any:  # fmt: skip
    """Return a maximum or minimum; ``initial`` stands in for what a mask leaves out."""
    if initial is None or not is_given(initial):
        has_start(name, x, axis, where)
        return _reduce(op, x, axis, keepdims)
    start = cast(initial, x.dtype)  # type: ignore[arg-type]
    axes = normalize_axes(axis, x.ndim)
    if any(x.shape[a] == 0 for a in axes):
        shape = ones_at(x.shape, axes) if kept(keepdims) else drop_axes(x.shape, axes)
        return np.broadcast_to(start, shape)
    return combine(_reduce(op, _masked(x, where, start), axis, keepdims), start)


def max_(
    a: Operand,
    axis: Axes = None,
    out: None = None,
    keepdims: Flag = False,
    initial: Optional = np._NoValue,
    where: Mask = None,
) -> Any:
    """Return the maximum over axes; elements that tie share the derivative evenly."""
    return _extreme("max", reductions.MAX, np.maximum, array(a), axis, keepdims, initial, where)


def min_(
    a: Operand,
    axis: Axes = None,
    out: None = None,
    keepdims: Flag = False,
    initial: Optional = np._NoValue,
    where: Mask = None,
) -> Any:
    """Return the minimum over axes; elements that tie share the derivative evenly."""
    return _extreme("min", reductions.MIN, np.minimum, array(a), axis, keepdims, initial, where)


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


def counted(x: Array, axis: Axes, where: Mask) -> Any:
    if masks(where):
        return sum_(mask_of(where, x.shape), axis=axis, keepdims=True)
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
    x = floating(array(a), dtype)
    count = counted(x, axis, where)
    mean = sum_(x, axis=axis, keepdims=True, where=where) / _as_divisor(count, x.dtype)
    return squeezed(mean, x, axis, keepdims)


def _as_divisor(count: Any, dtype: np.dtype) -> Any:
    return count if isinstance(count, (int, float)) else cast(count, dtype)


def squeezed(reduced: Array, x: Array, axis: Axes, keepdims: Flag) -> Any:
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
        out, total = mean_(x, axis=axis, keepdims=keepdims), counted(x, axis, None)
        return (out, np.full(out.shape, total, x.dtype)) if returned else out
    w = array(weights)
    if w.shape != x.shape:
        if not isinstance(axis, (int, np.integer)) or w.shape != (x.shape[axis],):
            raise ShapeError(
                f"average: weights have shape {list(w.shape)}, expected {list(x.shape)} or one a row of axis"
            )
        w = np.reshape(w, [n if i == normalize_axis(int(axis), x.ndim) else 1 for i, n in enumerate(x.shape)])
        w = np.broadcast_to(w, x.shape)
    x, w = promoted(x, w)
    total = sum_(w, axis=axis, keepdims=keepdims)
    out = sum_(x * w, axis=axis, keepdims=keepdims) / total
    return (out, total) if returned else out


def var_(
    a: Operand, axis: Axes = None, dtype: DTypeLike = None, out: None = None, ddof: float = 0,
    keepdims: Flag = False, *, where: Mask = None, mean: Optional = None,
    correction: float | _NoValueType | None = None,
) -> Any:  # fmt: skip
    """Return the variance over axes, the sum of squares divided by count - ddof."""
    x = floating(array(a), dtype)
    if mean is None or mean is np._NoValue:
        mean = mean_(x, axis=axis, keepdims=True, where=where)
    centred = x - mean
    total = sum_(centred * centred, axis=axis, keepdims=True, where=where)
    left = freedom(counted(x, axis, where), ddof, correction)
    left = max(left, 0) if isinstance(left, (int, float)) else np.maximum(left, 0)
    return squeezed(total / _as_divisor(left, x.dtype), x, axis, keepdims)


def freedom(count: Any, ddof: float, correction: float | _NoValueType | None) -> Any:
    """Return the degrees of freedom; ``correction`` is another name of ``ddof``."""
    if correction is None or correction is np._NoValue:
        return count - ddof
    if ddof != 0:
        raise TraceError("var and std: correction is another name of ddof; give one of them")
    return count - correction  # type: ignore[operator]


def root(x: Array) -> Any:
    """Return the square root with slope 0 at 0, the middle of what lengths and spreads allow there.

    Its second derivative at 0 is NaN; that of its square is right, see `squared`.
    """
    return ROOT(x)


def std_(a: Operand, *args: Any, **kwargs: Any) -> Any:
    """Return the standard deviation over axes, with derivative 0 where it is 0."""
    return root(var_(a, *args, **kwargs))


def ptp(a: Operand, axis: Axes = None, out: None = None, keepdims: Flag = False) -> Any:
    """Return the range, maximum - minimum, over axes."""
    return max_(a, axis=axis, keepdims=keepdims) - min_(a, axis=axis, keepdims=keepdims)


def logsumexp(
    a: Operand, axis: Axes = 0, keepdims: Flag = False, initial: Optional = np._NoValue, where: Mask = None,
    dtype: DTypeLike = None,
) -> Any:  # fmt: skip
    """Return log(sum(exp(a))), with the largest element taken out first so that nothing overflows.

    Tie: where the largest element is infinite, no finite step changes the result, and the derivative is 0.
    """
    x = array(a)
    kind = np.dtype(x.dtype) if dtype is None else np.dtype(dtype)
    x = _masked(cast(x, loop_dtypes(np.logaddexp, (kind, kind))[0]), where, -np.inf)
    top = stop_gradient(max_(x, axis=axis, keepdims=True, initial=-np.inf))
    finite = np.isfinite(top)
    # An infinite maximum cannot be subtracted from itself.
    zero, lowest = np.zeros((), x.dtype), np.full((), -np.inf, x.dtype)
    below = np.where(finite, x - np.where(finite, top, zero), np.where(x == top, zero, lowest))
    total = sum_(np.exp(below), axis=axis, keepdims=True)
    out = np.log(np.where(finite, total, 1.0)) + top
    return _with_initial(squeezed(out, x, axis, keepdims), initial, np.logaddexp)


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
    if not copy:
        raise TraceError("np.nan_to_num(copy=False) works in place, which cannot be traced; leave copy out")
    x = array(x)
    if np.dtype(x.dtype).kind != "f":
        return np.copy(x)  # type: ignore[arg-type]
    limits = np.finfo(x.dtype)
    out = np.where(np.isnan(x), nan, x)
    out = np.where(x == np.inf, float(limits.max) if posinf is None else posinf, out)
    return np.where(x == -np.inf, float(limits.min) if neginf is None else neginf, out)


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
}
if hasattr(np, "cumulative_sum"):
    TABLE[np.cumulative_sum] = _cumulative(cumsum, 0)
    TABLE[np.cumulative_prod] = _cumulative(cumprod, 1)
