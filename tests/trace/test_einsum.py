"""einsum for subscripts of any kind, against NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc

LENGTHS = {"a": 2, "b": 3, "c": 1, "d": 2, "e": 0}
# Sums of up to 30 products of numbers near 1, taken in another order than NumPy's.
CLOSE: Any = {"rtol": 1e-12, "atol": 1e-12}


@st.composite
def _contraction(draw: st.DrawFn) -> tuple[str, list[np.ndarray]]:
    label = st.sampled_from("aabbccdde")
    terms = draw(st.lists(st.lists(label, max_size=3), min_size=1, max_size=3))
    known = sorted({x for term in terms for x in term})
    result = draw(st.permutations(known))[: draw(st.integers(0, len(known)))]
    explicit = draw(st.booleans())
    dots = draw(st.booleans())
    words = [("..." if dots else "") + "".join(term) for term in terms]
    text = ",".join(words) + ("->" + ("..." if dots else "") + "".join(result) if explicit else "")
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    lead = [draw(st.sampled_from([(), (2,), (1, 2)])) if dots else () for _ in terms]
    shapes = [(*front, *(LENGTHS[x] for x in term)) for front, term in zip(lead, terms, strict=True)]
    return text, [rng.standard_normal(shape) for shape in shapes]


@settings(max_examples=120, deadline=None)
@given(_contraction())
def test_any_subscripts(case: tuple[str, list[np.ndarray]]) -> None:
    text, arrays = case
    expected = np.einsum(text, *arrays)
    f = lambda *xs: np.einsum(text, *xs)  # noqa: E731
    out, pull = mc.vjp(f, *arrays)
    assert np.shape(out) == np.shape(expected)
    np.testing.assert_allclose(out, expected, **CLOSE)
    np.testing.assert_array_equal(mc.compile(f, backend="reference")(*arrays), out)
    # The sum is linear in each operand: <u, f(..., x, ...)> = <u'J, x>.
    u = np.random.default_rng(0).standard_normal(np.shape(out))
    for x, g in zip(arrays, pull(u), strict=True):
        np.testing.assert_allclose(np.sum(g * x), np.sum(u * out), **CLOSE)
        assert g.shape == x.shape


def _numbered(b: Any) -> Any:
    return [..., 0], b, [0, 1], [..., 1]


def test_gradients_are_einsums_too(keeps_laws: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    a, b, c = rng.standard_normal((2, 3)), rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    keeps_laws(lambda a, b, c: np.einsum("ij,jk,ki->", a, b, c), a, b, c, rtol=1e-13)
    keeps_laws(lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [2, 0]), a, b, rtol=1e-14)
    keeps_laws(lambda a, b: np.einsum("...j,jk->...k", a, b, optimize=True), a, b, rtol=1e-14)
    keeps_laws(lambda a, b: np.einsum(a, *_numbered(b)), a, b, rtol=1e-14)
    keeps_laws(lambda c: np.einsum("ii,ij->j", c @ c.T, c), c, rtol=1e-13)


@pytest.mark.parametrize(
    ("text", "shapes", "message"),
    [
        ("ij,jk", [(2, 3)], "2 terms"),
        ("ij,jk->ik", [(2, 3), (4, 5)], "'j'"),
        ("ij->ik", [(2, 3)], "k"),
        ("ij", [(2,)], "einsum"),
    ],
)
def test_wrong_subscripts(text: str, shapes: list[Any], message: str) -> None:
    with pytest.raises(mc.ShapeError, match=message):
        mc.compile(lambda *xs: np.einsum(text, *xs), backend="reference")(*map(np.ones, shapes))
