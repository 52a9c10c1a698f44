"""The room `network` goes on where it stood: after a reload, and after the server was started anew."""

from __future__ import annotations

from typing import Any

import pytest

from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.playground.sessions import make_session

STILL = {"reduced_motion": "reduce"}
WAITING = 60_000  # ms, on a busy machine


def _shown(page: Any) -> dict[str, Any]:
    page.locator(".losses td").nth(6).wait_for()  # scores come a frame after the losses
    return {
        "epoch": page.locator(".epoch").inner_text(),
        "losses": page.locator(".losses td").all_inner_texts(),
        "units": page.locator(".layer-head output").all_inner_texts(),
        "note": page.locator(".own-note").all_inner_texts(),
        "hidden": page.get_by_role("slider", name="Noise").count() == 0,
        "address": page.evaluate("location.hash"),
    }


def _step(page: Any, epoch: str) -> None:
    page.keyboard.press("s")
    page.locator(".epoch", has_text=epoch).wait_for()


def _restart(page: Any, server: PlaygroundServer) -> PlaygroundServer:
    """Stop the server and start another one at its port, whose address is opened once in the same browser."""
    server.stop()
    page.locator(".lost").wait_for()
    port = int(server.origin.rpartition(":")[2])
    again = PlaygroundServer(make_session, port=port)
    again.start()
    once = page.context.new_page()
    once.goto(f"{again.origin}/#t={again.key.token}")
    once.wait_for_selector("main .room")
    once.close()
    page.locator(".lost").wait_for(state="detached", timeout=WAITING)
    return again


def _paint(page: Any) -> None:
    page.get_by_role("radio", name="Paint points").click()
    page.locator("canvas.map").click(position={"x": 50, "y": 60})
    page.get_by_text("points that you painted").wait_for()


def _table(page: Any) -> None:
    page.get_by_role("button", name="Your own data").click()
    rows = [f"{i % 7},{3 * i % 11},{'cat' if 2 * (i % 7) > 3 * i % 11 else 'dog'}" for i in range(80)]
    page.get_by_role("textbox", name="Paste a table").fill("\n".join(["width,height,kind", *rows]))
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("button", name="Learn kind").click()
    page.get_by_text("80 rows of your table").wait_for()


def _link(page: Any) -> None:
    page.evaluate("location.hash = '#dataset=xor&units=5,3&optimizer=adam&noise_hide=true'")
    page.wait_for_function("document.querySelectorAll('.layer-head output').length === 2")
    page.wait_for_function("document.querySelector('.layer-head output').textContent === '5'")


@pytest.mark.parametrize("prepare", [_link, _paint, _table])
def test_nothing_is_lost(browser: Any, prepare: Any) -> None:
    server = PlaygroundServer(make_session, port=0)
    server.start()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True, **STILL)
    page = context.new_page()
    page.set_default_timeout(WAITING)
    page.goto(f"{server.origin}/#t={server.key.token}")
    page.wait_for_selector(".neuron")
    prepare(page)
    _step(page, "000,001")
    _step(page, "000,002")
    before = _shown(page)
    page.reload()
    page.locator(".epoch", has_text="000,002").wait_for()
    assert _shown(page) == before
    elsewhere = prepare is _link  # where the reader is as the server goes
    if elsewhere:
        page.evaluate("location.hash = '#/softmax'")
        page.wait_for_selector(".room.softmax")
    server = _restart(page, server)
    if elsewhere:
        page.go_back()
        page.locator(".epoch", has_text="000,002").wait_for()
    _step(page, "000,003")
    after = _shown(page)
    context.close()
    server.stop()
    same = ("units", "note", "hidden", "address")
    assert [after[name] for name in same] == [before[name] for name in same]


def test_the_steps_of_backpropagation_survive_a_restart(browser: Any) -> None:
    server = PlaygroundServer(make_session, port=0)
    server.start()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True, **STILL)
    page = context.new_page()
    page.set_default_timeout(WAITING)
    page.goto(f"{server.origin}/#t={server.key.token}&/backpropagation?hidden=3")
    page.get_by_role("button", name="10 steps").click()
    page.locator(".bp-losses", has_text="Steps taken: 10").wait_for()
    before = page.locator(".bp-below").inner_text()
    server = _restart(page, server)
    page.wait_for_timeout(500)
    assert page.locator(".bp-below").inner_text() == before
    page.get_by_role("button", name="10 steps").click()
    page.locator(".bp-losses", has_text="Steps taken: 20").wait_for()
    context.close()
    server.stop()
