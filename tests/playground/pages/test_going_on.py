"""The room `network` goes on where it stood: after a reload, and after the server was started anew."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from gestures import becomes, resting, shown

from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.playground.sessions import make_session

STILL = {"reduced_motion": "reduce"}
WAITING = 60_000  # ms, on a busy machine


def _shown(page: Any) -> dict[str, Any]:
    page.locator(".losses td").nth(6).wait_for()
    return {
        "losses": resting(page.locator(".losses")),  # scores come a frame after the losses
        "epoch": page.locator(".epoch").inner_text(),
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
    page.get_by_text("points of your own").wait_for()


def _paste(page: Any) -> None:
    page.get_by_role("button", name="Your own data").click()
    rows = [f"{i % 7},{3 * i % 11},{'cat' if 2 * (i % 7) > 3 * i % 11 else 'dog'}" for i in range(80)]
    page.get_by_role("textbox", name="Paste a table").fill("\n".join(["width,height,kind", *rows]))
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("button", name="Learn kind").click()


def _table(page: Any) -> None:
    _paste(page)
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
    becomes(page, lambda: _shown(page), before)
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


LATE_FRAMES = """
const [now, frame] = [performance.now.bind(performance), requestAnimationFrame.bind(window)];
let late = 0;
performance.now = () => now() + late;
window.requestAnimationFrame = (draw) => frame((time) => draw(time + (late += 2_200)));
"""  # of a busy machine, and of a page that was hidden; ms

SHORT_PATIENCE = """
const later = setTimeout.bind(window);
window.setTimeout = (call, wait, ...more) => later(call, wait > 5_000 ? 50 : wait, ...more);
"""


class _Gate:
    """What a session says to the page, held back from a kind of frame on."""

    def __init__(self, page: Any) -> None:
        self.kind, self.held = "", []
        self._page = page
        page.route_web_socket("**/socket", self._connect)

    def _connect(self, socket: Any) -> None:
        self.socket, self.held = socket, []
        socket.connect_to_server().on_message(self._hear)

    def _hear(self, data: bytes) -> None:
        header = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
        if self.held or header["kind"] == self.kind:
            self.held.append(data)
        else:
            self.socket.send(data)

    def close(self, kind: str) -> None:
        self.kind = kind

    def wait(self) -> None:
        until = time.monotonic() + WAITING / 1000
        while not self.held:
            assert time.monotonic() < until, f"no {self.kind} came"
            self._page.wait_for_timeout(20)

    def open(self) -> None:
        held, self.held, self.kind = self.held, [], ""
        for data in held:
            self.socket.send(data)


def _gated(visit: Any) -> tuple[Any, _Gate]:
    page = visit("network", bypass_csp=True, **STILL)
    gate = _Gate(page)
    page.add_init_script(SHORT_PATIENCE)
    page.reload()
    page.wait_for_selector(".neuron")
    return page, gate


def test_a_frame_that_comes_late_is_drawn(visit: Any) -> None:
    page = visit("network", **STILL)
    page.wait_for_selector(".neuron")
    _step(page, "000,001")
    page.add_init_script(LATE_FRAMES)
    page.reload()
    page.locator(".epoch", has_text="000,001").wait_for()
    _step(page, "000,002")


def test_a_session_that_answers_late_is_waited_for(visit: Any) -> None:
    page, gate = _gated(visit)
    gate.close("state")
    _paste(page)
    gate.wait()
    page.wait_for_timeout(200)  # the page's patience is over
    gate.open()
    page.get_by_text("80 rows of your table").wait_for()
    _step(page, "000,001")
    gate.close("columns")  # of a reload, too, in which no dialog is shown
    page.reload()
    gate.wait()
    page.wait_for_timeout(200)  # the page's patience is over
    gate.open()
    page.locator(".epoch", has_text="000,001").wait_for()
    shown(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("kind", ["state", "tick"])
def test_nothing_is_lost_by_a_reload_before_the_answer(visit: Any, kind: str) -> None:
    page, gate = _gated(visit)
    _step(page, "000,001")
    gate.close(kind)
    page.reload()
    gate.wait()
    page.reload()
    gate.wait()
    gate.open()
    page.locator(".epoch", has_text="000,001").wait_for()


def test_an_address_that_is_not_answered_yet_stays(visit: Any) -> None:
    page, gate = _gated(visit)
    gate.close("state")
    page.get_by_role("button", name="New points").click()
    gate.wait()  # what was shown before is still on its way
    page.evaluate("location.hash = '#units=8&nois=3'")
    gate.socket.send(gate.held.pop(0))
    page.wait_for_timeout(100)
    assert page.evaluate("location.hash") == "#units=8&nois=3"
    gate.open()
    page.get_by_text("link: unknown field 'nois'; did you mean 'noise'?").wait_for()


def test_nothing_is_lost_by_a_connection_that_ends_before_the_answer(visit: Any) -> None:
    page, gate = _gated(visit)
    gate.close("state")
    page.evaluate("location.hash = '#dataset=xor&units=5,3'")
    gate.wait()
    gate.close("")
    gate.socket.close()
    page.wait_for_function("document.querySelector('.layer-head output').textContent === '5'")
    page.get_by_role("button", name="Add a hidden layer").click()
    page.wait_for_function("document.querySelectorAll('.layer-head output').length === 3")
    _step(page, "000,001")
    gate.socket.close()  # what was followed once is not followed again
    page.locator(".lost").wait_for()
    page.locator(".lost").wait_for(state="detached")
    _step(page, "000,002")
    shown(page.locator(".layer-head output")).to_have_count(3)


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
    shown(page.locator(".bp-below")).to_have_text(before, use_inner_text=True)
    page.get_by_role("button", name="10 steps").click()
    page.locator(".bp-losses", has_text="Steps taken: 20").wait_for()
    context.close()
    server.stop()
