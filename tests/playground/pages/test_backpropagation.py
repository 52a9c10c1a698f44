"""The page of the room `backpropagation`, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gestures import shown

Visit = Callable[..., Any]
KNOWN = ".bp-weights tbody td:nth-child(3):not(.unknown)"  # gradients that were reached


def test_untouched_it_walks_from_the_row_to_the_loss(visit: Visit) -> None:
    page = visit("backpropagation")
    page.wait_for_selector(".neuron.now")
    assert page.locator(".neuron.blank").count() > 0
    shown(page.locator(KNOWN)).to_have_count(0)
    page.get_by_role("radio").last.click()
    page.wait_for_selector("[data-phase=backward][aria-current]")
    shown(page.locator(".neuron.blank")).to_have_count(0)
    page.keyboard.press("End")
    page.wait_for_selector(".bp-outcome")
    shown(page.locator(KNOWN)).to_have_count(9)


def test_without_motion_everything_is_there_and_the_keyboard_steps_back(visit: Visit) -> None:
    page = visit("backpropagation", reduced_motion="reduce")
    page.wait_for_selector(".bp-outcome")
    table = page.locator(".bp-weights tbody td:nth-child(3), .bp-weights tbody td:nth-child(4)")
    told = table.all_inner_texts()
    assert told[::2] == told[1::2]  # gradients are the finite differences, in the digits that are shown
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.wait_for_selector("[data-phase=backward][aria-current]")
    shown(page.locator(".bp-now h2")).to_contain_text("h₂", use_inner_text=True)
    shown(page.locator(".neuron.now .name")).to_have_text("h₂")
    page.keyboard.press("Home")
    page.wait_for_selector(".neuron.blank")


def test_the_step_is_taken_and_what_follows_a_changed_target_is_shown(visit: Visit) -> None:
    page = visit("backpropagation", reduced_motion="reduce", width=390, height=844)
    promised = page.locator(".bp-outcome").inner_text().split()[-1].rstrip(".")
    page.get_by_role("button", name="Take the step").click()
    page.get_by_text("Steps taken: 1").wait_for()
    shown(page.locator(".bp-loss .big")).to_have_text(promised, use_inner_text=True)
    before = page.locator(".bp-loss .big").inner_text()
    page.get_by_label("Target y").focus()
    page.keyboard.press("ArrowLeft")
    page.locator(".bp-loss .big", has_not_text=before).wait_for()
    page.get_by_role("button", name="Add a hidden layer").click()
    page.locator(".neuron").nth(7).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_steps_survive_a_reload_and_no_other_address(visit: Visit) -> None:
    page = visit("backpropagation", reduced_motion="reduce")
    page.get_by_role("button", name="10 steps").click()
    page.get_by_text("Steps taken: 10").wait_for()
    loss = page.locator(".bp-loss .big").inner_text()
    page.evaluate("location.hash = '#/softmax'")
    page.wait_for_selector("main .room.softmax")
    page.evaluate("history.back()")
    page.get_by_text("Steps taken: 10").wait_for()
    page.wait_for_url("**hidden**")
    page.reload()
    page.get_by_text("Steps taken: 10").wait_for()
    shown(page.locator(".bp-loss .big")).to_have_text(loss, use_inner_text=True)
    page.get_by_role("button", name="Take the step").click()
    page.get_by_text("Steps taken: 11").wait_for()
    page.evaluate("location.hash = '#/backpropagation?hidden=3&seed=4'")
    page.get_by_text("Steps taken: 0").wait_for()


def test_it_is_told_in_korean(visit: Visit) -> None:
    page = visit("backpropagation", locale="ko-KR", color_scheme="dark")
    page.get_by_role("button", name="이 걸음 내딛기").wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Take the step").wait_for()
