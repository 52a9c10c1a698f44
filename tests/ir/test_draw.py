"""Drawings: complete, escaped, and laid out so that they can be read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.ir.draw import COLOURS, to_dot
from minicolumn.ir.graph import Graph, Node, input_node
from minicolumn.ir.layout import GAP, LANE, arrange
from minicolumn.ir.op import OPS, Kind
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import DTYPES, ArrayType
from minicolumn.ir.svg import to_svg

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
QUOTED = r'"(?:[^"\\]|\\.)*"'


def nodes_with_bodies(graph: Graph) -> list[Node]:
    bodies = [v for n in graph.nodes for v in n.attrs.values() if isinstance(v, Graph)]
    return graph.nodes + [node for body in bodies for node in nodes_with_bodies(body)]


def test_every_kind_has_a_colour() -> None:
    assert set(COLOURS) == set(get_args(Kind))


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_dot_holds_every_node_and_every_operand(graphs: ModuleType, data: st.DataObject) -> None:
    graph = data.draw(graphs.random_graphs())
    head, style, *lines, last = to_dot(graph).splitlines()
    assert (head, last) == ('digraph "fn" {', "}")
    attrs = rf" \[(?:\w+={QUOTED} ?)*\]"
    assert sum(bool(re.fullmatch(rf"  n\d+{attrs}", line)) for line in lines) == len(graph.nodes)
    reads = sum(len(node.inputs) for node in graph.nodes)
    assert sum(bool(re.fullmatch(r"  n\d+ -> n\d+", line)) for line in lines) == reads
    assert len(lines) == len(graph.nodes) + reads
    assert "fontname" in style


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_svg_holds_every_node_and_says_what_it_is(graphs: ModuleType, data: st.DataObject) -> None:
    graph = data.draw(graphs.random_graphs())
    picture = to_svg(graph)
    titles = [title.text or "" for title in ET.fromstring(picture).iter(f"{SVG}title")][1:]
    nodes = nodes_with_bodies(graph)
    assert len(titles) == len(nodes)
    for node in nodes:
        assert any(f": {node.type} = {node.op.name}(" in title for title in titles)
    assert to_svg(graph) == picture


@pytest.mark.parametrize("name", ["</svg><script>", "a & b", '"', "\x00\x1b\ud800", "가중치"])
def test_text_from_outside_is_escaped(name: str) -> None:
    x = input_node(ArrayType(DTYPES["f32"], (2,)), name)
    graph = Graph((x,), (Node(OPS["exp"], (x,), {}, x.type, f"{name}.py:1"),), name)
    root = ET.fromstring(to_svg(graph).encode())
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "style", "defs", "marker", "path", "rect", "text", "g"}
    assert re.sub(QUOTED, "", to_dot(graph)).count('"') == 0


def _widest_box(name: str) -> float:
    """Return the width of the widest box in the picture of a graph with one input of this name."""
    x = input_node(ArrayType(DTYPES["f32"], (2,)), name)
    root = ET.fromstring(to_svg(Graph((x,), (x,))))
    view = float(root.attrib["viewBox"].split()[2])
    inside = [float(rect.attrib["width"]) for rect in root.iter(f"{SVG}rect")]
    return max(width for width in inside if width < view)


def test_boxes_are_as_wide_as_what_is_written_in_them() -> None:
    # Letters of the font take some 7 units; those of East Asian scripts twice as much.
    assert _widest_box("x" * 20) > 20 * 6
    assert _widest_box("x" * 24) > _widest_box("x" * 20)
    assert _widest_box("가" * 10) == pytest.approx(_widest_box("x" * 20))


def test_the_picture_needs_nothing_else() -> None:
    picture = to_svg(parse_graph((GOLDEN / "every_kind.txt").read_text()))
    assert re.findall(r"href|url\((?!#)|@import|http(?!://www\.w3\.org/2000/svg)", picture) == []


def test_bodies_of_loops_are_drawn_beneath() -> None:
    picture = to_svg(parse_graph((GOLDEN / "loop.txt").read_text()))
    assert "momentum / a · step" in picture
    assert "10 nodes · 3 inputs · 3 outputs" in picture


def test_an_empty_graph_has_a_picture() -> None:
    root = ET.fromstring(to_svg(Graph((), ())))
    assert root.tag == f"{SVG}svg"
    assert "0 nodes" in "".join(root.itertext())


@st.composite
def diagrams(draw: st.DrawFn) -> tuple[list[float], list[tuple[int, int]]]:
    widths = draw(st.lists(st.floats(20, 200), min_size=1, max_size=25))
    ends = st.tuples(st.integers(0, len(widths) - 1), st.integers(0, len(widths) - 1))
    return widths, [(min(p), max(p)) for p in draw(st.lists(ends, max_size=50)) if p[0] != p[1]]


@settings(deadline=None)
@given(diagrams())
def test_edges_run_downward_and_nothing_overlaps(diagram: tuple[list[float], list[tuple[int, int]]]) -> None:
    widths, edges = diagram
    layout = arrange(widths, edges)
    assert set(layout.routes) == set(edges)
    for (u, v), route in layout.routes.items():
        assert [layer for layer, _ in route] == list(range(layout.layers[u] + 1, layout.layers[v]))
        assert layout.layers[u] < layout.layers[v]
    lanes = {place for route in layout.routes.values() for place in route}
    boxes = list(zip(layout.layers, layout.centres, widths, strict=True))
    for layer in range(layout.depth):
        row = sorted(
            [(c, w) for at, c, w in boxes if at == layer] + [(c, LANE) for at, c in lanes if at == layer]
        )
        # Nothing is nearer than the gap; 1e-3 pixels are rounding.
        assert all(d - c >= (w + v) / 2 + GAP - 1e-3 for (c, w), (d, v) in pairwise(row))
        assert all(c - w / 2 >= -1e-3 and c + w / 2 <= layout.width + 1e-3 for c, w in row)


def test_crossings_that_can_be_avoided_are() -> None:
    layout = arrange([40.0] * 6, [(0, 5), (1, 4), (2, 3)])
    places = sorted(range(6), key=lambda i: layout.centres[i])
    order = {i: places.index(i) for i in range(6)}
    assert [order[0] < order[1], order[1] < order[2]] == [order[5] < order[4], order[4] < order[3]]


def test_what_feeds_a_later_step_stands_right_above_it() -> None:
    assert arrange([40.0] * 5, [(0, 1), (1, 2), (2, 4), (3, 4)]).layers == [0, 1, 2, 2, 3]


def test_a_chain_is_drawn_upright() -> None:
    layout = arrange([40.0, 90.0, 60.0, 120.0, 40.0], [(i, i + 1) for i in range(4)])
    assert max(layout.centres) - min(layout.centres) < 1e-6
