"""A model as one page of HTML: a form made from the table's columns, which answers without any server."""

from __future__ import annotations

from html import escape

from minicolumn.model.export.js_source import js_module, text
from minicolumn.model.export.pipeline import Pipeline


def page_files(pipeline: Pipeline) -> dict[str, str]:
    """Return the page by file name; it needs no network, and nothing that is typed leaves it.

    Errors      DataError, naming it, for an operation that JavaScript has no line for
    """
    target = pipeline.encoder.target if pipeline.encoder else pipeline.name
    parts = {
        "TITLE": escape(target),
        "STYLE": text("page.css"),
        "MODULE": js_module(pipeline),
        "PAGE": text("page.js").replace("WIDTH", str(pipeline.width)),
    }
    lines = [parts.get(line, line.replace("TITLE", parts["TITLE"])) for line in text("page.html").split("\n")]
    return {f"{pipeline.name}.html": "\n".join(lines) + "\n"}
