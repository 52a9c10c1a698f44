"""Opening a browser, where there is one that would show itself."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Return whether a browser has somewhere to show itself; one of the terminal would take that over.

    >>> has_display({}, "linux"), has_display({"DISPLAY": ":0"}, "linux"), has_display({}, "darwin")
    (False, True, True)
    """
    return platform in ("darwin", "win32") or any(
        environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )


def open_browser(address: str, say: Callable[[str], None]) -> None:
    """Open a page without waiting for the browser; where none can be opened, one line says so."""
    if not has_display(os.environ, sys.platform):
        say("there is no display for a browser; open the address above yourself")
        return

    def opening() -> None:
        try:
            opened = webbrowser.open(address)
        except (webbrowser.Error, OSError):
            opened = False
        if not opened:
            say("no browser could be opened; open the address above yourself")

    threading.Thread(target=opening, name="browser", daemon=True).start()  # some browsers are waited for
