"""The address that the command prints: its token goes away, its language stays."""

from __future__ import annotations

from typing import Any

from minicolumn.playground.server.serving import PlaygroundServer


def test_the_language_of_the_address_is_spoken(browser: Any, playground: PlaygroundServer) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(playground.address("?lang=ko"))
    page.get_by_role("button", name="English").wait_for()
    assert page.url == f"{playground.origin}/?lang=ko#/network"
    assert page.locator("html").get_attribute("lang") == "ko"
    page.get_by_role("button", name="English").click()
    page.reload()  # what the reader chose holds from then on
    page.get_by_role("button", name="한국어").wait_for()
    assert page.url == f"{playground.origin}/#/network"
    context.close()
