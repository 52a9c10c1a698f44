"""`landscape`: the loss around a network's weights, along two directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, ShapeError
from minicolumn.explain.trained import Convertible, trained
from minicolumn.lower.compile import compile
from minicolumn.model.model import Model
from minicolumn.model.rows import LabeledRows, check_inputs, check_rows
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import LossRule, as_loss
from minicolumn.registry import Integer, Number
from minicolumn.trace.loops import scan
from minicolumn.train import Callback, Run, Trainer
from minicolumn.tree import flatten, map_leaves, unflatten

POINTS = Integer(help="Points along each side.", name="points", ge=2)
SPAN = Number(help="How far to go to either side.", name="span", gt=0)

Array = np.ndarray
# Rows worked on at a time: few enough that what is between layers stays in the cache.
ROWS = 256
# How much further than the path the picture of a path goes, on each side.
MARGIN = 0.25


@dataclass
class Footprints(Callback):
    """Keeps the weights of each epoch, the first ones too, for `landscape(..., path=footprints.params)`.

    params      one tree of weights for the start and each epoch; `fit` fills it
    """

    params: list[Any] = field(default_factory=list)

    def on_start(self, trainer: Trainer) -> None:
        self.params[:] = [map_leaves(np.array, trainer.params)]

    def on_epoch(self, trainer: Trainer, row: Any) -> None:
        self.params.append(trainer.params)


@dataclass(frozen=True, eq=False, repr=False)
class Landscape:
    """What `landscape` hands back: a table of losses. Printing it tells how steep it is around the weights.

    network     whose loss it is
    directions  two trees like the weights; the point (a, b) is the weights + a first + b second
    a, b        how far along each, [points]
    losses      float64 [points of b, points of a]
    centre      loss at the weights
    path        where each of some earlier weights is, seen from straight above, [count, 2]; or None
    shares      how much of that path's way each direction holds, as shares of 1; or None
    """

    network: Layer
    directions: tuple[Any, Any]
    a: Array
    b: Array
    losses: Array
    centre: float
    path: Array | None = None
    shares: tuple[float, float] | None = None

    @property
    def lowest(self) -> tuple[float, float, float]:
        """Return where the loss is lowest, of all points of the table, and how low: (a, b, loss)."""
        row, column = np.unravel_index(np.nanargmin(self.losses), self.losses.shape)
        return float(self.a[column]), float(self.b[row]), float(self.losses[row, column])

    def around(self, distance: float) -> float:
        """Return the mean loss about so far from the weights; NaN where the table has no such point."""
        away = np.hypot(self.a[None, :], self.b[:, None])
        ring = np.abs(away - distance) <= max(np.diff(self.a).max(), np.diff(self.b).max()) / 2
        return float(self.losses[ring].mean()) if ring.any() else float("nan")

    def plot(self, path: Any = None, ax: Any = None) -> Any:
        """Draw the contours of the loss, the weights, and the path if there is one.

        path        file to write: .png, .svg, .pdf, .jpg or .webp; None writes none
        ax          axes of matplotlib to draw into, with less text; None makes a picture of its own. Several
                    side by side want `plt.subplots(1, 2, layout="constrained")`
        Returns     the axes
        Errors      DataError where matplotlib is missing, or for another suffix
        """
        from minicolumn.explain.landscape_picture import plot_landscape

        return plot_landscape(self, path, ax)

    @property
    def along(self) -> str:
        """Return what the directions are, in words."""
        return (
            "two random directions, filter-normalised"
            if self.shares is None
            else "the path's main directions"
        )

    def __repr__(self) -> str:
        size = f"{len(self.b)} x {len(self.a)} points"
        return f"Landscape({size} along {self.along}, loss {self.centre:.4g} at the weights)"

    def __str__(self) -> str:
        a, b, low = self.lowest
        reach = float(max(self.a[-1], self.b[-1], -self.a[0], -self.b[0]))
        lines = [
            f"loss of {self.network!r}",
            f"along {self.along}, {len(self.b)} x {len(self.a)} points",
            f"  at the weights      {self.centre:.4g}",
        ]
        for distance in (reach / 4, reach / 2, reach):
            lines.append(f"  {distance:<6.3g} away from them {self.around(distance):.4g} on the average")
        lines.append(f"  lowest in the table {low:.4g} at ({a:.3g}, {b:.3g})")
        if self.shares:
            first, second = self.shares
            lines.append(f"  the directions hold {first:.0%} and {second:.0%} of the path")
        return "\n".join(lines)


def landscape(
    model: Model | Run | Convertible,
    X: Any,
    y: Any,
    *,
    loss: str | Callable[..., Any] | None = None,
    path: Sequence[Any] | None = None,
    span: float = 1.0,
    points: int = 41,
    seed: int = 0,
    sample_weight: Any = None,
) -> Landscape:
    """Compute the loss around a network's weights, over a square of two directions, in one native call.

        loss(w + a d1 + b d2),    |d_u| = |w_u| for the incoming weights of each unit u;  biases stay

    So a = 1 moves each unit by as much as its own weights, and pictures of different networks compare.
    With a path the directions are its two principal ones, and a and b are distances.

    model           what `fit` or `load` gave, or a fitted estimator
    X, y            rows to measure on, as for that one's `fit`
    loss            None takes the one it was trained with; needed after an own loss function
    path            weights of earlier moments, such as `Footprints.params`; at least 3
    span            how far to go along random directions, to either side
    points          how many along each direction; an odd number has the weights in the middle
    seed            of the random directions
    sample_weight   [rows], as for `fit`
    Returns         a `Landscape`
    Errors          as `fit` for X and y; DataError for settings out of range; ShapeError for a path of other
                    weights
    Source          Li, Xu, Taylor, Studer, Goldstein 2018 (arXiv 1712.09913), sections 4 and 7
    Differs         there the filters of a convolution are normalised; here each unit's incoming weights,
                    which are the filters of a fully connected layer

    >>> import minicolumn as mc
    >>> X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> run = mc.fit(mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(2)), X, y, epochs=1)
    >>> mc.landscape(run, X, y, points=5).losses.shape
    (5, 5)
    """
    found, y, own = trained("landscape", model, y)
    function, rule = _loss(found, own if loss is None else loss)
    rows = _rows(found, X, y, sample_weight, rule)
    points, span = POINTS.check(points, "landscape"), SPAN.check(span, "landscape")
    shares = track = None
    if path is None:
        directions = random_directions(found.params, seed)
        a = b = np.linspace(-span, span, points)
    else:
        directions, track, shares = _principal(found.params, path)
        a, b = _reach(track[:, 0], points), _reach(track[:, 1], points)
    grid = np.stack(np.meshgrid(a, b), axis=-1).reshape(-1, 2)
    offsets = np.concatenate([grid, np.zeros((1, 2))]).astype(found.dtype)
    losses = _losses(found.network, function, found.params, directions, offsets, rows).astype(np.float64)
    table = losses[:-1].reshape(len(b), len(a))
    return Landscape(found.network, directions, a, b, table, float(losses[-1]), track, shares)


def random_directions(params: Any, seed: int) -> tuple[Any, Any]:
    """Return two random trees like the weights, each unit's incoming weights as long as its own.

    Biases and other vectors are left where they are.

    >>> first, _ = random_directions({"weight": np.full((4, 1), 2.0), "bias": np.ones(1)}, seed=0)
    >>> print(round(float(np.linalg.norm(first["weight"])), 6), first["bias"])
    4.0 [0.]
    """
    leaves, structure = flatten(params)
    key = random.stream(seed, "noise")

    def direction(number: int) -> Any:
        keys = [random.fold_in(random.fold_in(key, number), place) for place in range(len(leaves))]
        return unflatten(structure, [_like(leaf, k) for leaf, k in zip(leaves, keys, strict=True)])

    return direction(0), direction(1)


def _like(weight: Array, key: Array) -> Array:
    if weight.ndim < 2:
        return np.zeros_like(weight)
    drawn = random.normal(key, weight.shape, np.float64)
    axes = tuple(range(weight.ndim - 1))
    own = np.sqrt((weight.astype(np.float64) ** 2).sum(axis=axes))
    length = np.sqrt((drawn**2).sum(axis=axes))
    return (drawn * (own / np.where(length > 0, length, 1.0))).astype(weight.dtype)


def _principal(params: Any, path: Sequence[Any]) -> tuple[tuple[Any, Any], Array, tuple[float, float]]:
    """Return the two main directions of a path, its points along them, and the shares that they hold."""
    leaves, structure = flatten(params)
    if len(path) < 3:
        raise DataError(f"landscape: a path of {len(path)} weights, expected at least 3")
    for tree in path:
        found, other = flatten(tree)
        if other != structure or any(np.shape(x) != w.shape for x, w in zip(found, leaves, strict=True)):
            raise ShapeError("landscape: the path holds weights of another network")
    away = np.stack([_flat(tree) for tree in path]) - _flat(params)
    _, sizes, basis = np.linalg.svd(away, full_matrices=False)
    total = float((sizes**2).sum())
    if not total > 0:
        raise DataError("landscape: the path does not move")
    first, second = ((sizes[:2] ** 2) / total).tolist()
    directions = _unflat(basis[0], leaves, structure), _unflat(basis[1], leaves, structure)
    return directions, away @ basis[:2].T, (first, second)


def _flat(tree: Any) -> Array:
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in flatten(tree)[0]])


def _unflat(vector: Array, leaves: Sequence[Array], structure: Any) -> Any:
    cuts = np.cumsum([leaf.size for leaf in leaves])[:-1]
    parts = zip(np.split(vector, cuts), leaves, strict=True)
    return unflatten(structure, [part.reshape(leaf.shape).astype(leaf.dtype) for part, leaf in parts])


def _reach(track: Array, points: int) -> Array:
    """Return how far to go along a direction so that the path and the weights, at 0, are seen."""
    low, high = min(track.min(), 0.0), max(track.max(), 0.0)
    margin = MARGIN * max(high - low, 1e-6)
    return np.linspace(low - margin, high + margin, points)


def _loss(model: Model, loss: Any) -> tuple[Callable[..., Any], LossRule | None]:
    chosen = model.loss_record if loss is None else loss
    if chosen is None:
        raise DataError("landscape: the model was trained with an own loss function; pass it as loss=")
    record = as_loss(chosen)
    return (chosen, None) if record is None else (record.measured(), record.rule)


def _rows(model: Model, X: Any, y: Any, weight: Any, rule: LossRule | None) -> LabeledRows:
    shape = check_inputs("landscape", X).shape[1:]
    if shape != model.input_shape:
        expected = list(model.input_shape)
        raise ShapeError(f"landscape: X has rows of shape {list(shape)}, the model takes {expected}")
    outputs = model.network.output_shape(shape)
    rows = check_rows("landscape", X, y, weight, model.dtype, rule, outputs)
    return rows if rows.weight is None else rows.take(np.flatnonzero(rows.weight))


def _losses(
    network: Layer,
    loss: Callable[..., Any],
    params: Any,
    directions: tuple[Any, Any],
    offsets: Array,
    rows: LabeledRows,
) -> Array:
    """Return the mean loss at offsets [n, 2]: a loop over blocks of rows inside one over the offsets."""

    def run(params: Any, first: Any, second: Any, offsets: Array, blocks: Any) -> Any:
        def at(state: Any, offset: Array) -> Any:
            moved = map_leaves(lambda w, d, e: w + offset[0] * d + offset[1] * e, params, first, second)

            def block(total: Any, rows: Any) -> Any:
                x, y, weight = rows
                return total + loss(network.apply(moved, x), y, weight) * np.sum(weight), None

            return state, scan(block, 0.0, blocks)[0]

        return scan(at, (), offsets)[1]

    blocks = _blocks(rows)
    return (
        compile(run, dims={3: "offsets"}, flush_subnormals=True)(params, *directions, offsets, blocks)
        / blocks[2].sum()
    )


def _blocks(rows: LabeledRows) -> tuple[Array, Array, Array]:
    """Return inputs, targets and weights in blocks of rows; what fills the last one up has weight 0."""
    size = min(ROWS, len(rows))
    count = -(-len(rows) // size)
    weight = np.ones(len(rows), rows.X.dtype) if rows.weight is None else rows.weight
    filled = [_filled(part, count * size) for part in (rows.X, rows.y, weight)]
    X, y, weight = (part.reshape(count, size, *part.shape[1:]) for part in filled)
    return X, y, weight


def _filled(part: Array, length: int) -> Array:
    rest = np.zeros((length - len(part), *part.shape[1:]), part.dtype)
    return np.concatenate([part, rest]) if len(rest) else part
