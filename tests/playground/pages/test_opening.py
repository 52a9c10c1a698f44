"""What the room `network` opens with: a table whose target was not said, and a link that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.playground.sessions import make_session
from minicolumn.playground.uploads import table_messages

Visit = Callable[..., Any]
ROWS = "\n".join(f"{i % 17},{i % 2},{'yes' if i % 5 else 'no'}" for i in range(60))


def test_the_column_of_a_table_is_asked_for(browser: Any) -> None:
    messages = list(table_messages("rows.csv", "a,b,answer\n" + ROWS))
    server = PlaygroundServer(lambda: make_session(messages), port=0)
    server.start()
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)  # programs are compiled
    page.goto(f"{server.origin}/#t={server.key.token}")
    page.get_by_role("button", name="Learn answer").click()
    page.get_by_text("60 rows of your table").wait_for()
    context.close()
    server.stop()


def test_a_link_that_cannot_be_read_is_said_and_the_page_works(
    visit: Visit, playground: PlaygroundServer
) -> None:
    page = visit("network", reduced_motion="reduce")
    page.goto("about:blank")
    page.goto(f"{playground.origin}/#units=8&nois=3")
    page.get_by_text("link: unknown field 'nois'; did you mean 'noise'?").wait_for()
    page.locator(".neuron").first.wait_for()
    page.keyboard.press("s")
    page.locator(".epoch", has_text="000,001").wait_for()
