"""The pages of the rooms `overfitting` and `topology`, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gestures import resting, shown

Visit = Callable[..., Any]
EPOCH = (
    """least => Number(document.querySelector(".race-epoch output").innerText.replace(",", "")) >= least"""
)


@pytest.mark.parametrize(("room", "networks"), [("overfitting", 4), ("topology", 6)])
def test_untouched_they_train_and_keys_hold_and_step_them(visit: Visit, room: str, networks: int) -> None:
    page = visit(room)
    page.wait_for_selector(".race-card", timeout=60_000)  # a busy machine compiles for long
    page.wait_for_function(EPOCH, arg=3, timeout=60_000)
    shown(page.locator(".race-card canvas.answers")).to_have_count(networks)
    page.keyboard.press(" ")
    page.get_by_role("button", name="Run (Space)").wait_for()
    before = int(resting(page.locator(".race-epoch output")))  # what was on its way as it paused has come
    page.keyboard.press("s")
    page.wait_for_function(EPOCH, arg=before + 1)
    assert int(page.locator(".race-epoch output").inner_text()) == before + 1
    assert not page.locator(".race-numbers td").first.inner_text().startswith("∞")


def test_new_points_are_learnt_on_a_phone_in_korean(visit: Visit) -> None:
    page = visit("topology", locale="ko-KR", width=360, height=800, color_scheme="dark")
    page.wait_for_selector(".race-card", timeout=60_000)
    page.get_by_label("점", exact=True).select_option(label="두 무리")
    page.wait_for_function(  # they are easy
        "() => parseFloat(document.querySelector('.ranking .rank-loss').innerText) < 0.1", timeout=60_000
    )
    page.keyboard.press("Space")  # it pauses, and what is ranked stands still
    page.wait_for_function("""() => {
      const losses = [...document.querySelectorAll(".rank-loss")]
        .map((cell) => parseFloat(cell.innerText.replace("\u2212", "-")));
      return losses.every((loss, i) => i === 0 || losses[i - 1] <= loss);
    }""")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("room", "epochs"), [("topology", "400"), ("digits", "30")])
def test_a_reader_who_wants_stillness_sees_what_was_learnt_and_nothing_runs(
    visit: Visit, room: str, epochs: str
) -> None:
    page = visit(room, reduced_motion="reduce")
    page.locator(".race-epoch output", has_text=epochs).wait_for(timeout=60_000)  # a busy machine compiles
    page.get_by_role("button", name="Run (Space)").wait_for()
    page.wait_for_timeout(300)
    shown(page.locator(".race-epoch output")).to_have_text(epochs, use_inner_text=True)
    page.keyboard.press("s")
    page.locator(".race-epoch output", has_text=str(int(epochs) + 1)).wait_for()
