"""What a hand does, and an eye waits for, on a page that may still be laying itself out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def shown(place: Any) -> Any:
    """Return Playwright's expectations of a place, each waited for up to a minute.

    A page answers after its server did: a bare `assert place.count() == 2` reads what is there at that
    moment, which on a slow machine is what was there before, or nothing yet.
    """
    from playwright.sync_api import expect  # only where `visit` found a browser

    expect.set_options(timeout=60_000)
    return expect(place)


def settled(locator: Any) -> Any:
    """Return the box of an element once it stands still, is in view and nothing covers it."""
    locator.hover(trial=True)
    return locator.bounding_box()


def resting(locator: Any) -> str:
    """Return the text of an element once it has been the same for half a second."""
    texts = [locator.inner_text()]
    for _ in range(300):
        locator.page.wait_for_timeout(100)
        texts.append(locator.inner_text())
        if len(texts) > 5 and len(set(texts[-6:])) == 1:
            return texts[-1]
    raise AssertionError(f"never at rest: {texts[-3:]}")


def becomes(page: Any, read: Callable[[], Any], wanted: Any) -> None:
    """Wait up to a minute for what is read of a page to be what it should be."""
    for _ in range(600):
        if read() == wanted:
            return
        page.wait_for_timeout(100)
    assert read() == wanted


def drag(locator: Any, points: Sequence[tuple[float, float]], steps: int = 8) -> None:
    """Drag the mouse through points in pixels from the upper left of an element."""
    box, mouse = settled(locator), locator.page.mouse
    (x, y), *rest = points
    mouse.move(box["x"] + x, box["y"] + y)
    mouse.down()
    for x, y in rest:
        mouse.move(box["x"] + x, box["y"] + y, steps=steps)
    mouse.up()
