"""Screens from a phone to 4K: text can be read, nothing is cut, and pointers hit what they point at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gestures import becomes, drag, settled

Visit = Callable[..., Any]
STILL = {"reduced_motion": "reduce"}
COLOURS = """() => {
  const canvas = document.querySelector(".values canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(data.buffer)).size;
}"""


@pytest.mark.parametrize(
    ("width", "height", "least"), [(360, 740, 1.0), (1280, 900, 1.0), (3840, 2160, 1.75)]
)
def test_text_grows_with_the_screen_and_nothing_is_cut(
    visit: Visit, width: int, height: int, least: float
) -> None:
    page = visit("network", width=width, height=height, **STILL)
    page.wait_for_selector(".neuron")
    size = page.evaluate("""() => {
      const line = Object.assign(document.createElement("p"), { textContent: "x", className: "note" });
      document.querySelector("main").append(line);
      return line.getBoundingClientRect().height;
    }""")
    assert least * 19 <= size < (least + 0.15) * 20  # 13 px of 1.5 lines where nothing is larger
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sharp = page.locator("canvas.map").evaluate("map => map.width / map.getBoundingClientRect().width")
    assert sharp == pytest.approx(1.0, abs=0.01)  # a pixel of the canvas is one of the screen
    page.get_by_role("button", name="Presets").click()
    box = settled(page.get_by_role("dialog"))
    button = page.get_by_role("button", name="Presets").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
    if width > 720:  # a phone has no room under the button
        assert abs(box["y"] - button["y"] - button["height"]) < 40 * least


def test_pointers_hit_at_4k(visit: Visit) -> None:
    page = visit("network", width=3840, height=2160, **STILL)
    page.wait_for_selector(".neuron")
    map_box = settled(page.locator("canvas.map"))
    scale = page.evaluate("Number(getComputedStyle(document.documentElement).getPropertyValue('--scale'))")
    assert scale == 1.8
    side = map_box["width"] - (30 + 10) * scale  # the map is a square between its axes
    page.mouse.move(map_box["x"] + 30 * scale + 0.75 * side, map_box["y"] + 8 * scale + 0.25 * side)
    page.locator(".map-read", has_text="→").wait_for()
    x, y = page.locator(".map-read").inner_text().split(" → ")[0].split(", ")
    assert (float(x), float(y)) == pytest.approx((3.0, 3.0), abs=0.1)  # a quarter from the edges of -6 to 6
    to = settled(page.locator(".neuron[data-key='0,0']"))
    page.mouse.move(to["x"] - 5 * scale, to["y"] + to["height"] / 2)
    page.get_by_text("→ Neuron 1 of layer 1: ").wait_for()
    page.evaluate("location.hash = '#/softmax'")
    sweep = settled(page.locator(".sweep svg[role=img]"))
    page.mouse.click(sweep["x"] + 0.6 * sweep["width"], sweep["y"] + 0.5 * sweep["height"])
    line, place = page.locator(".sweep line.now"), sweep["x"] + 0.6 * sweep["width"]
    becomes(page, lambda: line.bounding_box()["x"], pytest.approx(place, abs=12))  # T has two digits
    page.evaluate("location.hash = '#/descent'")
    page.get_by_text("step 150 of 150").wait_for()
    page.wait_for_function(f"() => ({COLOURS})() > 200")
    start = page.locator(".start-handle")
    place = settled(start)
    drag(
        start,
        [(place["width"] / 2, place["height"] / 2), (place["width"] / 2 + 200, place["height"] / 2 - 100)],
    )
    there = pytest.approx((place["x"] + 200, place["y"] - 100), abs=6)
    becomes(page, lambda: tuple(start.bounding_box()[axis] for axis in "xy"), there)


def test_curves_that_are_whole_at_once_are_drawn(visit: Visit) -> None:
    page = visit("descent", **STILL)
    page.get_by_text("step 150 of 150").wait_for()
    page.wait_for_function(f"() => ({COLOURS})() > 200")  # five coloured lines, and not the axes alone
