"""Whether every room can be read and used by all: axe-core's rules, in both themes, languages and sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.playground.sessions import ROOMS

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
KINDS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", "locale": "en-US"},
    "dark": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "locale": "ko-KR"},
}
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_no_room_has_a_serious_violation(browser: Any, playground: PlaygroundServer, kind: str) -> None:
    # What is tested runs text as code, which the page's own policy forbids.
    context = browser.new_context(**KINDS[kind], reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(60_000)  # a busy machine compiles for long
    page.goto(f"{playground.origin}/#t={playground.key.token}")
    page.add_script_tag(content=AXE)
    found = {}
    for room in ROOMS:
        page.evaluate("room => { location.hash = `#/${room}`; }", room)
        page.wait_for_function("room => document.querySelectorAll(`main .${room} *`).length > 40", arg=room)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found[room] = page.evaluate(RUN)
    # The rules do find something where something is wrong.
    page.evaluate("document.querySelector('main button').textContent = ''")
    page.evaluate("document.querySelector('main button').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('main button').removeAttribute('title')")
    broken = page.evaluate(RUN)
    context.close()
    assert {room: lines for room, lines in found.items() if lines} == {}
    assert any(line.startswith("button-name: ") for line in broken)
