"""Layered graph drawing (Sugiyama): where nodes lie, so that edges run downward and cross little.

Source      Sugiyama, Tagawa, Toda 1981: layers by longest path, order by barycentres, then coordinates
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

SWEEPS = 24
PATIENCE = 48_000
LANE = 8.0  # the width that an edge gets where it passes a layer
GAP = 22.0
TRUNK = 8.0  # how much more the line of computation is kept straight than what merely feeds it


@dataclass(frozen=True)
class Layout:
    """The layer and centre of every box, and for each edge the layers between that it passes, and where."""

    layers: list[int]
    centres: list[float]
    routes: dict[tuple[int, int], list[tuple[int, float]]]
    width: float
    depth: int


@dataclass
class _Drawing:
    """Boxes and, behind them in the same lists, the places where edges pass a layer."""

    layers: list[int]
    widths: list[float]
    above: list[list[int]] = field(default_factory=list)
    below: list[list[int]] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)


def arrange(widths: Sequence[float], edges: Iterable[tuple[int, int]]) -> Layout:
    """Return places for boxes of these widths; edges run from lower numbers to higher ones.

    >>> arrange([10.0, 10.0, 10.0], [(0, 1), (0, 2), (1, 2)]).layers
    [0, 1, 2]
    """
    pairs = sorted(set(edges))
    drawing = _Drawing(_layers(len(widths), pairs), list(widths))
    lanes = _add_lanes(drawing, pairs)
    _order(drawing)
    centres = _centres(drawing)
    routes = {(u, v): [(drawing.layers[i], centres[i]) for i in lane] for (u, v), lane in lanes.items()}
    width = max((c + w / 2 for c, w in zip(centres, drawing.widths, strict=True)), default=0.0)
    return Layout(drawing.layers[: len(widths)], centres[: len(widths)], routes, width, len(drawing.rows))


def _layers(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return the longest path to each box; boxes sink to their readers if that shortens edges."""
    layers = [0] * count
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for u, v in sorted(pairs, key=lambda pair: pair[1]):
        layers[v] = max(layers[v], layers[u] + 1)
        above[v].append(u)
        below[u].append(v)
    for i in reversed(range(count)):
        # An operand that nothing else reads comes along; each other one stays, and its edge grows.
        staying = sum(len(below[j]) > 1 for j in above[i])
        if below[i] and len(below[i]) >= staying:
            layers[i] = min(layers[j] for j in below[i]) - 1
    return layers


def _add_lanes(drawing: _Drawing, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    """Add a place for every layer that an edge passes; the edges of one box share them until they part."""
    drawing.above = [[] for _ in drawing.widths]
    drawing.below = [[] for _ in drawing.widths]
    lanes: dict[tuple[int, int], list[int]] = {}
    shared: dict[int, list[int]] = {}
    for u, v in pairs:
        lane = shared.setdefault(u, [])
        while len(lane) < drawing.layers[v] - drawing.layers[u] - 1:
            lane.append(_lane(drawing, lane[-1] if lane else u))
        used = lane[: drawing.layers[v] - drawing.layers[u] - 1]
        _connect(drawing, used[-1] if used else u, v)
        lanes[u, v] = used
    return lanes


def _lane(drawing: _Drawing, above: int) -> int:
    drawing.layers.append(drawing.layers[above] + 1)
    drawing.widths.append(LANE)
    drawing.above.append([])
    drawing.below.append([])
    _connect(drawing, above, len(drawing.layers) - 1)
    return len(drawing.layers) - 1


def _connect(drawing: _Drawing, u: int, v: int) -> None:
    drawing.below[u].append(v)
    drawing.above[v].append(u)


# Order within the layers ------------------------------------------------------------------------------------


def _order(drawing: _Drawing) -> None:
    """Order each layer by the mean place of its neighbours, down and up in turn; keep the best order seen."""
    rows: list[list[int]] = [[] for _ in range(max(drawing.layers, default=-1) + 1)]
    for i in _depth_first(drawing):
        rows[drawing.layers[i]].append(i)
    best, fewest = [list(row) for row in rows], _crossings(drawing, rows)
    # A picture of thousands of places is not read edge by edge; it gets fewer sweeps and is there in seconds.
    for sweep in range(max(2, min(SWEEPS, PATIENCE // max(len(drawing.layers), 1)))):
        _sweep(rows, drawing.above if sweep % 2 == 0 else drawing.below, sweep % 2 == 0)
        _swap_neighbours(drawing, rows)
        found = _crossings(drawing, rows)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    drawing.rows = best


def _depth_first(drawing: _Drawing) -> list[int]:
    """Return all places as a walk over neighbours meets them, so that kin starts side by side."""
    found: dict[int, None] = {}
    for root in range(len(drawing.layers)):
        stack = [root]
        while stack:
            i = stack.pop()
            if i not in found:
                found[i] = None
                stack.extend(reversed(drawing.above[i] + drawing.below[i]))
    return list(found)


def _sweep(rows: list[list[int]], neighbours: list[list[int]], down: bool) -> None:
    for before, row in zip(*_adjacent(rows, down), strict=True):
        place = {i: (k + 0.5) / len(before) for k, i in enumerate(before)}
        own = {i: (k + 0.5) / len(row) for k, i in enumerate(row)}
        row.sort(key=lambda i: _mean([place[j] for j in neighbours[i]], own[i]))


def _adjacent(rows: list[list[int]], down: bool) -> tuple[list[list[int]], list[list[int]]]:
    return (rows[:-1], rows[1:]) if down else (rows[:0:-1], rows[-2::-1])


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(drawing: _Drawing, rows: list[list[int]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {i: k for k, i in enumerate(lower)}
        passed: list[int] = []
        for i in upper:
            ends = sorted(place[j] for j in drawing.below[i])
            total += sum(len(passed) - bisect_left(passed, end + 1) for end in ends)
            for end in ends:
                insort(passed, end)
    return total


def _swap_neighbours(drawing: _Drawing, rows: list[list[int]]) -> None:
    """Swap places side by side wherever that leaves fewer crossings."""
    place = {i: k for row in rows for k, i in enumerate(row)}
    for row in rows:
        for k in range(len(row) - 1):
            i, j = row[k], row[k + 1]
            before, after = _pair(drawing, place, i, j), _pair(drawing, place, j, i)
            if after < before:
                row[k], row[k + 1] = j, i
                place[i], place[j] = k + 1, k


def _pair(drawing: _Drawing, place: dict[int, int], left: int, right: int) -> int:
    total = 0
    for neighbours in (drawing.above, drawing.below):
        ends = sorted(place[j] for j in neighbours[right])
        total += sum(bisect_left(ends, place[i]) for i in neighbours[left])
    return total


# Coordinates ------------------------------------------------------------------------------------------------


def _centres(drawing: _Drawing) -> list[float]:
    """Move every layer toward the mean of its neighbours, the order kept, until the picture settles."""
    centres = [0.0] * len(drawing.layers)
    for row in drawing.rows:
        _settle(drawing, centres, row, [0.0] * len(row))
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in drawing.rows if down else drawing.rows[::-1]:
            _settle(drawing, centres, row, [_wish(drawing, centres, i, sweep) for i in row])
    for _ in range(3):
        _straighten(drawing, centres)
    for row in drawing.rows:
        # What is upright stays; what merely feeds it comes as near as there is room.
        wishes = [_readers_mean(drawing, centres, i) for i in row]
        _settle(drawing, centres, row, wishes, trunk=1e9)
    left = min((c - w / 2 for c, w in zip(centres, drawing.widths, strict=True)), default=0.0)
    return [c - left for c in centres]


def _readers_mean(drawing: _Drawing, centres: list[float], i: int) -> float:
    return centres[i] if drawing.above[i] else _mean([centres[j] for j in drawing.below[i]], centres[i])


def _wish(drawing: _Drawing, centres: list[float], i: int, sweep: int) -> float:
    one, other = (drawing.above, drawing.below) if sweep % 2 == 0 else (drawing.below, drawing.above)
    near = one[i] + other[i] if sweep >= SWEEPS // 2 else one[i] or other[i]
    pulls = [(centres[j], TRUNK if drawing.above[j] else 1.0) for j in near]
    total = sum(weight for _, weight in pulls)
    return sum(centre * weight for centre, weight in pulls) / total if pulls else centres[i]


def _straighten(drawing: _Drawing, centres: list[float]) -> None:
    """Draw chains upright for as many layers as the room beside them allows."""
    room = {i: _room(drawing, row, k) for row in drawing.rows for k, i in enumerate(row)}
    follower = {i: j for i in room if (j := _follower(drawing, i)) is not None}
    for first in sorted(room.keys() - set(follower.values())):
        chain = [first]
        while chain[-1] in follower:
            chain.append(follower[chain[-1]])
        _set_upright(drawing, centres, chain, room)


def _follower(drawing: _Drawing, i: int) -> int | None:
    """Return the place that should stand right below another: the one that only it leads to."""
    if not drawing.above[i]:
        return None
    lanes = [j for j in drawing.below[i] if drawing.widths[j] == LANE and drawing.widths[i] == LANE]
    found = lanes or (drawing.below[i] if len(drawing.below[i]) == 1 else [])
    trunk = [h for h in drawing.above[found[0]] if drawing.above[h]] if found else []
    return found[0] if trunk in ([], [i]) and found else None


def _room(drawing: _Drawing, row: list[int], k: int) -> tuple[int | None, int | None]:
    return (row[k - 1] if k else None), (row[k + 1] if k + 1 < len(row) else None)


def _set_upright(
    drawing: _Drawing, centres: list[float], chain: list[int], room: dict[int, tuple[int | None, int | None]]
) -> None:
    run: list[int] = []
    low, high = -inf, inf
    for i in chain:
        left, right = _limits(drawing, centres, i, *room[i])
        if max(low, left) > min(high, right):
            _align(centres, run, low, high)
            run, low, high = [], -inf, inf
        run.append(i)
        low, high = max(low, left), min(high, right)
    _align(centres, run, low, high)


def _align(centres: list[float], run: list[int], low: float, high: float) -> None:
    middle = sorted(centres[i] for i in run)[len(run) // 2]
    for i in run:
        centres[i] = min(max(middle, low), high)


def _limits(
    drawing: _Drawing, centres: list[float], i: int, left: int | None, right: int | None
) -> tuple[float, float]:
    low = -inf if left is None else centres[left] + _distance(drawing, left, i)
    high = inf if right is None else centres[right] - _distance(drawing, i, right)
    return min(low, centres[i]), max(high, centres[i])


def _distance(drawing: _Drawing, left: int, right: int) -> float:
    return (drawing.widths[left] + drawing.widths[right]) / 2 + GAP


def _settle(
    drawing: _Drawing, centres: list[float], row: list[int], wishes: list[float], trunk: float = TRUNK
) -> None:
    """Set a layer's centres as near to their wishes, in least squares, as order and distances allow."""
    offsets, at = [], 0.0
    for before, i in zip([None, *row], row, strict=False):
        at += 0.0 if before is None else _distance(drawing, before, i)
        offsets.append(at)
    weights = [trunk if drawing.above[i] else 1.0 for i in row]
    placed = _isotonic([w - o for w, o in zip(wishes, offsets, strict=True)], weights)
    for i, base, offset in zip(row, placed, offsets, strict=True):
        centres[i] = base + offset


def _isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the nearest non-decreasing values: neighbours out of order are pooled at their mean."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, mass, count = pools.pop()
            total = mass + pool[1]
            pool = ((mean * mass + pool[0] * pool[1]) / total, total, count + pool[2])
        pools.append(pool)
    return [mean for mean, _, count in pools for _ in range(count)]
