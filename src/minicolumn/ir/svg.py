"""Graphs as SVG pictures: one file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

from minicolumn.ir.draw import COLOURS, caption, tooltip
from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.layout import GAP, Layout, arrange
from minicolumn.ir.text import node_names

BOX, ROW, MARGIN, HEAD = 42.0, 74.0, 28.0, 54.0
SANS = "system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,DejaVu Sans Mono,Consolas,monospace"
STYLE = f"""
text{{font-family:{SANS};fill:#212529;text-anchor:middle}}
.op{{font-size:13px;font-weight:600}}
.type{{font-family:{MONO};font-size:11px;fill:#495057}}
.name{{font-family:{MONO};font-size:10px;fill:#868e96;text-anchor:start}}
.title{{font-size:15px;font-weight:700;text-anchor:start}}
.note{{font-size:11px;fill:#868e96;text-anchor:start}}
.edge{{fill:none;stroke:#adb5bd;stroke-width:1.4}}
.out{{font-size:10px;font-weight:700;fill:#fff}}
"""


@dataclass(frozen=True)
class _Panel:
    """A drawn graph and the room it takes."""

    marks: list[str]
    width: float
    height: float


def to_svg(graph: Graph) -> str:
    """Return a picture of a graph: operands above their readers, coloured by kind, loop bodies beneath.

    Pointing at a box shows its line of text and where it was written.

    >>> from minicolumn.ir.parse import parse_graph
    >>> to_svg(parse_graph("fn(x: f32[3]) { y: f32[3] = exp(x) return y }"))[:4]
    '<svg'
    """
    panels = [_panel(g, title) for g, title in _with_bodies(graph)]
    legend = _legend(graph)
    width = max([legend.width, *(p.width for p in panels)])
    placed, top = [], 0.0
    for panel in [*panels, legend]:
        marks = "\n".join(panel.marks)
        placed.append(f'<g transform="translate({_n((width - panel.width) / 2)},{_n(top)})">\n{marks}\n</g>')
        top += panel.height
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(top)}" '
        f'viewBox="0 0 {_n(width)} {_n(top)}" role="img">'
    )
    arrow = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
    )
    tip = f'<defs>{arrow}<path d="M0 .8 7.5 4 0 7.2z" fill="#868e96"/></marker></defs>'
    ground = f'<rect width="{_n(width)}" height="{_n(top)}" rx="10" fill="#fff"/>'
    title = f"<title>{_text(graph.name)}</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", tip, ground, *placed, "</svg>\n"])


def _with_bodies(graph: Graph) -> list[tuple[Graph, str]]:
    """Return the graph and the bodies of its loops, outer ones first, each with its title."""
    found = [(graph, graph.name)]
    for current, title in found:
        names = node_names(current)
        for node in current.nodes:
            for value in node.attrs.values():
                if isinstance(value, Graph):
                    found.append((value, f"{title} / {names[node]} · {value.name}"))
    return found


# One graph --------------------------------------------------------------------------------------------------


def _panel(graph: Graph, title: str) -> _Panel:
    nodes, names = graph.nodes, node_names(graph)
    number = {node: i for i, node in enumerate(nodes)}
    widths = [_box_width(node, names) for node in nodes]
    layout = arrange(widths, [(number[operand], number[node]) for node in nodes for operand in node.inputs])
    edges = [_edge(layout, widths, u, v) for u, v in layout.routes]
    boxes = [_box(node, names, layout, i, widths[i], _places(graph, node)) for i, node in enumerate(nodes)]
    counts = " · ".join(map(_counted, (nodes, graph.inputs, graph.outputs), ("node", "input", "output")))
    head = [_label("title", MARGIN, 30, title), _label("note", MARGIN, 46, counts)]
    width = max(layout.width, _width(title, 9.0), _width(counts, 6.5)) + 2 * MARGIN
    shifted = [
        f'<g transform="translate({_n((width - layout.width) / 2)},{_n(HEAD + 14)})">',
        *edges,
        *boxes,
        "</g>",
    ]
    return _Panel(head + shifted, width, HEAD + 14 + layout.depth * ROW)


def _counted(things: Sequence[Node], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def _places(graph: Graph, node: Node) -> list[int]:
    return [i for i, output in enumerate(graph.outputs) if output is node]


def _box_width(node: Node, names: dict[Node, str]) -> float:
    what, type_ = caption(node, names)
    name = 0.0 if node.op is INPUT else _width(names[node], 6.2) + 8
    return max(_width(what, 7.6) + 2 * name, _width(type_, 6.8), 72.0) + 24


def _width(text: str, each: float) -> float:
    return each * sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def _box(node: Node, names: dict[Node, str], layout: Layout, i: int, width: float, outputs: list[int]) -> str:
    centre, top = layout.centres[i], layout.layers[i] * ROW
    left = centre - width / 2
    colour, (what, type_) = COLOURS[node.op.kind], caption(node, names)
    border = 2.6 if outputs else 1.3
    dashes = ' stroke-dasharray="4 3"' if node.op is CONST else ""
    radius = BOX / 2 if node.op in (INPUT, CONST) else 8
    fill = "#dfe3e8" if node.op is INPUT else colour.fill
    parts = [
        f"<g><title>{_text(tooltip(node, names))}</title>",
        f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(width)}" height="{_n(BOX)}" rx="{_n(radius)}" '
        f'fill="{fill}" stroke="{colour.border}" stroke-width="{border}"{dashes}/>',
        "" if node.op in (INPUT, CONST) else _label("name", left + 8, top + 15, names[node]),
        _label("op", centre, top + 18, what),
        _label("type", centre, top + 33, type_),
        _badge(left + width, top + BOX, outputs),
        "</g>",
    ]
    return "".join(parts)


def _badge(right: float, y: float, outputs: list[int]) -> str:
    if not outputs:
        return ""
    text = f"out {', '.join(map(str, outputs))}"
    width = _width(text, 5.6) + 14
    x = right - width / 2 + 4
    plate = f'<rect x="{_n(x - width / 2)}" y="{_n(y - 6)}" width="{_n(width)}"'
    return f'{plate} height="15" rx="7.5" fill="#343a40"/>' + _label("out", x, y + 5, text)


def _edge(layout: Layout, widths: list[float], u: int, v: int) -> str:
    """Return a curve from a box to its reader: upright where it passes a layer, bent between."""
    x, y = layout.centres[u], layout.layers[u] * ROW + BOX
    path = [f"M{_n(x)} {_n(y)}"]
    for layer, lane in layout.routes[u, v]:
        path += [_bend(x, y, lane, layer * ROW), f"V{_n(layer * ROW + BOX)}"]
        x, y = lane, layer * ROW + BOX
    end = _port(layout, widths, u, v)
    path.append(_bend(x, y, end, layout.layers[v] * ROW - 1))
    return f'<path class="edge" d="{"".join(path)}" marker-end="url(#tip)"/>'


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (y + to_y) / 2
    return f"C{_n(x)} {_n(middle)} {_n(to_x)} {_n(middle)} {_n(to_x)} {_n(to_y)}"


def _port(layout: Layout, widths: list[float], u: int, v: int) -> float:
    """Return where an edge meets its reader: edges come in from left to right, side by side."""
    routes = [(a, route) for (a, b), route in layout.routes.items() if b == v]
    lasts = sorted((route[-1][1] if route else layout.centres[a], a) for a, route in routes)
    place = [a for _, a in lasts].index(u)
    spread = min(widths[v] * 0.6, 20.0 * (len(lasts) - 1))
    return layout.centres[v] + (spread * (place / (len(lasts) - 1) - 0.5) if len(lasts) > 1 else 0.0)


# Small parts ------------------------------------------------------------------------------------------------


def _legend(graph: Graph) -> _Panel:
    kinds = {node.op.kind for g, _ in _with_bodies(graph) for node in g.nodes}
    marks, x = [], MARGIN
    for kind, colour in COLOURS.items():
        if kind in kinds:
            square = f'<rect x="{_n(x)}" y="9" width="13" height="13" rx="3"'
            marks.append(f'{square} fill="{colour.fill}" stroke="{colour.border}"/>')
            marks.append(_label("note", x + 18, 20, kind))
            x += 18 + _width(kind, 6.2) + GAP
    return _Panel(marks, x + MARGIN - GAP, 38.0)


def _label(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{_n(x)}" y="{_n(y)}">{_text(text)}</text>'


def _text(text: str) -> str:
    # XML has no control characters and no lone surrogates, not even escaped.
    return escape(re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
