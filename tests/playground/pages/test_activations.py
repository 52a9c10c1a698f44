"""The page of the room `activations`, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gestures import shown

Visit = Callable[..., Any]


def test_untouched_the_layers_grow_and_the_logistic_gradient_fades(visit: Visit) -> None:
    page = visit("activations")
    page.locator(".gradient .layer-of").nth(2).wait_for()
    page.keyboard.press("Escape")  # any key goes to the end
    page.locator(".gradient .layer-of").nth(9).wait_for()
    page.locator(".gradient .arrives", has_text="10\u22126").wait_for()  # 4^-10 is about 10^-6
    page.locator(".gradient .arrives .second", has_text="2.1").wait_for()


def test_a_function_is_chosen_and_read_by_keyboard(visit: Visit) -> None:
    page = visit("activations", width=390, height=844, reduced_motion="reduce", locale="ko-KR")
    page.locator(".tile").nth(20).wait_for()
    page.locator(".tile[aria-checked=true]").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name="계단").wait_for()
    page.locator(".gradient .layer-bar.first.zero b").nth(8).wait_for()  # a step hands nothing back
    page.get_by_role("slider", name="볼 자리: x").focus()
    page.keyboard.press("Home")
    page.locator(".read", has_text="x = \u22126.00").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Through many layers").wait_for()


def test_an_address_opens_what_it_names_and_survives_what_is_not_there(visit: Visit) -> None:
    for query, first, second in (("f=tanh&and=none", "Tanh", 0), ("f=nosuch", "Logistic", 1)):
        page = visit("activations", query=query)
        page.get_by_role("heading", name=first, exact=True).wait_for()
        shown(page.locator(".curves-of polyline.second:not(.slope)")).to_have_count(second)
