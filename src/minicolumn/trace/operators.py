"""Operator overloading of traced arrays: each operator is the ufunc that an ndarray's is.

They differ from calling the ufunc in one thing: a Python number in, a Python number out. What came from
Python numbers alone stays *weak*, and takes the dtype of the array it meets, as the numbers themselves would.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Operand


@cache
def answers() -> Any:
    """Return the module that answers NumPy's calls; it is loaded later than this one."""
    from minicolumn.trace import numpy_map

    return numpy_map


def _refuses(other: Operand) -> bool:
    """Return whether another type asks to handle operators itself, by NumPy's protocol."""
    return getattr(other, "__array_ufunc__", ()) is None


def _forward(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def operate(self: Any, other: Operand) -> Any:
        return NotImplemented if _refuses(other) else answers().operate(ufunc, self, other)

    return operate


def _reflected(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def operate(self: Any, other: Operand) -> Any:
        return NotImplemented if _refuses(other) else answers().operate(ufunc, other, self)

    return operate


def _in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def operate(self: Any, other: Operand) -> Any:
        return NotImplemented if _refuses(other) else _replaced(self, answers().operate(ufunc, self, other))

    return operate


def _replaced(self: Any, out: Any) -> Any:
    """Return the array with the value that an operator in place gives it, under all its names."""
    if not self.ndim:  # a NumPy number is not changed in place either: the name is bound to the new one
        return out
    if out.shape != self.shape:
        raise ShapeError(f"in place, {list(self.shape)} cannot become {list(out.shape)}")
    if out.dtype.kind != self.dtype.kind:
        raise ShapeError(f"in place, {self.dtype} cannot become {out.dtype}; write x = x + y, not x += y")
    return answers().overwrite(self, out.astype(self.dtype))


def _alone(ufunc: np.ufunc) -> Callable[[Any], Any]:
    return lambda self: answers().operate(ufunc, self)


# Powers that an ndarray computes by other means, so that both give the same bits.
_POWERS: dict[object, Callable[[Any], Any]] = {
    -1: lambda x: answers().operate(np.reciprocal, x),
    0.5: lambda x: answers().operate(np.sqrt, x),
    1: lambda x: answers().operate(np.positive, x),
    2: lambda x: answers().squared(x),
}


class Operators:
    """What makes ``x + y``, ``x @ y`` or ``x < y`` work; ``x += y`` changes x under all its names."""

    __slots__ = ()

    __lt__, __le__, __gt__, __ge__ = map(_forward, (np.less, np.less_equal, np.greater, np.greater_equal))
    __eq__, __ne__ = map(_forward, (np.equal, np.not_equal))  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

    __add__, __radd__, __iadd__ = (side(np.add) for side in (_forward, _reflected, _in_place))
    __sub__, __rsub__, __isub__ = (side(np.subtract) for side in (_forward, _reflected, _in_place))
    __mul__, __rmul__, __imul__ = (side(np.multiply) for side in (_forward, _reflected, _in_place))
    __truediv__, __rtruediv__, __itruediv__ = (
        side(np.true_divide) for side in (_forward, _reflected, _in_place)
    )
    __floordiv__, __rfloordiv__, __ifloordiv__ = (
        side(np.floor_divide) for side in (_forward, _reflected, _in_place)
    )
    __mod__, __rmod__, __imod__ = (side(np.remainder) for side in (_forward, _reflected, _in_place))
    __divmod__, __rdivmod__ = _forward(np.divmod), _reflected(np.divmod)
    __matmul__, __rmatmul__, __imatmul__ = (side(np.matmul) for side in (_forward, _reflected, _in_place))
    __rpow__ = _reflected(np.power)
    __lshift__, __rlshift__, __ilshift__ = (side(np.left_shift) for side in (_forward, _reflected, _in_place))
    __rshift__, __rrshift__, __irshift__ = (
        side(np.right_shift) for side in (_forward, _reflected, _in_place)
    )
    __and__, __rand__, __iand__ = (side(np.bitwise_and) for side in (_forward, _reflected, _in_place))
    __or__, __ror__, __ior__ = (side(np.bitwise_or) for side in (_forward, _reflected, _in_place))
    __xor__, __rxor__, __ixor__ = (side(np.bitwise_xor) for side in (_forward, _reflected, _in_place))
    __neg__, __pos__, __abs__, __invert__ = map(_alone, (np.negative, np.positive, np.absolute, np.invert))

    def __pow__(self: Any, other: Operand) -> Any:
        if type(other) in (int, float) and other in _POWERS and self.dtype.kind == "f":
            return _POWERS[other](self)
        return NotImplemented if _refuses(other) else answers().operate(np.power, self, other)

    def __ipow__(self: Any, other: Operand) -> Any:
        return (
            _replaced(self, self**other) if type(other) in (int, float) else _in_place(np.power)(self, other)
        )
