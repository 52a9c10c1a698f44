"""The laws that every traced function keeps, as one fixture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.autodiff.check import check_grads
from minicolumn.tree import flatten, unflatten


def _same(found: Any, expected: Any, rtol: float, what: str) -> None:
    a, shape_a = flatten(found)
    b, shape_b = flatten(expected)
    assert shape_a.leaf_count == shape_b.leaf_count, f"{what}: {shape_a} against {shape_b}"
    for x, y in zip(a, b, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype), f"{what}: {x.dtype}{x.shape}, not {y.dtype}{y.shape}"
        if rtol == np.inf:
            continue  # only what they are, not how large
        if rtol and y.dtype.kind == "f":
            scale = float(np.max(np.abs(y[np.isfinite(y)]), initial=0.0))
            digits = rtol * (1.0 if y.dtype == np.float64 else 1e9)  # float32 has 2^29 = 5e8 times fewer
            np.testing.assert_allclose(x, y, rtol=digits, atol=digits * scale, err_msg=what)
        else:
            np.testing.assert_array_equal(x, y, err_msg=what)


def _is_float(x: Any) -> bool:
    return np.asarray(x).dtype.kind == "f"


def _weighted(f: Callable[..., Any], out: Any) -> Callable[..., Any]:
    """Return f with its float results weighted and summed to one number."""
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(np.shape(y)) for y in flatten(out)[0]]

    def total(*args: Any) -> Any:
        parts = zip(flatten(f(*args))[0], weights, strict=True)
        return sum(np.sum(y * np.asarray(w, y.dtype)) for y, w in parts if np.dtype(y.dtype).kind == "f")

    return total


def _jvp_is_vjp(f: Callable[..., Any], args: list[Any]) -> None:
    rng = np.random.default_rng(2)
    tangents = [rng.standard_normal(np.shape(a)) for a in args]
    out, pushed = mc.jvp(f, args, tangents)
    outs, structure = flatten(out)
    probes = [rng.standard_normal(np.shape(y)) if _is_float(y) else y for y in outs]
    pulled = mc.vjp(f, *args)[1](unflatten(structure, probes))
    pairs = zip(flatten(pushed)[0], probes, outs, strict=True)
    left = sum(np.sum(p * u) for p, u, y in pairs if _is_float(y))
    right = sum(np.sum(g * t) for g, t in zip(pulled, tangents, strict=True))
    # Two orders of summing the same products, a few hundred at most.
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


def _keeps_laws(f: Callable[..., Any], *args: Any, rtol: float = 0.0, order: int = 2) -> None:
    """Check a function of arrays: values, dtypes, compiled form, gradients and their dtypes.

    Every argument is a float array or number. With rtol = 0 traced values are NumPy's to the bit.
    """
    plain = f(*args)
    compiled = mc.compile(f, backend="reference")(*args)
    _same(compiled, plain, rtol, "compiled")
    if not any(_is_float(y) for y in flatten(plain)[0]):
        return
    traced = mc.vjp(f, *args)[0]
    _same(traced, plain, rtol, "traced")
    _same(traced, compiled, 0.0, "traced against compiled")
    every = tuple(range(len(args)))
    slope = mc.grad(_weighted(f, plain), argnums=every)
    eager = slope(*args)
    _same(eager, [np.asarray(a) for a in args], np.inf, "gradients against arguments")
    _same(mc.compile(slope, backend="reference")(*args), eager, 0.0, "compiled gradient")
    _jvp_is_vjp(f, list(args))
    check_grads(f, args, order=1)
    if order > 1:
        check_grads(f, args, order=order, modes=("rev",))
    small = [np.asarray(a, np.float32)[()] for a in args]
    narrow = slope(*small)
    _same(narrow, small, np.inf, "float32 gradients")
    _same(f(*small), mc.compile(f, backend="reference")(*small), rtol, "float32 compiled")


@pytest.fixture
def keeps_laws() -> Callable[..., None]:
    return _keeps_laws


def _is_data(x: Any) -> bool:
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"


def _example_keeps_laws(f: Callable[..., Any], args: tuple[Any, ...], rtol: float, what: str) -> None:
    """Check a call: its float arrays are traced, everything else is part of the function."""
    moving = [_is_data(a) for a in args]

    def call(*values: Any) -> Any:
        fresh = iter(values)
        return f(*(next(fresh) if m else a for m, a in zip(moving, args, strict=True)))

    try:
        _keeps_laws(call, *(a for m, a in zip(moving, args, strict=True) if m), rtol=rtol)
    except Exception as error:
        error.add_note(what)
        raise


@pytest.fixture
def example_keeps_laws() -> Callable[..., None]:
    return _example_keeps_laws
