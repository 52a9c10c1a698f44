"""The page of the room `network`, in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gestures import becomes, drag, settled, shown

Visit = Callable[..., Any]
STILL = {"reduced_motion": "reduce"}  # else it begins to learn by itself
OLD_LINK = (
    "#activation=relu&batchSize=10&dataset=spiral&learningRate=0.01&noise=5&networkShape=6,3&seed=0.77049"
    "&showTestData=true&percTrainData=50&x=true&y=true&xTimesY=true&problem=classification&noise_hide=true"
)


def _until(page: Any, what: str) -> None:
    """Wait until an expression holds: asked again and again, as the page's policy evaluates no text."""
    for _ in range(300):
        if page.evaluate(what):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never: {what}")


def _has_text(page: Any, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).wait_for()


def _units(page: Any) -> list[str]:
    return page.locator(".layer-head output").all_inner_texts()


def test_untouched_it_learns_for_a_while_and_rests(visit: Visit) -> None:
    page = visit("network")
    page.wait_for_selector(".run.running")
    _has_text(page, ".epoch", "000,120")
    page.wait_for_selector(".run:not(.running)")
    shown(page.locator(".message")).to_have_count(0)
    assert page.evaluate("location.hash") == "#/network"


def test_keys_step_run_pause_and_reset(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.wait_for_selector(".neuron")
    page.keyboard.press("s")
    _has_text(page, ".epoch", "000,001")
    page.keyboard.press("Space")
    _until(page, "document.querySelector('.epoch').textContent > '000,010'")
    page.keyboard.press("Space")
    page.wait_for_selector(".run:not(.running)")
    page.keyboard.press("r")
    _has_text(page, ".epoch", "000,000")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Help").wait_for()


def test_controls_change_the_network_and_the_address(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.get_by_role("textbox", name="Learning rate").fill("0.07")
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="Activation", exact=True).select_option(label="ReLU")
    page.get_by_role("combobox", name="Optimizer").select_option(label="Adam")
    page.get_by_role("combobox", name="Regularization", exact=True).select_option(label="L2")
    page.get_by_role("radio", name="Spiral").click()
    page.get_by_role("slider", name="Noise").press("ArrowRight")
    page.get_by_role("button", name="x1^2").click()
    page.get_by_role("button", name="Add a hidden layer").click()
    page.get_by_role("button", name="One neuron more in layer 1").click()
    _until(page, "location.hash.includes('units=5,2,2') && location.hash.includes('x1^2')")
    address = page.evaluate("location.hash")
    said = (
        "learning_rate=0.07",
        "relu",
        "optimizer=adam",
        "regularization=l2",
        "dataset=spiral",
        "noise=5",
        "x1^2",
    )
    assert {part for part in said if part not in address} == set()
    page.reload()
    page.wait_for_selector(".layer-head")
    becomes(page, lambda: _units(page), ["5", "2", "2"])
    becomes(page, lambda: page.evaluate("location.hash"), address)


def test_weights_are_set_by_keyboard_and_by_pointer(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.locator(".neuron[data-key='0,0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    weight = page.get_by_label("Weight from Neuron 1 of layer 1")
    weight.fill("2.5")
    numbers = "[...document.querySelectorAll('.terms tbody tr:first-child td.num')]"
    values = f"{numbers}.map(cell => Number(cell.textContent.replace('\u2212', '-')))"
    _until(page, f"{values}.reduce((value, product) => Math.abs(product - 2.5 * value)) < 0.02")
    page.locator(".neuron[data-key='1,1'] .bias-spot").click()
    page.get_by_role("dialog").get_by_role("spinbutton").fill("-1.5")
    page.keyboard.press("Escape")
    _until(page, "[...document.querySelectorAll('.terms input')].at(-1).value === '-1.5'")
    to = settled(page.locator(".neuron[data-key='1,1']"))
    page.mouse.move(to["x"] - 5, to["y"] + to["height"] / 2)
    page.get_by_text("→ Neuron 2 of layer 2: ").wait_for()


def test_an_old_link_opens_as_it_was_meant(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.wait_for_selector(".neuron")
    page.evaluate("link => { location.hash = link; }", OLD_LINK)
    _until(page, "document.querySelectorAll('.feature.on').length === 3")
    becomes(page, lambda: _units(page), ["6", "3"])
    shown(page.get_by_role("switch", name="Show test points")).to_have_attribute("aria-checked", "true")
    shown(page.get_by_role("radio", name="Spiral")).to_have_attribute("aria-checked", "true")
    shown(page.get_by_role("slider", name="Noise")).to_have_count(0)
    shown(page.get_by_role("slider", name="Batch size")).to_have_count(1)


def test_a_table_is_pasted_and_learnt(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.get_by_role("button", name="Your own data").click()
    rows = [f"{i % 7},{3 * i % 11},{'cat' if 2 * (i % 7) > 3 * i % 11 else 'dog'}" for i in range(80)]
    page.get_by_role("textbox", name="Paste a table").fill("\n".join(["width,height,kind", *rows]))
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("button", name="Learn kind").click()
    page.get_by_text("80 rows of your table").wait_for()
    shown(page.locator(".feature-name")).to_have_text(["width", "height"], use_inner_text=True)
    page.get_by_role("button", name="Run (Space)").click()
    _until(
        page, "parseFloat(document.querySelector('.losses tr:nth-child(2) td:last-child').textContent) > 95"
    )


def test_points_are_painted_from_nothing(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.get_by_role("radio", name="Paint points").click()
    page.get_by_role("button", name="Clear").click()
    canvas = page.locator("canvas.map")
    width = settled(canvas)["width"]
    for place, brush in ((0.3, "-1"), (0.7, "+1")):
        page.get_by_role("radio", name=brush, exact=True).click()
        drag(canvas, [(place * width, 60), (place * width, 180)])
    page.get_by_text("points of your own").wait_for()
    _until(page, "parseInt(document.querySelector('.own-note').innerText) >= 10")


def test_what_was_made_is_taken_along(visit: Visit, tmp_path: Path) -> None:
    page = visit("network", **STILL)
    files = {}
    for what in ("Weights", "NumPy source", "Data", "Model file"):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as taken:
            page.locator(".menu-item b", has_text=what).click()
        files[taken.value.suggested_filename] = Path(taken.value.path()).read_bytes()
    assert sorted(files) == ["network.py", "network.safetensors", "points.csv", "weights.json"]
    layers = json.loads(files["weights.json"])["layers"]
    assert [len(layer["bias"]) for layer in layers] == [4, 2, 1]
    assert files["points.csv"].startswith(b"x1,x2,class,part\n")


def test_divergence_is_told_with_ways_back(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.get_by_role("button", name="Presets").click()
    page.get_by_role("button", name="Too fast").click()
    page.get_by_text("training diverged").wait_for()
    page.get_by_role("button", name="Use Adam").click()
    _until(page, "location.hash.includes('optimizer=adam')")
    shown(page.get_by_text("training diverged")).to_have_count(0)


def test_a_phone_in_korean_and_dark(visit: Visit) -> None:
    page = visit(
        "network", width=360, height=740, locale="ko-KR", color_scheme="dark", has_touch=True, **STILL
    )
    page.locator(".neuron[data-key='0,1']").tap()
    page.get_by_role("heading", name="1층 2번 뉴런").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="실행 (스페이스)").tap()
    _until(page, "document.querySelector('.epoch').textContent > '000,010'")
    page.get_by_role("button", name="English").tap()
    page.get_by_role("button", name="Pause").wait_for()


def test_what_the_session_says_is_said_in_the_language_of_the_page(visit: Visit) -> None:
    page = visit("network", locale="ko-KR", **STILL)
    page.wait_for_selector(".neuron")
    page.evaluate("location.hash = '#nois=3'")
    page.get_by_text("링크에 모르는 항목 'nois'이(가) 있습니다. 혹시 'noise'입니까?").wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_text("link: unknown field 'nois'; did you mean 'noise'?").wait_for()
    page.evaluate("link => { location.hash = link; }", OLD_LINK + "&cosX=true")
    page.get_by_text("cosX has no effect here").wait_for()


def test_layers_that_do_not_learn_are_told_when_unfolded(visit: Visit) -> None:
    page = visit("network", **STILL)
    page.wait_for_selector(".neuron")
    page.get_by_text("Layers: gradients and weights").click()
    page.get_by_text("Every layer learns.").wait_for()
    page.evaluate("location.hash = '#units=4,4,4,4,4,4&activations=logistic'")
    page.get_by_text("The gradient has all but vanished").first.wait_for()
    shown(page.locator(".norms tbody tr:not(.said)")).to_have_count(7)
