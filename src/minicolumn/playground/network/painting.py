"""Painting: points added, moved and taken away by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minicolumn.data.points.points import LETTERS, SIGNED, Points
from minicolumn.errors import DataError
from minicolumn.playground.lines import line
from minicolumn.playground.network.messages import Paint
from minicolumn.playground.network.setup import MOST_POINTS
from minicolumn.playground.network.tables import held_rows

EVERY = 4  # of painted points, one is held out


def painted(points: Points, said: Paint) -> Points:
    """Return points as they are after a stroke of the brush: cleared, removed, moved, added, in this order.

    A painted point is one to train on, but for every fourth, which is held out, or those that are named.

    Errors      DataError for points that are not there, for more than there may be, and if none would be left
    """
    if len(points.inputs) != 2:
        raise DataError(line("paintTwo", count=len(points.inputs)))
    points = _cleared(points, said) if said.clear else points
    points = _without(points, said.remove)
    points = _moved(points, said.move)
    points = _with(points, said.add, said.held)
    if (~points.held).sum() < 2:
        raise DataError(line("paintStay"))
    return points


def split_anew(points: Points, train_percent: int, seed: int) -> Points:
    """Return points of which another share is trained on, drawn by the seed."""
    return replace(points, held=held_rows(points.y, bool(points.classes), train_percent, seed))


def _cleared(points: Points, said: Paint) -> Points:
    classes = points.classes
    if said.classes is not None:
        classes = () if said.classes == 0 else SIGNED if said.classes <= 2 else tuple(LETTERS[: said.classes])
    nothing = np.zeros(0)
    return Points(np.zeros((0, 2)), nothing, nothing.astype(bool), points.inputs, classes)


def _without(points: Points, places: tuple[int, ...]) -> Points:
    if not places:
        return points
    _check_places(places, len(points.y))
    left = np.ones(len(points.y), bool)
    left[list(places)] = False
    return replace(points, X=points.X[left], y=points.y[left], held=points.held[left])


def _moved(points: Points, moves: tuple[tuple[float, ...], ...]) -> Points:
    if not moves:
        return points
    if any(len(move) != 3 or move[0] != int(move[0]) for move in moves):
        raise DataError(line("paintMove"))
    places = tuple(int(move[0]) for move in moves)
    _check_places(places, len(points.y))
    X = points.X.copy()
    X[list(places)] = [move[1:] for move in moves]
    return replace(points, X=X)


def _check_places(places: tuple[int, ...], count: int) -> None:
    wrong = [place for place in places if not 0 <= place < count]
    if wrong:
        raise DataError(line("paintPlace", count=count, place=wrong[0]))


def _with(points: Points, rows: tuple[tuple[float, ...], ...], places: tuple[int, ...] | None) -> Points:
    if not rows:
        return points
    if any(len(row) != 3 for row in rows):
        raise DataError(line("paintAdd"))
    new = np.array(rows, np.float64)
    count = len(points.y)
    if count + len(new) > MOST_POINTS:
        raise DataError(line("paintMost", most=MOST_POINTS, count=count + len(new)))
    if points.classes and not np.isin(new[:, 2], np.arange(len(points.classes))).all():
        raise DataError(line("paintClass", count=len(points.classes)))
    held = (count + np.arange(len(new))) % EVERY == EVERY - 1
    if places is not None:
        _check_places(places, len(new))
        held = np.isin(np.arange(len(new)), places)
    return replace(
        points, X=np.concatenate([points.X, new[:, :2]]), y=np.concatenate([points.y, new[:, 2]]),
        held=np.concatenate([points.held, held]),
    )  # fmt: skip
