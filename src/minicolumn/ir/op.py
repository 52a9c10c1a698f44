"""The record of one operation, and the table of all of them.

A pass never lists names: whatever it has to know about an operation stands in its record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from minicolumn.errors import TraceError, did_you_mean
from minicolumn.ir.shapes import ArrayType, Type

Kind = Literal[
    "leaf",  # inputs and constants
    "map",  # element by element, with broadcasting
    "reduce",  # fewer axes than before
    "shape",  # the same elements at other places
    "index",  # places that are data
    "product",  # sums of products
    "order",  # along an axis, where order matters
    "linalg",  # matrices as a whole
    "control",  # graphs within graphs
]
Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Op:
    """One operation of the graph: its type rule, its meaning and its derivative.

    name    the word in the text form
    kind    what passes and lowerings may assume about it
    infer   ``infer(*types, **attrs) -> type``; raises ShapeError
    numpy   ``numpy(*arrays, **attrs) -> array``: the meaning; every other lowering must agree
    vjp     the derivative, in traced NumPy: one function ``(g, out, *inputs, **attrs) -> cotangent`` for each
            operand, or None where nothing flows; for operations with any number of operands one function
            ``(operand, g, out, *inputs, **attrs)``
    """

    name: str
    kind: Kind
    infer: Callable[..., Type]
    numpy: Callable[..., Any]
    vjp: tuple[Rule | None, ...] | Rule | None = None
    doc: str = ""
    traits: frozenset[str] = field(default_factory=frozenset)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        """Apply to arrays at once, or record into the graph that a traced argument belongs to."""
        for arg in args:
            record = getattr(type(arg), "record_op", None)
            if record is not None:
                return record(arg, self, args, attrs)
        return self.numpy(*map(np.asarray, args), **attrs)

    def flows_to(self, operand: int) -> bool:
        """Return whether a derivative flows back to this operand."""
        if isinstance(self.vjp, tuple):
            return operand < len(self.vjp) and self.vjp[operand] is not None
        return self.vjp is not None

    def pull(self, operand: int, g: Any, out: Any, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
        """Carry the cotangent of the result back to one operand."""
        if isinstance(self.vjp, tuple):
            rule = self.vjp[operand]
            assert rule is not None
            return rule(g, out, *inputs, **attrs)
        assert self.vjp is not None
        return self.vjp(operand, g, out, *inputs, **attrs)


OPS: dict[str, Op] = {}


def define(
    name: str,
    *,
    kind: Kind,
    infer: Callable[..., Type],
    numpy: Callable[..., Any],
    vjp: tuple[Rule | None, ...] | Rule | None = None,
    doc: str = "",
    traits: tuple[str, ...] = (),
) -> Op:
    """Add an operation to the table; done once, while the package is imported."""
    if name in OPS:
        raise ValueError(f"operation {name!r} is defined twice")
    OPS[name] = Op(name, kind, infer, numpy, vjp, doc, frozenset(traits))
    return OPS[name]


def op_named(name: str) -> Op:
    """Return an operation by its name, or say which one was probably meant."""
    if name not in OPS:
        raise TraceError(f"there is no operation {name!r}{did_you_mean(name, OPS)}")
    return OPS[name]


def same_dtype(name: str, types: tuple[ArrayType, ...]) -> np.dtype:
    """Return the one dtype that all operands share; the tracer casts before it applies an operation."""
    dtypes = [t.dtype for t in types]
    if not dtypes or dtypes.count(dtypes[0]) < len(dtypes):
        raise TraceError(f"{name}: operands of one dtype expected, got {', '.join(map(str, types))}")
    return dtypes[0]
