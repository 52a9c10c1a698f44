"""The topology of a network: a column of units for each layer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.picture import BEHIND, COLOURS, FRONT, INK, PALE, QUIET, plain, quiet, titled

if TYPE_CHECKING:
    from minicolumn.tune.study import Study

_MOST_DRAWN = 12  # units of a layer; of more the middle is left out
_STEP = 1.0  # from unit to unit


def draw_topology(axes: Any, study: Study) -> None:
    """Draw the winner: what goes in, its hidden layers, and what comes out."""
    winner = study.winner
    assert winner is not None
    candidate = winner.candidate
    inputs, outputs = _ends(study)
    layers = [inputs, *candidate.hidden, outputs]
    names = [
        "inputs",
        *(candidate.activation for _ in candidate.hidden),
        "outputs" if outputs > 1 else "output",
    ]
    columns = [_units(size) for size in layers]
    gap = 0.62 * max(len(places) for places in columns) * _STEP
    for place, (left, right) in enumerate(pairwise(columns)):
        _draw_edges(axes, place * gap, left, (place + 1) * gap, right)
    for place, (size, units, name) in enumerate(zip(layers, columns, names, strict=True)):
        colour = COLOURS[2] if place == 0 else COLOURS[0] if place == len(layers) - 1 else FRONT
        _draw_layer(axes, place * gap, units, colour, size, name)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    quiet(axes)
    tall = max(max(places) for places in columns)
    axes.set_xlim(-0.9, (len(layers) - 1) * gap + 0.9)
    axes.set_ylim(-tall - 2.0, tall + 1.9)
    ramps = ", numbers also as ramps" if candidate.ramps else ""
    titled(axes, candidate.words, f"{winner.parameters:,} weights{ramps}; dropout {candidate.dropout:.2g}")


def _ends(study: Study) -> tuple[int, int]:
    """Return how many features go in and how many outputs come out, by the refitted network.

    Errors      DataError where the winner was not refitted, of which nothing else is known
    """
    if study.refit is None:
        raise DataError("topology: the winner was not refitted, so its inputs are not known")
    model = study.refit.model
    classes = model.classes
    return int(np.prod(model.input_shape)), 1 if classes is None else len(classes)


def _units(size: int) -> list[float]:
    """Return the heights of the units that are drawn, about 0; a gap stands for those in the middle."""
    if size <= _MOST_DRAWN:
        return [(place - (size - 1) / 2) * _STEP for place in range(size)]
    half = _MOST_DRAWN // 2
    above = [(place + 1.1) * _STEP for place in range(half)]
    return [-height for height in above[::-1]] + above


def _draw_edges(axes: Any, x: float, left: list[float], x_next: float, right: list[float]) -> None:
    from matplotlib.collections import LineCollection

    lines = [[(x, a), (x_next, b)] for a in left for b in right]
    axes.add_collection(LineCollection(lines, colors=BEHIND, linewidths=0.5, alpha=0.28, zorder=1))


def _draw_layer(axes: Any, x: float, units: list[float], colour: str, size: int, name: str) -> None:
    from matplotlib.patches import Circle

    for height in units:
        axes.add_patch(Circle((x, height), 0.33, fc=colour, ec="#ffffff", lw=1.0, zorder=3))
    if size > _MOST_DRAWN:
        for height in (-0.42, 0.0, 0.42):
            axes.add_patch(Circle((x, height), 0.09, fc=PALE, ec="none", zorder=3))
    top, bottom = max(units), min(units)
    axes.text(x, top + 0.85, f"{size:,}", ha="center", va="bottom", fontsize=11, color=INK, fontweight="bold")
    axes.text(x, bottom - 0.85, plain(name), ha="center", va="top", fontsize=9, color=QUIET)
