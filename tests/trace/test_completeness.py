"""Every function of the table, by introspection: NumPy's values on all dtypes, and each keyword that it has.

A function that is new in the table takes part by itself; one that a matrix alone does not suit needs a row in
`EXAMPLES`, and a test says so.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import MinicolumnError
from minicolumn.trace.numpy_map import FUNCTIONS
from minicolumn.trace.ufuncs import UFUNCS
from minicolumn.tree import flatten

numpy: Any = np
MIXED = np.array([[0.5, -1.5, 2.0, -0.0], [np.nan, 3.0, np.inf, 1.0], [4.0, 0.25, -np.inf, 7.0]])
FINITE = np.nan_to_num(MIXED, nan=-3.0, posinf=9.0, neginf=-9.0)
S = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 1.0], [0.5, 1.0, 5.0]])
ARRAYS: dict[str, np.ndarray] = {
    "f64": MIXED,
    "f32": MIXED.astype(np.float32),
    "finite": FINITE,
    "i32": FINITE.astype(np.int32),
    "i64": FINITE.astype(np.int64),
    "u32": np.abs(FINITE).astype(np.uint32),
    "bool": FINITE > 0.5,
    "square": S,
    "square f32": S.astype(np.float32),
    "square i32": S.astype(np.int32),
    "row": MIXED[0],
    "row i32": FINITE[0].astype(np.int32),
    "three": np.array([1.0, 2.0, 4.0], np.float32),
    "number": np.array(0.5),
    "no rows": np.zeros((0, 4)),
    "no columns": np.zeros((3, 0), np.int32),
    "none": np.zeros(0),
}
Example = Callable[[Callable[..., Any], Any, dict[str, Any]], Any]


def _with(*rest: Any) -> Example:
    return lambda f, x, said: f(x, *rest, **said)


def _listed(f: Callable[..., Any], x: Any, said: dict[str, Any]) -> Any:
    return f([x, x], **said)


def _twice(f: Callable[..., Any], x: Any, said: dict[str, Any]) -> Any:
    return f(x, x, **said)


def _alone(f: Callable[..., Any], x: Any, said: dict[str, Any]) -> Any:
    return f(x, **said)


# How functions of more than one array are called.
LISTED = (
    "concatenate", "concat", "stack", "hstack", "vstack", "dstack", "column_stack", "block",
    "linalg.multi_dot",
)  # fmt: skip
TWICE = (
    "append", "array_equal", "array_equiv", "allclose", "isclose", "isin", "inner", "outer",
    "kron", "vdot", "correlate", "convolve", "cross", "tensordot", "dot", "linspace", "logspace",
    "broadcast_arrays", "meshgrid", "linalg.outer", "linalg.vecdot", "linalg.cross",
    "linalg.tensordot", "linalg.matmul", "linalg.solve", "full_like", "result_type",
)  # fmt: skip
WITH_A_NUMBER = (
    "array_split", "tile", "resize", "roll", "repeat", "pad", "linalg.matrix_power", "expand_dims",
    "rollaxis", "quantile", "nanquantile", "percentile", "nanpercentile",
)  # fmt: skip
EXAMPLES: dict[str, Example] = {
    **dict.fromkeys(LISTED, _listed),
    **dict.fromkeys(TWICE, _twice),
    **dict.fromkeys(WITH_A_NUMBER, _with(1)),
    "split": _with([1]),
    "hsplit": _with([1]), "vsplit": _with([1]), "dsplit": lambda f, x, said: f(x[None], [1], **said),
    "reshape": _with(-1),
    "broadcast_to": lambda f, x, said: f(x, (2, *x.shape), **said),
    "swapaxes": _with(0, -1),
    "moveaxis": _with(0, -1),
    "take": _with([0, 1]),
    "insert": _with(0, 7),
    "compress": lambda f, x, said: f([True, False, True], x, **said),
    "partition": lambda f, x, said: f(x, 1, **said)[..., 1],  # the others are in any order
    "delete": lambda f, x, said: f(x, [0], **said),
    "extract": lambda f, x, said: f(np.array([True, False, True]), x, **said),
    "choose": lambda f, x, said: f(np.array([0, 1, 0]), [x[:3], x[:3]], **said),
    "take_along_axis": lambda f, x, said: f(x, np.zeros((1,) * x.ndim, int), **{"axis": -1, **said}),
    "where": lambda f, x, said: f(x > 0, x, 7, **said),
    "clip": _with(0, 2),
    "select": lambda f, x, said: f([x > 0], [x], **said),
    "piecewise": lambda f, x, said: f(x, [x > 0], [1, 2], **said),
    "apply_along_axis": lambda f, x, said: f(np.sum, 0, x, **said),
    "einsum": lambda f, x, said: f("...i->...", x, **said),
    "interp": _with([0.0, 1.0], [2.0, 3.0]),
    "lib.stride_tricks.sliding_window_view": _with(1),
    "digitize": _with([0.0, 1.0]),
    "polyval": lambda f, x, said: f([1.0, 2.0], x, **said),
    "searchsorted": lambda f, x, said: f([0.0, 1.0], x, **said),
}  # fmt: skip
# What a trace has no value for, and says so.
WITHOUT_VALUES = ("nonzero", "argwhere", "flatnonzero", "ix_", "result_type")
# Where NumPy has a value, a trace may refuse with these words instead.
HONEST = (
    "uint64", "float16", "does not exist in graphs", "cannot be traced", "not defined on", "0 dimensions",
    "of zero elements", "the last two axes", "would meet in", "would compute in", "out of bounds",
    "known while tracing", "builds keys", "depends on values", "may return arrays",
)  # fmt: skip


def _name(f: Any) -> str:
    module = f.__module__.removeprefix("numpy").strip(".")
    inside = next((part for part in ("linalg", "fft", "lib.stride_tricks") if part in module), "")
    inside = "lib.stride_tricks" if f.__name__ == "sliding_window_view" else inside
    return f"{inside}.{f.__name__}" if inside and f is not getattr(np, f.__name__, None) else f.__name__


TABLE: dict[str, Any] = {_name(f): f for f in FUNCTIONS}
TABLE |= {name: getattr(np, name) for name in UFUNCS if isinstance(getattr(np, name, None), np.ufunc)}
UFUNC_KEYWORDS = {
    "where": True,
    "casting": "same_kind",
    "order": "K",
    "dtype": None,
    "subok": True,
    "out": None,
}


def _calls(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield keywords to call a function with: none, and each one that NumPy has, as its default is."""
    yield "nothing said", {}
    if isinstance(TABLE[name], np.ufunc):
        yield from ((f"{k}={v}", {k: v}) for k, v in UFUNC_KEYWORDS.items())
        return
    try:
        parameters = inspect.signature(TABLE[name]).parameters.values()
    except ValueError:  # NumPy does not tell
        return
    for p in parameters:
        named = p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is not p.empty
        if named:
            yield f"{p.name}={p.default!r}", {p.name: p.default}


def _outcome(f: Callable[..., Any], *args: Any) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f(*args)
        except Exception as error:
            return error


def _agree(found: Any, wanted: Any, what: str) -> None:
    ours, theirs = flatten(found)[0], flatten(wanted)[0]
    assert len(ours) == len(theirs), what
    for a, b in zip(map(np.asarray, ours), map(np.asarray, theirs), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), what
        # Sums in another order; singular vectors and inverses by other routes.
        digits = 64 * np.finfo(b.dtype).eps if b.dtype.kind == "f" else 0.0
        np.testing.assert_allclose(a, b, rtol=digits, atol=digits, err_msg=what)


def _example(name: str) -> Example:
    two = isinstance(TABLE[name], np.ufunc) and TABLE[name].nin == 2
    return EXAMPLES.get(name, _twice if two else _alone)


# A keyword at its default changes nothing: it is said with an array of each rank and kind, not with all.
KEYWORDED = ("f64", "i32", "bool", "square f32", "row", "no columns")


def _answered(
    name: str, kinds: Collection[str] = tuple(ARRAYS), keywords: bool = True
) -> Iterator[tuple[str, Callable[[Any], Any], np.ndarray, Any]]:
    """Yield the calls that NumPy answers, by every array, and by every keyword."""
    example = _example(name)
    for words, said in _calls(name) if keywords else [("", {})]:
        for kind in KEYWORDED if said else kinds:
            x = ARRAYS[kind]
            call = lambda x, said=said: example(TABLE[name], x, said)  # noqa: E731
            wanted = _outcome(call, x.copy())
            if not isinstance(wanted, Exception):
                yield f"np.{name}({words}) of {kind}", call, x, wanted


@pytest.mark.parametrize("name", TABLE)
def test_functions_are_numpys_or_refused(name: str) -> None:
    agreed = 0
    for what, call, x, wanted in _answered(name):
        found = _outcome(mc.compile(call, backend="reference"), x)
        if isinstance(found, Exception):
            honest = isinstance(found, MinicolumnError) and any(words in str(found) for words in HONEST)
            assert honest, f"{what}: {type(found).__name__}: {found}"
            continue
        agreed += 1
        if name != "empty_like":  # which holds anything
            _agree(found, wanted, what)
    assert bool(agreed) != (name in WITHOUT_VALUES), "every function needs an example that NumPy answers"


NATIVE = ("f64", "f32", "i32", "bool", "square", "row", "no rows")


@pytest.mark.parametrize("first", range(0, len(TABLE), 12))
def test_native_functions_are_the_references(first: int) -> None:
    names = [n for n in list(TABLE)[first : first + 12] if n not in WITHOUT_VALUES]
    traced = [
        (what, call, x)
        for name in names
        for what, call, x, _ in _answered(name, NATIVE, keywords=False)
        if not isinstance(_outcome(mc.compile(call, backend="reference"), x), Exception)
    ]
    # One program for all of them: most time would go into compiling.
    together = lambda *xs: [call(x) for (_, call, _), x in zip(traced, xs, strict=True)]  # noqa: E731
    given = [x for _, _, x in traced]
    found = mc.compile(together)(*given)
    wanted = mc.compile(together, backend="reference")(*given)
    for (what, _, _), ours, theirs in zip(traced, found, wanted, strict=True):
        _agree(ours, theirs, what)
