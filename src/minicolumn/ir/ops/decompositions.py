"""Decompositions of matrices over the last two axes, by LAPACK in every lowering.

An operation has one result, so the factors lie below one another in one array, which `trace` takes apart.
Derivatives divide by differences of eigenvalues or of squared singular values.

Tie     Between equal eigenvalues or singular values no direction is special, and factors have no derivative;
        its part between the two is taken as 0. What depends on the values alone, or on the space that their
        vectors span, is right then too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.op import define
from minicolumn.ir.ops.linalg import SOLVE
from minicolumn.ir.ops.rules import of_kinds
from minicolumn.ir.shapes import ArrayType

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array


def _matrix(name: str, x: ArrayType) -> tuple[int, int]:
    of_kinds(name, (x,), "f")
    if len(x.shape) < 2:
        raise ShapeError(f"{name}: matrices expected over the last two axes, got {list(x.shape)}")
    return x.shape[-2], x.shape[-1]


def _eigh_type(x: ArrayType) -> ArrayType:
    rows, columns = _matrix("eigh", x)
    if rows != columns:
        raise ShapeError(f"eigh: square matrices expected over the last two axes, got {list(x.shape)}")
    return x.with_shape((*x.shape[:-2], 1 + rows, rows))


def _svd_type(x: ArrayType) -> ArrayType:
    rows, columns = _matrix("svd", x)
    return x.with_shape((*x.shape[:-2], 1 + rows + columns, min(rows, columns)))


def _qr_type(x: ArrayType) -> ArrayType:
    rows, columns = _matrix("qr", x)
    if rows < columns:
        raise ShapeError(f"qr: at least as many rows as columns expected, got {list(x.shape)}")
    return x.with_shape((*x.shape[:-2], rows + columns, columns))


def _pinv_type(x: ArrayType, *, rcond: float = 1e-15) -> ArrayType:
    rows, columns = _matrix("pinv", x)
    return x.with_shape((*x.shape[:-2], columns, rows))


def _complement_type(x: ArrayType) -> ArrayType:
    long, short = sorted(_matrix("complement", x), reverse=True)
    return x.with_shape((*x.shape[:-2], long, long - short))


def _t(x: Array) -> Any:
    return np.swapaxes(x, -1, -2)


def _below(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts, axis=-2)


def _diagonal(x: Array) -> Any:
    return x[..., None] * np.eye(x.shape[-1], dtype=x.dtype)


def _reciprocal(x: Array) -> Any:
    # Tie: 0 at 0, as above.
    zero = x == 0
    return np.where(zero, 0.0, 1.0 / np.where(zero, 1.0, x)).astype(x.dtype)


def _eigh(x: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(x)
    return _below(values[..., None, :], vectors)


def _uneigh(g: Array, out: Array, x: Array) -> Any:
    # Giles 2008, An extended collection of matrix derivative results, 3.1.
    values, vectors = out[..., 0, :], out[..., 1:, :]
    between = _reciprocal(values[..., None, :] - values[..., :, None])
    inner = between * np.matmul(_t(vectors), g[..., 1:, :]) + _diagonal(g[..., 0, :])
    whole = np.matmul(np.matmul(vectors, inner), _t(vectors))
    return 0.5 * (whole + _t(whole))


def _svd(x: np.ndarray) -> np.ndarray:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return _below(s[..., None, :], u, _t(vh))


def _unsvd(g: Array, out: Array, x: Array) -> Any:
    # Townsend 2016, Differentiating the singular value decomposition, equation 31.
    rows, columns = x.shape[-2:]
    s, u, v = out[..., 0, :], out[..., 1 : 1 + rows, :], out[..., 1 + rows :, :]
    gs, gu, gv = g[..., 0, :], g[..., 1 : 1 + rows, :], g[..., 1 + rows :, :]
    one, other = s[..., None, :], s[..., :, None]
    between = _reciprocal((one - other) * (one + other))
    along_u, along_v = np.matmul(_t(u), gu), np.matmul(_t(v), gv)
    inner = between * (along_u - _t(along_u)) * one + other * (between * (along_v - _t(along_v)))
    found = np.matmul(np.matmul(u, inner + _diagonal(gs)), _t(v))
    if rows > columns:
        found = found + np.matmul((gu - np.matmul(u, along_u)) * _reciprocal(one), _t(v))
    if columns > rows:
        found = found + np.matmul(u, _t((gv - np.matmul(v, along_v)) * _reciprocal(one)))
    return found


def _qr(x: np.ndarray) -> np.ndarray:
    return _below(*np.linalg.qr(x))


def _unqr(g: Array, out: Array, x: Array) -> Any:
    # Walter & Lehmann 2018, Algorithmic differentiation of linear algebra functions, 4.4.
    rows = x.shape[-2]
    q, r, gq, gr = out[..., :rows, :], out[..., rows:, :], g[..., :rows, :], np.triu(g[..., rows:, :])
    m = np.matmul(r, _t(gr)) - np.matmul(_t(gq), q)
    lower = np.tril(m, -1)
    both = lower + _t(lower) + m * np.eye(x.shape[-1], dtype=x.dtype)
    return _t(SOLVE(r, _t(gq + np.matmul(q, both))))


def _svd_complement(x: np.ndarray) -> np.ndarray:
    rows, columns = x.shape[-2:]
    u, _, vh = np.linalg.svd(x)
    return u[..., columns:] if rows > columns else _t(vh[..., rows:, :])


def _qr_complement(x: np.ndarray) -> np.ndarray:
    return np.linalg.qr(x, mode="complete")[0][..., x.shape[-1] :]


def _uncomplement(g: Array, out: Array, x: Array) -> Any:
    # With P = pinv(x), dq = -P' dx' q turns q no more than it must to stay orthogonal to x. Which vectors
    # LAPACK chooses of their space is not smooth, so what depends on the choice has the derivative NaN: a
    # turn of q within its space, q W with W' = -W, would change it.
    wide = x.shape[-1] > x.shape[-2]
    inverse = PINV(x)
    found = -np.matmul(out, _t(np.matmul(_t(inverse) if wide else inverse, g)))
    found = found * np.where(_depends_on_choice(np.matmul(_t(out), g)), np.nan, 1.0).astype(x.dtype)
    return _t(found) if wide else found


def _depends_on_choice(turn: Array) -> Any:
    """Return whether a matrix is not symmetric, with room for rounding: half of all digits and more."""
    most = np.max(np.abs(turn), axis=(-2, -1), keepdims=True, initial=0.0)
    odd = np.max(np.abs(turn - _t(turn)), axis=(-2, -1), keepdims=True, initial=0.0)
    return odd > 8.0 * float(np.sqrt(np.finfo(turn.dtype).eps)) * most


def _unpinv(g: Array, out: Array, x: Array, *, rcond: float = 1e-15) -> Any:
    # Golub & Pereyra 1973, equation 4.12; the rank must not change.
    gt, pt = _t(g), _t(out)
    beside = gt - np.matmul(x, np.matmul(out, gt))
    above = gt - np.matmul(np.matmul(gt, out), x)
    return (
        np.matmul(beside, np.matmul(out, pt))
        + np.matmul(np.matmul(pt, out), above)
        - np.matmul(np.matmul(pt, g), pt)
    )


EIGH = define(
    "eigh",
    kind="linalg",
    infer=_eigh_type,
    numpy=_eigh,
    vjp=(_uneigh,),
    doc="Eigenvalues, ascending, and below them the eigenvectors as columns, of symmetric matrices.",
)
SVD = define(
    "svd",
    kind="linalg",
    infer=_svd_type,
    numpy=_svd,
    vjp=(_unsvd,),
    doc="Singular values, descending, and below them the left, then the right singular vectors as columns.",
)
QR = define(
    "qr",
    kind="linalg",
    infer=_qr_type,
    numpy=_qr,
    vjp=(_unqr,),
    doc="Q, and below it R, of matrices with at least as many rows as columns and of full rank.",
)
SVD_COMPLEMENT = define(
    "svd_complement",
    kind="linalg",
    infer=_complement_type,
    numpy=_svd_complement,
    vjp=(_uncomplement,),
    doc="Singular vectors as columns that no singular value belongs to, of matrices that are not square.",
)
QR_COMPLEMENT = define(
    "qr_complement",
    kind="linalg",
    infer=_complement_type,
    numpy=_qr_complement,
    vjp=(_uncomplement,),
    doc="Orthonormal columns beside those of Q, of matrices with more rows than columns.",
)
PINV = define(
    "pinv",
    kind="linalg",
    infer=_pinv_type,
    numpy=lambda x, *, rcond=1e-15: np.linalg.pinv(x, rcond),
    vjp=(_unpinv,),
    doc="The pseudo-inverse, with singular values below rcond times the largest taken as 0.",
)
