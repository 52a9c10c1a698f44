"""`dtype=`, `signature=`, `casting=` and `order=` of ufuncs: NumPy's loop, or a refusal that names them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc

ARRAYS: list[Any] = [
    np.array([1.5, -2.25, 3.0]),
    np.array([1.5, -2.25, 3.0], np.float32),
    np.array([1, -2, 3]),
    np.array([1, 2, 3], np.uint32),
    np.array([True, False, True]),
]
UNARY = ["sin", "sqrt", "isnan", "negative", "rint", "logical_not", "sign", "absolute", "invert"]
BINARY = ["add", "divide", "less", "equal", "maximum", "power", "logical_and", "floor_divide", "arctan2"]
KINDS: list[Any] = [np.float32, np.float64, np.int32, np.int64, np.uint32, bool, object, np.float16]
SAID: list[dict[str, Any]] = [{"dtype": kind} for kind in KINDS]
SAID += [{"dtype": kind, "casting": how} for kind in KINDS[:6] for how in ("no", "safe", "unsafe")]
SAID += [{"casting": "safe"}, {"casting": "odd"}, {"order": "F"}, {"order": "Q"}, {"subok": False}]

# What a TraceError says of a dtype that graphs do not have.
KINDS_BEYOND = ["object", "float16", "int8", "uint64", "of integers"]
if np.lib.NumpyVersion(np.__version__) < "2.1.0":
    KINDS_BEYOND.append(
        "casting rule"
    )  # NumPy 2.0 casts a Python float to any dtype, later ones refuse it, too


def _signatures(operands: int) -> list[dict[str, Any]]:
    letters = ("d", "f", "i", "?")
    words = [f"{c * operands}->{out}" for c in letters for out in (c, "?")]
    tuples = [(np.float64,) * (operands + 1), (*[None] * operands, np.float32), (np.float64,)]
    return [{"signature": s} for s in (*words, *tuples)] + [{"signature": "ff->f", "dtype": np.float32}]


def _outcome(f: Any, x: Any) -> Any:
    with np.errstate(all="ignore"):
        try:
            return f(x)
        except (TypeError, ValueError, AttributeError, ArithmeticError, mc.MinicolumnError) as error:
            return error


def _holds(f: Any, x: Any, said: dict[str, Any]) -> None:
    wanted, found = _outcome(f, x), _outcome(mc.compile(f, backend="reference"), x)
    if isinstance(wanted, Exception):
        told = isinstance(found, mc.TraceError) or str(found) == str(
            wanted
        )  # NumPy looks at some words first
        assert told, (said, x.dtype, wanted, found)
        return
    if isinstance(found, Exception):
        assert isinstance(found, mc.TraceError)
        assert any(kind in str(found) for kind in KINDS_BEYOND), (said, x.dtype, found)
        return
    assert found.dtype == wanted.dtype, (said, x.dtype)
    # Functions of float32 may be an ulp off where NumPy's vectors take another way.
    np.testing.assert_allclose(found, wanted, rtol=2e-7 if wanted.dtype == np.float32 else 1e-15)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("x", ARRAYS, ids=lambda x: str(x.dtype))
def test_of_one_operand(name: str, x: Any) -> None:
    ufunc = getattr(np, name)
    for said in (*SAID, *_signatures(1)):
        _holds(lambda x, s=said: ufunc(x, **s), x, said)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("x", ARRAYS, ids=lambda x: str(x.dtype))
def test_of_two_operands(name: str, x: Any) -> None:
    ufunc = getattr(np, name)
    for other in (x, 2, 2.0):
        for said in (*SAID, *_signatures(2)):
            _holds(lambda x, s=said, y=other: ufunc(x, x if y is x else y, **s), x, said)


def test_messages_name_what_was_said() -> None:
    x = ARRAYS[0]
    calls: list[tuple[Any, str]] = [
        ({"dtype": np.float32, "casting": "no"}, "casting='no'"),
        ({"signature": "ii->i"}, "signature='ii->i'"),
        ({"order": "Q"}, "order='Q'"),
    ]
    for said, words in calls:
        with pytest.raises(mc.TraceError, match=words):
            mc.compile(lambda x, s=said: np.add(x, x, **s))(x)
    with pytest.raises(mc.TraceError, match=r"np\.ldexp\(dtype=.*No loop"):
        mc.compile(lambda x: np.ldexp(x, 2, dtype=np.float32))(x)


@pytest.mark.parametrize("shape", [(0, -1), (-1, 0), (0, 3, -1)])
def test_what_is_left_beside_nothing_is_refused(shape: tuple[int, ...]) -> None:
    x = np.zeros((0, 3))
    with pytest.raises(ValueError, match="reshape"):
        np.reshape(x, shape)
    with pytest.raises(mc.ShapeError, match="-1 could be any length"):
        mc.compile(lambda x: np.reshape(x, shape))(x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("decimals", [60, 308, 309, 400, -60, -308, -309, -400])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_to_any_decimals(decimals: int, dtype: type) -> None:
    x = np.array([1.5, -2.25, 0.0, 1e30, np.inf, np.nan], dtype)
    for backend in ("reference", "native"):
        found = mc.compile(lambda x: np.round(x, decimals), backend=backend)(x)
        np.testing.assert_array_equal(found, np.round(x, decimals))
