"""Decompositions of traced matrices: eigenvalues, singular values, QR, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import decompositions as ops
from minicolumn.trace.outside import refuse_arguments
from minicolumn.trace.promote import any_traced, array, as_float

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """A matrix with orthonormal columns, and an upper triangular one."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


def _symmetric(a: Operand, uplo: str) -> Array:
    """Return the symmetric matrices that one triangle stands for; the other is not read."""
    x = as_float(array(a))
    if uplo.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"eigh: square matrices expected over the last two axes, got {list(x.shape)}")
    part = np.tril(x, -1) if uplo.upper() == "L" else np.triu(x, 1)
    return part + np.swapaxes(part, -1, -2) + x * np.eye(x.shape[-1], dtype=x.dtype)


def eigh(a: Operand, UPLO: str = "L") -> EighResult:
    """Return eigenvalues and eigenvectors of symmetric matrices, of which one triangle is read."""
    packed = ops.EIGH(_symmetric(a, UPLO))
    return EighResult(packed[..., 0, :], packed[..., 1:, :])


def eigvalsh(a: Operand, UPLO: str = "L") -> Any:
    """Return the eigenvalues of symmetric matrices, ascending."""
    return eigh(a, UPLO).eigenvalues


def svd(a: Operand, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Return the singular value decomposition, a = U diag(S) Vh.

    Of the vectors that ``full_matrices`` adds only their space is defined: what depends on more than that has
    the derivative NaN.
    """
    refuse_arguments("linalg.svd", hermitian=True if hermitian else None)
    x = as_float(array(a))
    packed = ops.SVD(x)
    if not compute_uv:
        return packed[..., 0, :]
    rows, columns = x.shape[-2:]
    left, right = packed[..., 1 : 1 + rows, :], packed[..., 1 + rows :, :]
    if full_matrices and rows > columns:
        left = np.concatenate([left, ops.SVD_COMPLEMENT(x)], axis=-1)
    if full_matrices and columns > rows:
        right = np.concatenate([right, ops.SVD_COMPLEMENT(x)], axis=-1)
    return SVDResult(left, packed[..., 0, :], np.swapaxes(right, -1, -2))


def svdvals(x: Operand, /) -> Any:
    """Return the singular values, descending."""
    return svd(x, compute_uv=False)


def qr(a: Operand, mode: str = "reduced") -> Any:
    """Return Q and R with a = Q R; the derivative needs columns that are linearly independent.

    Of the columns that ``mode="complete"`` adds only their space is defined, as in `svd`.
    """
    x = as_float(array(a))
    rows, columns = x.shape[-2:]
    if mode not in ("reduced", "r", "complete"):
        raise TraceError(
            f"np.linalg.qr(mode={mode!r}) cannot be traced; there are 'reduced', 'r' and 'complete'"
        )
    size = min(rows, columns)
    packed = ops.QR(x[..., :size])
    q, r = packed[..., :rows, :], packed[..., rows:, :]
    if columns > rows:
        r = np.concatenate([r, np.matmul(np.swapaxes(q, -1, -2), x[..., size:])], axis=-1)
    if mode == "complete" and rows > columns:
        q = np.concatenate([q, ops.QR_COMPLEMENT(x)], axis=-1)
        r = np.concatenate([r, np.zeros((*r.shape[:-2], rows - columns, columns), r.dtype)], axis=-2)
    return r if mode == "r" else QRResult(q, r)


def pinv(a: Operand, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    """Return the pseudo-inverse; its derivative holds as long as the rank stays the same."""
    refuse_arguments("linalg.pinv", hermitian=True if hermitian else None)
    x = as_float(array(a))
    if 0 in x.shape[-2:]:  # NumPy keeps integers then
        return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), array(a).dtype)
    if rtol is None:
        rcond = max(x.shape[-2:]) * np.finfo(x.dtype).eps
    elif rtol is not np._NoValue:
        rcond = rtol
    rcond = 1e-15 if rcond is None else rcond
    if any_traced(rcond) or np.ndim(rcond):
        raise TraceError("np.linalg.pinv: rcond and rtol must be numbers that are known while tracing")
    return ops.PINV(x, rcond=float(rcond))


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.linalg.eigh: eigh,
    np.linalg.eigvalsh: eigvalsh,
    np.linalg.svd: svd,
    np.linalg.svdvals: svdvals,
    np.linalg.qr: qr,
    np.linalg.pinv: pinv,
}
