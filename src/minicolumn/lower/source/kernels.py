"""Kernels as loop nests of a source language: one function a kind of kernel."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops.elementwise import MULTIPLY
from minicolumn.ir.ops.order import CUMSUM
from minicolumn.ir.ops.reductions import ALL, ANY, ARGMAX, ARGMIN, MAX, MIN, PROD, SUM
from minicolumn.ir.shapes import Shape
from minicolumn.lower.source.int8 import quantized, table_of
from minicolumn.lower.source.language import Language, bare
from minicolumn.lower.source.products import write_product
from minicolumn.lower.source.values import Lines, Values, affine_text
from minicolumn.passes.index_map import counter, identity_map, linear
from minicolumn.passes.kernel import Fused, Kernel
from minicolumn.passes.reduced import operand_map_of, ranges_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class KernelWriter:
    """What a kernel is written with.

    lines, language, fused      the lines, the language, the fused graph
    names       of the arrays
    extra       constants that kernels make of others, by name: weights laid out anew
    rows        bytes of the rows that kernels keep on the stack, of each kernel
    int8        whether weights are int8, see `minicolumn.lower.source.int8`
    tables      of lookups, that are int8: the names of the numbers and the scales
    """

    lines: Lines
    language: Language
    fused: Fused
    names: Mapping[Node, str]
    extra: dict[str, Array] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    int8: bool = False
    tables: dict[Node, tuple[str, str]] = field(default_factory=dict)

    def write(self, kernel: Kernel) -> None:
        """Write one kernel.

        Errors      DataError, naming it, for an operation that the language has no line for
        """
        if kernel.kind not in _WRITERS:
            what = kernel.anchor.op.name if kernel.anchor else kernel.kind
            raise DataError(f"the operation {what!r} cannot be written in {self.language.name}")
        if 0 not in kernel.shape:
            _WRITERS[kernel.kind](self, kernel)

    def row(self, dtype: np.dtype[Any], count: int) -> str:
        """Declare a row of zeros on the stack; return its name."""
        name = self.lines.fresh("s")
        self.lines.add(self.language.row(self.language.type_of(dtype), name, count))
        self.rows.append(count * dtype.itemsize)
        return name

    def values(self, kernel: Kernel, ranges: Sequence[int], given: Mapping[Node, str] = {}) -> Values:
        """Return the values at counters of some ranges."""
        here: Container[Node] = {s.target for s in kernel.stores if s.is_plain} | {kernel.anchor}
        return Values(self.lines, self.language, self.names, ranges, here, given, self._table)

    def constant(self, letter: str, value: Array) -> str:
        """Keep a constant that the kernels make; return its name."""
        name = f"{letter}{len(self.extra)}"
        self.extra[name] = value
        return name

    def _table(self, node: Node) -> tuple[str, str] | None:
        """Return the names of a lookup's table as int8 and of its scales; None where it stays as it is."""
        table = table_of(node) if self.int8 else None
        if table is None:
            return None
        if node.inputs[0] not in self.tables:
            q, scales = quantized(table)
            self.tables[node.inputs[0]] = self.constant("w", q.reshape(-1)), self.constant("v", scales)
        return self.tables[node.inputs[0]]

    def times(self, node: Node, x: str, y: str) -> str:
        """Return a product of two elements, of the type of a node."""
        return bare(self.language.maps[MULTIPLY](node, x, y))

    def store(self, kernel: Kernel, values: Values) -> None:
        """Write what a kernel stores at the current counters."""
        found = values.of([(s.value, identity_map(s.value.array_type.shape)) for s in kernel.stores])
        for store, value in zip(kernel.stores, found, strict=True):
            self.lines.add(f"{self.names[store.target]}[{affine_text(store.address)}] = {value};")

    @contextmanager
    def loops(self, ranges: Sequence[int], first: int = 0, block: bool = False) -> Iterator[None]:
        """Open loops over counters from a number on; an axis of length 1 has none.

        block       whether names within are to be those of a block, also where there is no loop
        """
        heads = [self.language.loop(f"i{k}", count) for k, count in enumerate(ranges, first) if count != 1]
        with ExitStack() as ends:
            for head in heads or ["{"] * block:
                self.lines.open(head)
                ends.callback(self.lines.close)
            yield


def _loop(writer: KernelWriter, kernel: Kernel) -> None:
    with writer.loops(kernel.shape):
        writer.store(kernel, writer.values(kernel, kernel.shape))


def _fill(writer: KernelWriter, kernel: Kernel) -> None:
    assert kernel.anchor is not None
    size = kernel.anchor.array_type.size
    with writer.loops((size,)):
        writer.lines.add(f"{writer.names[kernel.anchor]}[{affine_text(counter(0, size))}] = 0;")


# Reductions -------------------------------------------------------------------------------------------------

# How a term joins what was reduced so far; the first NaN stays where there is one.
_JOINED: dict[Op, str] = {
    MAX: "if ({x} > {a} || {x} != {x}) {a} = {x};",
    MIN: "if ({x} < {a} || {x} != {x}) {a} = {x};",
    ALL: "if (({x}) == 0) {a} = 0;",
    ANY: "if (({x}) != 0) {a} = 1;",
}
_LEAST_ROW = 8  # numbers: shorter rows are added one number at a time
_TOTALS: dict[Op, str] = {SUM: "+", PROD: "*"}
_FOUND: dict[Op, str] = {
    ARGMAX: "if ({b} == {b} && ({x} > {b} || {x} != {x})) {{ {b} = {x}; {a} = {i}; }}",
    ARGMIN: "if ({b} == {b} && ({x} < {b} || {x} != {x})) {{ {b} = {x}; {a} = {i}; }}",
}
# The same of numbers that cannot be NaN.
_WHOLE: dict[Op, str] = {
    MAX: "if ({x} > {a}) {a} = {x};",
    MIN: "if ({x} < {a}) {a} = {x};",
    ALL: "if (!({x})) {a} = 0;",
    ANY: "if ({x}) {a} = 1;",
    ARGMAX: "if ({x} > {b}) {{ {b} = {x}; {a} = {i}; }}",
    ARGMIN: "if ({x} < {b}) {{ {b} = {x}; {a} = {i}; }}",
}


def _pattern(op: Op, is_float: bool) -> str:
    """Return how a term joins what was reduced so far."""
    return (None if is_float else _WHOLE.get(op)) or _JOINED.get(op) or _FOUND[op]


def _first_of(op: Op, dtype: np.dtype[Any]) -> Any:
    """Return what a reduction starts from."""
    if op in (SUM, ANY):
        return dtype.type(0)
    if op in (PROD, ALL):
        return dtype.type(1)
    most = op in (MIN, ARGMIN)
    if dtype.kind == "f":
        return dtype.type(np.inf if most else -np.inf)
    if dtype.kind == "b":
        return dtype.type(most)
    return np.iinfo(dtype).max if most else np.iinfo(dtype).min


def _reduce(writer: KernelWriter, kernel: Kernel) -> None:
    node, lines, language = kernel.anchor, writer.lines, writer.language
    assert node is not None
    ranges, kept, source = ranges_of(node), len(node.array_type.shape), node.inputs[0]
    if _adds_rows(node, ranges, kept):
        _add_rows(writer, kernel, node, ranges, kept)
        return
    with writer.loops(ranges[:kept], block=True):
        total, best = lines.fresh("s"), lines.fresh("b")
        kind = source.array_type.dtype
        if node.op in _FOUND:
            start = language.number(np.asarray(_first_of(node.op, kind), kind)[()])
            lines.add(language.variable(language.type_of(kind), best, start))
            lines.add(language.variable(language.type_of(node.array_type.dtype), total, "0"))
        else:
            dtype = node.array_type.dtype
            start = language.number(np.asarray(_first_of(node.op, dtype), dtype)[()])
            lines.add(language.variable(language.type_of(dtype), total, start))
        with writer.loops(ranges[kept:], kept):
            key = source, operand_map_of(node)
            if node.op in _TOTALS:
                (value,) = writer.values(kernel, ranges).of([key])
                lines.add(language.joined(node.array_type.dtype, _TOTALS[node.op], total, value))
            else:
                place = f"i{kept}" if ranges[kept] != 1 else "0"
                pattern = _pattern(node.op, source.array_type.is_float)
                value = writer.values(kernel, ranges).of([key] * pattern.count("{x}"))[0]
                lines.add(pattern.format(a=total, b=best, x=value, i=place))
        writer.store(kernel, writer.values(kernel, ranges, {node: total}))


def _adds_rows(node: Node, ranges: Shape, kept: int) -> bool:
    """Return whether a sum runs over rows of neighbouring numbers, so that whole rows can be added."""
    if node.op is not SUM or not kept or ranges[kept - 1] < _LEAST_ROW:
        return False
    return operand_map_of(node)[-1].coefficient(kept - 1) == 1


def _add_rows(writer: KernelWriter, kernel: Kernel, node: Node, ranges: Shape, kept: int) -> None:
    """Write a sum of rows: each is added to a row of totals, in the order in which single sums would run."""
    column, source, dtype = kept - 1, node.inputs[0], node.array_type.dtype
    with writer.loops(ranges[:column], block=True):
        row = writer.row(dtype, ranges[column])
        total = f"{row}[i{column}]"
        with writer.loops(ranges[kept:], kept), writer.loops(ranges[column : column + 1], column):
            (value,) = writer.values(kernel, ranges).of([(source, operand_map_of(node))])
            writer.lines.add(writer.language.joined(dtype, "+", total, value))
        with writer.loops(ranges[column : column + 1], column):
            writer.store(kernel, writer.values(kernel, ranges, {node: total}))


# Orders -----------------------------------------------------------------------------------------------------


def _order(writer: KernelWriter, kernel: Kernel) -> None:
    """Write a running sum or product: one loop along the axis for each place of the others."""
    node, lines = kernel.anchor, writer.lines
    assert node is not None
    shape, axis = node.array_type.shape, node.attrs["axis"]
    others = [a for a in range(len(shape)) if a != axis]
    ranges = (*(shape[a] for a in others), shape[axis])
    depths = {a: k for k, a in enumerate([*others, axis])}
    places = tuple(counter(depths[a], n) for a, n in enumerate(shape))
    type = writer.language.type_of(node.array_type.dtype)
    sign = "+" if node.op is CUMSUM else "*"
    with writer.loops(ranges[:-1], block=True):
        total = lines.fresh("s")
        lines.add(writer.language.variable(type, total, "0" if sign == "+" else "1"))
        with writer.loops(ranges[-1:], len(others)):
            (value,) = writer.values(kernel, ranges).of([(node.inputs[0], places)])
            lines.add(writer.language.joined(node.array_type.dtype, sign, total, value))
            lines.add(f"{writer.names[node]}[{affine_text(linear(places, shape))}] = {total};")


_WRITERS: dict[str, Callable[[KernelWriter, Kernel], None]] = {
    "loop": _loop,
    "fill": _fill,
    "reduce": _reduce,
    "product": write_product,
    "order": _order,
}
