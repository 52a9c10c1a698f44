"""Decompositions natively, in both dtypes, at ties and where the rank is short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc

RNG = np.random.default_rng(3)
TALL, SQUARE = RNG.standard_normal((5, 3)), RNG.standard_normal((4, 4))
BATCH = RNG.standard_normal((2, 3, 3))

FUNCTIONS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "eigh": (lambda x: tuple(np.linalg.eigh(x)), SQUARE),
    "eigvalsh": (lambda x: np.linalg.eigvalsh(x, UPLO="U"), BATCH),
    "svd": (lambda x: tuple(np.linalg.svd(x, full_matrices=False)), TALL),
    "svd of wide": (lambda x: tuple(np.linalg.svd(x, full_matrices=False)), TALL.T),
    "full svd": (lambda x: tuple(np.linalg.svd(x)), TALL),
    "full svd of wide": (lambda x: tuple(np.linalg.svd(x)), np.stack([TALL.T, TALL.T[::-1]])),
    "complete qr": (lambda x: tuple(np.linalg.qr(x, mode="complete")), TALL),
    "svdvals": (lambda x: np.linalg.svd(x, compute_uv=False), BATCH),
    "qr": (lambda x: tuple(np.linalg.qr(x)), TALL),
    "qr of wide": (lambda x: tuple(np.linalg.qr(x)), TALL.T),
    "pinv": (np.linalg.pinv, TALL),
    "nuclear norm": (lambda x: np.linalg.norm(x, "nuc"), TALL),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backend", ["reference", "native"])
def test_results_are_lapacks(name: str, dtype: type, backend: str) -> None:
    f, x = FUNCTIONS[name]
    x = x.astype(dtype)
    found, expected = mc.compile(f, backend=backend)(x), f(x)
    for a, b in zip(*(y if isinstance(y, tuple) else (y,) for y in (found, expected)), strict=True):
        assert a.dtype == b.dtype == dtype
        # Other drivers of LAPACK for values alone, and R by a product: some ulp of the largest.
        np.testing.assert_allclose(a, b, rtol=0, atol=50 * np.finfo(dtype).eps * float(np.abs(b).max()))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_the_same_natively(name: str) -> None:
    f, x = FUNCTIONS[name]

    def total(x: Any) -> Any:
        out = f(x)
        return sum(np.sum(np.sin(y)) for y in (out if isinstance(out, tuple) else (out,)))

    slope = mc.grad(total)(x)
    # sin of the native backend is its own, within two ulp.
    np.testing.assert_allclose(mc.compile(mc.grad(total))(x), slope, rtol=1e-11, atol=1e-13)


def test_results_have_names() -> None:
    def f(x: Any) -> Any:
        q, e, s = np.linalg.qr(x), np.linalg.eigh(x), np.linalg.svd(x)
        return q.Q, q.R, e.eigenvalues, e.eigenvectors, s.U, s.S, s.Vh

    for a, b in zip(mc.compile(f)(SQUARE), f(SQUARE), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_what_depends_on_values_alone_is_right_at_ties() -> None:
    x = np.diag([2.0, 2.0, 2.0])
    # sum of squares of eigenvalues and of singular values: both |x|^2 of a symmetric x.
    np.testing.assert_allclose(mc.grad(lambda x: np.sum(np.linalg.svdvals(x) ** 2))(x), 2.0 * x, rtol=1e-14)
    slope = mc.grad(lambda x: np.sum(np.linalg.eigvalsh(x) ** 2))(x)
    np.testing.assert_allclose(slope, 2.0 * x, rtol=1e-14)  # off the diagonal 4 x, which is 0
    np.testing.assert_allclose(mc.grad(lambda x: np.linalg.norm(x, "nuc"))(x), np.eye(3), atol=1e-14)


def test_projections_onto_tied_spaces_are_right() -> None:
    x = np.diag([1.0, 1.0, 3.0])

    def f(x: Any) -> Any:
        vectors = np.linalg.eigh(x).eigenvectors[:, :2]
        return np.sum((vectors @ vectors.T) * np.arange(9.0).reshape(3, 3))

    slope, step = mc.grad(f)(x), 1e-6
    for i, j in np.ndindex(3, 3):
        up, down = x.copy(), x.copy()
        up[i, j] += step
        down[i, j] -= step
        # Central differences: rounding 1e-15 / 1e-6, third derivatives of order one times 1e-12.
        np.testing.assert_allclose(slope[i, j], (f(up) - f(down)) / (2 * step), atol=1e-8)


def test_only_one_triangle_is_read() -> None:
    lower = mc.grad(lambda x: np.sum(np.linalg.eigvalsh(x) ** 3))(SQUARE)
    upper = mc.grad(lambda x: np.sum(np.linalg.eigvalsh(x, "U") ** 3))(SQUARE)
    assert not np.triu(lower, 1).any()
    assert not np.tril(upper, -1).any()
    neither: Any = "D"
    with pytest.raises(ValueError, match="UPLO"):
        mc.compile(lambda x: np.linalg.eigh(x, neither))(SQUARE)


def test_short_rank() -> None:
    x = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])
    slope = mc.grad(lambda x: np.linalg.norm(x, 2))(x)
    # The largest singular value: u v'.
    np.testing.assert_allclose(slope, x / np.linalg.norm(x), rtol=1e-13)
    assert np.isfinite(mc.grad(lambda x: np.sum(np.linalg.svd(x, full_matrices=False)[0]))(x)).all()


@pytest.mark.parametrize("f", [np.linalg.eigh, np.linalg.svd, np.linalg.qr, np.linalg.pinv])
def test_vectors_are_refused(f: Callable[[Any], Any]) -> None:
    with pytest.raises((mc.ShapeError, ValueError, IndexError)):
        mc.compile(f)(np.ones(3))


COMPLEMENTS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "svd": (lambda x: np.linalg.svd(x).U[:, 3:], TALL),
    "svd of wide": (lambda x: np.linalg.svd(x).Vh[3:].T, TALL.T),
    "qr": (lambda x: np.linalg.qr(x, mode="complete").Q[:, 3:], TALL),
    "svd by one": (lambda x: np.linalg.svd(x).U[:, 3:], TALL[:4]),
}


@pytest.mark.parametrize("name", COMPLEMENTS)
def test_derivatives_of_spaces_beside_a_matrix(name: str) -> None:
    complement, x = COMPLEMENTS[name]
    weights = RNG.standard_normal((len(complement(x)),) * 2)

    def by_space(x: Any) -> Any:
        q = complement(x)
        return np.sum(weights * (q @ q.T) ** 2)

    mc.check_grads(by_space, (x,), order=2, modes=("rev",))
    for backend in ("reference", "native"):
        fast = mc.compile(mc.grad(by_space), backend=backend)(x)
        np.testing.assert_allclose(fast, mc.grad(by_space)(x), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", COMPLEMENTS)
def test_vectors_of_a_space_have_no_derivative_of_their_own(name: str) -> None:
    complement, x = COMPLEMENTS[name]
    slope = mc.grad(lambda x: np.sum(complement(x)[0] ** 3))(x)
    if name == "svd by one":  # but for its sign there is one vector
        mc.check_grads(lambda x: np.sum(complement(x)[0] ** 2), (x,))
    else:
        assert np.isnan(slope).all()
