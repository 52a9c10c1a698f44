"""Selection and construction on traced arrays: NumPy's ``where``, ``clip``, diagonals, grids, ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops.elementwise import WHERE
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.trace.joining import pad, stack
from minicolumn.trace.promote import array, as_float, common_dtype, promoted
from minicolumn.trace.shaping import (
    atleast,
    broadcast_arrays,
    broadcast_to,
    moveaxis,
    ravel,
    reshape,
    swapaxes,
)
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, ArrayFunction, Operand
    from minicolumn.trace.arguments import DTypeLike, Mask, ShapeLike


def diagonal(a: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return a diagonal of each matrix over two axes, as a gather; the diagonal becomes the last axis."""
    x = moveaxis(a, (axis1, axis2), (0, 1))
    rows, columns = x.shape[:2]
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(n)
    return moveaxis(GATHER(x, i + max(-offset, 0), i + max(offset, 0)), 0, -1)


def diag(v: Operand, k: int = 0) -> Any:
    """Return the matrix with a vector as its k-th diagonal, or that diagonal of a matrix."""
    x = array(v)
    if x.ndim == 2:
        return diagonal(x, offset=k)
    if x.ndim != 1:
        raise ShapeError(f"diag: a vector or a matrix expected, got shape {list(x.shape)}")
    n = x.shape[0] + abs(k)
    rows = np.arange(n)[:, None] + max(k, 0) == np.arange(n)[None, :] + max(-k, 0)
    spread = pad(x, (max(-k, 0), max(k, 0)))
    return np.where(rows, spread[:, None], np.zeros((), x.dtype))


def diagflat(v: Operand, k: int = 0) -> Any:
    """Return the matrix whose k-th diagonal is the flattened array."""
    return diag(ravel(v), k)


def trace_(
    a: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike = None, out: None = None
) -> Any:
    """Return the sum along a diagonal of the matrices over two axes."""
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


def tri(keep: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """Return the function that keeps a triangle of each matrix and sets the rest to 0; ``keep`` masks it."""

    def cut(m: Operand, k: int = 0) -> Any:
        x = atleast(2)(m)
        mask = keep(np.ones(x.shape[-2:], dtype=bool), k)
        return np.where(mask, x, np.zeros((), x.dtype))

    return cut


def where(condition: Operand, *branches: Operand) -> Any:
    """Return elements of one branch or the other; with a condition alone, the indices of what is true."""
    c = cast(array(condition), np.dtype(np.bool_))
    if not branches:
        return np.nonzero(c)
    x, y = (b if isinstance(b, (int, float, bool)) else array(b) for b in branches)
    return WHERE(c, *promoted(x, y))


def clip(a: Operand, a_min: Mask = None, a_max: Mask = None, out: None = None, **bounds: Mask) -> Any:
    """Return the elements limited to a range; at a bound the derivative is that of the inside."""
    low, high = bounds.pop("min", a_min), bounds.pop("max", a_max)
    x = array(a)
    dtype = common_dtype(a, *(b for b in (low, high) if b is not None))
    out_ = cast(x, dtype)
    # Tie: at a bound the slope is that of the inside, as users of clipped networks expect.
    if low is not None:
        out_ = np.where(out_ < low, cast(array(low), dtype), out_)
    if high is not None:
        out_ = np.where(out_ > high, cast(array(high), dtype), out_)
    return out_


def select(condlist: Sequence[Operand], choicelist: Sequence[Operand], default: Operand = 0) -> Any:
    """Return, for each element, the choice of the first condition that holds."""
    out = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        out = where(condition, choice, out)
    return out


def _like(make: Callable[..., np.ndarray]) -> Callable[..., Any]:
    def build(
        a: Array,
        dtype: DTypeLike = None,
        order: str = "K",
        subok: bool = True,
        shape: ShapeLike | None = None,
        **_: object,
    ) -> Any:
        return make(a.shape if shape is None else shape, np.dtype(dtype or a.dtype))

    return build


def full_like(
    a: Operand,
    fill_value: Operand,
    dtype: DTypeLike = None,
    order: str = "K",
    subok: bool = True,
    shape: ShapeLike | None = None,
    **_: object,
) -> Any:
    """Return an array of one value in the shape and dtype of another."""
    target = np.dtype(dtype or array(a).dtype)
    return broadcast_to(cast(array(fill_value), target), array(a).shape if shape is None else shape)


def meshgrid(*xi: Operand, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """Return coordinate matrices of vectors; ``sparse`` leaves them unbroadcast."""
    n = len(xi)
    grids = [reshape(x, [-1 if i == j else 1 for j in range(n)]) for i, x in enumerate(xi)]
    out = grids if sparse else list(broadcast_arrays(*grids))
    return tuple(swapaxes(g, 0, 1) if indexing == "xy" and n > 1 else g for g in out)


def piecewise(
    x: Operand, condlist: Operand, funclist: Sequence[ArrayFunction | Operand], *args: Any, **kw: Any
) -> Any:
    """Return, for each element, the function of the last condition that holds, as all are computed."""
    x = array(x)
    conditions: list[Any] = list(condlist) if isinstance(condlist, (list, tuple)) else [condlist]
    values: list[Any] = [f(x, *args, **kw) if callable(f) else f for f in funclist]
    out: Operand = values[-1] if len(values) == len(conditions) + 1 else 0
    if len(values) - len(conditions) not in (0, 1):
        raise ShapeError(f"piecewise: {len(conditions)} conditions take as many functions, or one more")
    # Unlike in `select`, the last condition that holds decides.
    for condition, value in zip(conditions, values, strict=False):
        out = where(condition, value, out)
    return cast(broadcast_to(array(out), x.shape), x.dtype)


def linspace(
    start: Operand, stop: Operand, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: DTypeLike = None, axis: int = 0,
) -> Any:  # fmt: skip
    """Return evenly spaced numbers over an interval; the last is hit exactly."""
    first, last = (as_float(x) for x in promoted(start, stop))
    parts = max(num - 1 if endpoint else num, 1)
    step = (last - first) / parts
    ndim = max(first.ndim, last.ndim)
    weight = np.arange(num, dtype=step.dtype).reshape((-1,) + (1,) * ndim)
    rows = weight * step + first
    if endpoint and num > 1:  # the last is hit exactly
        rows = np.concatenate([rows[:-1], broadcast_to(last, rows.shape[1:])[None]])
    rows = moveaxis(rows if dtype is None else cast(rows, np.dtype(dtype)), 0, axis)
    return (rows, step) if retstep else rows


def logspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    base: Operand = 10.0,
    dtype: DTypeLike = None,
    axis: int = 0,
) -> Any:
    """Return numbers evenly spaced on a log scale, from base**start to base**stop."""
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    out = np.power(base, exponents)
    return out if dtype is None else cast(out, np.dtype(dtype))


def angle(z: Operand, deg: bool = False) -> Any:
    """Return the argument of real numbers: 0, or half a turn for negative ones."""
    x = as_float(array(z))
    turn = np.where(x < 0, 180.0 if deg else np.pi, 0.0).astype(x.dtype)
    return np.where(np.isnan(x), np.nan, turn)


def vander(x: Operand, N: int | None = None, increasing: bool = False) -> Any:
    """Return the Vandermonde matrix, whose columns are the powers of a vector."""
    x = array(x)
    x = cast(x, np.promote_types(x.dtype, int))
    columns = [np.ones_like(x)]
    for _ in range((x.shape[0] if N is None else N) - 1):
        columns.append(columns[-1] * x)
    return stack(columns if increasing else columns[::-1], axis=-1)


def apply_along_axis(func1d: ArrayFunction, axis: int, arr: Operand, *args: Any, **kwargs: Any) -> Any:
    """Return a function of vectors applied along an axis, each of its calls traced by itself."""
    rows = moveaxis(arr, axis, -1)
    shape = rows.shape[:-1]
    flat = reshape(rows, (-1, rows.shape[-1]))
    out = stack([array(func1d(flat[i], *args, **kwargs)) for i in range(flat.shape[0])])
    return moveaxis(reshape(out, (*shape, *out.shape[1:])), range(len(shape), len(shape) + out.ndim - 1),
                    range(axis % len(rows.shape), axis % len(rows.shape) + out.ndim - 1))  # fmt: skip


def isin(
    element: Operand, test_elements: Operand, assume_unique: bool = False, invert: bool = False, **_: object
) -> Any:
    """Return whether each element is among some others, by comparing all pairs."""
    x, among = array(element), ravel(test_elements)
    found = np.any(x[..., None] == among, axis=-1)
    return ~found if invert else found


def ix_(*args: object) -> Any:
    """Refuse: keys are built from plain integers."""
    raise TraceError("np.ix_ builds keys from plain integers; index with x[rows[:, None], columns] instead")


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.diagonal: diagonal,
    np.linalg.diagonal: lambda x, *, offset=0: diagonal(x, offset, -2, -1),
    np.diag: diag,
    np.diagflat: diagflat,
    np.trace: trace_,
    np.linalg.trace: lambda x, *, offset=0, dtype=None: trace_(x, offset, -2, -1, dtype),
    np.triu: tri(np.triu),
    np.tril: tri(np.tril),
    np.vander: vander,
    np.where: where,
    np.clip: clip,
    np.select: select,
    np.piecewise: piecewise,
    np.isin: isin,
    np.ix_: ix_,
    np.angle: angle,
    np.apply_along_axis: apply_along_axis,
    np.zeros_like: _like(np.zeros),
    np.ones_like: _like(np.ones),
    np.empty_like: _like(np.zeros),
    np.full_like: full_like,
    np.meshgrid: meshgrid,
    np.linspace: linspace,
    np.logspace: logspace,
}
