"""A model that cannot be drawn is told in a dialog, over what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gestures import shown

import minicolumn as mc

Visit = Callable[..., Any]


def test_a_model_that_cannot_be_drawn_is_told(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "birds.safetensors"
    run = mc.fit_table("penguins", epochs=2, hidden=(8,))
    run.save(path)
    page = visit("network")
    page.get_by_role("button", name="Your own data").click()
    page.locator("input[type=file]").set_input_files(path)
    dialog = page.get_by_role("dialog", name="The model birds.safetensors")
    dialog.wait_for()
    layers = dialog.locator(".layers tbody tr")
    members = run.model.network.members  # type: ignore[attr-defined]
    shown(layers).to_have_count(sum(len(member.layers) for member in members))
    dialog.locator(".spread svg").nth(1).wait_for()
    assert f"{run.metrics['accuracy']:.4g}" in dialog.locator(".scores").inner_text()
    assert "Flipper Length (mm) number" in dialog.locator(".chips").first.inner_text()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.keyboard.press("s")  # what was there goes on
    shown(page.locator("canvas.map")).to_be_visible()
