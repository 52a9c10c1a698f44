"""The page's files: read once, into memory, so that no text of a client ever becomes a path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

ENTRY = "/index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Asset:
    """A file of the page: its MIME type and its bytes."""

    type: str
    data: bytes


Assets = Mapping[str, Asset]


def package_assets() -> Assets:
    """Return the files of the page by the path of their address; the entry page is "/" too.

    >>> package_assets()["/"].type
    'text/html; charset=utf-8'
    """
    found = dict(_read(files("minicolumn.playground") / "static", ""))
    return {"/": found[ENTRY], **found}


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, Asset]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            yield from _read(entry, path)
        else:
            suffix = f".{entry.name.rpartition('.')[2]}".lower()
            yield path, Asset(TYPES.get(suffix, "text/plain; charset=utf-8"), entry.read_bytes())
