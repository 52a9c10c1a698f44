"""Linear algebra on traced arrays: `numpy.linalg`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.ops import linalg as ops
from minicolumn.ir.shapes import normalize_axes, normalize_axis
from minicolumn.trace import decompositions
from minicolumn.trace.decompositions import svdvals
from minicolumn.trace.promote import array, as_float, promoted
from minicolumn.trace.reductions import root
from minicolumn.trace.shaping import broadcast_to

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, Order


class SlogdetResult(NamedTuple):
    """Sign and log of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


def solve(a: Operand, b: Operand) -> Any:
    """Return x with a x = b for each matrix of a batch; a vector b is one right-hand side."""
    m, rhs = promoted(as_float(array(a)), as_float(array(b)))
    if rhs.ndim == 1:
        return solve(m, rhs[:, None])[..., 0]
    batch = np.broadcast_shapes(m.shape[:-2], rhs.shape[:-2])
    return ops.SOLVE(broadcast_to(m, (*batch, *m.shape[-2:])), broadcast_to(rhs, (*batch, *rhs.shape[-2:])))


def slogdet(a: Operand) -> SlogdetResult:
    """Return sign and log of the absolute value of a determinant, which do not overflow."""
    x = as_float(array(a))
    return SlogdetResult(ops.SIGNDET(x), ops.LOGABSDET(x))


def norm(x: Operand, ord: Order = None, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return vector or matrix norms; the slope of a length at 0 is taken as 0."""
    x = as_float(array(x))
    if axis is None:
        if ord is None:
            length = root(np.sum(x * x))
            return np.reshape(length, (1,) * x.ndim) if keepdims else length
        if x.ndim not in (1, 2):
            raise ShapeError(
                f"norm: with ord={ord!r} a vector or a matrix is expected, got shape {list(x.shape)}"
            )
    axes = normalize_axes(axis, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) != 2:
        raise ShapeError(f"norm: one axis or two expected, got {list(axes)}")
    first, second = (0, 1) if axis is None else axis  # type: ignore[misc]
    places = (normalize_axis(int(first), x.ndim), normalize_axis(int(second), x.ndim))
    return _matrix_norm(x, "fro" if ord is None else ord, places, keepdims)


def _vector_norm(x: Array, ord: float | str, axes: tuple[int, ...], keepdims: bool) -> Any:
    size = np.abs(x)
    if ord == np.inf:
        return _largest(size, axes, keepdims)
    if ord == -np.inf:
        return np.min(size, axis=axes, keepdims=keepdims)
    if ord == 0:
        return np.sum((x != 0).astype(x.dtype), axis=axes, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axes, keepdims=keepdims)
    if ord == 2:
        return root(np.sum(x * x, axis=axes, keepdims=keepdims))
    if isinstance(ord, str):
        raise ShapeError(f"norm: ord={ord!r} is a matrix norm")
    total = np.sum(size**ord, axis=axes, keepdims=keepdims)
    zero = total == 0
    # Tie: slope 0 at 0. The second derivative is NaN there.
    none = np.where(zero, total, 1.0) ** 1.5 if ord > 0 else np.inf
    return np.where(zero, none, np.where(zero, 1.0, total) ** (1.0 / ord))


def _largest(lengths: Array, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Return the largest of some lengths, 0 where there are none."""
    none = any(lengths.shape[i] == 0 for i in axes)
    return (np.sum if none else np.max)(lengths, axis=axes, keepdims=keepdims)


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    rows, columns = axes
    if ord in ("fro", "f"):
        return root(np.sum(x * x, axis=axes, keepdims=keepdims))
    if ord in ("nuc", 2, -2):
        return _norm_of_singular_values(x, ord, axes, keepdims)
    if ord not in (1, -1, np.inf, -np.inf):
        raise ShapeError(
            f"norm: ord={ord!r} is no matrix norm; there are 'fro', 'nuc', 1, -1, 2, -2, inf, -inf"
        )
    inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = np.sum(np.abs(x), axis=inner, keepdims=True)
    out = _largest(sums, (outer,), True) if ord > 0 else np.min(sums, axis=outer, keepdims=True)
    return out if keepdims else np.squeeze(out, axis=axes)


def _norm_of_singular_values(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    """Return the sum, the largest or the least of the singular values; equal ones share the derivative."""
    values = svdvals(np.moveaxis(x, axes, (-2, -1)))  # type: ignore[arg-type]
    out = (np.sum if ord == "nuc" else np.max if ord == 2 else np.min)(values, axis=-1)
    return np.expand_dims(out, axes) if keepdims else out


def matrix_power(a: Operand, n: int) -> Any:
    """Return an integer power of square matrices, by repeated squaring."""
    base, n = (ops.INV(as_float(array(a))), -n) if n < 0 else (array(a), n)
    out: Any = np.broadcast_to(np.eye(base.shape[-1], dtype=base.dtype), base.shape)
    while n:
        if n & 1:
            out = out @ base
        base, n = base @ base if n > 1 else base, n >> 1
    return out


def vector_norm(x: Operand, /, *, axis: Axes = None, keepdims: bool = False, ord: Order = 2) -> Any:
    """Return the p-norm over axes taken together as one vector."""
    v = array(x)
    if axis is None:
        length = norm(np.reshape(v, -1), ord)
        return np.reshape(length, (1,) * v.ndim) if keepdims else length
    axes = normalize_axes(axis, v.ndim)
    if len(axes) != 1:
        kept = [i for i in range(v.ndim) if i not in axes]
        length = prod(v.shape[i] for i in axes)
        flat = np.reshape(np.moveaxis(v, kept, range(len(kept))), (*(v.shape[i] for i in kept), length))  # type: ignore[arg-type]
        found = norm(flat, ord, axis=-1)
        return np.expand_dims(found, axes) if keepdims else found
    return norm(v, ord, axis, keepdims)


def matrix_norm(x: Operand, /, *, keepdims: bool = False, ord: Order = "fro") -> Any:
    """Return a matrix norm over the last two axes: Frobenius, or by row or column sums."""
    return norm(x, ord, (-2, -1), keepdims)


def multi_dot(arrays: Sequence[Operand]) -> Any:
    """Return the product of several matrices, from left to right."""
    first, *rest = map(array, arrays)
    if not rest:
        raise ShapeError("multi_dot: two arrays or more expected, got one")
    for other in rest:
        first = np.dot(first, other)
    return first


def cholesky(a: Operand, /, *, upper: bool = False) -> Any:
    """Return the Cholesky factor of positive definite matrices."""
    lower = ops.CHOLESKY(as_float(array(a)))
    return np.swapaxes(lower, -1, -2) if upper else lower


def _each(op: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a: op(as_float(array(a)))


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    **decompositions.TABLE,
    np.linalg.norm: norm,
    np.linalg.inv: _each(ops.INV),
    np.linalg.solve: solve,
    np.linalg.det: _each(ops.DET),
    np.linalg.slogdet: slogdet,
    np.linalg.cholesky: cholesky,
    np.linalg.matrix_power: matrix_power,
    np.linalg.multi_dot: multi_dot,
    np.linalg.vector_norm: vector_norm,
    np.linalg.matrix_norm: matrix_norm,
}
