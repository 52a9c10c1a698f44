"""The tracer: an array that answers to NumPy, and writes down what NumPy does to it.

Two modes share one class. *With values* (inside `grad` and its kin) each step also runs at once, so Python
may branch on what it sees. *Without values* (inside `compile`) only types are known. Nothing is global: what
a value depends on is known from the scopes its node carries.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minicolumn.errors import TraceError
from minicolumn.ir.graph import CONST, INPUT, Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops.elementwise import CAST, STOP_GRADIENT
from minicolumn.ir.shapes import DTYPES, ArrayType, Dim, Shape, TupleType, shared_type
from minicolumn.trace.nodes import (
    KNOWN,
    LiveNode,
    Scope,
    Scopes,
    constant_node,
    holdable,
    joined,
    kept,
    owned,
)
from minicolumn.trace.operators import Operators, answers
from minicolumn.trace.outside import USUAL, advice, of_a_list

if TYPE_CHECKING:
    from weakref import ReferenceType

    from minicolumn.ir.arrays import Array, ArrayFunction, Attrs, Operand
    from minicolumn.trace.arguments import DTypeLike, Integer, Key, ShapeLike
    from minicolumn.trace.tracer import Traced


def leaf(type: ArrayType, value: np.ndarray | None, scope: Scope, name: str | None = None) -> Traced:
    """Return a fresh variable of a scope."""
    return Traced(LiveNode(INPUT, (), {"type": type, "name": name}, type, value, frozenset((scope,))))


def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of traced values; where NumPy hides what was wrong behind an error of its own, say it.

    Errors      TraceError for a traced value that is written into a plain array, and for what NumPy cannot do
                with an array of objects
    """
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        if not any(words in str(error) for words in _OF_OBJECTS):
            raise
        raise TraceError(
            f"np.array([x, y]) of traced numbers is an array of objects, and {error}; "
            "make it a traced one: np.stack([x, y])"
        ) from error
    except ValueError as error:
        if not isinstance(error.__cause__, TraceError) and str(error) != _OF_FLAT:
            raise
        raise TraceError(
            "a traced value cannot be written into a plain NumPy array, as by z[0] = x; "
            "make the array of its parts: np.stack([x, y]), or np.where(np.arange(n) == 0, x, z)"
        ) from error


# What NumPy says of `z.flat[0] = x`, and does not say why.
_OF_FLAT = "Error setting single item of array."
# What NumPy says where it would need the values of an array of objects: traced numbers, see `elements`.
_OF_OBJECTS = ("has no callable", "dtype('O')", "not supported for the input types")


def constant(value: Operand) -> Traced:
    """Return an array that is part of the program as a traced value, which traced integers can index."""
    return Traced(constant_node(owned(value)))


def node_of(value: Operand) -> LiveNode:
    """Return the node of a traced value, or a constant node for anything else."""
    if isinstance(value, Traced):
        return value.node
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        value = answers().gathered(value)
        return value.node if isinstance(value, Traced) else constant_node(holdable(value))
    return constant_node(holdable(value))


def lift(node: LiveNode) -> Any:
    """Return what rules should work on: the plain value where nothing open depends on it."""
    return node.value if node.value is not None and not node.is_live else Traced(node)


def apply(op: Op, args: Sequence[Operand], attrs: Attrs) -> Any:
    """Apply an operation to traced and plain values: run it if all are known, record it if any is open."""
    for arg in args:
        if type(arg) is Traced and arg.node.value is None:
            return _recorded(op, args, attrs)
    nodes = [arg.node if type(arg) is Traced else node_of(arg) for arg in args]
    value = op.numpy(*[node.value for node in nodes], **attrs)
    if type(value) is not np.ndarray:
        value = np.asarray(value)
    # No derivative flows through booleans and integers, so with values known they need no tracing:
    # comparisons, argmax and masks come out as plain arrays that Python can branch and index on.
    if value.dtype.kind != "f":
        return value if value.ndim else value[()]
    node = LiveNode(op, nodes, attrs, shared_type(value.dtype, value.shape), value, joined(nodes))
    if not node.is_live:
        return value
    if len(args) > 1:  # the function may go on to change the plain ones in place
        node.inputs = tuple(map(_as_used, args, nodes, repeat(node.scopes)))
    return Traced(node)


def _as_used(arg: Operand, node: LiveNode, scopes: Scopes) -> LiveNode:
    if isinstance(arg, np.ndarray) and node.value is arg and node.op is CONST:
        return constant_node(kept(arg, scopes))
    return node


def _recorded(op: Op, args: Sequence[Operand], attrs: Attrs) -> Traced:
    nodes = [arg.node if type(arg) is Traced else constant_node(owned(arg)) for arg in args]
    type_ = op.infer(*[node.type for node in nodes], **attrs)
    return Traced(LiveNode(op, nodes, attrs, type_, None, joined(nodes), user_line()))


def user_line() -> str | None:
    """Return file:line of the innermost frame that is neither ours nor NumPy's."""
    frame = sys._getframe(5)  # the nearer ones are ours on every way here
    ours = None
    while frame is not None:
        module = frame.f_globals
        if module is not ours and _is_users(module.get("__name__", "")):
            return f"{frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno}"
        ours, frame = module, frame.f_back  # the next frame is often of the same module
    return None


@cache
def _is_users(module: str) -> bool:
    return not module.startswith(("minicolumn.", "numpy.")) or module.startswith("minicolumn.nn.")


@overload
def cast(x: Traced, dtype: np.dtype) -> Traced: ...
@overload
def cast(x: Operand, dtype: np.dtype) -> Array: ...
def cast(x: Operand, dtype: np.dtype) -> Array:
    """Return x in another dtype; a no-op when it has it already."""
    if isinstance(x, Traced):
        return x if x.node.type.dtype == dtype else CAST(x, dtype=dtype)  # type: ignore[union-attr]
    return np.asarray(x, dtype)


def fresh(result: Any) -> Any:
    """Return a result that is no operand under another name, so that work in place stays its own."""
    if type(result) is Traced:
        return Traced(result.node)
    return type(result)(map(fresh, result)) if type(result) in (list, tuple) else result


def stop_gradient(x: Operand) -> Any:
    """Return an array through which no derivative flows: its plain value, where that is known."""
    if not isinstance(x, Traced):
        return x
    value = x.node.value
    return STOP_GRADIENT(x) if value is None else value.copy()[()]


class Traced(Operators):
    """An array that is being traced. It has an array's methods, operators and NumPy functions."""

    __slots__ = ("__weakref__", "node", "relatives")
    __array_priority__ = 1000.0

    def __init__(self, node: LiveNode) -> None:
        self.node = node
        self.relatives: list[ReferenceType[Traced]] | None = None  # what would share memory with it

    def outdate(self) -> None:
        """Forget the value, since memory that it would share has been written to."""
        del self.node

    def __getattr__(self, name: str) -> Any:
        if name == "node":
            raise TraceError(
                "this array shares memory with one that was changed in place, as by x += y, and a trace does "
                "not follow that; take the view after the change, or change a copy, np.copy(x)"
            )
        ufunc = answers().OF_ELEMENTS.get(name)
        if ufunc is None:
            raise AttributeError(f"traced arrays have no attribute {name!r}")
        return partial(ufunc, self)  # how NumPy applies np.sin to an array of traced numbers

    # What NumPy asks of an array ----------------------------------------------------------------------------

    @property
    def type(self) -> ArrayType:
        """Return dtype and shape together."""
        assert isinstance(self.node.type, ArrayType)
        return self.node.type

    @property
    def shape(self) -> Shape:
        """Return the shape, always known; an axis that may have any length has a name instead of a number."""
        return self.node.type.shape  # type: ignore[union-attr]

    @property
    def dtype(self) -> np.dtype:
        """Return the dtype, always known."""
        return self.node.type.dtype  # type: ignore[union-attr]

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.type.shape)

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return self.type.size

    def record_op(self, op: Op, args: Sequence[Operand], attrs: Attrs) -> Any:
        """Record an operation of which this is an operand."""
        return apply(op, args, attrs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Operand, **kwargs: Any) -> Any:
        return answers().call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, func: ArrayFunction, types: object, args: Sequence[Operand], kwargs: dict[str, Any]
    ) -> Any:
        return answers().call_function(func, args, kwargs)

    # What would leave the trace -----------------------------------------------------------------------------

    def _concrete(self, what: str, instead: str) -> np.ndarray:
        node = self.node
        if not node.is_live:
            if node.value is not None:
                return node.value
            raise TraceError(
                f"this {self.type} value{_at(node)} outlived the compile or scan that traced it; return it"
            )
        raise TraceError(of_a_list() or f"{what} would leave the trace of this {self.type} value; {instead}")

    def __array__(self, dtype: DTypeLike = None, copy: bool | None = None) -> np.ndarray:
        instead = advice() if self.node.is_live else ""
        if instead is USUAL and (dtype is None or np.dtype(dtype) == np.object_):
            elements = answers().elements(self)  # np.array([x, y]) becomes an array of traced numbers
            if elements is not None:
                return elements
        return np.array(self._concrete("making a plain array", instead), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        value = self.node.value
        if value is None:
            raise TraceError(
                of_a_list()
                or f"inside compile the value of this {self.type} is not known, so Python cannot branch on it"
                f"{_at(self.node)}; use np.where(condition, a, b) or np.maximum, or mc.scan for loops"
            )
        return bool(value)

    def __float__(self) -> float:
        return float(
            self._concrete(
                "float() of a value",
                "use np.sin and its kin in place of math.sin, or float(mc.stop_gradient(x)) for the value",
            )
        )

    def __int__(self) -> int:
        return int(
            self._concrete("int() of a value", "use np.floor or .astype(int), or index with static numbers")
        )

    __index__ = __int__

    def item(self) -> float:
        """Return the one element as a Python number, once the trace is over."""
        return self._concrete(".item()", "keep the value as it is").item()

    def tolist(self) -> Any:
        """Return nested lists of Python numbers, once the trace is over."""
        return self._concrete(".tolist()", "keep the value as it is").tolist()

    def __setitem__(self, key: Key, value: Operand) -> None:
        raise TraceError(
            "traced arrays cannot be assigned into; build the new one with np.where(mask, new, old), "
            "np.concatenate or np.stack"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a value without axes")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a value without axes")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Key) -> Any:
        return answers().getitem(self, key)

    def __contains__(self, element: Operand) -> bool:
        return bool(np.any(self == element))

    def __repr__(self) -> str:
        known = "" if self.node.value is None else f", {self.node.value}"
        return f"Traced({self.type}{known})"

    def __format__(self, spec: str) -> str:
        return repr(self) if self.node.value is None else format(self.node.value[()], spec)

    # What an array's methods do -----------------------------------------------------------------------------

    @property
    def T(self) -> Any:
        """Return the array with its axes reversed."""
        return np.transpose(self)  # type: ignore[arg-type]

    @property
    def mT(self) -> Any:
        """Return the array with its last two axes exchanged."""
        return np.swapaxes(self, -1, -2)  # type: ignore[arg-type]

    @property
    def real(self) -> Any:
        """Return the real part: the array itself."""
        return self

    @property
    def flat(self) -> Any:
        """Return the elements in one row."""
        return self.reshape(-1)

    def astype(self, dtype: np.typing.DTypeLike, **_: object) -> Any:
        """Return the array in another dtype."""
        target = np.dtype(dtype)
        if target not in KNOWN:
            raise TraceError(f"astype({target}): graphs have {', '.join(str(d) for d in DTYPES.values())}")
        return fresh(cast(self, target))

    def reshape(self, *shape: ShapeLike, order: str = "C") -> Any:
        """Return the same elements in another shape."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer, Dim)) else shape
        return np.reshape(self, wanted, order=order)  # type: ignore[arg-type, call-overload]

    def transpose(self, *axes: Integer | Sequence[int] | None) -> Any:
        """Return the array with its axes permuted."""
        wanted = axes[0] if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)) else axes
        return np.transpose(self, wanted or None)  # type: ignore[arg-type]

    def clip(self, min: Any = None, max: Any = None, **kwargs: Any) -> Any:
        """Return the elements limited to a range, by one bound or both."""
        # Both are handed on, for NumPy 2.0: its np.clip does not take one alone.
        return np.clip(self, min, max, **kwargs)

    def sort(self, *_: object, **__: object) -> None:
        """Refuse: the method sorts in place."""
        raise TraceError("x.sort() works in place; use np.sort(x)")

    def fill(self, *_: object) -> None:
        """Refuse: the method writes in place."""
        raise TraceError("x.fill(v) works in place; use np.full_like(x, v)")


def _method(name: str) -> Any:
    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"Return ``np.{name}`` of the array."
    return method


for _name in (
    *("all", "any", "argmax", "argmin", "argsort", "compress", "conj", "copy", "cumprod", "cumsum"),
    *("diagonal", "dot", "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "round", "searchsorted"),
    *("squeeze", "std", "sum", "swapaxes", "take", "trace", "var"),
):
    setattr(Traced, _name, _method(_name))


def _flatten(self: Traced, order: str = "C") -> Any:
    """Return a copy of the elements in one row."""
    return fresh(self.ravel(order))  # type: ignore[attr-defined]


Traced.flatten = _flatten  # type: ignore[attr-defined]


def _at(node: Node) -> str:
    return f" (made at {node.where})" if node.where else ""


def abstract_tuple(node: LiveNode) -> tuple[Traced, ...]:
    """Return the results of an operation that has several."""
    from minicolumn.ir.ops.control import ITEM

    assert isinstance(node.type, TupleType)
    return tuple(
        Traced(LiveNode(ITEM, (node,), {"index": i}, t, None, node.scopes, node.where))
        for i, t in enumerate(node.type.items)
    )
