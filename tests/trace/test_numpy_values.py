"""Values at the ends of the number line, comparisons and products of integers: NumPy's, on both backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import MinicolumnError
from minicolumn.trace.ufuncs import UFUNCS

pytestmark = pytest.mark.filterwarnings("ignore")
BACKENDS = ("reference", "native")
REALS = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.inf, -np.inf, np.nan, 1e-40, 3e38, -7.0, 1e30]
INTEGERS = [0, 1, -1, 5, -7, 2**31 - 1, -(2**31), 65536, 2, 3]
ARRAYS: dict[str, np.ndarray] = {
    "float32": np.array(REALS, np.float32),
    "float64": np.array(REALS),
    "int32": np.array(INTEGERS, np.int32),
    "int64": np.array([*INTEGERS, 2**63 - 1, -(2**63)]),
    "uint32": np.array([0, 1, 7, 2**32 - 1, 65536, 2, 3, 31], np.uint32),
    "bool": np.array([True, False]),
    "no numbers": np.zeros(0, np.float32),
}
NAMES = sorted(n for n in UFUNCS if isinstance(getattr(np, n, None), np.ufunc))
PRODUCTS = ("matmul", "vecdot", "matvec", "vecmat")
# Which of two equal zeros these return is not the same in all of NumPy's own loops.
EITHER_ZERO = ("maximum", "minimum", "fmax", "fmin")


def _same(found: Any, wanted: Any, signs: bool = True) -> None:
    found, wanted = (y if isinstance(y, tuple) else (y,) for y in (found, wanted))
    for a, b in zip(map(np.asarray, found), map(np.asarray, wanted), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if b.dtype.kind != "f":
            np.testing.assert_array_equal(a, b)
            continue
        # Elementary functions within a few units in the last place.
        np.testing.assert_allclose(a, b, rtol=2e-6 if b.dtype == np.float32 else 1e-14)
        if signs:
            np.testing.assert_array_equal(np.signbit(a) & (b == b), np.signbit(b) & (b == b))


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("name", [n for n in NAMES if n not in PRODUCTS and n != "power"])
def test_values_at_the_ends(name: str, kind: str) -> None:
    f, x = getattr(np, name), ARRAYS[kind]
    right = np.arange(-40, 41, dtype=np.int32) * 30 if name == "ldexp" else x
    args = (x,) if f.nin == 1 else (x[:, None], right)
    try:
        wanted = f(*args)
    except TypeError:
        with pytest.raises(mc.TraceError):
            mc.compile(f, backend="reference")(*args)
        return
    if _is_refused(f, np.asarray(wanted[0] if isinstance(wanted, tuple) else wanted).dtype, x.dtype):
        with pytest.raises(mc.TraceError, match=r"graphs do not have|reciprocal"):
            mc.compile(f, backend="reference")(*args)
        return
    for backend in BACKENDS:
        _same(mc.compile(f, backend=backend)(*args), wanted, name not in EITHER_ZERO)


def _is_refused(f: np.ufunc, result: np.dtype, operand: np.dtype) -> bool:
    # Of booleans NumPy computes in float16 or int8, even where it only looks at their signs.
    return result in (np.float16, np.int8) or (
        (f is np.signbit and operand == np.bool_) or (f is np.reciprocal and operand.kind in "iu")
    )


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32])
def test_powers_of_integers(dtype: type) -> None:
    x = np.array([0, 1, 2, 3, 7], dtype)
    for backend in BACKENDS:
        _same(mc.compile(np.power, backend=backend)(x[:, None], x), np.power(x[:, None], x))
    if dtype is not np.uint32:
        with pytest.raises(ValueError, match="negative integer powers"):
            mc.compile(np.power, backend="reference")(x, -x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ldexp_rounds_once(dtype: type) -> None:
    x = np.random.default_rng(0).standard_normal(200).astype(dtype)
    n = np.arange(-1150, 1150, 23, dtype=np.int32)[:, None]
    for backend in BACKENDS:
        np.testing.assert_array_equal(mc.compile(np.ldexp, backend=backend)(x, n), np.ldexp(x, n))
    assert mc.grad(lambda x: np.ldexp(x, 10))(0.5) == 1024.0
    assert mc.grad(lambda x: np.ldexp(x, -1074))(0.5) == 5e-324


def test_slopes_of_modf() -> None:
    for x in (0.3, -1.7, 2.0, 0.0):
        assert mc.grad(lambda x: np.modf(x)[0])(x) == 1.0
    assert mc.grad(lambda x: np.modf(x)[0])(np.inf) == 0.0


COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)


@pytest.mark.parametrize("number", [2**40, -(2**40), -1, 300, 2**31, 2**32 - 1, 2**63 - 1, -(2**63), 1.5])
@pytest.mark.parametrize("kind", ["int32", "int64", "uint32", "bool", "float32"])
def test_comparisons_with_python_numbers_are_exact(kind: str, number: Any) -> None:
    x = ARRAYS[kind]
    wanted = [f(x, number) for f in COMPARISONS] + [f(number, x) for f in COMPARISONS]
    for backend in BACKENDS:
        both = mc.compile(
            lambda x: [f(x, number) for f in COMPARISONS] + [f(number, x) for f in COMPARISONS],
            backend=backend,
        )
        np.testing.assert_array_equal(both(x), wanted)
        # Handed over, the number is data: of a type, but of no value that tracing could look at.
        handed = mc.compile(lambda x, n: [f(x, n) for f in COMPARISONS], backend=backend)(x, number)
        np.testing.assert_array_equal(handed, wanted[:6])
    np.testing.assert_array_equal(mc.compile(lambda x: x < number, backend="reference")(x), x < number)


def test_a_python_integer_beyond_int64_is_refused() -> None:
    with pytest.raises(mc.TraceError, match="a Python integer beyond int64"):
        mc.compile(lambda x: x < 2**64, backend="reference")(ARRAYS["int32"])
    assert mc.compile(lambda x: x < 2**64, backend="reference")(np.ones(1, np.float32)).all()
    with pytest.raises(OverflowError, match="out of bounds for int32"):  # NumPy's own error
        mc.compile(lambda x: x + 2**40, backend="reference")(ARRAYS["int32"])


A, B = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
EINSUMS: dict[str, Any] = {
    "numbers": lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]),
    "numbers without a result": lambda a, b: np.einsum(a, [26, 1], b, [1, 2]),
    "the last number": lambda a, b: np.einsum(a, [51, 1], b, [1, 2]),
    "capitals first": lambda a, b: np.einsum("aB,Bc", a, b),
    "ellipsis": lambda a, b: np.einsum(a, [..., 1], b, [1, 2], [..., 2]),  # type: ignore[call-overload]
    "trace": lambda a, b: np.einsum("ii", b[:, :3]),
    "all": lambda a, b: np.einsum("ij,jk->", a, b),
    "one axis of one": lambda a, b: np.einsum("ij,jk", a[:, :1], b),
    "a sum": lambda a, b: np.einsum("ij->", a),
    "dtype": lambda a, b: np.einsum("ij,jk", a, b, dtype=np.float64),
    "dtype and casting": lambda a, b: np.einsum("ij,jk", a, b, dtype=np.int32, casting="unsafe"),
    "optimize and order": lambda a, b: np.einsum("ij,jk", a, b, optimize=True, order="C"),
    "vecdot": lambda a, b: np.linalg.vecdot(a, a, axis=0),  # type: ignore[call-overload]
    "vecdot of ufuncs": lambda a, b: np.vecdot(a, a),
}


@pytest.mark.parametrize("what", EINSUMS)
def test_contractions_in_every_dtype(what: str) -> None:
    f = EINSUMS[what]
    for dtype in (np.float32, np.float64, np.int32, np.uint32, np.bool_):
        a, b = A.astype(dtype), B.astype(dtype)
        for backend in BACKENDS:
            _same(mc.compile(f, backend=backend)(a, b), f(a, b))


REFUSED: dict[str, Any] = {
    "number": lambda a, b: np.einsum(a, [52, 1], b, [1, 2]),
    "is none of the numbers": lambda a, b: np.einsum(a, [-1, 1], b, [1, 2]),
    "not made of letters": lambda a, b: np.einsum("i1,1k", a, b),
    "one '...'": lambda a, b: np.einsum("i.,.k", a, b),
    "lacks the '...'": lambda a, b: np.einsum("...j,jk->k", a, b),
    "dtype=int32": lambda a, b: np.einsum("ij,jk", a, b, dtype=np.int32),
    "foo": lambda a, b: np.einsum("ij,jk", a, b, foo=1),  # type: ignore[call-overload]
    "vectors expected": lambda a, b: np.linalg.outer(a, b),
}


@pytest.mark.parametrize("words", REFUSED)
def test_contractions_refuse_by_name(words: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        REFUSED[words](A.astype(np.float32), B.astype(np.float32))
    with pytest.raises(MinicolumnError, match=words.replace(".", r"\.")):
        mc.compile(REFUSED[words], backend="reference")(A.astype(np.float32), B.astype(np.float32))
