"""Random well-typed programs over the whole operation table, for laws that hold of every graph.

Reached through the fixture `graphs`, which is this module: ``data.draw(graphs.random_graphs())``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minicolumn.errors import MinicolumnError
from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.graph import Graph, Node, const_node, input_node
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.shapes import DTYPES, ArrayType, Shape, TupleType, broadcast_shapes
from minicolumn.ir.verify import infer_type

LEAVES = ("input", "const")
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Operand:
    """What an operation asks of one operand: its type, and what its elements must be."""

    type: ArrayType
    elements: str = "any"  # any | index | positive definite | exponent
    below: int = 0  # of indices


@dataclass
class _Builder:
    """A graph that grows: `known` are the nodes to read from."""

    draw: Draw
    names: Sequence[str]
    dtypes: Sequence[str]
    known: list[Node]
    inputs: list[Node] = field(default_factory=list)
    depth: int = 0


def random_graphs(
    names: Sequence[str] | None = None, dtypes: Sequence[str] | None = None, most: int = 10
) -> st.SearchStrategy[Graph]:
    """Return a strategy for graphs of at most `most` operations, of these names and on these dtypes."""
    chosen = [name for name in (names or sorted(OPS)) if name not in (*LEAVES, "item")]
    return _graphs(tuple(chosen), tuple(dtypes or DTYPES), most)


def arguments(graph: Graph, seed: int) -> tuple[np.ndarray, ...]:
    """Return arrays for the inputs of a graph, with infinities, NaNs and zeros of both signs among them."""
    rng = np.random.default_rng(seed)
    return tuple(elements(rng, Operand(node.array_type)) for node in graph.inputs)


@st.composite
def applications(
    draw: Draw, name: str, near: ArrayType | None = None, dtypes: Sequence[str] = tuple(DTYPES)
) -> tuple[list[Operand], dict[str, Any]]:
    """Return operands and attributes that an operation takes, like `near` if they can be; not for loops."""
    op = OPS[name]
    base = near if near is not None else draw(array_types(dtypes))
    base = base.with_dtype(draw(st.sampled_from(accepted_dtypes(op, base.dtype))))
    maker = _MAKERS.get(name) or _BY_KIND[op.kind]
    return maker(draw, op, base)


def accepted_dtypes(op: Op, first: np.dtype) -> list[np.dtype]:
    """Return the dtypes of the first operand that an operation takes: only `first`, if it is one of them."""
    found = [d for d in DTYPES.values() if _accepts(op, d)]
    return [first] if first in found else found


@cache
def _accepts(op: Op, dtype: np.dtype) -> bool:
    # Maps, reductions and matrices differ in the dtypes they take; their own type rules say so.
    x = ArrayType(dtype, (2, 2))
    attempts = [
        ((x,), {}),
        ((x, x), {}),
        ((x, x, x), {}),
        ((x,), {"axes": (0,)}),
        ((x,), {"axis": 0}),
        ((x,), {"n": 1}),
    ]
    return (
        op.kind in ("shape", "index") or op.name in ("where", "cast") or any(_fits(op, *a) for a in attempts)
    )


def _fits(op: Op, types: tuple[ArrayType, ...], attrs: dict[str, Any]) -> bool:
    try:
        infer_type(op, types, attrs)
    except MinicolumnError:
        return False
    return True


def array_types(dtypes: Sequence[str] = tuple(DTYPES), most: int = 4) -> st.SearchStrategy[ArrayType]:
    """Return a strategy for small types: scalars, empty arrays, axes of length one."""
    return st.builds(ArrayType, st.sampled_from([DTYPES[d] for d in dtypes]), shapes(most))


def shapes(most: int = 4) -> st.SearchStrategy[Shape]:
    """Return a strategy for shapes of few elements."""
    return st.lists(st.integers(0, 3), max_size=most).map(tuple)


# Operands and attributes, by kind ---------------------------------------------------------------------------


def _broadcastable(draw: Draw, shape: Shape) -> Shape:
    # A shape that broadcasts with another: fewer axes, some of them 1.
    kept = shape[draw(st.integers(0, len(shape))) :]
    return tuple(1 if draw(st.booleans()) else n for n in kept)


def _map(draw: Draw, op: Op, x: ArrayType) -> Any:
    count = next(n for n in (1, 2, 3) if _fits(op, (x,) * n, {}))
    others = [Operand(x.with_shape(_broadcastable(draw, x.shape))) for _ in range(count - 1)]
    if op.name == "power" and x.dtype.kind in "iu":
        return [Operand(x), Operand(others[0].type, "exponent")], {}
    return draw(st.permutations([Operand(x), *others])), {}


def _where(draw: Draw, op: Op, x: ArrayType) -> Any:
    condition = ArrayType(DTYPES["bool"], _broadcastable(draw, x.shape))
    return [Operand(condition), Operand(x), Operand(x.with_shape(_broadcastable(draw, x.shape)))], {}


def _reduce(draw: Draw, op: Op, x: ArrayType) -> Any:
    if op.name in ("max", "min"):
        x = x.with_shape(n or 1 for n in x.shape)
    axes = tuple(sorted(draw(st.sets(st.sampled_from(range(len(x.shape)))))) if x.shape else ())
    return [Operand(x)], {"axes": axes}


def _along(draw: Draw, op: Op, x: ArrayType) -> Any:
    shape = x.shape or (2,)
    axis = draw(st.integers(0, len(shape) - 1))
    if op.kind == "reduce":
        shape = tuple(n or 1 for n in shape)
    return [Operand(x.with_shape(shape))], {"axis": axis}


def _reshape(draw: Draw, op: Op, x: ArrayType) -> Any:
    shape = [n for n in draw(st.permutations(x.shape)) if n != 1]
    for _ in range(draw(st.integers(0, 2))):
        shape.insert(draw(st.integers(0, len(shape))), 1)
    flat = draw(st.booleans())
    return [Operand(x)], {"shape": (x.size,) if flat else tuple(shape)}


def _transpose(draw: Draw, op: Op, x: ArrayType) -> Any:
    return [Operand(x)], {"axes": tuple(draw(st.permutations(range(len(x.shape)))))}


def _broadcast(draw: Draw, op: Op, x: ArrayType) -> Any:
    stretched = (draw(st.integers(0, 3)) if n == 1 else n for n in x.shape)
    return [Operand(x)], {"shape": (*draw(shapes(2)), *stretched)}


def _concatenate(draw: Draw, op: Op, x: ArrayType) -> Any:
    shape = x.shape or (1,)
    axis = draw(st.integers(0, len(shape) - 1))
    lengths = [shape[axis], *draw(st.lists(st.integers(0, 2), max_size=2))]
    return [Operand(x.with_shape((*shape[:axis], n, *shape[axis + 1 :]))) for n in lengths], {"axis": axis}


def _slice(draw: Draw, op: Op, x: ArrayType) -> Any:
    stop = tuple(draw(st.integers(0, n)) for n in x.shape)
    start = tuple(draw(st.integers(0, n + 1)) for n in x.shape)
    return [Operand(x)], {
        "start": start,
        "stop": stop,
        "step": tuple(draw(st.integers(1, 3)) for _ in x.shape),
    }


def _pad(draw: Draw, op: Op, x: ArrayType) -> Any:
    return [Operand(x)], {n: tuple(draw(st.integers(0, 2)) for _ in x.shape) for n in ("low", "high", "gap")}


def _flip(draw: Draw, op: Op, x: ArrayType) -> Any:
    return [Operand(x)], {"axes": tuple(i for i in range(len(x.shape)) if draw(st.booleans()))}


def _gather(draw: Draw, op: Op, x: ArrayType) -> Any:
    x = x.with_shape(x.shape or (3,))
    count = draw(st.integers(1, len(x.shape)))
    # Nothing can be read from an axis without elements, so only an empty index fits there.
    places = (0,) if 0 in x.shape[:count] else draw(shapes(2))
    dtype = DTYPES[draw(st.sampled_from(["i32", "i64", "u32"]))]
    indices = [Operand(ArrayType(dtype, _broadcastable(draw, places)), "index", n) for n in x.shape[:count]]
    indices[0] = Operand(ArrayType(dtype, places), "index", x.shape[0])
    indices = [Operand(i.type.with_shape(places), "index", i.below) if 0 in places else i for i in indices]
    return [Operand(x), *indices], {}


def _scatter_add(draw: Draw, op: Op, x: ArrayType) -> Any:
    (target, *indices), _ = _gather(draw, op, x)
    places = broadcast_shapes(*(i.type.shape for i in indices))
    updates = target.type.with_shape((*places, *target.type.shape[len(indices) :]))
    return [target, Operand(updates), *indices], {}


def _matmul(draw: Draw, op: Op, x: ArrayType) -> Any:
    shape = x.shape if len(x.shape) > 1 else (2, *(x.shape or (3,)))
    batch = _broadcastable(draw, shape[:-2])
    return [
        Operand(x.with_shape(shape)),
        Operand(x.with_shape((*batch, shape[-1], draw(st.integers(0, 3))))),
    ], {}


def _linalg(draw: Draw, op: Op, x: ArrayType) -> Any:
    n = x.shape[-1] if x.shape else 2
    matrix = Operand(x.with_shape((*x.shape[:-2], n, n)), "positive definite")
    right = Operand(x.with_shape((*x.shape[:-2], n, draw(st.integers(0, 3)))))
    return ([matrix, right] if op.name == "solve" else [matrix]), {}


_BY_KIND: dict[str, Any] = {
    "map": _map,
    "reduce": _reduce,
    "order": _along,
    "linalg": _linalg,
    "product": _matmul,
}
_MAKERS: dict[str, Any] = {
    "where": _where,
    "cast": lambda draw, op, x: ([Operand(x)], {"dtype": draw(st.sampled_from(list(DTYPES.values())))}),
    "polygamma": lambda draw, op, x: ([Operand(x)], {"n": draw(st.integers(0, 3))}),
    "argmax": _along,
    "argmin": _along,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "concatenate": _concatenate,
    "slice": _slice,
    "pad": _pad,
    "flip": _flip,
    "gather": _gather,
    "scatter_add": _scatter_add,
}


# Elements ---------------------------------------------------------------------------------------------------


def elements(rng: np.random.Generator, operand: Operand) -> np.ndarray:
    """Return an array that an operation can take as this operand."""
    dtype, shape = operand.type.dtype, operand.type.shape
    if operand.elements == "index":
        low = 0 if dtype.kind == "u" else -operand.below
        return rng.integers(low, max(operand.below, 1), shape).astype(dtype)
    if operand.elements == "exponent":
        return rng.integers(0, 4, shape).astype(dtype)
    if operand.elements == "positive definite":
        half = rng.standard_normal(shape)
        return (half @ np.swapaxes(half, -1, -2) + 2.0 * np.eye(shape[-1])).astype(dtype)
    return _plain(rng, dtype, shape)


def _plain(rng: np.random.Generator, dtype: np.dtype, shape: Shape) -> np.ndarray:
    if dtype.kind == "f":
        values = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3, shape)
        special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], shape)
        return np.where(rng.random(shape) < 0.1, special, values).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    low, high = (0, 9) if dtype.kind == "u" else (-9, 9)
    return rng.integers(low, high, shape, endpoint=True).astype(dtype)


# Graphs -----------------------------------------------------------------------------------------------------


@st.composite
def _graphs(draw: Draw, names: Sequence[str], dtypes: Sequence[str], most: int) -> Graph:
    builder = _Builder(draw, names, dtypes, [])
    for name in draw(st.lists(st.sampled_from(names), max_size=most)):
        _grow(builder, name)
    return Graph(tuple(builder.inputs), tuple(_outputs(draw, builder.known)))


def _outputs(draw: Draw, known: list[Node]) -> list[Node]:
    read = {operand for node in known for operand in node.inputs}
    unread = [node for node in known if node not in read and isinstance(node.type, ArrayType)]
    arrays = [node for node in known if isinstance(node.type, ArrayType)]
    return unread + (draw(st.lists(st.sampled_from(arrays), max_size=2)) if arrays else [])


def _grow(builder: _Builder, name: str) -> None:
    if OPS[name].kind == "control":
        return _grow_loop(builder)
    near = [node.type for node in builder.known if isinstance(node.type, ArrayType)]
    base = builder.draw(st.sampled_from(near)) if near else builder.draw(array_types(builder.dtypes))
    operands, attrs = builder.draw(applications(name, base, builder.dtypes))
    _apply(builder, OPS[name], [_operand(builder, o) for o in operands], attrs)
    return None


def _apply(builder: _Builder, op: Op, operands: Sequence[Node], attrs: dict[str, Any]) -> Node:
    where = builder.draw(st.sampled_from([None, None, "model.py:12", 'a "b" # <c> & d.py:1']))
    node = Node(op, operands, attrs, infer_type(op, tuple(n.type for n in operands), attrs), where)
    builder.known.append(node)
    return node


def _operand(builder: _Builder, operand: Operand) -> Node:
    fitting = [n for n in builder.known if n.type == operand.type] if operand.elements == "any" else []
    if fitting and builder.draw(st.integers(0, 4)):
        return builder.draw(st.sampled_from(fitting))
    # A loop's body gets its inputs from the loop, so only constants can be added to it.
    if operand.elements == "any" and not builder.depth and builder.draw(st.booleans()):
        return _input(builder, operand.type)
    rng = np.random.default_rng(builder.draw(st.integers(0, 2**32 - 1)))
    builder.known.append(const_node(elements(rng, operand)))
    return builder.known[-1]


def _input(builder: _Builder, type: ArrayType) -> Node:
    name = builder.draw(st.sampled_from([None, "x", "w", "params[0].weight", "a", "2 b", "return", "i32"]))
    node = input_node(type, name)
    builder.inputs.append(node)
    builder.known.append(node)
    return node


def _grow_loop(builder: _Builder) -> None:
    draw, dtypes = builder.draw, builder.dtypes
    consts, carry, rows, length = (draw(st.integers(0, 2)) for _ in range(4))
    types = [draw(array_types(dtypes, 2)) for _ in range(consts + carry + rows)]
    stacked = [t.with_shape((length, *t.shape)) for t in types[consts + carry :]]
    operands = [_operand(builder, Operand(t)) for t in (*types[: consts + carry], *stacked)]
    attrs = {"body": _body(builder, types, consts, carry), "consts": consts, "carry": carry, "length": length}
    loop = _apply(builder, OPS["scan"], operands, attrs | {"reverse": draw(st.booleans())})
    assert isinstance(loop.type, TupleType)
    for index in range(len(loop.type.items)):
        _apply(builder, OPS["item"], [loop], {"index": index})


def _body(builder: _Builder, types: Sequence[ArrayType], consts: int, carry: int) -> Graph:
    inputs = [input_node(t, f"v{i}") for i, t in enumerate(types)]
    # Loops within loops, but not for ever.
    names = [name for name in builder.names if name != "scan" or builder.depth < 1]
    inner = _Builder(builder.draw, names, builder.dtypes, list(inputs), inputs, builder.depth + 1)
    for name in builder.draw(st.lists(st.sampled_from(names), max_size=3)) if names else []:
        _grow(inner, name)
    states = [builder.draw(st.sampled_from(_of_type(inner, t))) for t in types[consts : consts + carry]]
    arrays = [node for node in inner.known if isinstance(node.type, ArrayType)]
    ys = builder.draw(st.lists(st.sampled_from(arrays), max_size=2)) if arrays else []
    return Graph(tuple(inputs), (*states, *ys), "step")


def _of_type(builder: _Builder, type: ArrayType) -> list[Node]:
    return [node for node in builder.known if node.type == type]


def size(graph: Graph) -> int:
    """Return how many numbers a graph computes, as a bound on what evaluating it costs."""
    return sum(prod(n.type.shape) for n in graph.nodes if isinstance(n.type, ArrayType))
