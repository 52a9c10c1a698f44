"""Matrix products as loop nests: a row of the result at a time, or a call for weights that are packed.

A weight that is a constant is laid out in the order in which a product reads it: panels of 32 columns, then
single columns, each from its first row to its last. A compiler keeps the sums of a panel in
registers, and reads memory in one stream.

Source      panels: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.graph import CONST, Node
from minicolumn.ir.shapes import Shape
from minicolumn.lower.source.int8 import most_of, quantized
from minicolumn.lower.source.values import affine_text
from minicolumn.passes.fuse import view_of
from minicolumn.passes.index_map import ZERO, Affine, IndexMap, counter
from minicolumn.passes.kernel import Fused, Kernel

if TYPE_CHECKING:
    from minicolumn.lower.source.kernels import KernelWriter

Array = np.ndarray[Any, np.dtype[Any]]
PANELS = (32, 1)
Factor = tuple[Node, Affine]


def write_product(writer: KernelWriter, kernel: Kernel) -> None:
    """Write a product with what is computed of its elements behind it."""
    node = kernel.anchor
    assert node is not None
    ranges: Shape = (*node.array_type.shape, node.inputs[0].array_type.shape[-1])
    left, right = (_factor(writer.fused, operand, k, ranges) for k, operand in enumerate(node.inputs))
    column = len(ranges) - 2
    if (
        node.array_type.dtype.name in writer.language.packed
        and right[0].op is CONST
        and left[1].coefficient(len(ranges) - 1) == 1
    ):
        call = _in_int8 if writer.int8 and node.array_type.dtype == np.float32 else _in_floats
        _called(writer, kernel, left, right, ranges, call)
    elif right[1].coefficient(column) != 1 or ranges[column] == 1:
        _sums(writer, kernel, left, right, ranges)
    else:
        _rows(writer, kernel, left, right, ranges)


Call = Callable[["KernelWriter", str, Factor, str, Shape], str]


def _called(
    writer: KernelWriter, kernel: Kernel, left: Factor, right: Factor, ranges: Shape, call: Call
) -> None:
    """Write calls of the function that multiplies a row with a packed weight."""
    node, column, term = kernel.anchor, len(ranges) - 2, len(ranges) - 1
    assert node is not None
    start = Affine(left[1].const, tuple(t for t in left[1].terms if t[0] != term))
    with writer.loops(ranges[:column], block=True):
        row = writer.row(node.array_type.dtype, ranges[column])
        at = affine_text(counter(column, ranges[column]))
        x = f"{writer.names[left[0]]} + {affine_text(start)}"
        writer.lines.add(call(writer, x, right, row, ranges))
        with writer.loops(ranges[column:term], column):
            writer.store(kernel, writer.values(kernel, ranges, {node: f"{row}[{at}]"}))


def _in_floats(writer: KernelWriter, x: str, right: Factor, row: str, ranges: Shape) -> str:
    """Return the call with a weight in panels."""
    weights = _weights(right, ranges)
    name = writer.constant("w", np.concatenate([in_panels(weight) for weight in weights]))
    w = f"{name} + {affine_text(_place(right, ranges, ranges[-1] * ranges[-2]))}"
    function = writer.language.packed[weights[0].dtype.name]
    return f"{function}({x}, {w}, {row}, {ranges[-1]}, {ranges[-2]});"


def _in_int8(writer: KernelWriter, x: str, right: Factor, row: str, ranges: Shape) -> str:
    """Return the call with a weight of int8, a row for each output."""
    (inner, columns), halves = (ranges[-1], ranges[-2]), writer.lines.fresh("q")
    parts = [quantized(weight.T) for weight in _weights(right, ranges)]
    q = writer.constant("w", np.concatenate([part.reshape(-1) for part, _ in parts]))
    scales = writer.constant("v", np.concatenate([scale for _, scale in parts]))
    writer.lines.add(f"int16_t {halves}[{inner}];")
    w = f"{q} + {affine_text(_place(right, ranges, inner * columns))}"
    v = f"{scales} + {affine_text(_place(right, ranges, columns))}"
    return f"product_i8({x}, {w}, {v}, {halves}, {row}, {inner}, {columns}, {most_of(inner)}.0f);"


def _outer(right: Factor, ranges: Shape) -> list[int]:
    """Return the counters that choose among several matrices."""
    return [depth for depth, _ in right[1].terms if depth < len(ranges) - 2]


def _weights(right: Factor, ranges: Shape) -> list[Array]:
    """Return the matrices [inner, columns] of a constant factor, in the order of their counters."""
    array, places = right
    outer = _outer(right, ranges)
    starts = Affine(places.const, tuple(t for t in places.terms if t[0] in outer))
    column, term = len(ranges) - 2, len(ranges) - 1
    inner = np.arange(ranges[term])[:, None] * places.coefficient(term)
    index = inner + np.arange(ranges[column]) * places.coefficient(column)
    flat = array.attrs["value"].reshape(-1)
    return [flat[start + index] for start in _values(starts, outer, ranges)]


def _place(right: Factor, ranges: Shape, size: int) -> Affine:
    """Return where the matrix of the current counters begins among matrices of so many numbers each."""
    steps, step = [], size
    for depth in reversed(_outer(right, ranges)):
        steps.append((depth, step))
        step *= ranges[depth]
    return Affine(0, tuple(reversed(steps)))


def _values(place: Affine, depths: list[int], ranges: Shape) -> list[int]:
    """Return an affine function's values at all counters of some depths, the last one fastest."""
    found = np.array(place.const)
    for depth in depths:
        found = found[..., None] + np.arange(ranges[depth]) * place.coefficient(depth)
    return found.reshape(-1).tolist()


def in_panels(weight: Array) -> Array:
    """Return a matrix [inner, columns] as one row: panels of 32 columns, then single columns.

    >>> in_panels(np.array([[1, 2], [3, 4]]))
    array([1, 3, 2, 4])
    """
    parts, place = [], 0
    for width in PANELS:
        while weight.shape[1] - place >= width:
            parts.append(weight[:, place : place + width].reshape(-1))
            place += width
    return np.concatenate(parts)


def _sums(writer: KernelWriter, kernel: Kernel, left: Factor, right: Factor, ranges: Shape) -> None:
    """Write each element as a sum of its own: where the right factor lies transposed."""
    node, lines, language = kernel.anchor, writer.lines, writer.language
    assert node is not None
    dtype, x, y = node.array_type.dtype, _text(writer, left), _text(writer, right)
    with writer.loops(ranges[:-1], block=True):
        total = lines.fresh("s")
        lines.add(language.variable(language.type_of(dtype), total, "0"))
        with writer.loops(ranges[-1:], len(ranges) - 1):
            lines.add(language.joined(dtype, "+", total, writer.times(node, x, y)))
        writer.store(kernel, writer.values(kernel, ranges, {node: total}))


def _rows(writer: KernelWriter, kernel: Kernel, left: Factor, right: Factor, ranges: Shape) -> None:
    """Write a row of the result at a time, to which each element of the left row adds its part."""
    node, lines, language = kernel.anchor, writer.lines, writer.language
    assert node is not None
    column, term = len(ranges) - 2, len(ranges) - 1
    dtype, x, y = node.array_type.dtype, _text(writer, left), _text(writer, right)
    with writer.loops(ranges[:column], block=True):
        row, part = writer.row(dtype, ranges[column]), lines.fresh("p")
        total = f"{row}[i{column}]"
        with writer.loops(ranges[term:], term, block=True):
            lines.add(language.local(language.type_of(dtype), part, x))
            with writer.loops(ranges[column:term], column):
                lines.add(language.joined(dtype, "+", total, writer.times(node, part, y)))
        with writer.loops(ranges[column:term], column):
            writer.store(kernel, writer.values(kernel, ranges, {node: total}))


def _text(writer: KernelWriter, factor: Factor) -> str:
    return f"{writer.names[factor[0]]}[{affine_text(factor[1])}]"


def _factor(fused: Fused, operand: Node, number: int, ranges: Shape) -> Factor:
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
