"""The text form: what is printed is read back, and what cannot be read says why."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.errors import MinicolumnError, ShapeError, TraceError
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, const_node, input_node
from minicolumn.ir.interpret import interpret
from minicolumn.ir.op import OPS
from minicolumn.ir.parse import MAX_DEPTH, parse_graph
from minicolumn.ir.shapes import DTYPES, ArrayType
from minicolumn.ir.text import attr_names, legal_name, node_names, print_graph
from minicolumn.ir.verify import verify

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.txt"))
F32 = DTYPES["f32"]


def same_bits(x: np.ndarray, y: np.ndarray) -> bool:
    """Return whether arrays agree in every bit, except in what a NaN carries."""
    x, y = np.asarray(x), np.asarray(y)
    nans = np.isnan(x) & np.isnan(y) if x.dtype.kind == "f" else np.zeros(x.shape, bool)
    plain = [np.where(nans, 0, a).astype(x.dtype).tobytes() for a in (x, y)]
    return x.dtype == y.dtype and x.shape == y.shape and plain[0] == plain[1]


def same_graph(a: Graph, b: Graph) -> bool:
    """Return whether graphs agree node by node; the names of inputs are only their text's."""
    return (
        len(a.nodes) == len(b.nodes)
        and all(_same_node(x, y, a, b) for x, y in zip(a.nodes, b.nodes, strict=True))
        and [a.nodes.index(n) for n in a.inputs] == [b.nodes.index(n) for n in b.inputs]
        and [a.nodes.index(n) for n in a.outputs] == [b.nodes.index(n) for n in b.outputs]
    )


def _same_node(x: Node, y: Node, a: Graph, b: Graph) -> bool:
    places = [a.nodes.index(i) for i in x.inputs], [b.nodes.index(i) for i in y.inputs]
    same = (x.op, x.type, x.where) == (y.op, y.type, y.where) and places[0] == places[1]
    return same and (x.op is INPUT or (x.attrs.keys() == y.attrs.keys() and _same_attrs(x, y)))


def _same_attrs(x: Node, y: Node) -> bool:
    if x.op is CONST:
        return same_bits(x.attrs["value"], y.attrs["value"])
    pairs = [(value, y.attrs[name]) for name, value in x.attrs.items()]
    return all(
        same_graph(v, w) if isinstance(v, Graph) else (v == w and type(v) is type(w)) for v, w in pairs
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_printed_graphs_are_read_back(graphs: ModuleType, data: st.DataObject) -> None:
    graph = data.draw(graphs.random_graphs())
    text = print_graph(graph, constants=None)
    again = parse_graph(text)
    assert print_graph(again, constants=None) == text
    assert same_graph(graph, again)
    args = graphs.arguments(graph, 0)
    with np.errstate(all="ignore"):
        pairs = zip(interpret(graph)(*args), interpret(again)(*args), strict=True)
        assert all(same_bits(x, y) for x, y in pairs)


@given(st.lists(st.floats(width=32), max_size=8), st.lists(st.floats(), max_size=8))
def test_floats_survive_bit_for_bit(narrow: list[float], wide: list[float]) -> None:
    nodes = const_node(np.array(narrow, np.float32)), const_node(np.array(wide, np.float64))
    again = parse_graph(print_graph(Graph((), nodes), constants=None)).outputs
    assert all(same_bits(n.attrs["value"], m.attrs["value"]) for n, m in zip(nodes, again, strict=True))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_texts_stay_as_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    graph = parse_graph(text)
    verify(graph)
    assert print_graph(graph) + "\n" == text


def test_there_are_golden_texts() -> None:
    assert {"two_layers", "loop", "constants", "every_kind"} <= {path.stem for path in GOLDEN}


def test_golden_texts_show_every_kind_of_operation() -> None:
    shown = {n.op.kind for path in GOLDEN for n in parse_graph(path.read_text(encoding="utf-8")).nodes}
    assert shown == {op.kind for op in OPS.values()}


@pytest.mark.parametrize("name", sorted(OPS))
def test_attributes_of_every_operation_are_named_in_its_type_rule(name: str) -> None:
    # print_graph orders attributes by these names, and the parser refuses all others.
    assert all(attr.isidentifier() for attr in attr_names(OPS[name]))


def test_large_constants_are_elided_for_readers_and_say_how_to_get_them() -> None:
    graph = Graph((), (const_node(np.arange(9.0)),))
    assert "const(<f64 array, 9 elements, sha256 " in print_graph(graph)
    assert "elements" not in print_graph(graph, constants=9)
    with pytest.raises(TraceError, match=r"line 2: .* was left out; print_graph\(graph, constants=None\)"):
        parse_graph(print_graph(graph))


def test_elided_constants_that_differ_print_differently() -> None:
    texts = {print_graph(Graph((), (const_node(np.arange(9.0) + i),))) for i in range(2)}
    assert len(texts) == 2


@given(st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=5))
def test_inputs_get_names_that_can_be_read(given_names: list[str | None]) -> None:
    graph = Graph(tuple(input_node(ArrayType(F32, ()), name) for name in given_names), ())
    names = [node_names(graph)[node] for node in graph.inputs]
    assert len(set(names)) == len(given_names)
    assert [i.attrs["name"] for i in parse_graph(print_graph(graph)).inputs] == names


@given(st.text(max_size=8))
def test_legal_names_stay_as_they_are(given_name: str) -> None:
    assert legal_name(legal_name(given_name)) == legal_name(given_name)


def test_a_long_chain_needs_no_recursion() -> None:
    node = x = input_node(ArrayType(F32, (2,)), "x")
    for _ in range(5_000):
        node = Node(OPS["negative"], (node,), {}, node.type)
    graph = Graph((x,), (node,))
    verify(graph)
    assert print_graph(parse_graph(print_graph(graph))) == print_graph(graph)


def test_lines_that_no_output_reads_are_checked_and_dropped() -> None:
    assert len(parse_graph("fn(x: f32[]) { a: f32[] = exp(x) return x }").nodes) == 1
    with pytest.raises(ShapeError, match=r"f32\[\].*f32\[2\]"):
        parse_graph("fn(x: f32[]) { a: f32[2] = exp(x) return x }")


def _sum(arguments: str) -> str:
    return f"fn(x: f32[2]) {{ a: f32[] = sum({arguments}) return a }}"


def _const(type: str, value: str) -> str:
    return f"fn() {{ a: {type} = const({value}) return a }}"


# By text: what the message must hold, beside the number of the line.
REFUSED = {
    "": ["the end of the text"],
    "fn(x: f33[]) { return x }": ["'f33'", "did you mean 'f32'?"],
    "fn(x: f32[-1]) { return x }": ["length of an axis", "'-1'"],
    "fn(x: f32[]) { return y }": ["'y' is not defined"],
    "fn(rate: f32[]) { return rat }": ["'rat' is not defined", "did you mean 'rate'?"],
    "fn(x: f32[], x: f32[]) { return x }": ["'x'", "twice"],
    "fn(inf: f32[]) { return inf }": ["'inf'"],
    "fn(x: f32[]) { a: f32[] = logistik(x) }": ["operation 'logistik'", "did you mean 'logistic'?"],
    "fn() { a: f32[] = input() return a }": ["inputs stand between the parentheses"],
    "fn() { return } fn": ["the end of the text", "'fn'"],
    "fn() { ; }": ["';'"],
    _sum("x, axes=[]"): ["sum", "f32[2]", "f32[]"],
    _sum("x, axs=[0]"): ["sum", "'axs'", "did you mean 'axes'?"],
    _sum("x, axes=[0], axes=[0]"): ["'axes'", "twice"],
    _sum("axes=[0], x"): ["operands", "before attributes", "'x'"],
    _sum("x, axes=[0], dtype=f46"): ["'f46'", "did you mean 'f64'?"],
    _const("f32[3]", "[1.0, 2.0]"): ["shape [2]", "f32[3]"],
    _const("i32[1]", "[1.5]"): ["1.5", "i32[1]"],
    _const("bool[1]", "[1]"): ["1 ", "bool[1]"],
    _const("f32[2,2]", "[[1.0], 2.0]"): ["lists", "length"],
    _const("i64[]", "9" * 50): ["40 digits"],
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_read_says_where_and_why(text: str) -> None:
    with pytest.raises(MinicolumnError) as caught:
        parse_graph(text)
    message = str(caught.value)
    assert message.startswith("line 1: ")
    assert [words for words in REFUSED[text] if words not in message] == []
    assert "\n" not in message


@pytest.mark.parametrize(
    "line", ["a: f32[2] = exp(x)", "a: f32[] = expp(x)", "return y", "a: f32[] = exp(y)", ";"]
)
@pytest.mark.parametrize("before", [0, 1, 5])
def test_errors_name_the_line(line: str, before: int) -> None:
    with pytest.raises(MinicolumnError, match=f"^line {before + 2}: "):
        parse_graph("fn(x: f32[]) {\n" + "# a comment\n" * before + f"  {line}\n  return x\n}}")


@pytest.mark.parametrize(
    "text", ["fn() { a: f32[] = const(1e300) return a }", "fn() { a: u32[] = const(-1) return a }"]
)
def test_constants_that_their_dtype_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(ShapeError, match=r"line 1: the constant is no"):
        parse_graph(text)


def test_nesting_is_bounded() -> None:
    deep = "[" * 9999 + "]" * 9999
    with pytest.raises(TraceError, match=f"at most {MAX_DEPTH} deep"):
        parse_graph(f"fn() {{ a: f32[] = const({deep}) return a }}")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_text_is_read_or_refused_but_never_crashes(graphs: ModuleType, data: st.DataObject) -> None:
    text = print_graph(data.draw(graphs.random_graphs(most=4)), constants=None)
    at = data.draw(st.integers(0, len(text)))
    damage = data.draw(
        st.sampled_from(["", "x", "0", "-", "[", "]", ")", ",", "\n", "#", '"', "<", "nan", "return"])
    )
    message = _refusal(text[:at] + damage + text[at + data.draw(st.integers(0, 3)) :])
    assert message is None or (message.startswith("line ") and "\n" not in message)


def _refusal(text: str) -> str | None:
    try:
        parse_graph(text)
    except MinicolumnError as error:
        return str(error)
    return None
