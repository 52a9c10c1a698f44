"""A playground to visit, and pages in it that must say nothing on their consoles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.playground.sessions import make_session

Visit = Callable[..., Any]


@pytest.fixture(scope="session")
def playground() -> Iterator[PlaygroundServer]:
    """The playground as the command serves it."""
    server = PlaygroundServer(make_session, port=0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def visit(browser: Any, playground: PlaygroundServer) -> Iterator[Visit]:
    """Open a room: visit("softmax", locale="ko-KR", width=390); what is waited for has a minute."""
    contexts, said = [], []

    def open_room(room: str, *, query: str = "", width: int = 1280, height: int = 900, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)  # programs are compiled as a room is first opened
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        where = f"/{room}?{query}" if query else f"/{room}"
        page.goto(f"{playground.origin}/#t={playground.key.token}&{where}")
        page.wait_for_selector(f"main .room.{room}")
        return page

    yield open_room
    for context in contexts:
        context.close()
    assert said == []
