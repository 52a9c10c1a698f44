"""Random programs over the whole operation table, larger than those of tests/graphs.py and quicker to make.

Everything follows from one seed. Sizes lie around multiples of the vector width, axes may be empty, values
are read again and again, so that kernels come out fused in many ways. Exact programs keep to operations that
take fractions to fractions, so that sums come out the same in any order and every bit of every result counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import Any

import numpy as np

from minicolumn.errors import MinicolumnError
from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.graph import Graph, Node, const_node, input_node
from minicolumn.ir.op import OPS
from minicolumn.ir.shapes import DTYPES, ArrayType, Shape, TupleType, broadcast_shapes
from minicolumn.ir.verify import infer_type
from minicolumn.lower.llvm.mathlib import MATH

# Lengths of axes: around one, two, four ... vectors of 4, 8 or 16 lanes.
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 100, 257)
MOST_ELEMENTS = 3000
LEAVES = ("input", "const", "item")
FRACTIONS = frozenset(
    "add subtract multiply negative absolute sign floor ceil trunc rint maximum minimum where cast copy "
    "stop_gradient".split()
)
MAPS = tuple(name for name, op in OPS.items() if op.kind == "map")
COMMON = tuple(name for name in MAPS if name in FRACTIONS or name in MATH or OPS[name].infer is OPS["less"].infer)
# How often operations of each kind come; those that Python does are rare, since they split kernels.
WEIGHTS = {"map": 50, "shape": 22, "reduce": 14, "product": 7, "index": 7, "order": 4, "control": 5, "linalg": 1}


@dataclass(frozen=True)
class Made:
    """A program, and for inputs that are indices the length of the axis they are used on."""

    graph: Graph
    below: dict[Node, int]


def make(seed: int, size: int = 12, exact: bool = False) -> Made:
    """Return the program of a seed, of about `size` operations."""
    maker = _Maker(np.random.default_rng(seed), exact)
    for _ in range(int(maker.rng.integers(1, size + 1))):
        maker.grow()
    return Made(Graph(tuple(maker.inputs), tuple(maker.outputs())), maker.below)


def arguments(made: Made, seed: int, exact: bool) -> list[np.ndarray]:
    """Return arrays for a program's inputs: halves and quarters if `exact`, else anything, NaN among it."""
    rng = np.random.default_rng(seed)
    return [elements(rng, node.array_type, exact, made.below.get(node)) for node in made.graph.inputs]


def elements(
    rng: np.random.Generator, type: ArrayType, exact: bool, below: int | None = None
) -> np.ndarray:
    """Return an array of a type; indices below a number, if one is given."""
    dtype, shape = type.dtype, type.shape
    if below is not None:
        return np.asarray(rng.integers(0 if dtype.kind == "u" else -below, max(below, 1), shape), dtype)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind != "f":
        return np.asarray(rng.integers(0 if dtype.kind == "u" else -9, 10, shape), dtype)
    if exact:
        return np.asarray(rng.integers(-8, 9, shape) / 4, dtype)
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3, shape)
    special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], shape)
    return np.asarray(np.where(rng.random(shape) < 0.05, special, values), dtype)


@cache
def accepts(name: str, dtype: np.dtype) -> bool:
    """Return whether a map, a reduction or an operation along an axis takes a dtype."""
    op, x = OPS[name], ArrayType(dtype, (2, 2))
    attrs: tuple[dict[str, Any], ...] = ({}, {"axes": (0,)}, {"axis": 0}, {"n": 1}, {"dtype": dtype})
    return any(_fits(op, (x,) * n, a) for n in (1, 2, 3) for a in attrs) or name == "where"


def _fits(op: Any, types: tuple[ArrayType, ...], attrs: dict[str, Any]) -> bool:
    try:
        infer_type(op, types, attrs)
    except (MinicolumnError, TypeError):
        return False
    return True


@cache
def arity(name: str) -> int:
    """Return how many operands a map has."""
    if name == "where":
        return 3
    x, attrs = ArrayType(next(d for d in DTYPES.values() if accepts(name, d)), (2,)), {}
    attrs = {"n": 1} if name == "polygamma" else {"dtype": x.dtype} if name == "cast" else {}
    return next(n for n in (1, 2, 3) if _fits(OPS[name], (x,) * n, attrs))


def apply(name: str, operands: Sequence[Node], **attrs: Any) -> Node:
    """Return a node of an operation."""
    op = OPS[name]
    return Node(op, operands, attrs, infer_type(op, tuple(n.type for n in operands), attrs))


def apply_each(dtype: np.dtype) -> tuple[Made, set[str]]:
    """Return a program that applies each operation to arrays of a dtype, if it takes it, and their names."""
    maker = _Maker(np.random.default_rng(dtype.num), exact=False)
    applied: set[str] = set()
    for name in sorted(OPS):
        for shape in ((257,), (9, 33), (), (2, 3, 17), (0, 3)):
            maker.known.clear()
            x = input_node(ArrayType(dtype, shape))
            maker.inputs.append(x)
            maker.known.append(x)
            maker.try_one(name, x)
            maker.results += [n for n in maker.known if n.op.name == name]
    applied = {n.op.name for n in maker.results} | ({"item"} & set())
    return Made(Graph(tuple(maker.inputs), tuple(maker.results)), maker.below), applied


@dataclass
class _Maker:
    rng: np.random.Generator
    exact: bool
    depth: int = 0
    registers: bool = False  # only what a loop in registers may hold
    known: list[Node] = field(default_factory=list)
    inputs: list[Node] = field(default_factory=list)
    below: dict[Node, int] = field(default_factory=dict)

    # Choices ----------------------------------------------------------------------------------------------

    def pick(self, things: Sequence[Any]) -> Any:
        return things[int(self.rng.integers(len(things)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def shape(self, most: int = MOST_ELEMENTS, least: int = 0) -> Shape:
        found: list[int] = []
        for _ in range(int(self.rng.choice([0, 1, 2, 3, 4, 5], p=[0.08, 0.3, 0.34, 0.16, 0.08, 0.04]))):
            n = 0 if self.chance(0.01) else self.pick(LENGTHS)
            found.append(n if prod(found) * n <= most else self.pick((1, 1, 2)))
        return tuple(found) if prod(found) <= most else self.shape(most, least)

    def dtype(self) -> np.dtype:
        return DTYPES[str(self.rng.choice(["f32", "f64", "i32", "i64", "u32", "bool"], p=[0.5, 0.2, 0.1, 0.07, 0.06, 0.07]))]

    # Nodes ------------------------------------------------------------------------------------------------

    def apply(self, name: str, operands: Sequence[Node], **attrs: Any) -> Node:
        op = OPS[name]
        node = Node(op, operands, attrs, infer_type(op, tuple(n.type for n in operands), attrs))
        self.known.append(node)
        return node

    def leaf(self, type: ArrayType, below: int | None = None) -> Node:
        # A loop's body gets its inputs from the loop, so only constants can be added to it.
        if self.depth or self.chance(0.25):
            value = elements(self.rng, type, self.exact or self.chance(0.5), below)
            node = const_node(value.flat[:1].reshape(()) * np.ones(type.shape, type.dtype) if value.size and self.chance(0.3) and below is None and type.dtype.kind != "b" else value)
        else:
            node = input_node(type)
            self.inputs.append(node)
            if below is not None:
                self.below[node] = below
        self.known.append(node)
        return node

    def arrays(self) -> list[Node]:
        return [n for n in self.known if isinstance(n.type, ArrayType) and n not in self.below]

    def some(self) -> Node:
        """Return a value to go on with: mostly one of the last."""
        known = self.arrays()
        if not known or self.chance(0.06):
            return self.leaf(ArrayType(self.dtype(), self.shape()))
        return self.pick(known[-4:]) if self.chance(0.7) else self.pick(known)

    def of_dtype(self, node: Node, dtype: np.dtype) -> Node:
        return node if node.array_type.dtype == dtype else self.apply("cast", [node], dtype=dtype)

    def operand(self, type: ArrayType) -> Node:
        """Return a value of this type: an old one where one fits, perhaps after a cast."""
        fitting = [n for n in self.arrays() if n.array_type.shape == type.shape]
        if fitting and self.chance(0.75):
            return self.of_dtype(self.pick(fitting[-4:]), type.dtype)
        return self.leaf(type)

    def broadcastable(self, shape: Shape) -> Shape:
        if self.chance(0.55):
            return shape
        kept = shape[int(self.rng.integers(0, len(shape) + 1)) :]
        return tuple(1 if self.chance(0.3) else n for n in kept)

    # Growing ----------------------------------------------------------------------------------------------

    def grow(self) -> None:
        kinds = ["map", "reduce", "product", "shape"] if self.registers else list(WEIGHTS)
        weights = np.array([WEIGHTS[k] for k in kinds], float)
        kind = str(self.rng.choice(kinds, p=weights / weights.sum()))
        getattr(self, f"grow_{kind}")()

    def grow_map(self) -> None:
        x = self.some()
        pool = tuple(FRACTIONS) if self.exact else COMMON if self.chance(0.85) else MAPS
        names = sorted(n for n in pool if accepts(n, x.array_type.dtype))
        if not names:
            return
        name = self.pick(names)
        getattr(self, f"_{name}", self._plain_map)(name, x)

    def _plain_map(self, name: str, x: Node) -> None:
        others = [self.operand(x.array_type.with_shape(self.broadcastable(x.array_type.shape))) for _ in range(arity(name) - 1)]
        operands = [x, *others]
        self.rng.shuffle(operands)  # type: ignore[arg-type]
        self.apply(name, operands)

    def _power(self, name: str, x: Node) -> None:
        if x.array_type.is_float:
            return self._plain_map(name, x)
        exponent = const_node(self.rng.integers(0, 4, self.broadcastable(x.array_type.shape)).astype(x.array_type.dtype))
        self.apply(name, [x, exponent])
        return None

    def _cast(self, name: str, x: Node) -> None:
        self.apply(name, [x], dtype=self.dtype())

    def _polygamma(self, name: str, x: Node) -> None:
        self.apply(name, [x], n=int(self.rng.integers(0, 3)))

    def _where(self, name: str, x: Node) -> None:
        shape = x.array_type.shape
        condition = self.operand(ArrayType(DTYPES["bool"], self.broadcastable(shape)))
        self.apply(name, [condition, x, self.operand(x.array_type.with_shape(self.broadcastable(shape)))])

    def grow_reduce(self) -> None:
        x = self.some()
        name = self.pick([n for n, op in OPS.items() if op.kind == "reduce" and accepts(n, x.array_type.dtype)])
        shape = x.array_type.shape
        if name in ("argmax", "argmin"):
            if shape and 0 not in shape:
                self.apply(name, [x], axis=int(self.rng.integers(len(shape))))
            return
        axes = tuple(a for a in range(len(shape)) if self.chance(0.5))
        if name in ("max", "min") and any(shape[a] == 0 for a in axes):
            return
        self.apply(name, [x], axes=axes)

    def grow_product(self) -> None:
        x = self.some()
        shape = x.array_type.shape
        if len(shape) < 2:
            x = self.apply("reshape", [x], shape=(*shape, 1) if shape else (1, 1))
            shape = x.array_type.shape
        k, free = shape[-1], max(MOST_ELEMENTS // max(prod(shape), 1), 1)
        n = self.pick([n for n in (0, *LENGTHS) if k * n <= MOST_ELEMENTS and prod(shape[:-1]) * n <= MOST_ELEMENTS and (n or free)])
        y = self.operand(x.array_type.with_shape((*self.broadcastable(shape[:-2]), k, n)))
        if self.chance(0.3):
            y = self.operand(x.array_type.with_shape((*y.array_type.shape[:-2], n, k)))
            axes = tuple(range(len(y.array_type.shape)))
            y = self.apply("transpose", [y], axes=(*axes[:-2], axes[-1], axes[-2]))
        self.apply("matmul", [x, y])

    def grow_order(self) -> None:
        x = self.some()
        names = [n for n, op in OPS.items() if op.kind == "order" and accepts(n, x.array_type.dtype)]
        if x.array_type.shape:
            name = self.pick(names) if self.chance(0.5) else "cumsum" if "cumsum" in names else names[0]
            self.apply(name, [x], axis=int(self.rng.integers(len(x.array_type.shape))))

    def grow_linalg(self) -> None:
        n, dtype = self.pick((0, 1, 2, 3, 5)), self.pick((DTYPES["f32"], DTYPES["f64"]))
        half = self.rng.standard_normal((2, n, n))
        matrix = const_node((half @ np.swapaxes(half, -1, -2) + 2.0 * np.eye(n)).astype(dtype))
        self.known.append(matrix)
        name = self.pick([n for n, op in OPS.items() if op.kind == "linalg"])
        self.apply(name, [matrix] if name != "solve" else [matrix, self.operand(matrix.array_type)])

    # Shapes -----------------------------------------------------------------------------------------------

    def grow_shape(self) -> None:
        name = self.pick([n for n, op in OPS.items() if op.kind == "shape" and not (self.registers and n == "pad")])
        getattr(self, f"_{name}")(self.some())

    def _reshape(self, x: Node) -> None:
        shape = list(x.array_type.shape)
        self.rng.shuffle(shape)
        if len(shape) > 1 and self.chance(0.6):
            k = int(self.rng.integers(len(shape) - 1))
            shape[k : k + 2] = [shape[k] * shape[k + 1]]
        cuts = [(i, f) for i, n in enumerate(shape) for f in (2, 3, 5, 8) if n and n % f == 0]
        if cuts and self.chance(0.6):
            i, f = self.pick(cuts)
            shape[i : i + 1] = [shape[i] // f, f]
        if self.chance(0.3):
            shape.insert(int(self.rng.integers(len(shape) + 1)), 1)
        self.apply("reshape", [x], shape=tuple(int(n) for n in shape))

    def _transpose(self, x: Node) -> None:
        self.apply("transpose", [x], axes=tuple(int(a) for a in self.rng.permutation(len(x.array_type.shape))))

    def _broadcast(self, x: Node) -> None:
        shape = [self.pick((1, 2, 3, 7)) if n == 1 else n for n in x.array_type.shape]
        if self.chance(0.5):
            shape.insert(0, self.pick(LENGTHS))
        if prod(shape) <= MOST_ELEMENTS:
            self.apply("broadcast", [x], shape=tuple(shape))

    def _concatenate(self, x: Node) -> None:
        shape = x.array_type.shape
        if not shape:
            return
        axis = int(self.rng.integers(len(shape)))
        parts = [x]
        for _ in range(int(self.rng.integers(0, 3))):
            n = shape[axis] if self.chance(0.5) else int(self.rng.integers(0, 4))
            parts.append(self.operand(x.array_type.with_shape((*shape[:axis], n, *shape[axis + 1 :]))))
        self.rng.shuffle(parts)  # type: ignore[arg-type]
        if sum(p.array_type.size for p in parts) <= MOST_ELEMENTS:
            self.apply("concatenate", parts, axis=axis)

    def _slice(self, x: Node) -> None:
        shape = x.array_type.shape
        start = tuple(int(self.rng.integers(0, n // 2 + 1)) if self.chance(0.5) else 0 for n in shape)
        stop = tuple(int(self.rng.integers(min(a, n), n + 1)) if self.chance(0.4) else n for a, n in zip(start, shape, strict=True))
        step = tuple(int(self.rng.integers(1, 4)) if self.chance(0.4) else 1 for _ in shape)
        self.apply("slice", [x], start=start, stop=stop, step=step)

    def _pad(self, x: Node) -> None:
        attrs = {n: tuple(int(self.rng.integers(0, 3)) if self.chance(0.4) else 0 for _ in x.array_type.shape) for n in ("low", "high", "gap")}
        if infer_type(OPS["pad"], (x.array_type,), attrs).size <= MOST_ELEMENTS:  # type: ignore[union-attr]
            self.apply("pad", [x], **attrs)

    def _flip(self, x: Node) -> None:
        self.apply("flip", [x], axes=tuple(i for i in range(len(x.array_type.shape)) if self.chance(0.5)))

    # Indices ----------------------------------------------------------------------------------------------

    def grow_index(self) -> None:
        x = self.some()
        shape = x.array_type.shape
        if not shape:
            return
        count = int(self.rng.integers(1, min(len(shape), 3) + 1))
        rest = prod(shape[count:])
        places = (0,) if 0 in shape[:count] else self.shape(MOST_ELEMENTS // max(rest, 1))
        indices = [self._places(places if k == 0 or 0 in places else self.broadcastable(places), n) for k, n in enumerate(shape[:count])]
        if self.chance(0.6):
            self.apply("gather", [x, *indices])
            return
        places = broadcast_shapes(*(i.array_type.shape for i in indices))
        self.apply("scatter_add", [x, self.operand(x.array_type.with_shape((*places, *shape[count:]))), *indices])

    def index_dtype(self) -> np.dtype:
        return DTYPES[self.pick(("i32", "i64", "u32"))]

    def _places(self, shape: Shape, below: int, dtype: np.dtype | None = None) -> Node:
        dtype = dtype or self.index_dtype()
        old = [n for n in self.known if self.below.get(n) == below and n.type == ArrayType(dtype, shape)]
        return self.pick(old) if old and self.chance(0.5) else self.leaf(ArrayType(dtype, shape), below)

    # Loops ------------------------------------------------------------------------------------------------

    def grow_control(self) -> None:
        if self.depth > 1:
            return
        length = self.pick((0, 1, 2, 3, 5))
        if self.chance(0.4):
            self._loop_over_batches(length)
            return
        consts, carry, rows = (int(self.rng.integers(0, 3)) for _ in range(3))
        old = [n.array_type for n in self.arrays() if n.array_type.size <= 300]
        types = [
            self.pick(old) if old and self.chance(0.6) else ArrayType(self.dtype(), self.shape(300))
            for _ in range(consts + carry + rows)
        ]
        stacked = [t.with_shape((length, *t.shape)) for t in types[consts + carry :]]
        operands = [self.operand(t) for t in (*types[: consts + carry], *stacked)]
        inner = _Maker(self.rng, self.exact, self.depth + 1)
        self._loop(inner, operands, types, consts, carry, length)

    def _loop_over_batches(self, length: int) -> None:
        """Add a loop as training has it: rows of an array, chosen by indices, and some arithmetic on them."""
        n, batch, width = self.pick((1, 5, 40)), self.pick((2, 3, 5, 8, 9, 16, 33, 64)), self.pick((1, 2, 3, 4))
        dtype, places = self.pick((DTYPES["f32"], DTYPES["f32"], self.dtype())), self.index_dtype()
        types = [
            ArrayType(dtype, (n, width) if self.chance(0.8) else (n,)),
            ArrayType(dtype, (width, self.pick((1, 2, 3)))),
            ArrayType(dtype, self.pick(((), (1,), (width,), (batch,)))),
            ArrayType(places, (batch,)),
        ]
        operands = [*map(self.operand, types[:3]), self._places((length, batch), n, places)]
        inner = _Maker(self.rng, self.exact, self.depth + 1, registers=True)
        self._loop(inner, operands, types, 1, 2, length, below=n)

    def _loop(
        self,
        inner: _Maker,
        operands: Sequence[Node],
        types: Sequence[ArrayType],
        consts: int,
        carry: int,
        length: int,
        below: int | None = None,
    ) -> None:
        body = inner.body(types, consts, carry, below)
        attrs = {"body": body, "consts": consts, "carry": carry, "length": length}
        loop = self.apply("scan", operands, **attrs, reverse=self.chance(0.4))
        assert isinstance(loop.type, TupleType)
        for index in range(len(loop.type.items)):
            if self.chance(0.9):
                self.apply("item", [loop], index=index)

    def body(self, types: Sequence[ArrayType], consts: int, carry: int, below: int | None) -> Graph:
        """Grow the body of a loop; its last input is an index below a number, if one is given."""
        self.inputs = [input_node(t) for t in types]
        self.known = list(self.inputs)
        if below is not None:
            self.below[self.inputs[-1]] = below
            self.apply("gather", [self.inputs[0], self.inputs[-1]])
        for _ in range(int(self.rng.integers(0, 12 if self.registers else 6))):
            self.grow()
        states = []
        for t in types[consts : consts + carry]:
            fitting = [n for n in self.known if n.type == t]
            states.append(self.pick(fitting[-3:]) if self.chance(0.6) else self.operand(t))
        arrays = [n for n in self.arrays() if n.array_type.size <= 600]
        ys = [self.pick(arrays[-4:]) for _ in range(int(self.rng.integers(0, 3)))] if arrays else []
        return Graph(tuple(self.inputs), (*states, *ys), "step")

    def outputs(self) -> list[Node]:
        read = {operand for node in self.known for operand in node.inputs}
        arrays = [n for n in self.known if isinstance(n.type, ArrayType)]
        unread = [n for n in arrays if n not in read]
        more = [self.pick(arrays) for _ in range(int(self.rng.integers(0, 3)))] if arrays else []
        chosen = [*unread, *more]
        self.rng.shuffle(chosen)  # type: ignore[arg-type]
        return chosen
