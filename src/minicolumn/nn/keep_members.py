"""Pruning of an ensemble inside one network: some members, with their parameters, as a network of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.layer import Array, Composite, Layer, Params
from minicolumn.nn.layers.containers import Concatenate, Frozen, Residual, Sequential
from minicolumn.nn.layers.heads import Heads
from minicolumn.nn.layers.members import BatchEnsemble, MemberDense, Members


def keep_members(network: Layer, params: Params, which: Sequence[int]) -> tuple[Layer, Params]:
    """Return a network of some of the members, with their parameters: an ensemble that is cut or chosen.

    network     that has members: made by `Members`
    params      as it was trained; they are not changed
    which       numbers of the members to keep, each 0 <= member < members, once
    Returns     the network, whose `Members` count fewer, and its params, which share no memory with the old
    Errors      DataError for a network without `Members`, and for numbers of members that it has not

    >>> from minicolumn.nn import MeanOfMembers
    >>> net = Sequential(Members(4, "none"), MemberDense(1), MeanOfMembers())
    >>> small, params = keep_members(net, net.init(0, (3,)), [2, 0])
    >>> small, params["1"]["weight"].shape
    (Sequential(Members(2, scale='none'), MemberDense(1), MeanOfMembers()), (2, 3, 1))
    """
    counts = sorted(_counts(network))
    if len(set(counts)) != 1:
        found = f"Members of {', '.join(map(str, counts))}" if counts else "no Members"
        raise DataError(f"keep_members: the network has {found}, expected members of one count")
    return _kept(network, params, _places(which, counts[0]))


def _counts(layer: Layer) -> list[int]:
    own = [layer.count] if isinstance(layer, Members) else []
    return own + [count for _, part in layer.inside for count in _counts(part)]


def _places(which: Sequence[int], members: int) -> Array:
    """Return the numbers of members as an index, int64 [kept]."""
    found = np.asarray(which)
    good = found.ndim == 1 and found.dtype.kind in "iu" and 0 < len(np.unique(found)) == len(found)
    if not good or found.min() < 0 or found.max() >= members:
        expected = f"different numbers from 0 to {members - 1}, one at least"
        raise DataError(f"keep_members: which: expected {expected}, got {which!r:.60}")
    return found.astype(np.int64)


def _kept(layer: Layer, params: Params, places: Array) -> tuple[Layer, Params]:
    """Return a layer with some of its members, and their parameters."""
    if isinstance(layer, Composite):
        parts, after = {}, {}
        for name, part in layer.inside:
            parts[name], own = _kept(part, params[name] if name else params, places)
            after |= {name: own} if name else own
        return _rebuilt(layer, parts), after
    if isinstance(layer, Members):
        layer = replace(layer, count=len(places))
    of_members = isinstance(layer, Members | BatchEnsemble | MemberDense)
    return layer, {
        name: _cut(name, part, layer if of_members else None, places) for name, part in params.items()
    }


def _cut(name: str, part: Any, layer: Layer | None, places: Array) -> Any:
    """Return a parameter's rows of some members; a copy of all of it where the members share it."""
    if isinstance(part, dict):
        return {inner: _cut(inner, own, layer, places) for inner, own in part.items()}
    shared = layer is None or (isinstance(layer, BatchEnsemble) and name == "weight")
    return np.array(part) if shared else np.asarray(part)[places]


def _rebuilt(layer: Composite, parts: dict[str, Layer]) -> Layer:
    """Return a container of other layers."""
    if isinstance(layer, Heads):
        return Heads(**parts)
    if isinstance(layer, Sequential | Concatenate):
        return type(layer)(*parts.values())
    if isinstance(layer, Residual | Frozen):
        return type(layer)(parts[""])
    raise DataError(f"keep_members: a {type(layer).__name__} cannot be made of other layers")
