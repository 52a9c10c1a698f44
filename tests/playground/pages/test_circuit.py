"""The page of the room `circuit`, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gestures import shown

Visit = Callable[..., Any]


def test_untouched_it_walks_through_the_rows_and_lights_what_fires(visit: Visit) -> None:
    page = visit("circuit")
    page.wait_for_selector(".truth tbody tr:nth-child(2).now")
    page.wait_for_selector(".truth tbody tr:nth-child(3).now")
    shown(page.locator("svg.wires .wire.lit")).to_have_count(1)
    shown(page.locator(".unit.on .sum")).to_have_text("1", use_inner_text=True)


def test_a_threshold_by_keyboard_makes_it_right(visit: Visit) -> None:
    page = visit("circuit", width=390, height=844)
    page.wait_for_selector(".truth .wrong")
    page.get_by_role("button", name="Raise the threshold").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict.reached")
    shown(page.locator(".unit .threshold")).to_have_text("≥ 2 ?", use_inner_text=True)
    page.locator(".truth button[tabindex='0']").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function(
        "() => document.activeElement.dataset.row === document.querySelector('.now button').dataset.row"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_wire_is_dragged_turned_and_kept_out_of_loops(visit: Visit) -> None:
    page = visit("circuit")
    page.get_by_role("radio", name="XOR", exact=True).click()
    page.get_by_role("button", name="Add a neuron").click()
    made = page.locator("[data-neuron=n1]")
    made.wait_for()
    page.get_by_role("button", name="Raise the threshold").click()
    made.get_by_text("≥ 2 ?").wait_for()
    made.drag_to(page.locator("[data-neuron=out]"))
    page.locator("svg.wires .wire").nth(4).wait_for(state="attached")
    page.get_by_role("radiogroup", name="Wire from n1").get_by_text("inhibits").click()
    page.wait_for_selector(".verdict.reached")
    page.locator("[data-neuron=out]").drag_to(made)
    page.get_by_text("would make a loop").wait_for()
    shown(page.locator("svg.wires .wire")).to_have_count(5)


def test_a_solution_is_shown_in_korean_too(visit: Visit) -> None:
    page = visit("circuit", locale="ko-KR", color_scheme="dark")
    page.get_by_role("radio", name="반가산기").click()
    page.get_by_role("button", name="답 보기").click()
    page.wait_for_selector(".verdict.reached")
    page.locator(".unit.answer").nth(1).wait_for()  # they are drawn one after the other
    shown(page.locator(".unit.answer")).to_have_count(2)
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Show a solution").wait_for()
