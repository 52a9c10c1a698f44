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


def test_an_address_that_is_changed_by_hand_within_a_room_is_followed(visit: Any) -> None:
    page = visit("network", query="units=7", reduced_motion="reduce")
    units = (
        "units => [...document.querySelectorAll('.layer-head output')].map(o => o.innerText).join() === units"
    )
    page.wait_for_function(units, arg="7")
    assert page.evaluate("location.hash") == "#units=7"
    for said in ("#/network?units=5,2&noise=10", "#/network?units=7", "#units=3", "#/network?units=7"):
        page.evaluate("said => { location.hash = said; }", said)
        page.wait_for_function(units, arg=said.partition("units=")[2].partition("&")[0])
    page.evaluate("location.hash = '#/network?unit=7'")
    page.get_by_text("did you mean 'units'").wait_for()
    page.evaluate("location.hash = '#/backpropagation?hidden=3'")
    page.wait_for_selector(".room.backpropagation .bp-desk")
    for hidden in ("1", "4", "2"):
        page.evaluate("hidden => { location.hash = `#/backpropagation?hidden=${hidden}`; }", hidden)
        page.wait_for_function("hidden => location.hash.includes(`hidden=${hidden}&activation`)", arg=hidden)
    page.evaluate("location.hash = '#/circuit?goal=or'")
    page.wait_for_selector(".room.circuit")
    page.evaluate("location.hash = '#/circuit?goal=xor'")
    page.locator("[role=radio][aria-checked=true]", has_text="XOR").wait_for()
