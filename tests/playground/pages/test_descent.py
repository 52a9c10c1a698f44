"""The page of the room `descent`, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gestures import drag

Visit = Callable[..., Any]
STEP = ".transport output"


def _rates(page: Any) -> list[str]:
    return page.locator(".results tbody td:nth-child(2)").all_inner_texts()


def test_untouched_they_race_and_the_first_to_settle_is_told(visit: Visit) -> None:
    page = visit("descent")
    page.wait_for_selector(".results tbody tr.there .first")
    assert len(_rates(page)) == 5
    before = page.locator(STEP).inner_text()
    page.wait_for_function(
        "before => document.querySelector('.transport output').innerText !== before", arg=before
    )
    drawn = page.evaluate("""() => {
      const canvas = document.querySelector(".race-map canvas");
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(new Uint32Array(data.buffer)).size;
    }""")
    assert drawn > 500  # shades, lines and paths


def test_a_start_that_is_dragged_and_moved_by_keys_is_raced_from(visit: Visit) -> None:
    page = visit("descent", reduced_motion="reduce")
    handle = page.locator(".start-handle")
    page.get_by_text("step 150 of 150").wait_for()
    before, name = page.locator(".results tbody").inner_text(), handle.get_attribute("aria-label")
    drag(handle, [(10, 10), (100, -60)])
    page.wait_for_function("name => document.querySelector('.start-handle').ariaLabel !== name", arg=name)
    page.wait_for_function("old => document.querySelector('.results tbody').innerText !== old", arg=before)
    name = handle.get_attribute("aria-label")
    handle.press("ArrowRight")
    page.wait_for_function("name => document.querySelector('.start-handle').ariaLabel !== name", arg=name)


def test_keys_that_come_before_an_answer_each_move_the_start(visit: Visit) -> None:
    page = visit("descent", reduced_motion="reduce")
    page.get_by_text("step 150 of 150").wait_for()
    page.evaluate("""() => {
      const handle = document.querySelector(".start-handle");
      window.place = () => Number(handle.ariaLabel.replace("\u2212", "-").match(/-?[\\d.]+/)[0]);
      window.tap = (times) => {  // no answer comes between them: nothing else runs in the page
        const options = {key: "ArrowRight", bubbles: true};
        for (let n = 0; n < times; n++)
          for (const type of ["keydown", "keyup"]) handle.dispatchEvent(new KeyboardEvent(type, options));
      };
    }""")
    begun = page.evaluate("place()")
    page.evaluate("tap(1)")
    page.wait_for_function("begun => place() !== begun", arg=begun)
    step = page.evaluate("place()") - begun
    page.evaluate("tap(3)")
    page.wait_for_function(
        "([begun, step]) => Math.abs(place() - begun - 4 * step) < step / 2", arg=[begun, step]
    )


def test_one_rate_for_all_on_a_phone_in_korean(visit: Visit) -> None:
    page = visit("descent", locale="ko-KR", width=390, height=844, color_scheme="dark", has_touch=True)
    page.get_by_role("radio", name="모두 같게").click()
    page.wait_for_selector(".results td:has-text('0.01') >> nth=4")
    assert _rates(page) == ["0.01"] * 5
    page.get_by_label("곡면", exact=True).select_option(label="라스트리긴 달걀판")
    page.get_by_text("정수 쌍마다").wait_for()
    name = page.locator(".start-handle").get_attribute("aria-label")
    page.locator(".race-map canvas").tap(position={"x": 200, "y": 200})
    page.wait_for_function("name => document.querySelector('.start-handle').ariaLabel !== name", arg=name)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_log_axis_ends_wherever_it_begins(visit: Visit) -> None:
    page = visit("descent")
    divisions = page.evaluate("""async () => {
      const { Curve } = await import("./kit/curve.js"), { html, render } = await import("./kit/html.js");
      const box = document.body.appendChild(document.createElement("div")), handle = { current: null };
      box.style.width = "300px";
      const series = [{ label: "f", colour: "--ink" }];
      render(html`<${Curve} series=${series} handle=${handle} label="f" log=${true} />`, box);
      while (!handle.current) await new Promise(requestAnimationFrame);
      const found = [];
      for (const low of [0.125, 1.26e-4, 3, 1e-8]) { // at 0.125 the axis begins just below a tenth
        handle.current.set([[0, 1], [low, 10 * low]]);
        await new Promise(requestAnimationFrame);
        found.push(handle.current.plot.axes[1]._splits.length);
      }
      render(null, box);
      return found;
    }""")
    assert all(1 <= count <= 8 for count in divisions)
