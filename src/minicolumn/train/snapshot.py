"""The resumable state of a training in memory, at a step within an epoch or between two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.layer import Layer, Param, Params
from minicolumn.optim.transform import Moments
from minicolumn.train.history import Row
from minicolumn.train.settings import Settings, kind
from minicolumn.train.types import Constraint
from minicolumn.tree import flatten, map_leaves, named_leaves, unflatten

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The resumable state of a training: all that it takes to go on with it, to the bit.

    params          the weights that are trained
    moments         what the optimizer remembers; None starts it afresh
    step            steps taken so far, over all epochs
    rows            of the history, one for each whole epoch
    seen            rows of the running epoch that were trained on
    sums            over these, of the losses and of the regularizer's share
    rate            learning rate of the last step
    seconds         that the running epoch took
    best_params     the weights of `best_epoch`, where a callback asked for the best ones
    best_epoch      counted from 1; 0 where there is none yet
    rate_factor     what callbacks have made of the learning rate
    stop_reason     why the training ended; None while it goes on
    passed          whole epochs behind; None where each has a row
    most, every     of rows, where the history is limited: see `History.limit`
    network         whose weights these are; None where that is not known

    There is no state of a random generator: what is drawn depends on the seed and these counts alone.
    """

    params: Any
    moments: Any = None
    step: int = 0
    rows: tuple[Row, ...] = ()
    seen: int = 0
    sums: tuple[float, ...] = ()
    rate: float = 0.0
    seconds: float = 0.0
    best_params: Any = None
    best_epoch: int = 0
    rate_factor: float = 1.0
    stop_reason: str | None = None
    passed: int | None = None
    most: int | None = None
    every: int = 1
    network: Layer | None = None

    @property
    def epochs(self) -> int:
        """Return how many whole epochs were trained."""
        return len(self.rows) if self.passed is None else self.passed


def first_snapshot(
    who: str,
    network: Layer,
    settings: Settings,
    resume: object,
    params: Params | None,
    input_shape: tuple[int, ...],
) -> Snapshot:
    """Return where to begin: at the first step, or where another training stood.

    resume      a `Snapshot`, or what has one, such as a run; None begins anew
    params      weights to begin with; None draws them
    Errors      DataError for what cannot be gone on with, ShapeError for weights of another network
    """
    if resume is None:
        first = check_params(who, network, settings, params, input_shape)
        return Snapshot(first, settings.optimizer.start(first, network.roles(input_shape)))
    if params is not None:
        raise DataError(f"{who}: give params or resume, not both; resume brings its own weights")
    stood = getattr(resume, "snapshot", resume)
    if not isinstance(stood, Snapshot):
        raise DataError(f"{who}: resume is a {kind(resume)}, expected what an earlier fit returned")
    first = check_params(who, network, settings, stood.params, input_shape)
    moments = settings.optimizer.start(first, network.roles(input_shape))
    if stood.moments is not None:
        moments = _check_moments(who, settings, moments, stood.moments)
    return replace(stood, params=first, moments=moments)


def check_params(
    who: str, network: Layer, settings: Settings, params: Params | None, input_shape: tuple[int, ...]
) -> Params:
    """Return the weights to start from: drawn ones, or a copy of given ones that fit the network.

    Returns     weights in the training's dtype
    Errors      ShapeError for another structure or shape, and for numbers that are not finite
    """
    if params is None:
        return network.init(settings.seed, input_shape, settings.dtype)
    declared = network.declare(input_shape)
    places, structure = flatten(declared, is_leaf=lambda node: isinstance(node, Param))
    names = [name for name, _ in named_leaves(unflatten(structure, range(len(places))))]
    found = named_leaves(params)
    if flatten(params)[1] != structure:
        raise ShapeError(
            f"{who}: params hold {', '.join(n for n, _ in found) or 'nothing'}; the network has "
            f"{', '.join(names) or 'none'}"
        )
    for place, (name, new) in zip(places, found, strict=True):
        if np.shape(new) != place.shape or not np.isfinite(new).all():
            raise ShapeError(f"{who}: params: {name} must hold finite numbers of shape {list(place.shape)}")
    return map_leaves(lambda leaf: np.array(leaf, settings.dtype), params)


def _check_moments(who: str, settings: Settings, fresh: Moments, found: Moments) -> Moments:
    """Return a copy of an optimizer's moments, which must be those of the same kind of optimizer."""
    (new, structure), (old, other) = flatten(fresh), flatten(found)
    if structure != other or any(np.shape(a) != np.shape(b) for a, b in zip(new, old, strict=True)):
        kept = ", ".join(name for name in found if name != "count") or "nothing"
        name = type(settings.optimizer).__name__
        raise DataError(
            f"{who}: resume remembers {kept}, which {name} cannot go on from; use the same optimizer"
        )
    return map_leaves(lambda a, b: np.array(b, np.asarray(a).dtype), fresh, found)


def check_constrained(who: str, constraint: Constraint | None, params: Params) -> None:
    """Refuse a constraint that is no projection: one that changes structure, shapes or dtypes of weights.

    Errors      ShapeError
    """
    if constraint is None:
        return
    found, expected = constraint(params), named_leaves(params)
    if flatten(found)[1] != flatten(params)[1]:
        raise ShapeError(
            f"{who}: the constraint must give back weights in the same structure, {_listed(expected)}; it "
            f"gave {_listed(named_leaves(found))}"
        )
    for (name, old), (_, new) in zip(expected, named_leaves(found), strict=True):
        like = np.shape(new), np.asarray(new).dtype
        if like != (old.shape, old.dtype):
            raise ShapeError(
                f"{who}: the constraint made of {name}, {old.dtype} {list(old.shape)}, {like[1]} "
                f"{list(like[0])}; it must keep both"
            )


def _listed(named: list[tuple[str, object]]) -> str:
    return ", ".join(name or "one array" for name, _ in named[:8]) + ", ..." * (len(named) > 8)
