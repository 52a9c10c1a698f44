"""Type promotion as NumPy does it, with Python numbers taking the dtype of what they meet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import TraceError
from minicolumn.ir.shapes import DTYPES
from minicolumn.trace.operators import answers
from minicolumn.trace.tracer import Traced, cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import DTypeLike, Kind


class Signed(int):
    """The kind of a Python integer that int32 holds and uint32 does not."""


class Wide(Signed):
    """The kind of a Python integer that int32 does not hold, or whose value is not known."""


class Huge(Wide):
    """The kind of a Python integer that no integer dtype of graphs holds."""


_KNOWN = frozenset(DTYPES.values())


def dtype_or_kind(x: Any) -> Kind:
    """Return the dtype of an array, or the type of a Python number (or of what came from one)."""
    kind = type(x)
    if kind is Traced:
        return _PYTHON[x.dtype.kind] if x.node.weak else x.node.type.dtype
    if kind is np.ndarray:
        return x.dtype
    if kind is float:
        return kind
    if kind is int:
        return int if 0 <= x < 2**31 else _kind_of_integer(x)
    if kind is bool:
        return np.dtype(np.bool_)
    if kind is complex:
        raise TraceError("complex numbers do not exist in graphs; split into real and imaginary parts")
    return x.dtype if isinstance(x, np.ndarray) else np.asarray(x).dtype


_PYTHON: dict[str, Any] = {"f": float, "i": Wide, "u": Wide, "b": bool}
_COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
_INT64 = np.dtype(np.int64)


def _kind_of_integer(x: int) -> Kind:
    return Signed if -(2**31) <= x < 2**31 else Wide if -(2**63) <= x < 2**63 else Huge


def _plain(kind: Kind) -> Kind:
    """Return the kind as NumPy knows it, whatever the values of Python integers are."""
    return int if isinstance(kind, type) and issubclass(kind, Signed) else kind


def _compares_exactly(ufunc: np.ufunc, kinds: tuple[Kind, ...]) -> bool:
    """Return whether integers meet a Python integer that their own dtype does not hold, to be compared."""
    if ufunc not in _COMPARISONS or not all(_plain(k) is int or np.dtype(k).kind in "iub" for k in kinds):
        return False
    if Huge in kinds:
        raise TraceError(
            f"np.{ufunc.__name__}: a Python integer beyond int64 compares with no integer of graphs"
        )
    return Wide in kinds or (Signed in kinds and np.dtype(np.uint32) in kinds)


@lru_cache(maxsize=4096)
def loop_dtypes(ufunc: np.ufunc, kinds: tuple[Kind, ...]) -> tuple[np.dtype, ...]:
    """Return the dtypes that a ufunc converts its operands to."""
    if _compares_exactly(ufunc, kinds):
        return (_INT64, _INT64)
    kinds = _as_numpy_takes_them(kinds)
    try:
        found = ufunc.resolve_dtypes((*kinds, *[None] * ufunc.nout))[: ufunc.nin]
    except TypeError:
        names = ", ".join(getattr(k, "__name__", str(k)) for k in kinds)
        raise TraceError(f"np.{ufunc.__name__} does not take ({names})") from None
    _check_known(ufunc, found)
    return found


def _as_numpy_takes_them(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    kinds = tuple(map(_plain, kinds))
    if all(isinstance(kind, type) for kind in kinds):  # with no array among them, NumPy makes arrays of them
        return tuple(np.asarray(kind(0)).dtype for kind in kinds)  # type: ignore[operator]
    return kinds


def _check_known(ufunc: np.ufunc, dtypes: Sequence[np.dtype]) -> None:
    for dtype in dtypes:
        if dtype not in _KNOWN:
            raise TraceError(f"np.{ufunc.__name__} would compute in {dtype}, which graphs do not have")


def said_dtypes(
    ufunc: np.ufunc, kinds: tuple[Kind, ...], dtype: DTypeLike, signature: Any, casting: Any
) -> tuple[np.dtype, ...]:
    """Return the dtypes that a ufunc converts its operands to where dtype=, signature= or casting= are said.

    Raises TraceError with NumPy's words where there is no such loop, or where casting forbids it.
    """
    said = {"dtype": dtype, "signature": signature, "casting": casting}
    named = ", ".join(f"{k}={v!r}" for k, v in said.items() if v is not None and v != "same_kind")
    try:
        loop = _loop_said(ufunc, dtype, signature)
        operands: Any = (*_as_numpy_takes_them(kinds), *[None] * ufunc.nout)
        found = ufunc.resolve_dtypes(operands, signature=loop, casting=casting)
    except (TypeError, ValueError) as error:
        raise TraceError(f"np.{ufunc.__name__}({named}): {error}") from None
    _check_known(ufunc, found)
    return found[: ufunc.nin]


def _loop_said(ufunc: np.ufunc, dtype: DTypeLike, signature: Any) -> Any:
    """Return the dtypes of operands and results that are asked for, None where any will do."""
    if dtype is not None:
        return (*[None] * ufunc.nin, *[np.dtype(dtype)] * ufunc.nout)
    if signature is None:
        return None
    if isinstance(signature, str):
        letters = tuple(signature.replace("->", ""))
        signature = (*[None] * ufunc.nin, *letters * ufunc.nout) if len(letters) == 1 else letters
    return tuple(None if d is None else np.dtype(d) for d in signature)


def common_dtype(*xs: Operand | DTypeLike) -> np.dtype:
    """Return the dtype that NumPy would give the operands in common."""
    kinds = [np.dtype(x) if isinstance(x, (type, np.dtype, str)) else _plain(dtype_or_kind(x)) for x in xs]
    dtype = np.result_type(*(k(0) if isinstance(k, type) else k for k in kinds))
    if dtype not in _KNOWN:
        raise TraceError(f"these operands would meet in {dtype}, which graphs do not have")
    return dtype


def promoted(*xs: Operand) -> list[Array]:
    """Return the operands in their common dtype."""
    dtype = common_dtype(*xs)
    return [cast(x, dtype) for x in xs]


def as_float(x: Array) -> Array:
    """Return integers and booleans as float64, as NumPy's means and roots do."""
    return x if np.dtype(x.dtype).kind == "f" else cast(x, np.dtype(np.float64))


def array(x: Operand) -> Array:
    """Return a traced array as it is, lists with traced elements stacked, anything else as an array."""
    if isinstance(x, (Traced, np.ndarray)):
        return answers().gathered(x) if x.dtype.hasobject else x
    if isinstance(x, (list, tuple)) and any_traced(x):
        parts = promoted(*(array(part) for part in x))
        return np.stack(parts)
    return np.asarray(x)


def any_traced(x: object) -> bool:
    """Return whether nested lists hold a traced value."""
    if isinstance(x, (list, tuple)):
        return any(any_traced(part) for part in x)
    return isinstance(x, Traced)
