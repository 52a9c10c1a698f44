"""The page of a model in a real browser: opened as a file, filled in, it answers what the model predicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.model.model import Model

ROW = {
    "studyName": "PAL0809",
    "Island": "Biscoe",
    "Clutch Completion": "yes",
    "Date Egg": "2008-11-09",
    "Culmen Length (mm)": "45.5",
    "Culmen Depth (mm)": "14.5",
    "Flipper Length (mm)": "212",
    "Body Mass (g)": "",
    "Sex": "MALE",
    "Delta 15 N (o/oo)": "8.2",
    "Delta 13 C (o/oo)": "-26",
}
LENGTH = "Culmen Length (mm)"


@pytest.fixture(scope="module")
def penguins() -> Model:
    return mc.fit_table("penguins", epochs=8, hidden=16, members=2).model


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    found = browser.new_page(locale="en-US")
    found.set_default_timeout(60_000)
    said: list[str] = []
    found.on("console", lambda message: said.append(message.text))
    found.on("pageerror", lambda error: said.append(str(error)))
    found.on("request", lambda request: said.append(request.url) if request.url[:5] != "file:" else None)
    yield found
    found.close()
    assert not said


def fill(page: Any, row: dict[str, str]) -> None:
    for name, cell in row.items():
        field = page.get_by_label(name, exact=True)
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(cell)
        else:
            field.fill(cell)


def test_a_class_and_its_probabilities(page: Any, penguins: Model, tmp_path: Path) -> None:
    penguins.export("html", tmp_path / "penguins.html")
    assert (tmp_path / "penguins.html").stat().st_size < 300_000
    page.goto(f"file://{tmp_path}/penguins.html")
    fill(page, ROW)
    frame = polars.DataFrame({name: [cell or None] for name, cell in ROW.items()})
    (label,) = penguins.predict_table(frame)
    told = penguins.predict_distribution_table(frame)
    assert page.locator("#answer .label").inner_text() == label
    for name, shown in zip(
        page.locator(".chance b").all_inner_texts(), page.locator(".chance i").all_inner_texts(), strict=True
    ):
        (p,) = next(v for k, v in told.items() if k != "prediction" and k.endswith(name))
        assert abs(float(shown.rstrip("%")) - 100 * float(p)) <= 0.051


def test_a_number_beyond_what_was_seen_is_told(page: Any, penguins: Model, tmp_path: Path) -> None:
    penguins.export("html", tmp_path / "penguins.html")
    page.goto(f"file://{tmp_path}/penguins.html")
    fill(page, {LENGTH: "95"})
    assert page.locator(".field em:visible").all_inner_texts() == [
        "beyond what the network has seen: 33.1 \u2013 58"
    ]
    fill(page, {LENGTH: "long"})
    assert page.locator("#answer .bad").inner_text() == f'{LENGTH}: "long" is no number like 12.5'
    fill(page, {LENGTH: ""})
    assert page.locator(".field em:visible").count() == page.locator("#answer .bad").count() == 0


def test_a_number_with_dates_and_hostile_levels(page: Any, tmp_path: Path) -> None:
    from tables import HOSTILE, frame, model

    made = model(frame("number", 0.1))
    made.export("html", tmp_path / "goal.html")
    page.goto(f"file://{tmp_path}/goal.html")
    row = {"size": "2.5", "count": "120", "flag": "no", "tag": HOSTILE[4], "two": "b", "day": "2024-05-06"}
    fill(page, row)
    page.get_by_label("time", exact=True).fill("2012-01-02T10:20:30")
    (expected,) = made.predict_table(polars.DataFrame({**row, "time": "2012-01-02 10:20:30", "town": None}))
    shown = float(page.locator("#answer .label").inner_text().replace(",", ""))
    assert shown == pytest.approx(float(expected), rel=1e-4)


def test_an_array_has_no_range_and_takes_numbers_alone(page: Any, tmp_path: Path) -> None:
    import minicolumn as mc

    net = mc.nn.Dense(1)
    made = mc.Model(
        net, {"weight": np.array([[2.0], [3.0]], "f4"), "bias": np.array([1.0], "f4")}, (2,), "squared_error"
    )
    made.export("html", tmp_path / "two.html")
    page.goto(f"file://{tmp_path}/two.html")
    assert page.locator("#answer .label").inner_text() == "1"
    fill(page, {"x0": "10", "x1": "100"})
    assert page.locator("#answer .label").inner_text() == "321"
    assert page.get_by_label("x0", exact=True).get_attribute("placeholder") == "0"
    assert page.locator(".field em:visible").count() == 0
    fill(page, {"x0": "ten"})
    assert page.locator("#answer .bad").inner_text() == 'x0: "ten" is no number like 12.5'


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_cut_off(page: Any, penguins: Model, tmp_path: Path, width: int) -> None:
    penguins.export("html", tmp_path / "penguins.html")
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"file://{tmp_path}/penguins.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
