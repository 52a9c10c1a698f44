"""Arguments of functions that join, choose and shape: NumPy's values and dtypes, or a refusal by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.tree import flatten

Call = Callable[[Any], Any]

NAN, INF = np.nan, np.inf
V = np.array([NAN, -0.0, 2.5, -INF, INF, 0.0, -3.5])
M = np.array([[-5.0, NAN, -3.0, 0.0], [1.0, INF, 2.5, -0.0], [4.0, -INF, 7.0, -1.5]])
NUMBER = np.float64(NAN)
EMPTY, NONE = np.zeros((0, 3)), np.zeros(0)
S = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 5.0]])
DTYPES = (np.float64, np.float32, np.int32, np.bool_)
windows = np.lib.stride_tricks.sliding_window_view
piecewise: Any = np.piecewise
along: Any = np.apply_along_axis
any_ord: Any = "max"
unsafe: dict[str, Any] = {"dtype": np.int32, "casting": "unsafe"}
LARGE: Any = 2**40 + 7
if np.lib.NumpyVersion(np.__version__) >= "2.5.0":
    LARGE = np.int64(
        LARGE
    )  # from then on `where` refuses a Python integer that the array's dtype does not hold
# Up to NumPy 2.2 some calls are refused by NumPy itself, as `pad` by a dict and norms of nothing are.
REFUSES = np.lib.NumpyVersion(np.__version__) < "2.3.0"


def of(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
    """Return a function of one array that hands on the other arguments."""
    return lambda x: f(x, *args, **kwargs)


def twice(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
    """Return a function of one array that joins it with itself."""
    return lambda x: f([x, x], *args, **kwargs)


# Calls by name, and the arrays to make them with in every dtype.
CALLS: dict[str, tuple[list[Call], list[Any]]] = {
    "concatenate": (
        [
            twice(np.concatenate, axis=-1),
            twice(np.concatenate, axis=None),
            twice(np.concatenate, **unsafe),
            twice(np.concatenate, dtype=np.float64),
            lambda x: np.concatenate([x, 2.5], axis=None),
            lambda x: np.concatenate([x, [True]], axis=None),
            twice(np.hstack, **unsafe),
            twice(np.vstack, **unsafe),
        ],
        [V, M, EMPTY, NONE],
    ),
    "stack": ([twice(np.stack, axis=-1), twice(np.stack, **unsafe)], [V, M, NUMBER, EMPTY]),
    "append": ([of(np.append, 2.5), of(np.append, [True]), of(np.append, [])], [V, M, NUMBER, NONE]),
    "array_split": (
        [
            of(np.array_split, sections)
            for sections in (2, 9, np.array(2), 2.0, [1, 2], [2, 1], [-1], [-100, 2], np.array([1, 9]))
        ],
        [V, M, EMPTY],
    ),
    "split": ([of(np.split, [1], axis=-1), of(np.split, np.array(1)), of(np.split, ())], [V, M, NONE]),
    "tile": ([of(np.tile, reps) for reps in (0, 2, (), (2, 1, 3), np.array([2, 3]))], [V, M, NUMBER, EMPTY]),
    "repeat": (
        [of(np.repeat, 2, axis=0), of(np.repeat, 2, axis=-1), of(np.repeat, 0), of(np.repeat, [2], axis=0)],
        [V, M, NUMBER, EMPTY],
    ),
    "resize": ([of(np.resize, shape) for shape in (5, 0, (), (2, 3), (0, 2))], [V, M, NUMBER, NONE]),
    "take": (
        [of(np.take, [100, -100], mode=mode) for mode in ("clip", "wrap")]
        + [of(np.take, [100, -1], axis=-1, mode=mode) for mode in ("clip", "wrap")]
        + [of(np.take, indices) for indices in (0, [[0, -1]], [], [True, False], np.array([0], np.uint64))],
        [V, M],
    ),
    "take from a number": ([of(np.take, [0, -1], axis=0), of(np.take, 7, mode="clip")], [NUMBER]),
    "roll": (
        [
            of(np.roll, 100),
            of(np.roll, (1, 2)),
            of(np.roll, (1, 2), axis=0),
            of(np.roll, 2, axis=(0, 0)),
            of(np.roll, 1.5, axis=-1),
        ],
        [V, M, EMPTY],
    ),
    "sliding_window_view": ([of(windows, 2, axis=0, writeable=True), of(windows, 0, axis=-1)], [V, M]),
    "pad": (
        [of(np.pad, 2, mode=mode) for mode in ("edge", "reflect", "symmetric", "wrap")]
        + [of(np.pad, 9, mode="reflect", reflect_type="even")]
        + [of(np.pad, 1, mode=mode, reflect_type="odd") for mode in ("reflect", "symmetric")]
        + [of(np.pad, 2, mode=mode) for mode in ("maximum", "mean", "median", "minimum")]
        + [of(np.pad, (1, 3), mode=mode, stat_length=(2, 9)) for mode in ("maximum", "mean", "minimum")]
        + [of(np.pad, width) for width in (0, (1, 2), {0: 1}, {-1: (1, 2)})]
        + [of(np.pad, 1, constant_values=values) for values in (2.7, -0.0, -1, True, (1, 2))],
        [V, M],
    ),
    "pad by a ramp": (
        [of(np.pad, 3, mode="linear_ramp"), of(np.pad, (0, 2), mode="linear_ramp", end_values=(1, -7))],
        [S, S[0]],
    ),
    "pad of nothing": ([of(np.pad, 1), of(np.pad, 1, constant_values=3)], [NUMBER, EMPTY, NONE]),
    "insert": (
        [
            of(np.insert, slice(0, 3), 7),
            of(np.insert, slice(0, 3, 2), [7, 8]),
            of(np.insert, slice(None, None, -2), 7),
            of(np.insert, slice(5, 5), 7),
            of(np.insert, [], 7),
            of(np.insert, [], []),
            of(np.insert, [2, 1], [7, 8]),
            of(np.insert, [2, 2], 2.7),
            of(np.insert, -1, [7, 8]),
            of(np.insert, np.array([True, False, True]), 7),
            of(np.insert, slice(0, 2), 7, axis=0),
        ],
        [V, M],
    ),
    "block": ([lambda x: np.block([[x, x], [x, x]]), lambda x: np.block([x, 1.0])], [V, NUMBER, NONE]),
    "tril": (
        [of(f, k) for f in (np.tril, np.triu) for k in (-9, -1, 0, 1, 9)],
        [V, M, EMPTY, NONE],
    ),
    "diag": ([of(f, k) for f in (np.diag, np.diagflat) for k in (-9, -1, 0, 1, 9)], [V, NONE]),
    "trace": ([of(np.trace, 1, dtype=np.float32), of(np.trace, axis1=-1, axis2=-2)], [S, EMPTY]),
    "where": (
        [lambda x: np.where(x, x, 2.5), lambda x: np.where(x, x, LARGE), lambda x: np.where(x > 0, 1, x)],
        [V, M, NUMBER, NONE],
    ),
    "clip": (
        [
            of(np.clip, low, high)
            for low, high in (
                *((NAN, 1), (0, NAN), (NAN, NAN), (NAN, None), (None, NAN), (1, 0), (-INF, INF)),
                *((0.5, 1.5), (-5, 2**40), (True, False), (np.array([NAN]), None), ([0], [1])),
            )
        ]
        + [
            of(np.clip, max=1),
            of(np.clip, min=0, max=1),
            of(np.clip, 0, 1, order="C"),
            lambda x: x.clip(max=1),
            lambda x: np.clip(x, x, x),
            lambda x: np.clip(0.5, x, None),
            lambda x: np.clip(0.5, None, x),
        ],
        [V, M, NUMBER, NONE],
    ),
    "clip without bounds": ([lambda x: np.clip(2 * x, None, None)], [V]),
    "select": (
        [
            lambda x: np.select([x > 0], [x], default=NAN),
            lambda x: np.select([x > 0, x < 0], [x, 1]),
            lambda x: np.select([x > 0, x < 0], [1, 2], 7),
            lambda x: np.select([x > 0, True], [x, [1.5]]),
        ],
        [V, M, NUMBER, NONE],
    ),
    "piecewise": (
        [
            lambda x: piecewise(x, [x > 0], [2.7]),
            lambda x: piecewise(x, [x > 0, x > 1], [1, 2, lambda v: v]),
            lambda x: piecewise(x, [x > 0], [lambda v, k: v * k, 3], k=2),
        ],
        [M, NUMBER],
    ),
    "piecewise with one condition": ([lambda x: piecewise(x, x > 0, [1, 2])], [V, NUMBER]),
    "isin": (
        [
            of(np.isin, [0, NAN], kind="sort"),
            of(np.isin, [], invert=True),
            of(np.isin, [0], assume_unique=True),
        ],
        [V, M, NUMBER, NONE],
    ),
    "angle": ([of(np.angle), of(np.angle, deg=True)], [V, NUMBER, NONE]),
    "vander": ([of(np.vander, n, increasing=up) for n in (0, 1, 3) for up in (True, False)], [V, NONE]),
    "apply_along_axis": (
        [partial(along, np.sum, 0), partial(along, lambda row: row[:2], 0)],
        [V, M, EMPTY],
    ),
    "zeros_like": (
        [of(f, dtype=np.int32, shape=(2,)) for f in (np.zeros_like, np.ones_like)]
        + [of(np.zeros_like, order="F", subok=False), of(np.ones_like, device="cpu")]
        + [of(np.full_like, 2.7, shape=3), of(np.full_like, NAN, dtype=np.float32)]
        + [of(np.full_like, [1, 2], shape=2), lambda x: np.full_like(x, x)],
        [V, M, NUMBER],
    ),
    "meshgrid": (
        [
            lambda x, i=i, s=s: np.meshgrid(x, [1, 2], indexing=i, sparse=s)
            for i in ("xy", "ij")
            for s in (True, False)
        ],
        [V, NONE],
    ),
    "linspace": (
        [of(np.linspace, 3.7, 4, dtype=kind) for kind in (int, np.int32, np.float32)]
        + [of(np.linspace, 3, 4, False, True), of(np.linspace, 3, np.int64(3), device="cpu")]
        + [of(np.linspace, 3, n, retstep=True) for n in (0, 1, 4)]
        + [of(np.linspace, 3, 1, endpoint=False, retstep=True), of(np.linspace, 3, 4, axis=-1)],
        [np.array([-3.5, 0.25, 2.5]), np.float64(-7.75), NONE],
    ),
    "logspace": (
        [
            of(np.logspace, 2, 4, base=2.0, dtype=np.float32),
            of(np.logspace, 2, 4, axis=-1),
            of(np.logspace, 2, 4, base=[2.0]),
            lambda x: np.logspace(0, 1, 4, base=x),
            lambda x: np.logspace(0, 1, 4, base=x, axis=-1),
        ],
        [np.array([1.0, 0.5, 2.5]), np.float64(1.5)],
    ),
    "reshape": (
        [of(np.reshape, -1, order="F"), of(np.reshape, (1, -1), copy=True), of(np.ravel, "F")],
        [V, M, NUMBER, NONE],
    ),
    "axes": (
        [
            of(np.transpose, (-1, 0)),
            of(np.moveaxis, (0, 1), (1, 0)),
            of(np.rollaxis, 1, -2),
            of(np.rollaxis, 0, 2),
            of(np.expand_dims, (0, -1)),
            of(np.flip, (0, -1)),
            of(np.flip, ()),
            of(np.rot90, -1, (1, 0)),
            lambda x: np.squeeze(x[None, ..., None], (0, -1)),
        ],
        [M, EMPTY],
    ),
    "transpose of a vector": ([of(np.transpose, 0)], [V]),
    "norm": (
        [of(np.linalg.norm, order, axis=0) for order in (0, 0.5, 1, 2, 3, -1, -0.5, INF)]
        + [of(np.linalg.vector_norm, axis=axis) for axis in ((), (0,), 0, None)],
        [M, NONE, EMPTY],
    ),
    "matrix norm": (
        [of(np.linalg.norm, order, axis=(1, 0), keepdims=True) for order in ("fro", 1, INF)],
        [M, EMPTY],
    ),
    "matrix_power": ([of(np.linalg.matrix_power, n) for n in (-2, -1, 0, 2)], [S]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NaN and infinity as integers, powers of them
@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("name", CALLS)
def test_values_and_dtypes_are_those_of_numpy(name: str, backend: str) -> None:
    calls, arrays = CALLS[name]
    rows = [
        (f"call {i} of {dtype}{list(np.shape(a))}", call, x)
        for a in arrays
        for dtype, x in ((dtype, np.asarray(a).astype(dtype)) for dtype in DTYPES)
        for i, call in enumerate(calls)
        if _answered(call, x)
    ]
    # One program for all of them: most time would go into compiling.
    together = lambda *xs: [call(x) for (_, call, _), x in zip(rows, xs, strict=True)]  # noqa: E731
    found = mc.compile(together, backend=backend)(*[x for *_, x in rows])
    for (what, call, x), out in zip(rows, found, strict=True):
        _equal(out, call(x), what)


def _answered(call: Call, x: np.ndarray) -> bool:
    """Return whether NumPy has an answer to compare with."""
    if not REFUSES:
        return True
    try:
        call(x)
    except (TypeError, ValueError, OverflowError, FutureWarning):
        return False
    return True


def _equal(found: Any, expected: Any, what: str) -> None:
    ours, theirs = flatten(found)[0], flatten(expected)[0]
    assert len(ours) == len(theirs), what
    for x, y in zip(map(np.asarray, ours), map(np.asarray, theirs), strict=True):
        assert (x.dtype, x.shape) == (y.dtype, y.shape), what
        # Powers, products and quotients by another route: some roundings of the dtype.
        digits = 16 * np.finfo(y.dtype).eps if y.dtype.kind == "f" else 0.0
        np.testing.assert_allclose(x, y, rtol=digits, atol=digits, err_msg=what)


def test_the_sign_of_zero_is_kept_by_padding() -> None:
    for value in (1.0, -0.0, NAN):
        padded = mc.compile(of(np.pad, 1, constant_values=value), backend="reference")(V)
        np.testing.assert_array_equal(np.signbit(padded), np.signbit(np.pad(V, 1, constant_values=value)))


REFUSED: dict[str, tuple[Call, str]] = {
    "concatenate dtype": (twice(np.concatenate, dtype=np.float16), r"np\.concatenate\(dtype=float16\)"),
    "concatenate casting": (twice(np.concatenate, dtype=np.int32), "same_kind"),
    "stack casting": (twice(np.stack, dtype=np.float32, casting="no"), "'no'"),
    "array_split": (of(np.array_split, 0), "sections"),
    "split": (of(np.split, 2.0), "equal parts"),
    "vsplit": (of(np.vsplit, 1), "vsplit"),
    "tile": (of(np.tile, 2.0), "integer"),
    "tile negative": (of(np.tile, -1), "reps"),
    "resize": (of(np.resize, (2, -1)), "new_shape"),
    "take mode": (of(np.take, [0], mode="first"), r"np\.take\(mode='first'\)"),
    "take of floats": (of(np.take, np.array([0.5])), "same_kind"),
    "roll": (of(np.roll, [[1], [2]], axis=0), "shift"),
    "windows": (of(windows, 99), "window"),
    "windows negative": (of(windows, -1), "window"),
    "pad reflect_type": (of(np.pad, 1, mode="reflect", reflect_type="less"), r"reflect_type='less'"),
    "pad too wide": (of(np.pad, 9, mode="reflect", reflect_type="odd"), r"reflect_type='odd'"),
    "pad end_values": (of(np.pad, 1, mode="edge", end_values=1), "end_values"),
    "pad stat_length": (of(np.pad, 1, stat_length=1), "stat_length"),
    "pad constant_values": (of(np.pad, 1, mode="wrap", constant_values=1), "constant_values"),
    "pad pad_width": (of(np.pad, 1.5), "pad_width"),
    "pad negative": (of(np.pad, -1), "widths"),
    **{f"pad {mode}": (of(np.pad, 1, mode=mode), f"mode='{mode}'") for mode in ("empty", "first")},
    "block": (lambda x: np.block([[x], x]), "nested"),
    "clip dtype": (of(np.clip, 0, 1, dtype=np.float32), r"np\.clip\(dtype="),
    "clip where": (of(np.clip, 0, 1, where=[True]), r"np\.clip\(where="),
    "clip casting": (of(np.clip, 0, 1, casting="unsafe"), r"np\.clip\(casting="),
    "clip twice": (of(np.clip, 0, 1, min=1), "a_min"),
    "clip unknown": (of(np.clip, 0, 1, low=1), "low"),
    "select": (lambda x: np.select([x], [x]), r"condlist\[0\]"),
    "piecewise": (lambda x: piecewise(x, [x[:2] > 0], [1]), "conditions"),
    "isin kind": (of(np.isin, [0], kind="table"), "kind='table'"),
    "vander": (lambda x: np.vander(x[None]), "vector"),
    "vander N": (of(np.vander, -1), "N "),
    "zeros_like dtype": (of(np.zeros_like, dtype=np.float16), "dtype=float16"),
    "full_like dtype": (of(np.full_like, 1, dtype=np.int8), "dtype=int8"),
    "full_like device": (of(np.full_like, 1, device="gpu"), "gpu"),
    "meshgrid indexing": (of(np.meshgrid, indexing="yx"), "indexing='yx'"),
    "linspace num": (of(np.linspace, 1, -1), "num"),
    "linspace num of floats": (of(np.linspace, 1, 2.0), "integer"),
    "linspace dtype": (of(np.linspace, 1, 3, dtype=np.float16), "dtype=float16"),
    "linspace device": (of(np.linspace, 1, 3, device="gpu"), "device='gpu'"),
    "logspace dtype": (of(np.logspace, 1, 3, dtype=np.int8), "dtype=int8"),
    "trace dtype": (lambda x: np.trace(x[None], dtype=np.float16), "dtype=float16"),
    "reshape order": (of(np.reshape, -1, order="A"), "order='A'"),
    "ravel order": (of(np.ravel, "K"), "order='K'"),
    "moveaxis": (lambda x: np.moveaxis(x[None], (0, 1), (0, 0)), "destination"),
    "rollaxis": (of(np.rollaxis, 0, 9), "start"),
    "expand_dims": (of(np.expand_dims, 1.0), "integer"),
    "rot90": (lambda x: np.rot90(x[None], 0, (0, 0)), "axes"),
    "apply_along_axis": (lambda x: along(np.sum, 1, np.reshape(x[:0], (0, 3))), "axis 1"),
    "multi_dot": (lambda x: np.linalg.multi_dot([x]), "two arrays"),
    "norm": (lambda x: np.linalg.norm(x[None], any_ord), "ord='max'"),
    "matrix_norm": (lambda x: np.linalg.matrix_norm(x[None], ord=any_ord), "ord='max'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_supported_is_refused_by_name(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises((mc.TraceError, ValueError, TypeError), match=message) as caught:
        mc.compile(call, backend="reference")(V)
    assert "\n" not in str(caught.value)


def test_a_border_that_integers_cannot_hold_is_refused() -> None:
    with pytest.raises(mc.TraceError, match="constant_values=nan"):
        mc.compile(of(np.pad, 1, constant_values=NAN), backend="reference")(np.arange(3))


# Arguments on whose values shapes or the program depend, and calls that hand a traced integer on in each.
KNOWN: dict[str, Callable[[Any, Any], Any]] = {
    r"array_split\(indices_or_sections": lambda x, n: np.array_split(x, n),
    r"np\.split\(indices_or_sections": lambda x, n: np.split(x, [n]),
    r"tile\(reps": lambda x, n: np.tile(x, n),
    r"repeat\(repeats": lambda x, n: np.repeat(x, n),
    r"roll\(shift": lambda x, n: np.roll(x, n),
    r"pad\(pad_width": lambda x, n: np.pad(x, (n, 0)),
    r"insert\(obj": lambda x, n: np.insert(x, n, 0.0),
    r"resize\(new_shape": lambda x, n: np.resize(x, (n, n)),
    r"sliding_window_view\(window_shape": lambda x, n: windows(x, n),
    r"diagonal\(offset": lambda x, n: np.diagonal(x[None], n),
    r"diag\(k": lambda x, n: np.diag(x, n),
    r"tril\(k": lambda x, n: np.tril(x, n),
    r"linspace\(num": lambda x, n: np.linspace(x, 1.0, n),
    r"vander\(N": lambda x, n: np.vander(x, n),
}


@pytest.mark.parametrize("name", KNOWN)
def test_arguments_that_must_be_known_are_named(name: str) -> None:
    with pytest.raises(mc.TraceError, match=name):
        mc.compile(KNOWN[name], backend="reference")(V, np.int32(2))


# Calls of an array and of a second one that is traced too.
PAIRS: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "clip by NaN": (lambda x, a: np.clip(x, a, 1), np.float32(NAN)),
    "clip by a row": (lambda x, a: np.clip(x, None, a), V[::-1].copy()),
    "clip by a Python number": (lambda x, a: np.clip(x, a, 2 * a), 0.5),
    "take by unsigned integers": (lambda x, a: np.take(x, a, mode="wrap"), np.array([0, 9], np.uint32)),
    "take by booleans": (np.take, np.array([True, False])),
    "take by a list": (lambda x, a: np.take(x, [a[0], 1]), np.array([0, 1], np.int32)),
    "insert by a slice": (lambda x, a: np.insert(x, slice(0, 2), a), np.array([7.0, 8.0])),
    "insert a list": (lambda x, a: np.insert(x, [0, 1], [a, 2.0]), np.float32(3.0)),
    "full_like of integers": (lambda x, a: np.full_like(x, a, dtype=np.int32), np.float64(2.7)),
    "pad": (lambda x, a: np.pad(x, 1, constant_values=(a[0], a[1])), np.array([3.0, 4.0])),
    "append a Python number": (np.append, 2.5),
    "concatenate a Python number": (lambda x, a: np.concatenate([x, a], axis=None), 2.5),
    "select a Python number": (lambda x, a: np.select([x > 0], [a], 0), 3),
    "select a list": (lambda x, a: np.select([x > 0], [[a] * 7]), np.float32(3.0)),
    "logspace by bases": (lambda x, a: np.logspace(0.0, x[2], 3, base=a), np.array([2.0, 3.0])),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # powers of infinities
@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("name", PAIRS)
def test_two_traced_arguments(name: str, backend: str) -> None:
    call, other = PAIRS[name]
    for dtype in (np.float64, np.float32):
        x = V.astype(dtype)
        _equal(mc.compile(call, backend=backend)(x, other), call(x, other), str(x.dtype))
