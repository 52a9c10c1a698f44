"""Loss landscape: the loss on a plane through a network's weights, along random or principal directions.

    land = mc.landscape(run, X, y)                          filter-normalised random directions
    land = mc.landscape(run, X, y, path=recorder.params)    the plane of a training's trajectory, by PCA

The weights of earlier epochs come from the callback `TrajectoryRecorder`.

Source      Li, Xu, Taylor, Studer & Goldstein 2018, "Visualizing the Loss Landscape of Neural Nets"
            (arXiv 1712.09913)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from minicolumn import random
from minicolumn.errors import DataError, ShapeError
from minicolumn.explain.surfaces import Scalar
from minicolumn.explain.trained import Explained, trained
from minicolumn.lower.compile import compile
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.model.rows import LabeledRows, check_inputs, check_rows
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.losses import Loss, LossRule, as_loss
from minicolumn.registry import Integer, Number
from minicolumn.trace.loops import scan
from minicolumn.train import Callback, Trainer
from minicolumn.train.history import Row
from minicolumn.train.types import LossFunction
from minicolumn.tree import Structure, flatten, map_leaves, unflatten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = Integer(help="Points along each side.", name="points", ge=2)
SPAN = Number(help="How far to go to either side.", name="span", gt=0)

Array = np.ndarray
# Inputs, targets and weights of some rows, or of blocks of rows.
Block = tuple[Array, Array, Array]
# Rows worked on at a time: few enough that what is between layers stays in the cache.
ROWS = 256
# How much further than the path the picture of a path goes, on each side.
MARGIN = 0.25


@dataclass
class TrajectoryRecorder(Callback):
    """Trajectory recorder: a callback that keeps the weights of each epoch, for `landscape(..., path=...)`.

    params      the weights at the start and after each epoch, [epochs + 1] trees; each fit starts it anew.
                All are kept in memory: 4 bytes a weight and epoch in float32
    Differs     checkpoints hold what it takes to resume a training; these are the weights alone

    >>> import minicolumn as mc
    >>> recorder = mc.TrajectoryRecorder()
    >>> run = mc.fit(mc.nn.Dense(1), np.eye(2), [1.0, 0.0], loss="squared_error", epochs=3,
    ...              callbacks=[recorder])
    >>> len(recorder.params), recorder.params[0]["weight"].shape
    (4, (2, 1))
    """

    params: list[Params] = field(default_factory=list)

    def on_start(self, trainer: Trainer) -> None:
        self.params[:] = [map_leaves(np.array, trainer.params)]

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        self.params.append(trainer.params)

    def quiet_epochs(self, trainer: Trainer) -> float:
        return math.inf


@dataclass(frozen=True, eq=False, repr=False)
class Landscape:
    """A loss landscape: the loss on a grid in a plane of the weight space. Printing it tells how steep it is.

        losses[j, i] = loss(w + a[i] d1 + b[j] d2)

    network     whose loss it is
    directions  d1 and d2, two trees like the weights
    a, b        coordinates along them, [points] each, ascending; (0, 0) is the weights w. In lengths of each
                unit's weights for random directions, in Euclidean distance of the weights with a path
    losses      float64 [points of b, points of a]
    centre      the loss at w
    path        the trajectory's orthogonal projection onto the plane, [count, 2]; or None
    explained_variance_ratio    the part of the trajectory's squared distances from w that lies along each
                direction, two numbers that add up to at most 1; or None without a path. Near 1 the picture
                shows the trajectory as it is
    """

    network: Layer
    directions: tuple[Params, Params]
    a: Array
    b: Array
    losses: Array
    centre: float
    path: Array | None = None
    explained_variance_ratio: tuple[float, float] | None = None

    @property
    def lowest(self) -> tuple[float, float, float]:
        """Return the minimum over the grid, (a, b, loss); points whose loss is NaN do not count."""
        row, column = np.unravel_index(np.nanargmin(self.losses), self.losses.shape)
        return float(self.a[column]), float(self.b[row]), float(self.losses[row, column])

    def around(self, distance: float) -> float:
        """Return the mean loss on a ring around the weights, as wide as the grid's larger spacing.

        distance    the ring's radius, in the units of a and b
        Returns     NaN where no point of the grid lies on it
        """
        away = np.hypot(self.a[None, :], self.b[:, None])
        ring = np.abs(away - distance) <= max(np.diff(self.a).max(), np.diff(self.b).max()) / 2
        return float(self.losses[ring].mean()) if ring.any() else float("nan")

    def plot(self, path: PathLike | None = None, ax: Axes | None = None) -> Axes:
        """Draw a contour plot of the loss, a star at the weights, and the trajectory if there is one.

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
        """Return what the directions are, in words: random ones, or the trajectory's principal components."""
        return (
            "two random directions, filter-normalised"
            if self.explained_variance_ratio is None
            else "the path's principal directions"
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
        if self.explained_variance_ratio:
            first, second = self.explained_variance_ratio
            lines.append(f"  the directions hold {first:.0%} and {second:.0%} of the path")
        return "\n".join(lines)


def landscape(
    model: Explained,
    X: ArrayLike,
    y: ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    path: Sequence[Params] | None = None,
    span: float = 1.0,
    points: int = 41,
    seed: int = 0,
    sample_weight: ArrayLike | None = None,
) -> Landscape:
    """Compute the loss landscape around a network's weights: the mean loss on a grid of a plane through them.

        loss(w + a d1 + b d2),    |d_u| = |w_u| for the incoming weights of each unit u;  biases stay

    This filter normalisation of Gaussian directions makes a = 1 a perturbation as large as the weights
    themselves, so that pictures of networks of different scales compare. With a path the directions are the
    first two principal components of its distances from w, orthonormal, and a and b are distances. The whole
    grid is one native call, in the dtype of the model.

    model           what `fit` or `load` gave, or a fitted estimator
    X, y            [rows, ...] and targets to measure on, as for that one's `fit`
    loss            None takes the one it was trained with; needed after an own loss function. Of members
                    it is that of their mean
    path            weights of a trajectory, such as `TrajectoryRecorder.params`; at least 3 trees
    span            a and b go from -span to span along random directions, > 0; a path sets its own limits
    points          along each direction, >= 2; an odd number has the weights in the middle
    seed            of the random directions
    sample_weight   [rows], as for `fit`; rows of weight 0 are left out
    Returns         a `Landscape`
    Errors          as `fit` for X and y; DataError for settings out of range; ShapeError for a path of other
                    weights
    Source          Li, Xu, Taylor, Studer & Goldstein 2018 (arXiv 1712.09913): section 4 for the
                    normalisation, section 7 for the trajectories
    Differs         the paper and the package loss-landscapes normalise the filters of a convolution; here it
                    is each unit's incoming weights, which are the filters of a fully connected layer. No
                    regularizer is added to the loss

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
    ratio = track = None
    if path is None:
        directions = random_directions(found.params, seed)
        a = b = np.linspace(-span, span, points)
    else:
        directions, track, ratio = _principal(found.params, path)
        a, b = _reach(track[:, 0], points), _reach(track[:, 1], points)
    grid = np.stack(np.meshgrid(a, b), axis=-1).reshape(-1, 2)
    offsets = np.concatenate([grid, np.zeros((1, 2))]).astype(found.dtype)
    losses = _losses(found.network, function, found.params, directions, offsets, rows).astype(np.float64)
    table = losses[:-1].reshape(len(b), len(a))
    return Landscape(found.network, directions, a, b, table, float(losses[-1]), track, ratio)


def random_directions(params: Params, seed: int) -> tuple[Params, Params]:
    """Return two filter-normalised Gaussian directions, trees like the weights.

        d_u = |w_u| g_u / |g_u|,    g ~ N(0, 1),    u: all axes but the last of an array are one unit's

    Biases and other vectors stay where they are: their direction is 0.

    params      the weights
    seed        of the stream "noise"; each array has its own stream, so that layers do not share draws
    Source      Li et al. 2018, section 4; their program, too, can leave biases out

    >>> first, _ = random_directions({"weight": np.full((4, 1), 2.0), "bias": np.ones(1)}, seed=0)
    >>> print(round(float(np.linalg.norm(first["weight"])), 6), first["bias"])
    4.0 [0.]
    """
    leaves, structure = flatten(params)
    key = random.stream(seed, "noise")

    def direction(number: int) -> Params:
        keys = [random.fold_in(random.fold_in(key, number), place) for place in range(len(leaves))]
        return unflatten(structure, [_like(leaf, k) for leaf, k in zip(leaves, keys, strict=True)])

    return direction(0), direction(1)


def _like(weight: Array, key: Array) -> Array:
    """Return a random array like a weight [..., units], with the norm of each unit's; 0 for vectors."""
    if weight.ndim < 2:
        return np.zeros_like(weight)
    drawn = random.normal(key, weight.shape, np.float64)
    axes = tuple(range(weight.ndim - 1))
    own = np.sqrt((weight.astype(np.float64) ** 2).sum(axis=axes))
    length = np.sqrt((drawn**2).sum(axis=axes))
    return (drawn * (own / np.where(length > 0, length, 1.0))).astype(weight.dtype)


def _principal(
    params: Params, path: Sequence[Params]
) -> tuple[tuple[Params, Params], Array, tuple[float, float]]:
    """Return the first two principal components of a trajectory, its projection, and the explained variance.

        D = U S V',    D[t] = path[t] - params;    directions V[:, :2],    projection D V[:, :2]

    Distances are taken from the weights, not from the mean as usual in PCA, so that the plane holds them.

    Returns     two orthonormal trees; [count, 2]; s1^2 and s2^2 over the sum of all s^2
    Errors      DataError for fewer than 3 weights, or for equal ones; ShapeError for another network's
    """
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


def _flat(tree: Params) -> Array:
    """Return all weights as one float64 vector, in the order of the leaves."""
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in flatten(tree)[0]])


def _unflat(vector: Array, leaves: Sequence[Array], structure: Structure) -> Params:
    """Return a vector as a tree, with the shapes and dtypes of the leaves; the inverse of `_flat`."""
    cuts = np.cumsum([leaf.size for leaf in leaves])[:-1]
    parts = zip(np.split(vector, cuts), leaves, strict=True)
    return unflatten(structure, [part.reshape(leaf.shape).astype(leaf.dtype) for part, leaf in parts])


def _reach(track: Array, points: int) -> Array:
    """Return evenly spaced coordinates that cover a trajectory's and 0, with a margin of a quarter.

    track       coordinates along one direction, [count]
    """
    low, high = min(track.min(), 0.0), max(track.max(), 0.0)
    margin = MARGIN * max(high - low, 1e-6)
    return np.linspace(low - margin, high + margin, points)


def _loss(model: Model, loss: str | Loss | LossFunction | None) -> tuple[LossFunction, LossRule | None]:
    """Return the function to measure, and its entry in the catalogue; an own function has none.

    Errors      DataError where the model was trained with an own function and none is given
    """
    chosen = model.loss_record if loss is None else loss
    if chosen is None:
        raise DataError("landscape: the model was trained with an own loss function; pass it as loss=")
    record = as_loss(chosen)
    if record is not None:
        return record.measured(), record.rule
    assert not isinstance(chosen, str)  # a name has a record, or was refused
    return chosen, None


def _rows(
    model: Model, X: ArrayLike, y: ArrayLike, weight: ArrayLike | None, rule: LossRule | None
) -> LabeledRows:
    """Return the rows that count as arrays that fit the model; those of weight 0 do not.

    Errors      ShapeError for rows of another shape than the model takes; as `fit` otherwise
    """
    shape = check_inputs("landscape", X).shape[1:]
    if shape != model.input_shape:
        expected = list(model.input_shape)
        raise ShapeError(f"landscape: X has rows of shape {list(shape)}, the model takes {expected}")
    outputs = model.network.output_shape(shape)
    rows = check_rows("landscape", X, y, weight, model.dtype, rule, outputs)
    return rows if rows.weight is None else rows.take(np.flatnonzero(rows.weight))


def _losses(
    network: Layer,
    loss: LossFunction,
    params: Params,
    directions: tuple[Params, Params],
    offsets: Array,
    rows: LabeledRows,
) -> Array:
    """Return the weighted mean loss at offsets (a, b), [n, 2] to [n].

    A native loop over blocks of 256 rows inside one over the offsets, compiled once for any number of them;
    the moved weights live in the inner loop only, so memory does not grow with the grid.
    """

    def run(params: Params, first: Params, second: Params, offsets: Array, blocks: Block) -> Array:
        def at(state: tuple[()], offset: Array) -> tuple[tuple[()], Array]:
            moved = map_leaves(lambda w, d, e: w + offset[0] * d + offset[1] * e, params, first, second)

            def block(total: Scalar, rows: Block) -> tuple[Scalar, None]:
                x, y, weight = rows
                return total + loss(network.apply(moved, x), y, weight) * np.sum(weight), None

            return state, scan(block, 0.0, blocks)[0]

        return scan(at, (), offsets)[1]

    blocks = _blocks(rows)
    return (
        compile(run, dims={3: "offsets"}, flush_subnormals=True)(params, *directions, offsets, blocks)
        / blocks[2].sum()
    )


def _blocks(rows: LabeledRows) -> Block:
    """Return the rows in blocks [blocks, size, ...]; the last one is padded with rows of weight 0."""
    size = min(ROWS, len(rows))
    count = -(-len(rows) // size)
    weight = np.ones(len(rows), rows.X.dtype) if rows.weight is None else rows.weight
    filled = [_filled(part, count * size) for part in (rows.X, rows.y, weight)]
    X, y, weight = (part.reshape(count, size, *part.shape[1:]) for part in filled)
    return X, y, weight


def _filled(part: Array, length: int) -> Array:
    """Return an array padded with zeros to a length along its first axis."""
    rest = np.zeros((length - len(part), *part.shape[1:]), part.dtype)
    return np.concatenate([part, rest]) if len(rest) else part
