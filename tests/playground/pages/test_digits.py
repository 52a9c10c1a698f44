"""The page of the room `digits`, in a browser."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gestures import drag, settled

Visit = Callable[..., Any]
LEARNT = "() => parseFloat(document.querySelector('.accuracy strong')?.innerText) > 90"


def _pen(page: Any, points: list[tuple[float, float]]) -> None:
    """Draw a stroke on the pad, through points from 0 to 1."""
    pad = page.locator(".pad")
    box = settled(pad)
    drag(pad, [(x * box["width"], y * box["height"]) for x, y in points], steps=4)


def test_untouched_it_learns_and_reads_an_example_and_then_what_is_drawn(visit: Visit) -> None:
    page = visit("digits")
    page.wait_for_function(LEARNT, timeout=60_000)  # a busy machine compiles for long
    page.locator(".answer-line strong", has_text="3").wait_for()
    angles = [2 * math.pi * k / 16 for k in range(17)]
    _pen(page, [(0.5 + 0.2 * math.sin(a), 0.5 - 0.35 * math.cos(a)) for a in angles])
    page.locator(".answer-line strong", has_text="0").wait_for()
    page.get_by_role("button", name="Clear").click()
    _pen(page, [(0.25, 0.15), (0.75, 0.15), (0.4, 0.9)])
    page.locator(".answer-line strong", has_text="7").wait_for()


def test_pixels_are_set_by_keys_and_missed_digits_looked_at(visit: Visit) -> None:
    page = visit("digits", locale="ko-KR", width=390, height=844, color_scheme="dark")
    page.wait_for_function(LEARNT, timeout=60_000)  # a busy machine compiles for long
    page.get_by_role("button", name="지우기").click()
    grid = page.locator(".pixel-grid")
    page.locator(".pixel-grid[aria-label*='농도 0 %']").wait_for()
    grid.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.locator(".pixel-grid[aria-label*='1행 2열, 농도 100 %']").wait_for()
    page.wait_for_selector(".run:not(.running)")
    missed = page.locator(".missed button").first
    answer = missed.locator("b").inner_text()
    missed.click()
    page.locator(".answer-line strong", has_text=answer).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
