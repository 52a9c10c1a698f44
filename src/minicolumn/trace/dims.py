"""Symbolic dimensions of arguments: one program that serves for all lengths of leading axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from minicolumn.errors import DataError
from minicolumn.ir.shapes import Dim
from minicolumn.trace.program import Argument
from minicolumn.tree import Structure, flatten, unflatten

# For arguments by position the symbolic dimensions of their arrays' leading axes.
Named = Mapping[int, tuple[Dim, ...]]


def named_axes(dims: Mapping[int, str] | None) -> Named:
    """Return what ``compile(dims=...)`` says: names of leading axes, by position of argument.

    >>> named_axes({1: "rows", 2: "epochs steps"})
    {1: (rows,), 2: (epochs, steps)}
    """
    given = {} if dims is None else dims
    is_named = isinstance(given, Mapping) and all(_is_named(*item) for item in given.items())
    if not is_named:
        raise DataError(
            "compile: dims must name leading axes of arguments by position, such as "
            f'{{1: "rows", 2: "epochs steps"}}, got {dims!r}'
        )
    return {int(position): tuple(map(Dim, names.split())) for position, names in given.items()}


def _is_named(position: object, names: object) -> bool:
    return type(position) is int and position >= 0 and isinstance(names, str) and bool(names.split())


def with_dims(arguments: Sequence[Argument], structure: Structure, named: Named) -> tuple[Argument, ...]:
    """Return the arguments with symbolic dimensions in place of the lengths of named axes.

    Raises DataError where an array has fewer axes than are named, or two arrays disagree about a length.
    """
    args, _ = unflatten(structure, list(range(len(arguments))))
    found, lengths = list(arguments), dict[Dim, tuple[int, int]]()
    for position, dims in named.items():
        if position >= len(args):
            raise DataError(
                f"compile: dims names axes of argument {position}, but {len(args)} arguments were given by "
                "position"
            )
        for leaf in flatten(args[position])[0]:
            type = arguments[leaf].type
            if type is not None:
                _check_lengths(position, dims, type.shape, lengths)
                found[leaf] = replace(
                    arguments[leaf], type=type.with_shape((*dims, *type.shape[len(dims) :]))
                )
    return tuple(found)


def _check_lengths(
    position: int, dims: Sequence[Dim], shape: Sequence[int], lengths: dict[Dim, tuple[int, int]]
) -> None:
    """Refuse a shape without the named axes, or with other lengths than are known by argument."""
    if len(shape) < len(dims):
        named = " ".join(map(str, dims))
        raise DataError(
            f"compile: dims names axes {named!r} of argument {position}, which has an array of shape "
            f"{list(shape)}"
        )
    for dim, n in zip(dims, shape, strict=False):
        known, where = lengths.setdefault(dim, (n, position))
        if known != n:
            raise DataError(
                f"compile: {dim} is {known} in argument {where} and {n} in argument {position}; "
                "axes of one name have one length"
            )
