"""Scatters of rows, running sums over inner axes, sums of looked-up rows: whole vectors, and what is left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from guarded import NO_CACHE, Fences, run_in
from pieces import elements
from twin import judge, opinions

import minicolumn as mc
from minicolumn.ir.graph import Graph
from minicolumn.ir.parse import parse_graph
from minicolumn.lower.compile import graph_of
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.reference import ReferenceProgram

# Trailing axes: below, at and above whole vectors, several of them, of one element and of none.
TRAILING = [(), (1,), (2,), (3,), (5,), (7,), (8,), (15,), (16,), (17,), (33,), (0,)]
TRAILING += [(3, 5), (2, 17), (16, 1), (1, 33), (0, 4)]
# Shapes of the indices, whose broadcast is that of the places: one array, two or three, of 0 to 3 axes.
PLACES = [
    ((6,),),
    ((2, 3),),
    ((4, 1), (1, 3)),
    ((2, 1, 3), (3,)),
    ((5,), (1,), (5,)),
    ((),),
    ((0,),),
    ((3,), ()),
]
LENGTHS = (4, 3, 2)


def _text(dtype: str, shape: Any) -> str:
    return f"{dtype}[{','.join(map(str, shape))}]"


class _Case:
    """The inputs and the statements of a program, case by case."""

    def __init__(self, dtype: str) -> None:
        self.dtype, self.inputs, self.body = dtype, list[str](), list[str]()
        self.outputs: list[str] = []
        self.bounds: dict[str, int] = {}

    def input(self, name: str, shape: Any, below: int | None = None) -> str:
        self.inputs.append(f"{name}: {_text(self.dtype if below is None else 'i32', shape)}")
        if below is not None:
            self.bounds[name] = below
        return name

    def put(self, name: str, shape: Any, value: str, out: bool = False) -> str:
        self.body.append(f"{name}: {_text(self.dtype, shape)} = {value}")
        if out:
            self.outputs.append(name)
        return name

    def indices(self, n: int, shapes: Any) -> str:
        return ", ".join(
            self.input(f"i{n}_{axis}", shape, LENGTHS[axis]) for axis, shape in enumerate(shapes)
        )

    def check(self) -> None:
        """Run the program between fences, and hold it against the second opinion."""
        graph = parse_graph(
            f"fn({', '.join(self.inputs)}) {{ {' '.join(self.body)} return {', '.join(self.outputs)} }}"
        )
        names = [text.split(":")[0] for text in self.inputs]
        for seed, odd in enumerate((0, 8)):
            rng, fences = np.random.default_rng(seed), Fences(odd)
            args = [
                elements(rng, node.array_type, exact=True, below=self.bounds.get(name))
                for name, node in zip(names, graph.inputs, strict=True)
            ]
            results = run_in(_native(graph), args, fences.room)
            assert not judge(results, opinions(graph, args))
            assert not fences.broken()


def _native(graph: Graph) -> NativeProgram:
    return NativeProgram(graph, cache=NO_CACHE)


@pytest.mark.parametrize("dtype", ["i32", "i64", "f32", "f64", "bool"])
def test_rows_are_added_where_indices_say(dtype: str):
    case = _Case(dtype)
    for n, tail in enumerate(TRAILING):
        places = PLACES[n % len(PLACES)]
        into = (*LENGTHS[: len(places)], *tail)
        rows = (*np.broadcast_shapes(*places), *tail)
        x, at = case.input(f"x{n}", into), case.indices(n, places)
        if n % 2 and dtype != "bool":  # what is added to is read by the updates, and may be overwritten
            x = case.put(f"y{n}", into, f"negative({x})")
        plain = case.input(f"u{n}", rows)
        one = case.input(f"v{n}", [size if k % 2 else 1 for k, size in enumerate(rows)])
        wide = case.put(f"w{n}", rows, f"broadcast({one}, shape={list(rows)})")
        seen = case.put(f"g{n}", rows, f"gather({x}, {at})")
        both = case.put(
            f"m{n}",
            rows,
            f"{'where' if dtype == 'bool' else 'multiply'}"
            f"({f'{plain}, ' if dtype == 'bool' else ''}{seen}, {wide})",
        )
        for k, updates in enumerate((plain, wide, both)):
            case.put(f"a{n}_{k}", into, f"scatter_add({x}, {updates}, {at})", out=True)
    case.check()


# Shapes and the axis along which numbers are added up, the last one among them.
_RUNS = [((4, *tail), 0) for tail in TRAILING if tail] + [((2, 5, n), 1) for n in (1, 3, 8, 17)]
_RUNS += [((3, 2, 4, 7), 1), ((1, 16), 0), ((0, 9), 0), ((3, 5), 1), ((33,), 0)]


@pytest.mark.parametrize("dtype", ["i32", "i64", "f32", "f64"])
def test_sums_and_products_run_along_any_axis(dtype: str):
    case = _Case(dtype)
    for n, (shape, axis) in enumerate(_RUNS):
        x = case.input(f"x{n}", shape)
        one = case.input(f"v{n}", [size if k % 2 else 1 for k, size in enumerate(shape)])
        wide = case.put(f"w{n}", shape, f"broadcast({one}, shape={list(shape)})")
        both = case.put(f"m{n}", shape, f"multiply({x}, {wide})")
        for k, values in enumerate((x, wide, both)):
            name = "cumprod" if (n + k) % 4 == 3 else "cumsum"
            case.put(f"a{n}_{k}", shape, f"{name}({values}, axis={axis})", out=True)
    case.check()


@pytest.mark.parametrize("dtype", ["i32", "f32"])
def test_looked_up_rows_are_added_up_in_any_direction(dtype: str):
    case = _Case(dtype)
    for n, (tail, axes) in enumerate(
        (tail, axes) for tail in ((1,), (3,), (17,), (2, 33)) for axes in ((1,), (0,), (2,), (0, 2), (0, 1))
    ):
        rows = (5, 3, *tail)
        table, at = case.input(f"t{n}", (4, *tail)), case.input(f"i{n}", (5, 3), 4)
        weight = case.input(f"w{n}", (5, 3, *(1 for _ in tail)))
        seen = case.put(f"g{n}", rows, f"gather({table}, {at})")
        wide = case.put(f"b{n}", rows, f"broadcast({weight}, shape={list(rows)})")
        both = case.put(f"m{n}", rows, f"multiply({seen}, {wide})")
        left = [size for k, size in enumerate(rows) if k not in axes]
        for k, values in enumerate((seen, both)):
            name = "max" if n % 3 == 2 else "sum"
            case.put(f"s{n}_{k}", left, f"{name}({values}, axes={list(axes)})", out=True)
    case.check()


@pytest.mark.parametrize("tail", [1, 7, 16, 17])
def test_a_row_that_is_not_there_is_an_error(tail: int):
    graph = parse_graph(
        f"fn(x: f32[5,{tail}], u: f32[3,{tail}], i: i32[3]) {{ a: f32[5,{tail}] = scatter_add(x, u, i) "
        f"g: f32[3,{tail}] = gather(x, i)  s: f32[{tail}] = sum(g, axes=[0]) return a, s }}"
    )
    program = _native(graph)
    x, u = np.ones((5, tail), np.float32), np.ones((3, tail), np.float32)
    for wrong in (5, -6, 2**31 - 1, -(2**31)):
        for place in range(3):
            at = np.array([4, -5, 0], np.int32)
            at[place] = wrong
            with pytest.raises(IndexError):
                program(x, u, at)
    at = np.array([4, -5, 4], np.int32)
    assert not judge(program(x, u, at), opinions(graph, [x, u, at]))


def _splines(table: Any, weight: Any, steps: Any, at: Any, row: Any) -> Any:
    """Return a sum over rows looked up in running sums, as a spline of columns has it."""
    heights = np.cumsum(steps, axis=0)
    found = np.sum(table[at] * weight[:, :, None], axis=1) + np.sum(heights[at], axis=1) * row
    return np.sum(np.tanh(found) ** 2)


@pytest.mark.parametrize("width", [1, 5, 16, 17])
def test_derivatives_of_rows_agree_with_the_reference(width: int):
    rng = np.random.default_rng(width)
    at = rng.integers(-4, 4, (6, 3))
    args = [rng.standard_normal(shape) / 2 for shape in ((4, width), (6, 3), (4, width))]
    row = rng.standard_normal(width)

    gradient: Any = mc.grad(_splines, argnums=(0, 1, 2))

    def slopes(*given: Any) -> Any:
        return gradient(*given, at, row)

    def bent(*given: Any) -> Any:
        along = [g * direction for g, direction in zip(slopes(*given), args, strict=True)]
        return sum(np.sum(part) for part in along)

    both = graph_of(lambda *given: (slopes(*given), mc.grad(bent, argnums=(0, 1, 2))(*given)), *args)
    assert {"scatter_add", "cumsum", "gather"} <= {node.op.name for node in both.nodes}
    for found, right in zip(_native(both)(*args), ReferenceProgram(both)(*args), strict=True):
        # Other orders of some dozen float64 terms of size 1, whose derivatives stay below 100.
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12)
