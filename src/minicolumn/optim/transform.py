"""Gradient transformations: pairs of pure functions over one array, chained, then lifted to trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minicolumn import tree

if TYPE_CHECKING:
    from minicolumn.trace.tracer import Traced
    from minicolumn.tree import Tree

Array = np.ndarray
# A learning rate: a number, or a scalar that a compiled program is given.
Rate: TypeAlias = "float | np.generic | np.ndarray | Traced"
Moments = dict[str, Any]
Start = Callable[[Array], dict[str, Array]]
Step = Callable[[Array, dict[str, Array], Array, Array], tuple[Array, dict[str, Array]]]


@dataclass(frozen=True)
class Transform:
    """A change to the direction of descent, over one array.

    names   what it remembers between steps
    start   ``start(param) -> {name: array}``, before the first step
    step    ``step(direction, moments, param, time) -> (direction, moments)``; time counts the steps from 1
            and is a scalar of the parameter's dtype

    >>> half = Transform((), lambda param: {}, lambda d, moments, param, time: (0.5 * d, moments))
    >>> half.step(np.array([4.0]), {}, np.array([0.0]), np.float64(1))
    (array([2.]), {})
    """

    names: tuple[str, ...]
    start: Start
    step: Step


Choose = Callable[[str, Array], Transform]


def chain(*parts: Transform) -> Transform:
    """Apply transforms one after the other; each keeps its own moments, under names of its own.

    Errors      ValueError if two parts use the same name

    >>> half = Transform((), lambda param: {}, lambda d, moments, param, time: (0.5 * d, moments))
    >>> chain(half, half).step(np.array([4.0]), {}, np.array([0.0]), np.float64(1))
    (array([1.]), {})
    """
    names = tuple(name for part in parts for name in part.names)
    if len(set(names)) < len(names):
        raise ValueError(f"chain: two parts remember something under one name: {', '.join(names)}")

    def start(param: Array) -> dict[str, Array]:
        return {name: value for part in parts for name, value in part.start(param).items()}

    def step(direction: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        kept: dict[str, Array] = {}
        for part in parts:
            own = {name: moments[name] for name in part.names}
            direction, own = part.step(direction, own, param, time)
            kept.update(own)
        return direction, kept

    return Transform(names, start, step)


def side_by_side(own: Transform, others: Transform) -> Transform:
    """Let a transform share a tree with others: it holds a single 0 for each thing that only they remember.

    >>> half = Transform((), lambda param: {}, lambda d, moments, param, time: (0.5 * d, moments))
    >>> rolling = Transform(("velocity",), lambda param: {"velocity": param}, lambda *args: args[:2])
    >>> side_by_side(half, rolling).start(np.ones(3))
    {'velocity': array(0.)}
    """
    missing = tuple(name for name in others.names if name not in own.names)

    def start(param: Array) -> dict[str, Array]:
        return {**own.start(param), **{name: np.zeros((), param.dtype) for name in missing}}

    def step(direction: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        direction, kept = own.step(direction, {name: moments[name] for name in own.names}, param, time)
        return direction, {**moments, **kept}

    return Transform((*own.names, *missing), start, step)


def start_tree(choose: Choose, params: Tree) -> Moments:
    """Return the moments before the first step: the step counter, and a tree like ``params`` for each name.

    choose      returns the transform for a parameter by its path and itself; all remember the same names
    """
    states = [choose(path, leaf).start(leaf) for path, leaf in tree.named_leaves(params)]
    return {"count": np.zeros((), np.int32), **_by_name(states, tree.flatten(params)[1])}


def step_tree(choose: Choose, grads: Tree, moments: Moments, params: Tree, rate: Rate) -> tuple[Any, Moments]:
    """Take one step on a tree: the updates to add, ``-rate * direction``, and the new moments."""
    paths = [path for path, _ in tree.named_leaves(params)]
    leaves, structure = tree.flatten(params)
    slopes = _matching("gradients", grads, structure)
    count = moments["count"] + np.int32(1)
    columns = {name: _matching(name, part, structure) for name, part in moments.items() if name != "count"}
    updates, states = [], []
    for place, (path, slope, leaf) in enumerate(zip(paths, slopes, leaves, strict=True)):
        own = {name: column[place] for name, column in columns.items()}
        direction, state = choose(path, leaf).step(slope, own, leaf, count.astype(leaf.dtype))
        updates.append(direction * -as_scalar(rate, leaf.dtype))
        states.append(state)
    return tree.unflatten(structure, updates), {"count": count, **_by_name(states, structure)}


def apply_updates(params: Tree, updates: Tree) -> Any:
    """Add updates to parameters, leaf by leaf.

    >>> apply_updates({"w": np.array([1.0])}, {"w": np.array([-0.25])})
    {'w': array([0.75])}
    """
    return tree.map_leaves(lambda param, update: param + update, params, updates)


def _matching(what: str, values: Tree, structure: tree.Structure) -> list[Any]:
    """Return the leaves of a tree that must have the parameters' structure."""
    leaves, found = tree.flatten(values)
    if found != structure:
        raise ValueError(f"optimizer: {what} are {found}, expected the parameters' structure {structure}")
    return leaves


def _by_name(states: list[dict[str, Array]], structure: tree.Structure) -> dict[str, Any]:
    """Turn one state a parameter into one tree a name."""
    names = states[0] if states else ()
    return {name: tree.unflatten(structure, [state[name] for state in states]) for name in names}


def as_scalar(value: Rate, dtype: np.dtype) -> Any:
    """Return a number that does not widen arrays of this dtype: NumPy's own float64 scalars would."""
    return float(value) if isinstance(value, (int, float)) else value.astype(dtype)
