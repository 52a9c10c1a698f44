"""Algebraic simplification: the table of rewrite rules, each with its reason and how far results move.

    find                    put                     tolerance
    negative(negative(x))   x                       0
    x / 2                   x * 0.5                 0       the reciprocal is exact
    x / 3                   x * 0.333...            1       two roundings in place of one
    x + 0                   (as it is)                      -0 + 0 is 0; of integers x

Tolerance 0 means the same bits, down to the sign of a zero and of a NaN. That rules out more than it seems:
x + 0 turns -0 into 0, and so does NumPy's sum over an axis of length 1; a - (-b) = a + b and its kin turn the
sign of a NaN around, which `signbit` sees.

Elsewhere   LLVM's InstCombine (without fast-math); XLA's AlgebraicSimplifier, where some rules move results
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minicolumn.ir.graph import CONST, Node, const_node
from minicolumn.ir.op import Kind, Op
from minicolumn.ir.ops.elementwise import (
    ADD,
    CAST,
    COPY,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    STOP_GRADIENT,
    SUBTRACT,
    WHERE,
)
from minicolumn.ir.ops.logic import INVERT
from minicolumn.ir.ops.reductions import MAX, MIN, PROD, SUM
from minicolumn.ir.ops.shaping import BROADCAST, CONCATENATE, FLIP, PAD, RESHAPE, SLICE, TRANSPOSE
from minicolumn.ir.shapes import Shape


@dataclass(frozen=True)
class Rule:
    """One rewrite rule: `put(node)` returns what replaces the node, or None where the rule does not apply.

    name       what tests and messages call it; no two rules share one
    find       an operation, or the kind of many
    put        must give a node of the same type; its operands may be new
    safe       why the result is the same
    tolerance  how far an element of the result may move, in units in the last place (ulp); 0 means no bit
    """

    name: str
    find: Op | Kind
    put: Callable[[Node], Node | None]
    safe: str
    tolerance: float = 0.0


def _operand(node: Node) -> Node:
    return node.inputs[0]


def _with(node: Node, *inputs: Node, **attrs: object) -> Node:
    """Return the same operation on other operands, with other attributes if any are given."""
    return Node(node.op, inputs, attrs or node.attrs, node.type, node.where)


def _reshaped(node: Node) -> Node:
    """Return a node's operand in the shape of the node."""
    shape = node.array_type.shape
    return Node(RESHAPE, node.inputs, {"shape": shape}, node.type, node.where)


# What does nothing ------------------------------------------------------------------------------------------


def _same_type(node: Node) -> Node | None:
    """A cast, reshape, broadcast, slice or pad that changes nothing: its operand."""
    return _operand(node) if _operand(node).type == node.type else None


def _is_constant(node: Node, number: float) -> bool:
    # The sign counts: x - (-0) is x + 0, which turns -0 into 0.
    """Return whether a node is a constant that holds one number everywhere, with a plus sign."""
    if node.op is not CONST:
        return False
    value = node.attrs["value"]
    return bool(np.all(value == number) and not np.any(np.signbit(value)))


def _without(position: int, number: float, kinds: str = "fiub") -> Callable[[Node], Node | None]:
    """Return the rule of a neutral element: x + 0, 1 x, x / 1, x - 0 -> x.

    position    of the constant among the operands; number: what it must hold; kinds: dtypes that may be
    """

    def put(node: Node) -> Node | None:
        kept = node.inputs[1 - position]
        idle = _is_constant(node.inputs[position], number) and kept.type == node.type
        return kept if idle and kept.array_type.dtype.kind in kinds else None

    return put


def _undone(node: Node) -> Node | None:
    """An operation that is its own inverse, twice: the operand's operand."""
    return _operand(_operand(node)) if _operand(node).op is node.op else None


def _flip_twice(node: Node) -> Node | None:
    """flip(flip(x)) along the same axes -> x."""
    inner = _operand(node)
    return _operand(inner) if inner.op is node.op and inner.attrs == node.attrs else None


def _chosen(node: Node) -> Node | None:
    """where(condition, x, y) with one truth value everywhere -> x or y, if of the result's type."""
    condition, x, y = node.inputs
    if condition.op is not CONST:
        return None
    values = condition.attrs["value"]
    kept = x if values.all() else None if values.any() else y
    return kept if kept is not None and kept.type == node.type else None


# The same elements at other places --------------------------------------------------------------------------


def _merged_reshape(node: Node) -> Node | None:
    """reshape(reshape(x)) -> reshape(x)."""
    inner = _operand(node)
    return _with(node, *inner.inputs) if inner.op is node.op else None


def _merged_transpose(node: Node) -> Node | None:
    """transpose(transpose(x)) -> one transpose, by the composed permutation.

    Not where the inner one brings the matrices of a batch together, row by row, and the outer one turns
    each over: so a batch of products and its derivative read one array, the latter by strides. Merged, the
    transpose would be an array of its own, for which memory is read against the grain.
    """
    inner = _operand(node)
    if inner.op is not node.op:
        return None
    outer, before = node.attrs["axes"], inner.attrs["axes"]
    turns_over = len(outer) > 2 and outer == (*range(len(outer) - 2), len(outer) - 1, len(outer) - 2)
    if turns_over and before[-1] == len(before) - 1:
        return None
    return _with(node, *inner.inputs, axes=tuple(before[a] for a in outer))


def _plain_transpose(node: Node) -> Node | None:
    """transpose(x) by the identity permutation -> x."""
    axes = node.attrs["axes"]
    return _operand(node) if axes == tuple(range(len(axes))) else None


def _idle_transpose(node: Node) -> Node | None:
    """transpose(x) that only moves axes of length 1 -> reshape(x): no element moves in memory."""
    shape = _operand(node).array_type.shape
    long = [a for a in node.attrs["axes"] if shape[a] != 1]
    return _reshaped(node) if long == sorted(long) or 0 in shape else None


def _reduced_nothing(kinds: str) -> Callable[[Node], Node | None]:
    """Return the rule of a reduction over axes of length 1 -> reshape, for dtypes of some kinds."""

    def put(node: Node) -> Node | None:
        x = _operand(node).array_type
        alone = all(x.shape[a] == 1 for a in node.attrs["axes"])
        return _reshaped(node) if alone and x.dtype.kind in kinds else None

    return put


def _slice_of_part(node: Node) -> Node | None:
    """slice(concatenate(a, b, ...)) that lies within one part -> slice of that part."""
    joined = _operand(node)
    if joined.op is not CONCATENATE:
        return None
    axis, (start, stop, step) = joined.attrs["axis"], _range(node)
    first = 0
    for part in joined.inputs:
        last = first + part.array_type.shape[axis]
        if first <= start[axis] <= stop[axis] <= last:
            begin, end = _at(start, axis, start[axis] - first), _at(stop, axis, stop[axis] - first)
            return _with(node, part, start=begin, stop=end, step=step)
        first = last
    return None


def _range(node: Node) -> tuple[Shape, Shape, Shape]:
    return node.attrs["start"], node.attrs["stop"], node.attrs["step"]


def _at(shape: Shape, axis: int, number: int) -> Shape:
    return (*shape[:axis], number, *shape[axis + 1 :])


def _joined_slices(node: Node) -> Node | None:
    """concatenate(x[a:b], x[b:c], ...) -> x[a:c], where each slice begins where the last ended."""
    parts, axis = node.inputs, node.attrs["axis"]
    if not all(part.op is SLICE and part.inputs == parts[0].inputs for part in parts):
        return None
    first, end, ones = _range(parts[0])
    for part in parts[1:]:
        start, stop, step = _range(part)
        adjacent = start == _at(first, axis, end[axis]) and stop == _at(end, axis, stop[axis])
        if not adjacent or stop[axis] < start[axis] or step != ones:
            return None
        end = stop
    if ones[axis] != 1 or parts[0].array_type.shape[axis] != _range(parts[0])[1][axis] - first[axis]:
        return None
    return Node(SLICE, parts[0].inputs, {"start": first, "stop": end, "step": ones}, node.type, node.where)


# Maps, which broadcast by themselves ------------------------------------------------------------------------


def _smaller_operand(smaller: Callable[[Node], Node | None]) -> Callable[[Node], Node | None]:
    """Return a rule that reads something smaller in an operand's place, if the result keeps its type.

        add(x, broadcast(b)) -> add(x, b)       maps broadcast by themselves

    smaller     gives what an operand can be replaced with, or None
    """

    def put(node: Node) -> Node | None:
        if not node.op.keeps_numbers:
            return None
        for i, operand in enumerate(node.inputs):
            less = smaller(operand)
            if less is not None:
                inputs = (*node.inputs[:i], less, *node.inputs[i + 1 :])
                if node.op.infer(*[x.type for x in inputs], **node.attrs) == node.type:
                    return _with(node, *inputs)
        return None

    return put


def _unstretched(node: Node) -> Node | None:
    """broadcast(x) -> x, for a reader that broadcasts by itself."""
    return _operand(node) if node.op is BROADCAST else None


def _one_number(node: Node) -> Node | None:
    """A constant array of one number -> the scalar; all bits must be equal, so NaN and -0 may be too."""
    if node.op is not CONST or not node.array_type.shape or not node.array_type.size:
        return None
    value = node.attrs["value"]
    first = value.flat[:1]
    alike = value.flat[-1:].tobytes() == first.tobytes() and value.tobytes() == first.tobytes() * value.size
    return const_node(first.reshape(())) if alike else None


# Division by constants --------------------------------------------------------------------------------------


def _times_reciprocal(exactly: bool) -> Callable[[Node], Node | None]:
    """Return the rule x / c -> x * (1 / c), for a constant c.

    exactly     only where 1 / c is exact, by c a power of two: then no bit moves
    """

    def put(node: Node) -> Node | None:
        x, c = node.inputs
        if c.op is not CONST or not c.array_type.size:
            return None
        value = c.attrs["value"]
        with np.errstate(all="ignore"):
            reciprocal = np.asarray(1 / value)
        fits = np.isfinite(reciprocal) & (reciprocal != 0)
        if exactly:  # a power of two, even where its reciprocal is subnormal
            fits &= (np.abs(np.frexp(value)[0]) == 0.5) & (1 / np.where(fits, reciprocal, 1) == value)
        else:
            fits &= np.isfinite(value) & (np.abs(reciprocal) >= np.finfo(value.dtype).tiny)
        if not fits.all():
            return None
        factor = const_node(reciprocal)
        return Node(MULTIPLY, (x, factor), {}, node.type, node.where)

    return put


RULES: tuple[Rule, ...] = (
    Rule("elide_copy", COPY, _operand, "a copy is the value under another name"),
    Rule("elide_stop_gradient", STOP_GRADIENT, _operand, "derivatives have been taken by now"),
    Rule("same_dtype", CAST, _same_type, "the operand has the dtype already"),
    Rule("same_shape", RESHAPE, _same_type, "the operand has the shape already"),
    Rule("double_reshape", RESHAPE, _merged_reshape, "only the last shape counts"),
    Rule("same_broadcast", BROADCAST, _same_type, "nothing is broadcast"),
    Rule("identity_transpose", TRANSPOSE, _plain_transpose, "no axis moves"),
    Rule("double_transpose", TRANSPOSE, _merged_transpose, "two permutations make one"),
    Rule(
        "unit_axes_transpose",
        TRANSPOSE,
        _idle_transpose,
        "axes of length 1 move past the others, which stay in order",
    ),
    Rule(
        "whole_slice",
        SLICE,
        _same_type,
        "every element is taken: a slice of the same length starts at 0 with step 1",
    ),
    Rule(
        "slice_of_concatenation", SLICE, _slice_of_part, "all that is taken lies in one of the joined parts"
    ),
    Rule("no_pad", PAD, _same_type, "nothing is added"),
    Rule("double_flip", FLIP, _flip_twice, "twice is not at all"),
    Rule("double_negative", NEGATIVE, _undone, "changing the sign bit twice"),
    Rule("double_invert", INVERT, _undone, "changing every bit twice"),
    Rule("zero_add", ADD, _without(0, 0.0, "iub"), "0 + x = x where there is no -0: integers and booleans"),
    Rule("add_zero", ADD, _without(1, 0.0, "iub"), "x + 0 = x where there is no -0: integers and booleans"),
    Rule("one_multiply", MULTIPLY, _without(0, 1.0), "1 x = x, for NaN and -0 too"),
    Rule("multiply_one", MULTIPLY, _without(1, 1.0), "x 1 = x, for NaN and -0 too"),
    Rule("divide_one", DIVIDE, _without(1, 1.0), "x / 1 = x, for NaN and -0 too"),
    Rule("subtract_zero", SUBTRACT, _without(1, 0.0), "x - 0 = x, for NaN and -0 too; the constant is +0"),
    Rule("constant_condition", WHERE, _chosen, "the condition is the same everywhere"),
    Rule(
        "single_part",
        CONCATENATE,
        lambda node: _operand(node) if len(node.inputs) == 1 else None,
        "one part is the whole",
    ),
    Rule("adjacent_slices", CONCATENATE, _joined_slices, "each slice begins where the one before it ended"),
    Rule(
        "sum_of_one",
        SUM,
        _reduced_nothing("iu"),
        "a sum of one integer is that integer; of floats -0 becomes 0",
    ),
    Rule("prod_of_one", PROD, _reduced_nothing("fiu"), "a product of one number is that number"),
    Rule("max_of_one", MAX, _reduced_nothing("fiub"), "the largest of one element is that element"),
    Rule("min_of_one", MIN, _reduced_nothing("fiub"), "the smallest of one element is that element"),
    Rule(
        "map_of_broadcast",
        "map",
        _smaller_operand(_unstretched),
        "maps broadcast by themselves; the result keeps its type",
    ),
    Rule(
        "map_of_filled",
        "map",
        _smaller_operand(_one_number),
        "one number everywhere: maps broadcast it by themselves",
    ),
    Rule(
        "exact_reciprocal",
        DIVIDE,
        _times_reciprocal(exactly=True),
        "the reciprocal of a power of two is exact, so both are the same real number, rounded once",
    ),
    Rule(
        "reciprocal",
        DIVIDE,
        _times_reciprocal(exactly=False),
        # With 1/c and the product rounded, the result is less than 1.5 units from x / c, the quotient at most
        # 0.5. Both stand on one grid, so less than 2 apart means at most 1.
        "two roundings in place of one; the reciprocal is neither subnormal nor infinite",
        tolerance=1.0,
    ),
)
