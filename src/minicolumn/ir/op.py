"""Operations of the graph: the record of one, and the table of all of them.

A pass never lists names: whatever it has to know about an operation stands in its record. Code that is about
one operation compares records (``node.op is SCAN``); a lowering's tables have records as keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from minicolumn.errors import TraceError, did_you_mean
from minicolumn.ir.notation import Formula, called
from minicolumn.ir.shapes import ArrayType, Type

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Attrs, Meaning, Operand

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
KernelKind = Literal[
    "inline",  # computed where its result is read
    "reduce",  # one loop nest, whose operand is computed as it is read
    "product",  # a register tile
    "order",  # one loop along an axis, whose operand is computed as it is read
    "scatter",  # a copy, then additions one by one
    "store",  # no kernel: whoever computes an operand stores it in its part of the result
    "scan",  # a loop over a body
    "result",  # no kernel: one of the results of another operation
    "host",  # a call into Python
    "none",  # there from the start
]
_KERNELS: dict[Kind, KernelKind] = {
    "leaf": "none",
    "map": "inline",
    "reduce": "reduce",
    "shape": "inline",
    "product": "product",
    "linalg": "host",
}
Rule = Callable[..., Any]
Vjp = tuple[Rule | None, ...] | Rule | None
IndexMap = Callable[..., tuple[Any, ...]]
# What an element costs, in elements read back from memory: arithmetic, and functions of several steps.
CHEAP, DEAR = 1, 5


@dataclass(frozen=True, eq=False)
class Op:
    """One operation of the graph: its type rule, its meaning, its derivative, and what passes ask about it.

    name    the word in the text form
    kind    what passes and lowerings may assume about it
    infer   ``infer(*types, **attrs) -> type``; raises ShapeError
    numpy   ``numpy(*arrays, **attrs) -> array``: the meaning; every other lowering must agree
    vjp     the derivative, in traced NumPy: one function ``(g, out, *inputs, **attrs) -> cotangent`` for each
            operand, or None where nothing flows; for operations with any number of operands one function
            ``(operand, g, out, *inputs, **attrs)``
    expansion
            the same in other operations, in traced NumPy: ``expansion(*inputs, **attrs)``. Where there is
            one, every compiling lowering takes it in the operation's place

    How it becomes part of kernels:

    kernel      what computes it
    host        the kinds of dtype, as NumPy letters them, on which a map is a call into Python
    index_map   of views: ``index_map(places, within, **attrs)`` gives the place within the operand, whose
                shape is `within`, that is read for a place of the result. They are added and multiplied
                by integers only, so they may be numbers or affine functions of loop counters
    keeps_order of views: the elements lie in memory as the operand's do
    place_map   of stores: ``place_map(operand, places, shapes, **attrs)`` gives the place of the result to
                which a place of an operand goes, as an index map does
    has_gaps    of stores: places that no operand goes to are 0
    keeps_numbers   whether an operand that holds one number everywhere means the same as that number

    What it costs, how exact it is, how it is written:

    cost        of one element, in elements read back from memory
    flops       operations on floats for each element of the result (of the operand, for reductions)
    ulp         the units in the last place by which `numpy`, or the expansion, may miss the exact result; 0
                where it is rounded once, or where every lowering calls this very function
    ulp_of_operands  whether the result may cancel, so that its operands tell how large the last place is
    jumps       whether the result may jump within the box that uncertain operands span
    zero_signs  the operands whose sign matters where they are 0 or NaN
    formula     how it is written
    """

    name: str
    kind: Kind
    infer: Callable[..., Type]
    numpy: Callable[..., Any]
    vjp: Vjp = None
    doc: str = ""
    expansion: Rule | None = None
    kernel: KernelKind = "host"
    host: str = ""
    index_map: IndexMap | None = None
    keeps_order: bool = False
    place_map: IndexMap | None = None
    has_gaps: bool = False
    keeps_numbers: bool = True
    cost: int = DEAR
    flops: int = 1
    ulp: float = 0.0
    ulp_of_operands: bool = False
    jumps: bool = False
    zero_signs: tuple[int, ...] = ()
    formula: Formula = called

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *args: Operand, **attrs: Any) -> Any:
        """Apply to arrays at once, or record into the graph that a traced argument belongs to."""
        for arg in args:
            record = getattr(type(arg), "record_op", None)
            if record is not None:
                return record(arg, self, args, attrs)
        return self.numpy(*map(np.asarray, args), **attrs)

    @property
    def is_view(self) -> bool:
        """Return whether each element of the result is one of the operand's, at a place known beforehand."""
        return self.keeps_order or self.index_map is not None

    def flows_to(self, operand: int) -> bool:
        """Return whether a derivative flows back to this operand."""
        if isinstance(self.vjp, tuple):
            return operand < len(self.vjp) and self.vjp[operand] is not None
        return self.vjp is not None

    def pull(self, operand: int, g: Array, out: Array, inputs: tuple[Array, ...], attrs: Attrs) -> Any:
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
    vjp: Vjp,
    numpy: Meaning | None = None,
    **traits: Any,
) -> Op:
    """Add an operation to the table; done once, while the package is imported.

    kind, infer, vjp    as in `Op`; that nothing flows is said by None
    numpy               the meaning; the expansion on plain arrays, unless given
    traits              the other fields of `Op`; the kernel follows from the kind, unless given
    """
    if name in OPS:
        raise ValueError(f"operation {name!r} is defined twice")
    meaning = numpy or traits.get("expansion")
    if meaning is None:
        raise ValueError(f"operation {name!r} has neither a meaning in NumPy nor an expansion")
    if kind in _KERNELS:
        traits.setdefault("kernel", _KERNELS[kind])
    OPS[name] = Op(name, kind, infer, meaning, vjp, **traits)
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
