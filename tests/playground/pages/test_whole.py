"""A network that the controls cannot describe, in the page: drawn, trained, and told why its layers stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gestures import shown

import minicolumn as mc
from minicolumn.nn import Dense, Residual, Sequential

Visit = Callable[..., Any]


def _opened(visit: Visit, folder: Path, **options: Any) -> Any:
    X = np.random.default_rng(0).normal(size=(80, 2)).astype(np.float32)
    network = Sequential(Dense(6, "relu"), Residual(Dense(6, "relu")), Dense(1))
    run = mc.fit(network, X, (X[:, 0] * X[:, 1] > 0).astype(int), epochs=20, loss="binary_cross_entropy")
    run.save(folder / "residual.safetensors")
    page = visit("network", reduced_motion="reduce", **options)
    page.locator(".neuron").first.wait_for()
    page.get_by_role("button", name="Your own data" if not options.get("locale") else "내 데이터").click()
    page.locator("input[type=file]").set_input_files(folder / "residual.safetensors")
    return page


def test_it_is_drawn_and_learns_and_survives_a_reload(visit: Visit, tmp_path: Path) -> None:
    page = _opened(visit, tmp_path)
    page.get_by_text("its layers and inputs stay as they are").wait_for()
    page.keyboard.press("Escape")
    shown(page.locator(".layer-head .note")).to_have_text(["Dense", "Residual", "Dense"], use_inner_text=True)
    shown(page.locator(".stepper")).to_have_count(0)
    shown(page.locator(".bias-spot")).to_have_count(0)
    shown(page.locator(".feature:not([disabled])")).to_have_count(0)
    page.get_by_role("button", name="Its layers").click()
    page.get_by_role("dialog", name="The model residual.safetensors").wait_for()
    page.keyboard.press("Escape")
    page.locator(".neuron[data-key='0,1']").click()
    page.get_by_text("came as a whole").last.wait_for()
    page.keyboard.press("s")
    page.locator(".epoch", has_text="000,001").wait_for()
    page.reload()
    page.locator(".epoch", has_text="000,001").wait_for()
    shown(page.locator(".layer-head .note")).to_have_text(["Dense", "Residual", "Dense"], use_inner_text=True)
    page.get_by_role("radio", name="Spiral").click()
    page.locator(".stepper").first.wait_for()
    shown(page.locator(".feature.on")).to_have_count(2)


def test_it_fits_a_phone_and_is_told_in_korean(visit: Visit, tmp_path: Path) -> None:
    page = _opened(visit, tmp_path, width=360, height=740, locale="ko-KR")
    page.get_by_text("가져온 그대로의 신경망").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
