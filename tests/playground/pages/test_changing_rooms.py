"""From one room to another, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Visit = Callable[..., Any]

# A setting is changed, the page kept busy until its answer waits, and then a link to another room followed.
LEAVE = """() => {
  document.querySelector("[role=radio][aria-checked=false]").click();
  for (const until = performance.now() + 600; performance.now() < until;);
  location.hash = "#/circuit";
}"""


def test_a_room_that_is_left_does_not_call_back(visit: Visit) -> None:
    page = visit("network")
    page.locator("[role=radio][aria-checked=false]").first.wait_for()
    page.evaluate(LEAVE)
    page.wait_for_selector("main .room.circuit")
    assert page.evaluate("location.hash") == "#/circuit"
