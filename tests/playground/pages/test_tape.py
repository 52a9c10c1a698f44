"""The page of the room `tape`, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gestures import shown

Visit = Callable[..., Any]


def test_untouched_values_run_forward_and_adjoints_back(visit: Visit) -> None:
    page = visit("tape")
    page.wait_for_selector(".knot.now .value")
    shown(page.locator(".knot .adjoint")).to_have_count(0)
    page.get_by_role("radio").last.click()
    page.wait_for_selector(".knot.now .adjoint")
    page.keyboard.press("End")
    page.wait_for_selector(".tape-gradient")
    # f = xy + sin x at (2, -1): the gradient is y + cos x, x
    shown(page.locator(".tape-gradient .out")).to_have_text(["−1.416", "2"], use_inner_text=True)  # noqa: RUF001
    shown(page.locator(".handed")).to_have_count(5)


def test_a_formula_is_typed_and_what_is_wrong_is_said_beside_it(visit: Visit) -> None:
    page = visit("tape", reduced_motion="reduce", width=390, height=844)
    page.wait_for_selector(".tape-gradient")
    typed = page.get_by_role("textbox")
    typed.fill("x*y*")
    page.wait_for_selector(".tape-wrong:not(:empty)")
    shown(page.locator(".knot")).to_have_count(5)  # the last formula that was one stays
    typed.fill("z*z*w")
    page.get_by_text("= inputs (2) + 1").wait_for()
    page.wait_for_selector(".tape-wrong:empty", state="attached")
    shown(page.locator(".count strong")).to_have_text(["2", "3"], use_inner_text=True)
    page.keyboard.press("Tab")  # to the examples
    page.get_by_role("button", name="tanh(w*x + y)").press("Enter")
    page.get_by_text("= inputs (3) + 1").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_steps_and_a_slider_moves_the_whole_tape(visit: Visit) -> None:
    page = visit("tape", reduced_motion="reduce")
    page.wait_for_selector(".tape-gradient")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".tape-gradient", state="detached")
    page.locator(".tape-values input").first.press("ArrowRight")
    page.locator(".tape-listing tr:nth-child(3) td", has_text="2.1").wait_for()
    page.locator(".knot .value", has_text="2.1").first.wait_for()
    shown(page.locator("tr.now th")).to_have_text("v₂", use_inner_text=True)


def test_it_is_told_in_korean(visit: Visit) -> None:
    page = visit("tape", locale="ko-KR", color_scheme="dark")
    page.get_by_text("뒤로: 수반값").first.wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_text("Backward: adjoints").first.wait_for()


def test_the_address_names_the_formula_and_what_is_none_is_refused(visit: Visit) -> None:
    page = visit("tape", query="formula=log(z)%20-%20w&at=1,1,2,3", reduced_motion="reduce")
    page.locator(".tape-gradient .out", has_text="0.5").wait_for()  # 1 / z
    assert page.get_by_role("textbox").input_value() == "log(z) - w"
    page.get_by_role("textbox").fill("log(z)*w")
    page.get_by_text("= inputs (2) + 1").wait_for()
    page.wait_for_url(lambda address: "formula=log%28z%29*w" in address)  # it follows a moment later
    other = visit("tape", query="formula=log(", reduced_motion="reduce")
    other.locator(".message").wait_for()
    assert other.get_by_role("textbox").input_value() == "x*y + sin(x)"
