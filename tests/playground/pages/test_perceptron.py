"""The page of the room `perceptron`, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gestures import shown

Visit = Callable[..., Any]


def test_untouched_it_learns_or_with_its_arithmetic_written_out(visit: Visit) -> None:
    page = visit("perceptron")
    page.locator(".judgement", has_text="wrong: correct it").wait_for()
    page.locator(".boundary").wait_for(state="attached")
    page.get_by_role("slider", name="Speed").fill("6")
    page.wait_for_selector(".verdict.done")
    shown(page.locator(".point.missed")).to_have_count(0)
    shown(page.locator(".bar-of .count").last).to_have_text("0", use_inner_text=True)
    before, after = (
        page.locator(f".correction {row} td").all_inner_texts() for row in ("tr:first-child", ".after")
    )
    assert before[-3:] == after  # the last look changed nothing


def test_xor_by_keyboard_goes_round(visit: Visit) -> None:
    page = visit("perceptron", width=390, height=844, locale="ko-KR")
    page.get_by_role("radio", name="OR", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("radio", name="XOR", checked=True).wait_for()
    page.keyboard.press("e")
    page.wait_for_selector(".verdict.cycle")
    shown(page.get_by_text("에포크 1 뒤의 가중치가 에포크 0 뒤와 똑같습니다")).to_be_visible()
    page.keyboard.press("s")
    page.locator(".arithmetic", has_text="4행 가운데 1행").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
