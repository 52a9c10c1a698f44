"""What a call looks like at a glance: a key for the calls that are made again and again.

Taking a training's state apart, describing its leaves and hashing that description takes tens of
microseconds; most calls look like one that was made before, and this tells in a few.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from minicolumn.tree import Structure


class Unseen(Exception):
    """There is something in the arguments that takes a closer look."""


def signature_of(tree: Any, leaves: list[Any]) -> Any:
    """Return a hashable key and append the leaves: calls with equal keys run the same program.

    Raises Unseen for anything but arrays, numbers and the plain containers and dataclasses of these.

    >>> leaves = []
    >>> signature_of({"a": 1.5, "b": None}, leaves) == signature_of({"a": 2.5, "b": None}, leaves), leaves
    (True, [1.5, 2.5])
    """
    kind = type(tree)
    if kind is np.ndarray or isinstance(tree, np.generic):
        leaves.append(tree)
        return tree.dtype, tree.shape
    if kind is dict:
        names = tree if _are_strings(tree) else map(exactly, tree)
        return (dict, *names, *[signature_of(child, leaves) for child in tree.values()])
    if kind is tuple or kind is list:
        return (kind, *[signature_of(child, leaves) for child in tree])
    if tree is None:
        return None
    if kind is float or (kind is int and tree.bit_length() < 64):
        leaves.append(tree)
        return kind
    return (kind, *[signature_of(getattr(tree, name), leaves) for name in _fields(kind)])


def _are_strings(names: Any) -> bool:
    for name in names:  # noqa: SIM110 - a generator would cost more than the loop
        if type(name) is not str:
            return False
    return True


def exactly(value: Any) -> Any:
    """Return a hashable key that equal values of other kinds do not share: 1, True, 1.0; 0.0 and -0.0.

    >>> exactly(frozenset({1})) == exactly(frozenset({1.0})), exactly((1, "a")) == exactly((1, "a"))
    (False, True)
    """
    kind = type(value)
    if kind is str:
        return value
    if isinstance(value, tuple):
        return (kind, *map(exactly, value))
    if isinstance(value, frozenset):
        return kind, frozenset(map(exactly, value))
    if dataclasses.is_dataclass(kind):
        return kind, value, *[exactly(getattr(value, field.name)) for field in dataclasses.fields(kind)]
    # Of numbers, times and ranges the text tells more than equality does; that of others may be an address.
    return kind, value, repr(value) if kind.__module__ in _SAID_BY_REPR else ""


_SAID_BY_REPR = ("builtins", "datetime", "decimal", "fractions", "numpy")


def exact_names(structure: Structure) -> Any:
    """Return the keys of a tree's dicts as a hashable key, by which 1, True and 1.0 differ."""
    own = tuple(map(exactly, structure.names)) if _has_keys(structure.kind) else ()
    return own, *[exact_names(child) for child in structure.children if child.kind is not None]


def _has_keys(kind: type | None) -> bool:
    return kind is not None and issubclass(kind, dict)


@functools.lru_cache(256)
def _fields(kind: type) -> tuple[str, ...]:
    if not dataclasses.is_dataclass(kind):
        raise Unseen
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)
