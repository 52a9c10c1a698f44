"""A training that diverged: why, and what may help, each remedy a message that the page may send."""

from __future__ import annotations

from typing import Any

from minicolumn.errors import DivergenceError
from minicolumn.playground.lines import line_of
from minicolumn.playground.network.setup import Setup


def divergence(error: DivergenceError, setup: Setup) -> dict[str, Any]:
    """Return what the frame `diverged` says: half the rate, a calmer optimizer, or a new beginning."""
    half = {"learning_rate": 0.5 * setup.learning_rate}
    calm = {"optimizer": "adam", "learning_rate": min(0.01, 0.5 * setup.learning_rate)}
    remedies = [
        {"label": "half", "do": "back"},
        {"label": "adam", "do": "back", "changes": calm},
        {"label": "reset", "do": "reset"},
    ]
    return {
        "message": line_of(error), "cause": error.cause, "layer": error.layer, "half": half,
        "remedies": remedies,
    }  # fmt: skip
