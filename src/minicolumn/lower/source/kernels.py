"""Kernels as loop nests of a source language: one function a kind of kernel."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops.elementwise import MULTIPLY
from minicolumn.ir.ops.order import CUMSUM
from minicolumn.ir.ops.reductions import ALL, ANY, ARGMAX, ARGMIN, MAX, MIN, PROD, SUM
from minicolumn.ir.shapes import Shape
from minicolumn.lower.source.language import Language, bare
from minicolumn.lower.source.values import Lines, Values, affine_text
from minicolumn.passes.fuse import view_of
from minicolumn.passes.index_map import ZERO, Affine, IndexMap, counter, identity_map, linear
from minicolumn.passes.kernel import Fused, Kernel
from minicolumn.passes.reduced import operand_map_of, ranges_of


@dataclass(frozen=True, eq=False)
class KernelWriter:
    """What a kernel is written with: the lines, the language, the fused graph, and the names of arrays."""

    lines: Lines
    language: Language
    fused: Fused
    names: Mapping[Node, str]

    def write(self, kernel: Kernel) -> None:
        """Write one kernel.

        Errors      DataError, naming it, for an operation that the language has no line for
        """
        if kernel.kind not in _WRITERS:
            what = kernel.anchor.op.name if kernel.anchor else kernel.kind
            raise DataError(f"the operation {what!r} cannot be written in {self.language.name}")
        if 0 not in kernel.shape:
            _WRITERS[kernel.kind](self, kernel)

    def values(self, kernel: Kernel, ranges: Sequence[int], given: Mapping[Node, str] = {}) -> Values:
        """Return the values at counters of some ranges."""
        here: Container[Node] = {s.target for s in kernel.stores if s.is_plain} | {kernel.anchor}
        return Values(self.lines, self.language, self.names, ranges, here, given)

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


# Products ---------------------------------------------------------------------------------------------------


def _product(writer: KernelWriter, kernel: Kernel) -> None:
    """Write a product: a row of the result at a time, to which each element of the left row adds its part.

    Where the right factor lies transposed, each element is a sum of its own.
    """
    node, lines = kernel.anchor, writer.lines
    assert node is not None
    shape, inner = node.array_type.shape, node.inputs[0].array_type.shape[-1]
    ranges: Shape = (*shape, inner)
    left, right = (_factor(writer.fused, operand, k, ranges) for k, operand in enumerate(node.inputs))
    column, term = len(shape) - 1, len(shape)
    x, y = (f"{writer.names[array]}[{affine_text(at)}]" for array, at in (left, right))
    dtype = node.array_type.dtype
    type = writer.language.type_of(dtype)
    apart = right[1].coefficient(column) != 1
    if apart or shape[-1] == 1:
        with writer.loops(shape, block=True):
            total = lines.fresh("s")
            lines.add(writer.language.variable(type, total, "0"))
            with writer.loops((inner,), term):
                lines.add(writer.language.joined(dtype, "+", total, writer.times(node, x, y)))
            writer.store(kernel, writer.values(kernel, ranges, {node: total}))
        return
    with writer.loops(shape[:-1], block=True):
        row, part = lines.fresh("s"), lines.fresh("p")
        lines.add(writer.language.row(type, row, shape[-1]))
        with writer.loops((inner,), term, block=True):
            lines.add(writer.language.local(type, part, x))
            with writer.loops(shape[-1:], column):
                lines.add(
                    writer.language.joined(dtype, "+", f"{row}[i{column}]", writer.times(node, part, y))
                )
        with writer.loops(shape[-1:], column):
            writer.store(kernel, writer.values(kernel, ranges, {node: f"{row}[i{column}]"}))


def _factor(fused: Fused, operand: Node, number: int, ranges: Shape) -> tuple[Node, Affine]:
    """Return the array behind a factor, and where its element lies, in the counters of the product."""
    shape, axes = operand.array_type.shape, len(ranges) - 1
    batch = len(shape) - 2
    first = axes - 2 - batch
    places: IndexMap = tuple(
        counter(first + k, ranges[first + k]) if n != 1 else ZERO for k, n in enumerate(shape[:-2])
    )
    row, column = ((axes - 2, axes), (axes, axes - 1))[number]
    places = (*places, counter(row, ranges[row]), counter(column, ranges[column]))
    found = view_of(operand, places, ranges, fused.arrays)
    assert found is not None, "a factor of a product lies in memory"
    return found


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
    "product": _product,
    "order": _order,
}
