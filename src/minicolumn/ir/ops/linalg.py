"""Linear algebra on matrices as a whole, over the last two axes; LAPACK does the work in every lowering."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.op import define, same_dtype
from minicolumn.ir.ops.reductions import exclusive_product
from minicolumn.ir.ops.rules import of_kinds
from minicolumn.ir.shapes import ArrayType, Type

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array


def _square(name: str) -> Callable[..., ArrayType]:
    def infer(x: ArrayType) -> ArrayType:
        of_kinds(name, (x,), "f")
        if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
            raise ShapeError(f"{name}: square matrices expected over the last two axes, got {list(x.shape)}")
        return x

    return infer


def _scalar(name: str) -> Callable[..., Type]:
    return lambda x: _square(name)(x).with_shape(x.shape[:-2])


def _solved(a: ArrayType, b: ArrayType) -> Type:
    same_dtype("solve", (a, b))
    _square("solve")(a)
    if len(b.shape) != len(a.shape) or b.shape[:-1] != a.shape[:-1]:
        raise ShapeError(
            f"solve: right sides of shape {list(b.shape)} do not fit matrices of {list(a.shape)}"
        )
    return b


def _t(x: Array) -> Any:
    return np.swapaxes(x, -1, -2)


def _over_matrix(g: Array) -> Any:
    return np.reshape(g, (*g.shape, 1, 1))


def _uncholesky(g: Array, out: Array, x: Array) -> Any:
    # With L the factor: phi(L^T g) between L^-T and L^-1, made symmetric; Murray 2016, arXiv 1602.07527, 10.
    inner = np.tril(np.matmul(_t(out), g))
    half = inner - 0.5 * inner * np.eye(x.shape[-1], dtype=x.dtype)
    left = SOLVE(_t(out), half)
    both = _t(SOLVE(_t(out), _t(left)))
    return 0.5 * (both + _t(both))


SOLVE = define(
    "solve",
    kind="linalg",
    infer=_solved,
    numpy=np.linalg.solve,
    vjp=(
        lambda g, out, a, b: -np.matmul(SOLVE(_t(a), g), _t(out)),
        lambda g, out, a, b: SOLVE(_t(a), g),
    ),
)
INV = define(
    "inv",
    kind="linalg",
    infer=_square("inv"),
    numpy=np.linalg.inv,
    vjp=(lambda g, out, x: -np.matmul(np.matmul(_t(out), g), _t(out)),),
)


def _adjugate(x: np.ndarray) -> np.ndarray:
    # By singular values, so that singular matrices have one too: adj(U S V) = det(U V) V' adj(S) U'.
    u, s, v = np.linalg.svd(x)
    sign = np.linalg.det(u) * np.linalg.det(v)
    middle = exclusive_product(s) if s.shape[-1] else s
    return _over_matrix(sign) * np.matmul(_t(v) * middle[..., None, :], _t(u))


def _unadjugate(g: Array, out: Array, x: Array) -> Any:
    inverse = np.linalg.inv(x)
    weight = _over_matrix(np.sum(g * inverse, axis=(-2, -1)))
    return weight * _t(out) - np.matmul(np.matmul(_t(inverse), g), _t(out))


ADJUGATE = define(
    "adjugate",
    kind="linalg",
    infer=_square("adjugate"),
    numpy=_adjugate,
    vjp=(_unadjugate,),
    doc="det(x) x^-1, which exists for singular matrices too; its own derivative needs an inverse.",
)
DET = define(
    "det",
    kind="linalg",
    infer=_scalar("det"),
    numpy=np.linalg.det,
    vjp=(lambda g, out, x: _over_matrix(g) * _t(ADJUGATE(x)),),
)
LOGABSDET = define(
    "logabsdet",
    kind="linalg",
    infer=_scalar("slogdet"),
    numpy=lambda x: np.linalg.slogdet(x)[1],
    vjp=(lambda g, out, x: _over_matrix(g) * _t(np.linalg.inv(x)),),
)
SIGNDET = define(
    "signdet",
    kind="linalg",
    infer=_scalar("slogdet"),
    numpy=lambda x: np.linalg.slogdet(x)[0],
    vjp=None,
)
CHOLESKY = define(
    "cholesky", kind="linalg", infer=_square("cholesky"), numpy=np.linalg.cholesky, vjp=(_uncholesky,)
)
