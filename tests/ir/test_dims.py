"""Symbolic dimensions: what they answer, what shapes make of them, and what a graph of them means."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.errors import DataError, MinicolumnError, ShapeError, TraceError
from minicolumn.ir.draw import to_dot
from minicolumn.ir.graph import Graph, Node, const_node, input_node
from minicolumn.ir.interpret import interpret
from minicolumn.ir.op import OPS
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import (
    DTYPES,
    RESERVED,
    ArrayType,
    Dim,
    broadcast_shapes,
    drop_axes,
    ones_at,
    same_size,
)
from minicolumn.ir.specialize import at_lengths, lengths_of
from minicolumn.ir.svg import to_svg
from minicolumn.ir.text import WORDS, print_graph
from minicolumn.ir.verify import verify

ROWS, STEPS = Dim("rows"), Dim("steps")
F32 = DTYPES["f32"]
TEXT = (Path(__file__).parent / "golden" / "dims.txt").read_text(encoding="utf-8")


def test_a_dimension_is_its_name() -> None:
    assert ROWS == Dim("rows") != STEPS
    assert len({ROWS, Dim("rows"), STEPS}) == 2
    assert (str(ROWS), repr(ROWS), f"{ROWS:,}") == ("rows",) * 3
    assert ROWS not in (0, 1, "rows", None)


@pytest.mark.parametrize("name", [*sorted(RESERVED), "", "2x", "a b", "a.b", "a-b", 3, None])
def test_names_that_the_text_form_could_not_tell_are_refused(name: Any) -> None:
    with pytest.raises(DataError, match="cannot name a dimension"):
        Dim(name)
    assert {*WORDS, *DTYPES} < RESERVED


BINARY = (
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, pow),
    *(divmod, operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift),
    *(operator.lt, operator.le, operator.gt, operator.ge, operator.matmul),
)
UNARY: tuple[Callable[[Any], Any], ...] = (
    *(int, float, bool, abs, round, range, operator.neg, operator.pos, operator.invert, operator.index),
    *(np.asarray, np.float32, np.arange, lambda n: [1, 2][n], lambda n: np.ones(3)[n]),
    *(lambda n: np.ones(3) * n, lambda n: np.float32(1) / n, lambda n: np.zeros((n, 4)), lambda n: min(n, 3)),
)


@pytest.mark.parametrize("f", [*BINARY, *(lambda a, b, f=f: f(b, a) for f in BINARY)])
def test_a_dimension_is_no_number_beside_another(f: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(
        TraceError, match="the length 'rows' is not known while tracing; hand it over as an arg"
    ):
        f(ROWS, 2)


@pytest.mark.parametrize("f", UNARY)
def test_a_dimension_is_no_number_alone(f: Callable[[Any], Any]) -> None:
    with pytest.raises(
        TraceError, match="the length 'rows' is not known while tracing; hand it over as an arg"
    ):
        f(ROWS)


def test_shapes_of_dimensions() -> None:
    assert broadcast_shapes((ROWS, 4), (4,), (1, 1), ()) == (ROWS, 4)
    assert broadcast_shapes((ROWS, 1), (STEPS,)) == (ROWS, STEPS)
    assert broadcast_shapes((1,), (ROWS,)) == broadcast_shapes((ROWS,), (ROWS,)) == (ROWS,)
    for other in (STEPS, 2, 0):
        with pytest.raises(ShapeError, match="do not broadcast together"):
            broadcast_shapes((ROWS,), (other,))
    assert drop_axes((ROWS, 4), (0,)) == (4,)
    assert ones_at((ROWS, 4), (1,)) == (ROWS, 1)
    type = ArrayType(F32, (STEPS, ROWS, 4, ROWS))
    assert (str(type), type.dims) == ("f32[steps,rows,4,rows]", (STEPS, ROWS))
    with pytest.raises(TraceError, match="'rows'"):
        _ = ArrayType(F32, (ROWS, 4)).size


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((ROWS, 4), (2, ROWS, 2), True),
        ((ROWS, STEPS), (STEPS, ROWS), True),
        ((ROWS, ROWS), (ROWS,), False),
        ((ROWS, 4), (ROWS, 5), False),
        ((ROWS, 4), (STEPS, 4), False),
        ((ROWS,), (12,), False),
        ((ROWS, 0), (0,), True),
    ],
)
def test_reshapes_keep_the_number_of_elements_whatever_it_is(one: Any, other: Any, same: bool) -> None:
    assert same_size(one, other) is same_size(other, one) is same
    x = input_node(ArrayType(F32, one))
    if same:
        assert OPS["reshape"].infer(x.type, shape=other) == ArrayType(F32, other)
    else:
        with pytest.raises(ShapeError, match="cannot reshape"):
            OPS["reshape"].infer(x.type, shape=other)


@given(st.lists(st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3).map(tuple), max_size=3))
def test_shapes_of_numbers_broadcast_as_numpys_do(shapes: list[tuple[int, ...]]) -> None:
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ShapeError):
            broadcast_shapes(*shapes)
    else:
        assert broadcast_shapes(*shapes) == expected


@pytest.mark.parametrize(
    ("name", "shape", "attrs", "expected"),
    [
        ("slice", (ROWS, 4), {"start": (0, 1), "stop": (ROWS, 3), "step": (1, 1)}, (ROWS, 2)),
        ("slice", (ROWS, 4), {"start": (0, 1), "stop": (2, 3), "step": (1, 1)}, None),
        ("slice", (ROWS, 4), {"start": (1, 1), "stop": (ROWS, 3), "step": (1, 1)}, None),
        ("slice", (4,), {"start": (0,), "stop": (ROWS,), "step": (1,)}, None),
        ("pad", (ROWS, 4), {"low": (0, 1), "high": (0, 0), "gap": (0, 1)}, (ROWS, 8)),
        ("pad", (ROWS, 4), {"low": (1, 0), "high": (0, 0), "gap": (0, 0)}, None),
        ("flip", (ROWS, 4), {"axes": (0,)}, (ROWS, 4)),
        ("sum", (ROWS, 4), {"axes": (0,)}, (4,)),
        ("max", (ROWS, 4), {"axes": (0, 1)}, ()),
        ("cumsum", (ROWS, 4), {"axis": 0}, (ROWS, 4)),
    ],
)
def test_types_of_operations_on_them(name: str, shape: Any, attrs: Any, expected: Any) -> None:
    infer = lambda: OPS[name].infer(ArrayType(F32, shape), **attrs)  # noqa: E731
    if expected is None:
        with pytest.raises((ShapeError, TraceError), match="rows"):
            infer()
    else:
        assert infer() == ArrayType(F32, expected)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fn(x: f32[rows]) { y: f32[rows] = flip(x, axes=[row]) return y }", "did you mean 'rows'"),
        ("fn(x: f32[rows]) { y: f32[row] = exp(x) return y }", r"exp gives f32\[rows\]"),
        ("fn(x: f32[nan]) { return x }", "line 1: 'nan' cannot name a dimension"),
        ("fn(x: f32[rows]) { y: f32[rows] = reshape(x, shape=rows) return y }", "reshape does not take"),
        ("fn(x: f32[rows]) { y: f32[2] = const([rows, rows]) return y }", "rows is no element of"),
        ("fn(x: f32[rows]) { y: f32[rows] = const([1.0]) return y }", "'rows' is not known"),
    ],
)
def test_texts_that_name_no_dimension_there_is(text: str, problem: str) -> None:
    with pytest.raises((TraceError, ShapeError), match=problem):
        parse_graph(text)


def test_a_dimension_that_no_input_has_is_refused_by_the_verifier() -> None:
    x = input_node(ArrayType(F32, (ROWS,)))
    one = const_node(np.array(1, np.float32))
    wide = Node(OPS["broadcast"], (one,), {"shape": (STEPS,)}, ArrayType(F32, (STEPS,)))
    verify(Graph((x,), (x,)))
    with pytest.raises(ShapeError, match="no input of the graph has the dimension steps"):
        verify(Graph((x,), (wide,)))


def _arrays(rows: int, epochs: int, steps: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(rows + 10 * epochs + 100 * steps)
    order = rng.integers(0, rows, (epochs, steps, 8)).astype(np.int32)
    return np.float32(rng.random()), rng.random((rows, 4), np.float32), order


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 3))
def test_a_graph_means_at_some_lengths_what_it_means_with_these_numbers(r: int, e: int, s: int) -> None:
    graph, args = parse_graph(TEXT), _arrays(r, e, s)
    lengths = lengths_of(graph, args)
    assert lengths == {Dim("rows"): r, Dim("epochs"): e, Dim("steps"): s}
    known = at_lengths(graph, lengths)
    verify(known)
    assert not any(n.type.dims for n in known.nodes if isinstance(n.type, ArrayType))
    assert print_graph(parse_graph(print_graph(known, None)), None) == print_graph(known, None)
    state, losses, product, halves = interpret(graph)(*args)
    for found, expected in zip((state, losses, product, halves), interpret(known)(*args), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert losses.shape == (e, s)
    picked = args[1][args[2]].sum(axis=(2, 3), dtype=np.float64)
    # Sums of up to 32 numbers below 1, and of 9 of these, in float32: a few ulp of 32.
    np.testing.assert_allclose(losses, picked, atol=1e-5)
    np.testing.assert_allclose(halves.reshape(r, 4), args[1] + state, atol=1e-5)


def test_arrays_that_do_not_fit_are_told_in_one_line() -> None:
    graph = parse_graph("fn(x: f32[rows,2], y: f32[rows]) { return x, y }")
    with pytest.raises(ShapeError, match=r"of shape \[rows\], rows = 3, got \[4\]"):
        interpret(graph)(np.ones((3, 2)), np.ones(4))
    with pytest.raises(ShapeError, match=r"expected an array of shape \[rows, 2\], rows = 3, got \[3\]"):
        interpret(graph)(np.ones(3), np.ones(3))


def test_drawings_name_them() -> None:
    graph = parse_graph(TEXT)
    assert "f32[rows,4]" in to_dot(graph)
    assert "f32[rows,4]" in to_svg(graph)


@pytest.mark.parametrize("name", sorted({*OPS} - {"input", "const", "scan", "item"}))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_type_rules_say_of_a_dimension_what_they_say_of_its_length(name: str, data: Any, graphs: Any) -> None:
    """A rule may refuse what depends on the length; what it accepts must hold for the length itself."""
    operands, attrs = data.draw(graphs.applications(name))
    types = [operand.type for operand in operands]
    lengths = {n for type in types for n in type.shape}
    if not lengths:
        return
    length = data.draw(st.sampled_from(sorted(lengths)))
    named = lambda shape: tuple(ROWS if n == length else n for n in shape)  # noqa: E731
    sized = {k: named(v) if k in ("shape", "stop") else v for k, v in attrs.items()}
    for given_attrs in (attrs, sized):
        try:
            found = OPS[name].infer(*(t.with_shape(named(t.shape)) for t in types), **given_attrs)
        except MinicolumnError:
            continue
        assert isinstance(found, ArrayType)
        known = found.with_shape(length if n == ROWS else n for n in found.shape)
        assert known == OPS[name].infer(*types, **attrs)
