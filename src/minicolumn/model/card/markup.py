"""HTML of a card's page: everything that comes from a file passes through `text`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any


def text(value: Any, most: int = 2_000) -> str:
    """Return anything as HTML text: escaped, control characters shown as such, cut where it is long.

    >>> text("<script>alert('a')</script>")
    '&lt;script&gt;alert(&#x27;a&#x27;)&lt;/script&gt;'
    """
    whole = str(value)
    cut = whole if len(whole) <= most else whole[: most - 1] + "…"
    shown = "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in cut)
    return html.escape(shown, quote=True)


def section(title: str, *body: str, note: str = "") -> str:
    """Return a section with a heading; "" where there is nothing in it."""
    inside = "\n".join(part for part in body if part)
    if not inside:
        return ""
    told = f"<p class=note>{text(note)}</p>" if note else ""
    return f"<section><h2>{text(title)}</h2>{told}\n{inside}\n</section>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Return a table of cells that are HTML already; "" for one without rows.

    numbers     the columns that are set flush right
    """
    right = set(numbers)

    def row(tag: str, cells: Sequence[str]) -> str:
        inside = "".join(
            f"<{tag}{' class=n' if k in right else ''}>{cell}</{tag}>" for k, cell in enumerate(cells)
        )
        return f"<tr>{inside}</tr>"

    lines = [row("td", cells) for cells in rows]
    if not lines:
        return ""
    above = f"<thead>{row('th', head)}</thead>"
    return f"<div class=wide><table>{above}<tbody>{''.join(lines)}</tbody></table></div>"


def pairs(listed: Iterable[tuple[str, str]]) -> str:
    """Return names and what belongs to them, HTML already; those without anything are left out."""
    inside = "".join(f"<div><dt>{text(name)}</dt><dd>{told}</dd></div>" for name, told in listed if told)
    return f"<dl class=pairs>{inside}</dl>" if inside else ""


def folded(title: str, body: str) -> str:
    """Return something to be opened; printed it is open."""
    return f"<details><summary>{text(title)}</summary>{body}</details>" if body else ""
