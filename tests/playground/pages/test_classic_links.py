"""Links of TensorFlow Playground as addresses of the page: what each must show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gestures import becomes

from minicolumn.playground.network.setup import DEFAULT, changed

Visit = Callable[..., Any]
ROWS = json.loads((Path(__file__).parent.parent / "golden" / "links.json").read_text())[2:]
# Features as the page writes them, less that digits are lowered and raised, in its order.
FEATURES = {
    "x1": "x1", "x2": "x2", "x1^2": "x12", "x2^2": "x22", "x1*x2": "x1 x2",
    "sin(x1)": "sin x1", "sin(x2)": "sin x2",
}  # fmt: skip
# What can be hidden -> how a screen reader is told of it.
CONTROLS = {
    "show_test": 'switch "Show test points"',
    "activations": 'combobox "Activation"',
    "noise": 'slider "Noise"',
    "regularization": 'combobox "Regularization"',
    "learning_rate": 'textbox "Learning rate"',
    "regularization_rate": 'textbox "Regularization rate"',
    "train_percent": 'slider "Training share"',
    "discretize": 'switch "Discretize"',
    "batch_size": 'slider "Batch size"',
    "task": 'radiogroup "Problem"',
    "units": 'button "Add a hidden layer"',
    "run": 'button "Run (Space)"',
}


def _shown(page: Any) -> dict[str, Any]:
    """Return what a reader sees."""
    said = page.locator("main").aria_snapshot()
    rate = re.search(r'textbox "Learning rate": "?([\d.e-]+)', said)
    return {
        "units": [int(text) for text in page.locator(".layer-head output").all_inner_texts()],
        "features": page.locator(".feature.on .feature-name").all_inner_texts(),
        "learning_rate": float(rate[1]) if rate else None,
        "hidden": {name for name, control in CONTROLS.items() if control not in said},
        "offered": page.locator(".feature-name").all_inner_texts(),
        "text": page.locator(".hint").count(),
    }


def test_old_links_show_what_they_say(visit: Visit) -> None:
    page = visit("network", reduced_motion="reduce")
    page.wait_for_selector(".neuron")
    for row in ROWS:
        page.evaluate("link => { location.hash = link.slice(link.indexOf('#')); }", row["link"])
        fields, hidden = row["fields"], set(row.get("hidden", ()))
        setup = changed(DEFAULT, {"rule": "classic", "loss": "squared_error", **fields})
        page.wait_for_url(f"**data_seed={fields['data_seed']}*")
        page.locator(".epoch", has_text="000,000").wait_for()
        wanted = {
            "units": list(setup.units),
            "features": [name for formula, name in FEATURES.items() if formula in setup.features],
            "learning_rate": None if "learning_rate" in hidden else setup.learning_rate,
            "hidden": hidden & set(CONTROLS),
            "offered": [name for formula, name in FEATURES.items() if formula not in hidden],
            "text": 0 if "text" in hidden else 1,
        }
        becomes(page, lambda: _shown(page), wanted)
        address = page.evaluate("location.hash")
        assert "rule=classic" in address
        assert {f"{name}_hide=true" for name in hidden} <= set(address.lstrip("#").split("&"))
        said = page.locator(".message.note").all_inner_texts()
        assert [note in said[0] for note in row.get("notes", ())] == [True] * len(row.get("notes", ()))
