"""Nested containers of arrays: take them apart into leaves, put them together again.

A *tree* is any nesting of dict, list, tuple, named tuple and dataclass; everything else is a leaf, and
``None`` holds nothing. Dicts keep their own order, so the same program gives the same leaves every time.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from _typeshed import DataclassInstance

    from minicolumn.ir.arrays import Array

Leaf: TypeAlias = "Array | np.generic | bool | int | float | str"
# What may be given as a tree; what comes out has the structure of what went in, which types cannot say.
Tree: TypeAlias = "Leaf | Mapping[Any, Tree] | Sequence[Tree] | DataclassInstance | None"


@dataclasses.dataclass(frozen=True, slots=True)
class Structure:
    """The shape of a tree without its leaves: hashable, comparable, good as a cache key."""

    kind: type | None  # None marks a leaf
    names: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()

    @property
    def leaf_count(self) -> int:
        """Return how many leaves a tree of this structure has."""
        return 1 if self.kind is None else sum(child.leaf_count for child in self.children)

    def __str__(self) -> str:
        if self.kind is None:
            return "*"
        if not self.names and not self.children:
            return self.kind.__name__
        inside = ", ".join(f"{n}: {c}" for n, c in zip(self.names, self.children, strict=True))
        return f"{self.kind.__name__}({inside})"


LEAF = Structure(None)


def _children(tree: Tree) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """Return the names and the children of a container, or None for a leaf."""
    if tree is None:
        return (), ()
    if isinstance(tree, dict):
        return tuple(tree), tuple(tree.values())
    if isinstance(tree, (list, tuple)):
        return tuple(range(len(tree))), tuple(tree)
    names = _field_names(type(tree))
    return None if names is None else (names, tuple([getattr(tree, name) for name in names]))


@functools.lru_cache(maxsize=256)
def _field_names(kind: type) -> tuple[str, ...] | None:
    """Return the fields of a dataclass that make one, or None for another class."""
    return (
        tuple(f.name for f in dataclasses.fields(kind) if f.init) if dataclasses.is_dataclass(kind) else None
    )


def flatten(tree: Tree, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Structure]:
    """Return the leaves of a tree, in order, and its structure.

    >>> flatten({"w": 1, "b": (2, None)})[0]
    [1, 2]
    """
    leaves: list[Any] = []

    def walk(node: Tree) -> Structure:
        parts = None if is_leaf is not None and is_leaf(node) else _children(node)
        if parts is None:
            leaves.append(node)
            return LEAF
        names, children = parts
        return Structure(type(node), names, tuple(walk(child) for child in children))

    return leaves, walk(tree)


def leaves(tree: Tree) -> Iterator[Any]:
    """Give the leaves of a tree, in order, one by one: for those who need the first, or no structure.

    >>> next(leaves({"w": 1, "b": (2, None)}))
    1
    """
    parts = _children(tree)
    if parts is None:
        yield tree
    else:
        for child in parts[1]:
            yield from leaves(child)


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """Put leaves back into a structure.

    >>> unflatten(flatten({"w": 1, "b": (2, None)})[1], [10, 20])
    {'w': 10, 'b': (20, None)}
    """
    if len(leaves) != structure.leaf_count:
        raise ValueError(f"unflatten: got {len(leaves)} leaves for a tree of {structure.leaf_count}")
    return builder(structure)(leaves)


def builder(structure: Structure) -> Callable[[Sequence[Any]], Any]:
    """Return the function that puts leaves back into a structure, for those who do it often; it counts none.

    >>> builder(flatten({"w": 1, "b": (2, None)})[1])([10, 20])
    {'w': 10, 'b': (20, None)}
    """
    build = _builder(structure)
    return lambda leaves: build(iter(leaves))


def _builder(structure: Structure) -> Callable[[Iterator[Any]], Any]:
    kind, names = structure.kind, structure.names
    if kind is None:
        return next
    if kind is type(None):
        return lambda leaves: None
    children = [_builder(child) for child in structure.children]
    if issubclass(kind, dict):
        return lambda leaves: kind(zip(names, [child(leaves) for child in children], strict=True))
    if hasattr(kind, "_fields"):  # a named tuple takes its fields one by one
        return lambda leaves: kind(*[child(leaves) for child in children])
    if issubclass(kind, (list, tuple)):
        return lambda leaves: kind([child(leaves) for child in children])
    return lambda leaves: kind(**dict(zip(names, [child(leaves) for child in children], strict=True)))


class Mismatch(Exception):
    """A tree has another structure than was expected."""


def matcher(structure: Structure) -> Callable[[Tree, list[Any]], None]:
    """Return the function that appends the leaves of trees of one structure, in a third of `flatten`'s time.

    It raises Mismatch for a tree of another structure; a leaf is not looked at.

    >>> leaves = []
    >>> matcher(flatten({"w": 1, "b": (2, None)})[1])({"w": 10, "b": (20, None)}, leaves), leaves
    (None, [10, 20])
    """
    kind, names, listed = structure.kind, structure.names, list(structure.names)
    kinds = list(map(type, names))
    strings, plain = ({*kinds} <= known for known in ({str}, {str, int, bool}))
    if kind is None:
        return lambda tree, leaves: leaves.append(tree)
    children = [matcher(child) for child in structure.children]
    flat = all(child.kind is None for child in structure.children)

    def match_dict(tree: Tree, leaves: list[Any]) -> None:
        # Weights are dicts in a dict: without a call for each of their leaves it takes half as long.
        if type(tree) is not dict or [*tree] != listed:
            raise Mismatch
        if not strings and not (plain and [*map(type, tree)] == kinds):  # 1, True and 1.0 are equal
            raise Mismatch
        if flat:
            leaves += tree.values()
        else:
            for child, part in zip(children, tree.values(), strict=True):
                child(part, leaves)

    def match_other(tree: Tree, leaves: list[Any]) -> None:
        found = _children(tree) if type(tree) is kind else None
        if found is None or found[0] != names:
            raise Mismatch
        for child, part in zip(children, found[1], strict=True):
            child(part, leaves)

    return match_dict if kind is dict else match_other


def map_leaves(function: Callable[..., Any], tree: Tree, *others: Tree) -> Any:
    """Apply a function leaf by leaf to trees of one structure.

    >>> map_leaves(lambda a, b: a + b, {"x": 1}, {"x": 10})
    {'x': 11}
    """
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in others:
        values, found = flatten(other)
        if found != structure:
            raise ValueError(f"map_leaves: the trees differ: {structure} and {found}")
        columns.append(values)
    return unflatten(structure, [function(*row) for row in zip(*columns, strict=True)])


def named_leaves(tree: Tree, prefix: str = "") -> list[tuple[str, Any]]:
    """Return every leaf with the path that leads to it, parts joined by dots.

    >>> named_leaves({"layers": [{"weight": 1}]})
    [('layers.0.weight', 1)]
    """
    parts = _children(tree)
    if parts is None:
        return [(prefix, tree)]
    names, children = parts
    found = []
    for name, child in zip(names, children, strict=True):
        found += named_leaves(child, f"{prefix}.{name}" if prefix else str(name))
    return found
