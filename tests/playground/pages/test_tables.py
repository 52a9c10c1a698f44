"""A table on the page: a file of bytes is learnt and shown in its own units; formulas are made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
from gestures import settled, shown

Visit = Callable[..., Any]
STILL = {"reduced_motion": "reduce"}


def test_a_parquet_file_is_learnt_and_shown_in_its_own_units(visit: Visit, tmp_path: Path) -> None:
    path, rows = tmp_path / "rows.parquet", np.arange(80)
    mass, length = 3_000.0 + rows * 37 % 2_000, 30.0 + rows % 23
    kinds = np.where(mass + 50 * length > 6_000, "cat", "dog")
    polars.DataFrame({"mass": mass, "length": length, "age": rows % 3, "kind": kinds}).write_parquet(path)
    page = visit("network", **STILL)
    page.get_by_role("button", name="Your own data").click()
    page.set_input_files("input[type=file]", path)
    page.get_by_role("button", name="Learn kind").click()
    page.get_by_text("80 rows of your table").wait_for()
    assert page.get_by_label("Across").evaluate("list => list.selectedOptions[0].text") == "mass"
    canvas = page.locator("canvas.map")
    box = settled(canvas)
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    page.locator(".map-read", has_text="→").wait_for()
    x, y = page.locator(".map-read").inner_text().split(" → ")[0].split(", ")
    assert 3_000 < float(x) < 5_000
    assert 30 < float(y) < 53
    page.get_by_role("button", name="Add a formula").click()
    page.get_by_role("textbox", name="Add a formula").fill("mass * length")
    page.locator(".formula-said", has_text="x").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="mass*length").wait_for()
    page.get_by_role("button", name="Feature age").click()
    page.wait_for_selector(".feature:not(.on)")
    shown(page.locator(".feature.on .feature-name")).to_have_text(
        ["mass", "length", "mass*length"], use_inner_text=True
    )
