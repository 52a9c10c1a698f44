"""Random programs over the whole operation table, larger than those of tests/graphs.py and quicker to make.

Everything follows from one seed. Sizes lie around multiples of the vector width, axes may be empty, values
are read again and again, so that kernels come out fused in many ways. Exact programs keep to operations that
take fractions to fractions, so that sums come out the same in any order and every bit of every result counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from pieces import COMMON, FRACTIONS, LEAVES, LENGTHS, MAPS, MOST_ELEMENTS, accepts, apply, arity, elements

from minicolumn.ir.graph import Graph, Node, const_node, input_node
from minicolumn.ir.op import OPS
from minicolumn.ir.shapes import DTYPES, ArrayType, Shape, TupleType, broadcast_shapes

# How often operations of each kind come; those that Python does are rare, since they split kernels.
WEIGHTS = {
    "map": 50,
    "shape": 22,
    "reduce": 14,
    "product": 7,
    "index": 7,
    "order": 4,
    "control": 5,
    "linalg": 1,
}


@dataclass(frozen=True)
class Made:
    """A program, and for inputs that are indices the length of the axis they are used on."""

    graph: Graph
    below: dict[Node, int]


def make(seed: int, size: int = 12, exact: bool = False) -> Made:
    """Return the program of a seed, of about `size` operations."""
    maker = Maker(np.random.default_rng(seed), exact)
    for _ in range(int(maker.rng.integers(1, size + 1))):
        maker.grow()
    return Made(Graph(tuple(maker.inputs), tuple(maker.outputs())), maker.below)


def arguments(made: Made, seed: int, exact: bool) -> list[np.ndarray]:
    """Return arrays for a program's inputs: halves and quarters if `exact`, else anything, NaN among it."""
    rng = np.random.default_rng(seed)
    return [elements(rng, node.array_type, exact, made.below.get(node)) for node in made.graph.inputs]


def apply_each(dtype: np.dtype) -> tuple[Made, set[str]]:
    """Return a program that applies each operation to arrays of a dtype, if it takes it, and their names."""
    maker = Maker(np.random.default_rng(dtype.num))
    found: list[Node] = []
    for name in sorted({*OPS} - {*LEAVES, "scan"}):
        for shape in ((257,), (9, 33), (), (0, 3)):
            x = input_node(ArrayType(dtype, shape))
            maker.inputs.append(x)
            maker.known = [x]
            if accepts(name, dtype):
                maker.put(name, x)
            found += [n for n in maker.known if n.op.name == name]
    return Made(Graph(tuple(maker.inputs), tuple(found)), maker.below), {n.op.name for n in found}


@dataclass
class Maker:
    """A program that grows at random.

    known       the values to read from
    below       inputs that are indices, and the length of the axis they are used on
    registers   whether to keep to what a loop in registers may hold
    """

    rng: np.random.Generator
    exact: bool = False
    depth: int = 0
    registers: bool = False
    known: list[Node] = field(default_factory=list)
    inputs: list[Node] = field(default_factory=list)
    below: dict[Node, int] = field(default_factory=dict)

    # Choices ----------------------------------------------------------------------------------------------

    def pick(self, things: Sequence[Any]) -> Any:
        return things[int(self.rng.integers(len(things)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def shuffled(self, things: Sequence[Any]) -> list[Any]:
        return [things[k] for k in self.rng.permutation(len(things))]

    def shape(self, most: int = MOST_ELEMENTS) -> Shape:
        found: list[int] = []
        for _ in range(int(self.rng.choice(6, p=[0.08, 0.3, 0.34, 0.16, 0.08, 0.04]))):
            n = 0 if self.chance(0.01) else self.pick(LENGTHS)
            found.append(n if prod(found) * n <= most else self.pick((1, 1, 2)))
        return tuple(found) if prod(found) <= most else self.shape(most)

    def dtype(self) -> np.dtype:
        names = ["f32", "f64", "i32", "i64", "u32", "bool"]
        return DTYPES[str(self.rng.choice(names, p=[0.5, 0.2, 0.1, 0.07, 0.06, 0.07]))]

    def index_dtype(self) -> np.dtype:
        return DTYPES[self.pick(("i32", "i64", "u32"))]

    def axis(self, shape: Shape) -> int:
        return int(self.rng.integers(len(shape)))

    # Values -----------------------------------------------------------------------------------------------

    def apply(self, name: str, *operands: Node, **attrs: Any) -> Node:
        self.known.append(apply(name, *operands, **attrs))
        return self.known[-1]

    def leaf(self, type: ArrayType, below: int | None = None) -> Node:
        # A loop's body gets its inputs from the loop, so only constants can be added to it.
        if self.depth or self.chance(0.25):
            value = elements(self.rng, type, self.exact or self.chance(0.5), below)
            if type.size and self.chance(0.3):
                value = np.full(type.shape, value.flat[0])
            node = const_node(value)
        else:
            node = input_node(type)
            self.inputs.append(node)
            if below is not None:
                self.below[node] = below
        self.known.append(node)
        return node

    def places(self, shape: Shape, below: int, dtype: np.dtype | None = None) -> Node:
        """Return indices into an axis of a length."""
        type = ArrayType(dtype or self.index_dtype(), shape)
        old = [n for n in self.known if self.below.get(n) == below and n.type == type]
        return self.pick(old) if old and self.chance(0.5) else self.leaf(type, below)

    def arrays(self) -> list[Node]:
        return [n for n in self.known if isinstance(n.type, ArrayType) and n not in self.below]

    def some(self) -> Node:
        """Return a value to go on with: mostly one of the last."""
        known = self.arrays()
        if not known or self.chance(0.06):
            return self.leaf(ArrayType(self.dtype(), self.shape()))
        return self.pick(known[-4:]) if self.chance(0.7) else self.pick(known)

    def operand(self, type: ArrayType) -> Node:
        """Return a value of this type: an old one where one fits, perhaps after a cast."""
        fitting = [n for n in self.arrays() if n.array_type.shape == type.shape]
        if not fitting or self.chance(0.25):
            return self.leaf(type)
        node = self.pick(fitting[-4:])
        return node if node.type == type else self.apply("cast", node, dtype=type.dtype)

    def like(self, x: Node) -> Node:
        """Return a value that broadcasts with another one."""
        return self.operand(x.array_type.with_shape(self.broadcastable(x.array_type.shape)))

    def broadcastable(self, shape: Shape) -> Shape:
        if self.chance(0.55):
            return shape
        kept = shape[int(self.rng.integers(0, len(shape) + 1)) :]
        return tuple(1 if self.chance(0.3) else n for n in kept)

    # Operations -------------------------------------------------------------------------------------------

    def grow(self) -> None:
        """Add an operation of some kind to some value, if it takes it."""
        kinds = ["map", "reduce", "product", "shape"] if self.registers else list(WEIGHTS)
        weights = np.array([WEIGHTS[k] for k in kinds], float)
        kind = str(self.rng.choice(kinds, p=weights / weights.sum()))
        x = self.some()
        names = [n for n in self.names(kind) if accepts(n, x.array_type.dtype)]
        if names:
            self.put(self.pick(names), x)

    def names(self, kind: str) -> Sequence[str]:
        if kind == "map":
            return tuple(sorted(FRACTIONS)) if self.exact else COMMON if self.chance(0.85) else MAPS
        without = (*LEAVES, "pad") if self.registers else LEAVES
        return tuple(n for n, op in OPS.items() if op.kind == kind and n not in without)

    def put(self, name: str, x: Node) -> None:
        """Apply an operation to a value, with whatever else it needs; or not, where it does not fit."""
        special = getattr(self, f"_{name}", None)
        if special is not None:
            special(x)
        else:
            getattr(self, f"_any_{OPS[name].kind}")(name, x)

    def _any_map(self, name: str, x: Node) -> None:
        others = [self.like(x) for _ in range(arity(name) - 1)]
        self.apply(name, *self.shuffled([x, *others]))

    def _power(self, x: Node) -> None:
        if x.array_type.is_float:
            return self._any_map("power", x)
        shape = self.broadcastable(x.array_type.shape)
        exponent = const_node(np.asarray(self.rng.integers(0, 4, shape), x.array_type.dtype))
        self.apply("power", x, exponent)
        return None

    def _cast(self, x: Node) -> None:
        self.apply("cast", x, dtype=self.dtype())

    def _polygamma(self, x: Node) -> None:
        self.apply("polygamma", x, n=int(self.rng.integers(0, 3)))

    def _where(self, x: Node) -> None:
        condition = self.operand(ArrayType(DTYPES["bool"], self.broadcastable(x.array_type.shape)))
        self.apply("where", condition, x, self.like(x))

    def _any_reduce(self, name: str, x: Node) -> None:
        shape = x.array_type.shape
        axes = tuple(a for a in range(len(shape)) if self.chance(0.5))
        if name in ("argmax", "argmin"):
            if shape and shape[axis := self.axis(shape)]:
                self.apply(name, x, axis=axis)
        elif name not in ("max", "min") or all(shape[a] for a in axes):
            self.apply(name, x, axes=axes)

    def _any_order(self, name: str, x: Node) -> None:
        if x.array_type.shape:
            self.apply(name, x, axis=self.axis(x.array_type.shape))

    def _matmul(self, x: Node) -> None:
        shape = x.array_type.shape
        if len(shape) < 2:
            x = self.apply("reshape", x, shape=(*shape, 1) if shape else (1, 1))
            shape = x.array_type.shape
        k, rows = shape[-1], prod(shape[:-1])
        n = self.pick([n for n in (0, *LENGTHS) if max(k, rows) * n <= MOST_ELEMENTS])
        batch, turned = self.broadcastable(shape[:-2]), self.chance(0.3)
        y = self.operand(x.array_type.with_shape((*batch, n, k) if turned else (*batch, k, n)))
        if turned:
            axes = tuple(range(len(batch)))
            y = self.apply("transpose", y, axes=(*axes, len(axes) + 1, len(axes)))
        self.apply("matmul", x, y)

    def _any_linalg(self, name: str, x: Node) -> None:
        # Well-conditioned matrices of its own: what LAPACK does with others is not the lowering's.
        n = self.pick((0, 1, 2, 3, 5))
        half = self.rng.standard_normal((2, n, n))
        matrix = const_node((half @ np.swapaxes(half, -1, -2) + 2.0 * np.eye(n)).astype(x.array_type.dtype))
        self.known.append(matrix)
        more = [self.operand(matrix.array_type)] if name == "solve" else []
        self.apply(name, matrix, *more, **({"rcond": 1e-10} if name == "pinv" else {}))

    # Shapes -----------------------------------------------------------------------------------------------

    def _reshape(self, x: Node) -> None:
        shape = [int(n) for n in self.rng.permutation(x.array_type.shape)]
        if len(shape) > 1 and self.chance(0.6):
            k = int(self.rng.integers(len(shape) - 1))
            shape[k : k + 2] = [shape[k] * shape[k + 1]]
        cuts = [(i, f) for i, n in enumerate(shape) for f in (2, 3, 5, 8) if n and n % f == 0]
        if cuts and self.chance(0.6):
            i, f = self.pick(cuts)
            shape[i : i + 1] = [shape[i] // f, f]
        if self.chance(0.3):
            shape.insert(int(self.rng.integers(len(shape) + 1)), 1)
        self.apply("reshape", x, shape=tuple(shape))

    def _transpose(self, x: Node) -> None:
        self.apply("transpose", x, axes=tuple(map(int, self.rng.permutation(len(x.array_type.shape)))))

    def _broadcast(self, x: Node) -> None:
        shape = [self.pick((1, 2, 3, 7)) if n == 1 else n for n in x.array_type.shape]
        if self.chance(0.5):
            shape.insert(0, self.pick(LENGTHS))
        if prod(shape) <= MOST_ELEMENTS:
            self.apply("broadcast", x, shape=tuple(shape))

    def _concatenate(self, x: Node) -> None:
        shape, parts = x.array_type.shape, [x]
        if not shape:
            return
        axis = self.axis(shape)
        for _ in range(int(self.rng.integers(0, 3))):
            n = shape[axis] if self.chance(0.5) else int(self.rng.integers(0, 4))
            parts.append(self.operand(x.array_type.with_shape((*shape[:axis], n, *shape[axis + 1 :]))))
        if sum(p.array_type.size for p in parts) <= MOST_ELEMENTS:
            self.apply("concatenate", *self.shuffled(parts), axis=axis)

    def _slice(self, x: Node) -> None:
        start, stop, step = [], [], []
        for n in x.array_type.shape:
            start.append(int(self.rng.integers(0, n // 2 + 1)) if self.chance(0.5) else 0)
            stop.append(int(self.rng.integers(start[-1], n + 1)) if self.chance(0.4) else n)
            step.append(int(self.rng.integers(1, 4)) if self.chance(0.4) else 1)
        self.apply("slice", x, start=tuple(start), stop=tuple(stop), step=tuple(step))

    def _pad(self, x: Node) -> None:
        def few() -> Shape:
            return tuple(int(self.rng.integers(0, 3)) if self.chance(0.4) else 0 for _ in x.array_type.shape)

        node = apply("pad", x, low=few(), high=few(), gap=few())
        if node.array_type.size <= MOST_ELEMENTS:
            self.known.append(node)

    def _flip(self, x: Node) -> None:
        self.apply("flip", x, axes=tuple(i for i in range(len(x.array_type.shape)) if self.chance(0.5)))

    # IndexMap that are data ---------------------------------------------------------------------------------

    def _indices(self, shape: Shape) -> list[Node]:
        """Return indices into some leading axes, of shapes that broadcast together."""
        count = int(self.rng.integers(1, min(len(shape), 3) + 1))
        # Nothing can be read from an axis without elements, so only an empty index fits there.
        empty = 0 in shape[:count]
        common = (0,) if empty else self.shape(MOST_ELEMENTS // max(prod(shape[count:]), 1))
        shapes = [common if k == 0 or 0 in common else self.broadcastable(common) for k in range(count)]
        return [self.places(s, n) for s, n in zip(shapes, shape, strict=False)]

    def _gather(self, x: Node) -> None:
        if x.array_type.shape:
            self.apply("gather", x, *self._indices(x.array_type.shape))

    def _scatter_add(self, x: Node) -> None:
        shape = x.array_type.shape
        if not shape:
            return
        indices = self._indices(shape)
        common = broadcast_shapes(*(i.array_type.shape for i in indices))
        updates = self.operand(x.array_type.with_shape((*common, *shape[len(indices) :])))
        self.apply("scatter_add", x, updates, *indices)

    # Loops ------------------------------------------------------------------------------------------------

    def _scan(self, x: Node) -> None:
        if self.depth > 1:
            return None
        length = self.pick((0, 1, 2, 3, 5))
        if self.chance(0.4):
            return self._loop_over_batches(length)
        consts, carry, rows = (int(self.rng.integers(0, 3)) for _ in range(3))
        old = [n.array_type for n in self.arrays() if n.array_type.size <= 300]
        types = [
            self.pick(old) if old and self.chance(0.6) else ArrayType(self.dtype(), self.shape(300))
            for _ in range(consts + carry + rows)
        ]
        stacked = [t.with_shape((length, *t.shape)) for t in types[consts + carry :]]
        operands = [self.operand(t) for t in (*types[: consts + carry], *stacked)]
        return self._loop(Maker(self.rng, self.exact, self.depth + 1), operands, types, consts, carry, length)

    def _loop_over_batches(self, length: int) -> None:
        """Add a loop as training has it: rows of an array, chosen by indices, and some arithmetic on them."""
        n, batch = self.pick((1, 5, 40)), self.pick((2, 3, 5, 8, 9, 16, 33, 64))
        width, dtype = self.pick((1, 2, 3, 4)), self.pick((DTYPES["f32"], DTYPES["f32"], self.dtype()))
        types = [
            ArrayType(dtype, (n, width) if self.chance(0.8) else (n,)),
            ArrayType(dtype, (width, self.pick((1, 2, 3)))),
            ArrayType(dtype, self.pick(((), (1,), (width,), (batch,)))),
            ArrayType(self.index_dtype(), (batch,)),
        ]
        operands = [*map(self.operand, types[:3]), self.places((length, batch), n, types[3].dtype)]
        inner = Maker(self.rng, self.exact, self.depth + 1, registers=True)
        self._loop(inner, operands, types, 1, 2, length, below=n)

    def _loop(
        self,
        inner: Maker,
        operands: Sequence[Node],
        types: Sequence[ArrayType],
        consts: int,
        carry: int,
        length: int,
        below: int | None = None,
    ) -> None:
        body = inner.body(types, consts, carry, below)
        attrs = {"body": body, "consts": consts, "carry": carry, "length": length}
        loop = self.apply("scan", *operands, **attrs, reverse=self.chance(0.4))
        assert isinstance(loop.type, TupleType)
        for index in range(len(loop.type.items)):
            if self.chance(0.9):
                self.apply("item", loop, index=index)

    def body(self, types: Sequence[ArrayType], consts: int, carry: int, below: int | None) -> Graph:
        """Grow the body of a loop; its last input is an index below a number, if one is given."""
        self.inputs = [input_node(t) for t in types]
        self.known = list(self.inputs)
        if below is not None:
            self.below[self.inputs[-1]] = below
            self.apply("gather", self.inputs[0], self.inputs[-1])
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
        """Return every value that nobody reads, and some others."""
        read = {operand for node in self.known for operand in node.inputs}
        arrays = [n for n in self.known if isinstance(n.type, ArrayType)]
        more = [self.pick(arrays) for _ in range(int(self.rng.integers(0, 3)))] if arrays else []
        return self.shuffled([*(n for n in arrays if n not in read), *more])
