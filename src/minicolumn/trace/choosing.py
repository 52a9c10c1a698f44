"""Selection and construction on traced arrays: NumPy's ``where``, ``clip``, diagonals, grids, ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops.elementwise import WHERE
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import broadcast_shapes
from minicolumn.trace.joining import stack
from minicolumn.trace.padding import pad
from minicolumn.trace.promote import any_traced, array, as_float, common_dtype, promoted
from minicolumn.trace.shaping import (
    broadcast_arrays,
    broadcast_to,
    check_known,
    expand_dims,
    known_dtype,
    moveaxis,
    ravel,
    reshape,
    swapaxes,
)
from minicolumn.trace.tracer import Traced, cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, ArrayFunction, Operand
    from minicolumn.trace.arguments import DTypeLike, Mask, ShapeLike


def diagonal(a: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return a diagonal of each matrix over two axes, as a gather; the diagonal becomes the last axis."""
    check_known("diagonal", offset=offset)
    x = moveaxis(a, (axis1, axis2), (0, 1))
    rows, columns = x.shape[:2]
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(n)
    return moveaxis(GATHER(x, i + max(-offset, 0), i + max(offset, 0)), 0, -1)


def diag(v: Operand, k: int = 0) -> Any:
    """Return the matrix with a vector as its k-th diagonal, or that diagonal of a matrix."""
    check_known("diag", k=k)
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
    wanted = None if dtype is None else known_dtype("trace", dtype)
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=wanted)


def tri(keep: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """Return the function that keeps a triangle of each matrix and sets the rest to 0; ``keep`` masks it."""

    def cut(m: Operand, k: int = 0) -> Any:
        check_known(keep.__name__, k=k)
        x = array(m)
        mask = keep(np.ones(x.shape[-2:], dtype=bool), k)
        return np.where(mask, x, np.zeros((), x.dtype))

    return cut


def where(condition: Operand, *branches: Operand) -> Any:
    """Return elements of one branch or the other; with a condition alone, the indices of what is true."""
    c = cast(array(condition), np.dtype(np.bool_))
    if not branches:
        return np.nonzero(c)
    x, y = (b if isinstance(b, (int, float, bool)) else array(b) for b in branches)
    dtype = common_dtype(x, y)
    # A Python integer is an array first, which wraps around where it does not fit.
    return WHERE(c, cast(array(x), dtype), cast(array(y), dtype))


def clip(
    a: Operand,
    a_min: Mask = None,
    a_max: Mask = None,
    out: None = None,
    *,
    min: Mask = None,
    max: Mask = None,
    **kwargs: object,
) -> Any:
    """Return the elements limited to a range, NaN where a bound is; at a bound the slope is the inside's."""
    for name in sorted(kwargs.keys() - {"order", "subok"}):
        raise TraceError(f"np.clip({name}=...) cannot be traced; leave it out, and use astype or np.where")
    x = array(a)
    low, high = _bound("min", a_min, min, x.dtype), _bound("max", a_max, max, x.dtype)
    dtype = common_dtype(x.dtype, *(b for b in (low, high) if b is not None))
    out_ = cast(x, dtype)
    # Tie: at a bound the slope is that of the inside, as users of clipped networks expect.
    if low is not None:
        out_ = np.where(_or_nan(out_ < low, low), cast(array(low), dtype), out_)
    if high is not None:
        out_ = np.where(_or_nan(out_ > high, high), cast(array(high), dtype), out_)
    return out_


def _bound(name: str, positional: Mask, keyword: Mask, dtype: np.dtype) -> Mask:
    """Return a bound under either of its names; None for a Python number that no integer lies beyond."""
    positional, keyword = (None if said is np._NoValue else said for said in (positional, keyword))
    if positional is not None and keyword is not None:
        raise TraceError(f"np.clip: {name} and a_{name} are one argument, given twice")
    found = keyword if positional is None else positional
    if type(found) is int and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return None if (found <= limits.min if name == "min" else found >= limits.max) else found
    return found


def _or_nan(beyond: Any, bound: Operand) -> Any:
    """Return the mask, true also where a bound is NaN."""
    limit = array(bound)
    if limit.dtype.kind != "f" or not (isinstance(limit, Traced) or np.any(np.isnan(limit))):
        return beyond
    return beyond | np.isnan(limit)


def select(condlist: Sequence[Operand], choicelist: Sequence[Operand], default: Operand = 0) -> Any:
    """Return, for each element, the choice of the first condition that holds, in the dtype common to all."""
    for i, condition in enumerate(condlist):
        if array(condition).dtype != np.bool_:
            raise TraceError(f"np.select: condlist[{i}] must be boolean, got {array(condition).dtype}")
    parts = [c if isinstance(c, (int, float)) else array(c) for c in (*choicelist, default)]
    *choices, out = promoted(*parts)
    for condition, choice in reversed(list(zip(condlist, choices, strict=True))):
        out = where(condition, choice, out)
    return out


def _like(make: Callable[..., np.ndarray]) -> Callable[..., Any]:
    def build(a: Operand, *args: Any, **kwargs: Any) -> Any:
        # NumPy makes it like a plain array of the same shape and dtype, so it reads the arguments.
        out = make(np.broadcast_to(np.zeros((), array(a).dtype), array(a).shape), *args, **kwargs)
        known_dtype(make.__name__, out.dtype)
        return out

    return build


def full_like(
    a: Operand,
    fill_value: Operand,
    dtype: DTypeLike = None,
    order: Any = "K",
    subok: bool = True,
    shape: ShapeLike | None = None,
    **kwargs: Any,
) -> Any:
    """Return an array of one value in the shape and dtype of another."""
    like = np.zeros_like(np.empty(0, array(a).dtype), dtype, order, subok, **kwargs)
    wanted = known_dtype("full_like", like.dtype)
    known = not any_traced(fill_value)
    value = np.full(np.shape(fill_value), fill_value, wanted) if known else cast(array(fill_value), wanted)
    return broadcast_to(value, array(a).shape if shape is None else shape)


def meshgrid(*xi: Operand, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """Return coordinate matrices of vectors; ``sparse`` leaves them unbroadcast."""
    if indexing not in ("xy", "ij"):
        raise TraceError(f"np.meshgrid(indexing={indexing!r}): there are 'xy' and 'ij'")
    n = len(xi)
    grids = [reshape(x, [-1 if i == j else 1 for j in range(n)]) for i, x in enumerate(xi)]
    out = grids if sparse else list(broadcast_arrays(*grids))
    return tuple(swapaxes(g, 0, 1) if indexing == "xy" and n > 1 else g for g in out)


def piecewise(
    x: Operand, condlist: Operand, funclist: Sequence[ArrayFunction | Operand], *args: Any, **kw: Any
) -> Any:
    """Return, for each element, the function of the last condition that holds, as all are computed."""
    x = array(x)
    conditions = _conditions(x, condlist)
    values: list[Any] = [cast(f(x, *args, **kw) if callable(f) else f, x.dtype) for f in funclist]
    out: Operand = values[-1] if len(values) == len(conditions) + 1 else 0
    if len(values) - len(conditions) not in (0, 1):
        raise ShapeError(f"piecewise: {len(conditions)} conditions take as many functions, or one more")
    # Unlike in `select`, the last condition that holds decides.
    for condition, value in zip(conditions, values, strict=False):
        out = where(condition, value, out)
    return cast(broadcast_to(array(out), x.shape), x.dtype)


def _conditions(x: Array, condlist: Any) -> list[Any]:
    """Return the conditions, of which one may stand without a list around it."""
    first = condlist[0] if isinstance(condlist, (list, tuple)) or np.ndim(condlist) else condlist
    one = first is condlist or (np.ndim(first) == 0 and x.ndim != 0)
    conditions = [array(c) for c in ([condlist] if one else condlist)]
    for c in conditions:
        if c.shape not in ((), x.shape):
            raise ShapeError(f"piecewise: conditions must have shape {list(x.shape)}, got {list(c.shape)}")
    return conditions


def linspace(
    start: Operand, stop: Operand, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: DTypeLike = None, axis: int = 0, *, device: str | None = None,
) -> Any:  # fmt: skip
    """Return evenly spaced numbers over an interval; the last is hit exactly, integers are rounded down."""
    if device not in (None, "cpu"):
        raise TraceError(f"np.linspace(device={device!r}): there is 'cpu'")
    check_known("linspace", num=num)
    num = index(num)
    if num < 0:
        raise ShapeError(f"linspace: num cannot be negative, got {num}")
    first, last = (as_float(x) for x in promoted(start, stop))
    parts = num - 1 if endpoint else num
    step = (last - first) / max(parts, 1)
    ndim = max(first.ndim, last.ndim)
    weight = np.arange(num, dtype=step.dtype).reshape((-1,) + (1,) * ndim)
    rows = weight * step + first
    if endpoint and num > 1:  # the last is hit exactly
        rows = np.concatenate([rows[:-1], broadcast_to(last, rows.shape[1:])[None]])
    if dtype is not None:
        wanted = known_dtype("linspace", dtype)
        rows = cast(np.floor(rows) if wanted.kind in "iu" else rows, wanted)
    rows = moveaxis(rows, 0, axis)
    return (rows, step if parts > 0 else np.nan) if retstep else rows


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
    if np.ndim(base):
        parts = [array(x) for x in (start, stop, base)]
        ndim = len(broadcast_shapes(*(x.shape for x in parts)))
        start, stop, base = (reshape(x, (1,) * (ndim - x.ndim) + x.shape) for x in parts)
        base = expand_dims(base, axis)
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    out = np.power(base, exponents)
    return out if dtype is None else cast(out, known_dtype("logspace", dtype))


def angle(z: Operand, deg: bool = False) -> Any:
    """Return the argument of real numbers: 0, or half a turn for negative ones."""
    x = as_float(array(z))
    turn = np.where(np.signbit(x), 180.0 if deg else np.pi, 0.0).astype(x.dtype)
    return np.where(np.isnan(x), np.nan, turn)


def vander(x: Operand, N: int | None = None, increasing: bool = False) -> Any:
    """Return the Vandermonde matrix, whose columns are the powers of a vector."""
    check_known("vander", N=N)
    x = array(x)
    if x.ndim != 1:
        raise ShapeError(f"vander: a vector expected, got shape {list(x.shape)}")
    n = x.shape[0] if N is None else index(N)
    if n < 0:
        raise ShapeError(f"vander: N cannot be negative, got {N}")
    x = cast(x, np.promote_types(x.dtype, int))
    columns = [np.ones_like(x)]
    for _ in range(n - 1):
        columns.append(columns[-1] * x)
    return stack(columns if increasing else columns[::-1], axis=-1)[:, :n]


def apply_along_axis(func1d: ArrayFunction, axis: int, arr: Operand, *args: Any, **kwargs: Any) -> Any:
    """Return a function of vectors applied along an axis, each of its calls traced by itself."""
    rows = moveaxis(arr, axis, -1)
    shape = rows.shape[:-1]
    if 0 in shape:
        raise ShapeError(f"apply_along_axis: there is no vector along axis {axis} to call the function with")
    flat = reshape(rows, (prod(shape), rows.shape[-1]))
    out = stack([array(func1d(flat[i], *args, **kwargs)) for i in range(flat.shape[0])])
    return moveaxis(reshape(out, (*shape, *out.shape[1:])), range(len(shape), len(shape) + out.ndim - 1),
                    range(axis % len(rows.shape), axis % len(rows.shape) + out.ndim - 1))  # fmt: skip


def isin(
    element: Operand,
    test_elements: Operand,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: str | None = None,
) -> Any:
    """Return whether each element is among some others, by comparing all pairs."""
    if kind not in (None, "sort"):
        raise TraceError(f"np.isin(kind={kind!r}) cannot be traced; leave it out, all pairs are compared")
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
    np.zeros_like: _like(np.zeros_like),
    np.ones_like: _like(np.ones_like),
    np.empty_like: _like(np.zeros_like),
    np.full_like: full_like,
    np.meshgrid: meshgrid,
    np.linspace: linspace,
    np.logspace: logspace,
}
