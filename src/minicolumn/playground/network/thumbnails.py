"""Thumbnails of the data sets: what the page draws on their buttons, from the generators themselves."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minicolumn.data.points.points import DATASETS, RANGE, thumbnail


@functools.cache
def thumbnails() -> tuple[dict[str, Any], ...]:
    """Return each data set's name, task, number of classes and points (x1, x2, target), in two decimals.

    Of a data set with one input, x2 is the target, scaled to the plane.

    >>> first = thumbnails()[0]
    >>> first["name"], first["task"], first["classes"], len(first["points"])
    ('circle', 'classification', 2, 200)
    """
    return tuple(_thumbnail(name) for name in DATASETS)


def _thumbnail(name: str) -> dict[str, Any]:
    points = thumbnail(name)
    columns = [*points.X.T, points.y]
    if len(columns) == 2:
        columns.insert(1, points.y * 0.8 * RANGE[1] / np.abs(points.y).max())
    rows = np.stack(columns, axis=1).round(2).tolist()
    return {"name": name, "task": points.task, "classes": len(points.classes), "points": rows}
