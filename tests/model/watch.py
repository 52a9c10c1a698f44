"""An audit hook that records what the interpreter does while a model file is being loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# What loading may do: open the one file. Everything else that Python reports is an event to explain.
_events: list[str] | None = None
_allowed: str | None = None


def install() -> None:
    """Install the hook; it stays for the life of the process."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _events is None:
        return
    if event == "open" and (isinstance(arguments[0], int) or arguments[0] == _allowed):
        return  # an int is the handle of the file that was opened by its name
    _events.append(f"{event}{arguments!r:.200}")


@contextmanager
def watching(path: str | os.PathLike[str] | None = None) -> Iterator[list[str]]:
    """Record every event but the opening of ``path``."""
    global _events, _allowed
    found: list[str] = []
    _allowed, _events = None if path is None else os.fspath(path), found
    try:
        yield found
    finally:
        _events = None
