"""Pictures of a card's page as SVG: the network, its learning curves, and how weights are distributed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from minicolumn.model.card.layers import Step, Weights
from minicolumn.model.card.markup import text

_DOTS = 9  # of a column, at most
_APART, _HIGH, _TOP = 132.0, 200.0, 24.0
_CURVE = (640.0, 220.0)
_LETTERS = 18


@dataclass(frozen=True)
class _Column:
    """Numbers of a row at one place: how many, what made them, and what is done to them there."""

    units: int
    title: str
    notes: tuple[str, ...] = ()


def draw_network(features: int, steps: Sequence[Step]) -> str:
    """Return a network as columns of neurons with links between them.

    A layer without weights, or that gives as many numbers as it takes and is no dense one, is a note below
    the column before it.
    """
    columns = _columns(features, steps)
    width = _APART * (len(columns) - 1) + 120.0
    marks = []
    for k, (left, right) in enumerate(itertools.pairwise(columns)):
        marks += _links(_x(k), _shown(left.units), _x(k + 1), _shown(right.units))
    for k, column in enumerate(columns):
        marks += _dots(k, column, "out" if k == len(columns) - 1 else "in" if k == 0 else "hid")
    lines = max(len(column.notes) for column in columns)
    height = _TOP + _HIGH + 58 + 15 * lines
    return (
        f'<svg class=net viewBox="0 0 {width:g} {height:g}" style="min-width:{0.8 * width:g}px;'
        f'max-width:{1.5 * width:g}px" role="img" aria-label="The layers of the network">'
        f"{''.join(marks)}</svg>"
    )


def _columns(features: int, steps: Sequence[Step]) -> list[_Column]:
    columns = [_Column(features, "features")]
    for step in steps:
        last = columns[-1]
        mixes = "Dense" in step.title or "Embed" in step.title or "Splines" in step.title
        if mixes or step.units != last.units:
            columns.append(_Column(step.units, step.title, _notes(step)))
        else:
            note = step.detail if len(step.detail) <= _LETTERS else step.title
            columns[-1] = _Column(last.units, last.title, (*last.notes, note))
    return columns


def _notes(step: Step) -> tuple[str, ...]:
    """Return what stands below a column: the activation."""
    _, found, rest = step.detail.partition("activation='")
    return (rest.partition("'")[0],) if found else ()


def _shown(units: int) -> list[float]:
    """Return the heights of the dots of a column."""
    dots = min(units, _DOTS)
    gap = min(26.0, _HIGH / max(dots - 1, 1))
    return [_TOP + _HIGH / 2 + gap * (k - (dots - 1) / 2) for k in range(dots)]


def _x(place: int) -> float:
    return 60.0 + _APART * place


def _links(x: float, left: list[float], other: float, right: list[float]) -> list[str]:
    path = " ".join(f"M{x:g} {a:.1f}L{other:g} {b:.1f}" for a in left for b in right)
    return [f'<path class=link d="{path}"/>']


def _dots(place: int, column: _Column, kind: str) -> list[str]:
    """Return the dots of a column, the middle one open where there are more units than dots."""
    x, heights = _x(place), _shown(column.units)
    more = column.units > _DOTS
    marks = []
    for k, y in enumerate(heights):
        if more and k == len(heights) // 2:
            marks.append(f'<rect class=gap x="{x - 9:g}" y="{y - 9:.1f}" width="18" height="18"/>')
            marks.append(f'<text class=more x="{x:g}" y="{y + 5:.1f}">⋮</text>')
        else:
            marks.append(f'<circle class={kind} cx="{x:g}" cy="{y:.1f}" r="7"/>')
    y = _TOP + _HIGH + 30
    lines = [("name", column.title[:_LETTERS]), ("units", f"{column.units:,}")]
    lines += [("quiet", note[:_LETTERS]) for note in column.notes]
    return marks + [
        f'<text class={style} x="{x:g}" y="{y + 16 * k:g}">{text(line)}</text>'
        for k, (style, line) in enumerate(lines)
    ]


def draw_curves(curves: Sequence[tuple[str, Sequence[float | None]]], best: int | None = None) -> str:
    """Return learning curves by epoch, each a name and its figures; None where there is no figure.

    best    the epoch whose weights were kept, counted from 1
    """
    drawn = [(name, [(k, v) for k, v in enumerate(values) if v is not None]) for name, values in curves]
    drawn = [(name, points) for name, points in drawn if len(points) > 1]
    if not drawn:
        return ""
    every = [v for _, points in drawn for _, v in points]
    last = max(k for _, points in drawn for k, _ in points)
    low, high = min(every), max(every)
    span = high - low if math.isfinite(high - low) and high > low else 1.0
    width, height = _CURVE

    def at(k: int, v: float) -> tuple[float, float]:
        return 64 + (width - 80) * k / last, 14 + (height - 54) * (1 - (v - low) / span)

    marks = []
    for share in (0.0, 0.5, 1.0):
        y = at(0, low + share * span)[1]
        marks.append(f'<path class=grid d="M64 {y:.1f}H{width - 16:g}"/>')
        marks.append(f'<text class=tick x="56" y="{y + 4:.1f}">{low + share * span:.3g}</text>')
    if best is not None and 1 <= best <= last + 1:
        x = at(best - 1, low)[0]
        marks.append(f'<path class=best d="M{x:.1f} 8V{height - 40:g}"/>')
        inside = min(max(x, 60.0), width - 60.0)
        marks.append(f'<text class=mid x="{inside:.1f}" y="{height - 6:g}">epoch {best} kept</text>')
    for place, (_, points) in enumerate(drawn):
        path = " ".join(f"{'ML'[k > 0]}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(at(*p) for p in points))
        marks.append(f'<path class="curve c{place % 2}" d="{path}"/>')
    marks += [
        f'<text class=mid x="{at(k, low)[0]:.1f}" y="{height - 24:g}">{k + 1}</text>' for k in (0, last)
    ]
    names = " ".join(f'<span class="key c{k % 2}">{text(name)}</span>' for k, (name, _) in enumerate(drawn))
    return (
        f'<p class=keys>{names}</p><svg class=plot viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="Learning curves by epoch">{"".join(marks)}</svg>'
    )


def draw_bars(weights: Weights) -> str:
    """Return how the weights of one name are distributed, as small bars."""
    top = max(weights.bars) or 1
    bars = "".join(
        f'<rect x="{5 * k}" y="{26 - 26 * n / top:.1f}" width="4" height="{26 * n / top:.1f}"/>'
        for k, n in enumerate(weights.bars)
        if n
    )
    return f'<svg class=bars viewBox="0 0 {5 * len(weights.bars)} 26" aria-hidden="true">{bars}</svg>'
