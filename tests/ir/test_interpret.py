"""The interpreter: what operations do is a table's to say, in loops too."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.interpret import Function, Table, interpret, run_loop
from minicolumn.ir.parse import parse_graph
from minicolumn.lower.compile import graph_of, graph_with_dims


class Counting(Table):
    """A backend that counts what it does."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    def operation(self, node: Node) -> Function:
        def counted(*operands: Any) -> Any:
            self.done[node.op.name] += 1
            return node.op.numpy(*operands, **node.attrs)

        return counted


class Written(Table):
    """A backend whose values are formulas; a loop is written iteration by iteration."""

    def constant(self, node: Node) -> str:
        return str(node.attrs["value"])

    def operation(self, node: Node) -> Function:
        return lambda *operands: f"{node.op.name}({', '.join(operands)})"


def test_a_backend_in_ten_lines_counts_operations() -> None:
    def total(x: Any, rows: Any) -> Any:
        return mc.scan(lambda s, row: (np.tanh(s * row), s), x, rows)[0] + np.exp(x)

    table, x, rows = Counting(), np.ones(3), np.ones((5, 3))
    graph = graph_of(total, x, rows)
    (found,) = interpret(graph, table)(x, rows)
    assert table.done == {"multiply": 5, "tanh": 5, "item": 1, "exp": 1, "add": 1}
    np.testing.assert_array_equal(found, total(x, rows))


def test_values_need_not_be_arrays() -> None:
    graph = parse_graph(
        "fn(x: f32[], y: f32[]) { a: f32[] = multiply(x, y)  c: f32[] = const(2.0) "
        "b: f32[] = add(a, c)  d: f32[] = add(b, a) return d, x }"
    )
    found = interpret(graph, Written())("x", "y")
    assert found == ["add(add(multiply(x, y), 2.0), multiply(x, y))", "x"]


@pytest.mark.parametrize("reverse", [False, True])
def test_turns_are_taken_in_order_and_stacked_by_number(reverse: bool) -> None:
    seen: list[int] = []
    body = parse_graph("step(c: i32[], s: i32[], x: i32[]) { a: i32[] = add(s, x) return a, s }")
    attrs = {"body": body, "consts": 1, "carry": 1, "length": 4, "reverse": reverse}

    def iteration(c: Any, s: Any, x: Any) -> list[Any]:
        seen.append(int(x))
        return [s * c + x, s]

    last, states = run_loop(iteration, attrs, np.int32(10), np.int32(0), np.arange(1, 5, dtype=np.int32))
    order = [4, 3, 2, 1] if reverse else [1, 2, 3, 4]
    assert seen == order
    assert last == int("".join(map(str, order)))
    assert states[:: -1 if reverse else 1].tolist() == [0, order[0], order[0] * 10 + order[1], last // 10]


def test_a_loop_has_as_many_turns_as_there_are_rows() -> None:
    total = lambda rows: mc.scan(lambda s, row: (s + row, row), 0.0, rows)[0]  # noqa: E731
    run = interpret(graph_with_dims(total, {0: "rows"}, np.ones(3)))
    assert [run(np.ones(n))[0] for n in (7, 0, 1, 7)] == [7, 0, 1, 7]


def test_arguments_pass_through_what_a_table_takes_them_for() -> None:
    class Doubled(Table):
        argument = staticmethod(lambda value: 2 * value)

    (x,) = (graph := graph_of(lambda x: x + 1.0, 3.0)).inputs
    assert interpret(graph, Doubled())(3.0) == [7.0]
    assert interpret(Graph((x,), (x,)), Doubled())(3.0) == [6.0]
