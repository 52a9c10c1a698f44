"""The page of the room `softmax`, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gestures import drag, resting, settled, shown

Visit = Callable[..., Any]


def test_untouched_the_temperature_sweeps(visit: Visit) -> None:
    page = visit("softmax")
    page.locator(".field-value", has_text="T = 1.00").wait_for()
    page.locator(".field-value", has_text="T = 0.").wait_for()
    page.keyboard.press("Escape")  # any key ends it, but for what was said already
    stopped = resting(page.locator(".field-value"))
    assert "T = 1.00" not in stopped, "where it would have ended"
    page.keyboard.press("Space")  # and this begins it anew
    page.locator(".field-value", has_not_text=stopped).wait_for()


def test_still_readers_see_no_sweep_and_move_a_score_by_keyboard(visit: Visit) -> None:
    page = visit("softmax", width=390, height=844, reduced_motion="reduce", locale="ko-KR")
    score = page.get_by_role("slider", name="개 점수")
    score.focus()
    page.keyboard.press("PageUp")
    page.get_by_role("slider", name="개 점수").and_(page.locator("[aria-valuenow='2']")).wait_for()
    chances = page.locator(".probabilities .bar-number")
    chances.nth(1).get_by_text("48.8 %").wait_for()  # as likely as the cat, whose score is 2 too
    shown(chances.nth(0)).to_have_text("48.8 %", use_inner_text=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_keys_that_come_before_an_answer_each_move_a_score(visit: Visit) -> None:
    page = visit("softmax", reduced_motion="reduce")
    score = page.get_by_role("slider", name="Score of dog")
    score.evaluate("""slider => {
      for (let n = 0; n < 3; n++)
        slider.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true }));
    }""")
    shown(score).to_have_attribute("aria-valuenow", "1.3")


def test_a_score_is_dragged_and_the_loss_follows_the_right_answer(visit: Visit) -> None:
    page = visit("softmax")
    bar = page.get_by_role("slider", name="Score of bird")
    box = settled(bar)
    drag(bar, [(box["width"] / 2, box["height"] / 2), (box["width"] / 2, 24)])
    page.locator(
        ".probabilities .bar-place:nth-child(3) .bar-number", has_text=re.compile(r"^9[5-8]\.")
    ).wait_for()
    page.get_by_role("radio", name="bird").click()
    page.locator(".loss-value", has_text="0.0").wait_for()
    page.get_by_role("button", name="Sure, but wrong").click()
    page.locator(".loss-value", has_text="7.0").wait_for()
