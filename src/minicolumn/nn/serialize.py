"""Layers to JSON and back, through a closed table: what a model file may say about a network.

The input of ``from_json`` may come from anyone. Nothing in it names anything importable: a kind is looked up
in the table below, every field has a check, and the size of the whole is bounded before anything is built.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

from minicolumn.errors import DataError, ModelFileError, ShapeError, did_you_mean
from minicolumn.nn.ascending import Ascending
from minicolumn.nn.embeddings import ColumnEmbedding, Embedding
from minicolumn.nn.layer import Layer
from minicolumn.nn.layers import Activation, Dense, Dropout, Flatten, Residual, Scale, Sequential
from minicolumn.nn.piecewise import PiecewiseLinear

MAX_DEPTH = 32
MAX_LAYERS = 1_000
MAX_SIZE = 10**7
MAX_COLUMNS = 100_000
MAX_KNOTS = 1_000
MAX_NAME = 64

Check = Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SIZE


def _number(value: Any) -> bool:
    return _whole(value) or (type(value) is float and math.isfinite(value))


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e38  # also refuses NaN, which compares as False


def _name(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_NAME


def _flag(value: Any) -> bool:
    return type(value) is bool


def _maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _pairs(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) <= MAX_COLUMNS
        and all(type(pair) is list and len(pair) == 2 and all(map(_whole, pair)) for pair in value)
    )


def _knots(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) <= MAX_COLUMNS
        and all(type(pair) is list and len(pair) == 2 and _whole(pair[0]) for pair in value)
        and all(
            type(pair[1]) is list and len(pair[1]) <= MAX_KNOTS and all(map(_finite, pair[1]))
            for pair in value
        )
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of layer is written: its constructor, its plain fields, and whether layers lie inside."""

    make: type[Layer]
    fields: dict[str, Check] = dataclasses.field(default_factory=dict)
    inside: str = ""  # the field that holds a layer or a tuple of layers


KINDS: dict[str, Kind] = {
    "sequential": Kind(Sequential, inside="layers"),
    "residual": Kind(Residual, inside="inner"),
    "dense": Kind(
        Dense,
        {
            "units": _whole,
            "activation": _name,
            "bias": _flag,
            "initializer": _maybe(_name),
            "parametrization": _name,
            "bias_rate": _number,
        },
    ),
    "activation": Kind(Activation, {"function": _name}),
    "dropout": Kind(Dropout, {"rate": _number}),
    "flatten": Kind(Flatten),
    "ascending": Kind(Ascending),
    "scale": Kind(Scale, {"rate": _number}),
    "embedding": Kind(Embedding, {"levels": _whole, "dim": _whole}),
    "piecewise_linear": Kind(PiecewiseLinear, {"knots": _knots}),
    "column_embedding": Kind(ColumnEmbedding, {"embeddings": _pairs, "dim": _maybe(_whole)}),
}
_NAMES = {kind.make: name for name, kind in KINDS.items()}


def to_json(layer: Layer) -> dict[str, Any]:
    """Write a layer as plain JSON values: its kind and all of its fields.

    Errors      DataError for a layer outside the table, a setting that is a function, or a network past the
                bounds of ``from_json``

    >>> to_json(Dropout(0.5))
    {'kind': 'dropout', 'rate': 0.5}
    """
    found = _write(layer)
    try:
        from_json(found)  # so that whatever is saved can be opened
    except ModelFileError as error:
        raise DataError(f"this network cannot be saved: {error}") from None
    return found


def _write(layer: Layer) -> dict[str, Any]:
    name = _NAMES.get(type(layer))
    if name is None:
        raise DataError(f"a {type(layer).__name__} cannot be saved; layers that can: {', '.join(KINDS)}")
    kind = KINDS[name]
    found: dict[str, Any] = {"kind": name}
    if isinstance(layer, Sequential):
        return found | {"layers": [_write(part) for part in layer.layers]}
    if isinstance(layer, Residual):
        return found | {"inner": _write(layer.inner)}
    return found | {field: _plain(name, field, getattr(layer, field)) for field in kind.fields}


def _plain(kind: str, field: str, value: Any) -> Any:
    """Return a setting as a JSON value."""
    if callable(value):
        shown = getattr(value, "__name__", "a function")
        raise DataError(
            f"{kind}: {field} is the function {shown}, which cannot be saved; give a built-in name"
        )
    return [_plain(kind, field, part) for part in value] if isinstance(value, tuple) else value


def from_json(value: Any) -> Layer:
    """Read a layer that ``to_json`` wrote; refuse everything else.

    A field that has a default may be missing, so a file from before the field existed opens.

    value       what a JSON reader gave
    Errors      ModelFileError, one line: unknown kind or field, wrong type, number out of range, nesting
                deeper than 32 or more than 1,000 layers

    >>> from_json({"kind": "sequential", "layers": [{"kind": "dense", "units": 3}]})
    Sequential(Dense(3))
    >>> from_json({"kind": "dens", "units": 3})
    Traceback (most recent call last):
    minicolumn.errors.ModelFileError: network: unknown kind 'dens'; did you mean 'dense'?
    """
    return _read(value, "network", 1, iter(range(MAX_LAYERS)))


def _read(value: Any, path: str, depth: int, budget: Iterator[int]) -> Layer:
    """Read one layer; ``budget`` runs out when the file has too many."""
    if depth > MAX_DEPTH:
        raise ModelFileError(f"network: layers are nested deeper than {MAX_DEPTH}")
    if next(budget, None) is None:
        raise ModelFileError(f"network: more than {MAX_LAYERS} layers")
    kind = _kind(value, path)
    _check_names(value, kind, path)
    inner = _inner(value, kind, path, depth, budget)
    settings = {name: _checked(value[name], name, kind, path) for name in kind.fields if name in value}
    try:
        return kind.make(*inner, **settings)
    except (DataError, ShapeError) as error:
        raise ModelFileError(f"{path}: {_one_line(error)}") from None


def _kind(value: Any, path: str) -> Kind:
    """Return the entry of the table that a layer claims to be."""
    if type(value) is not dict:
        raise ModelFileError(f"{path}: expected an object, got {_show(value)}")
    name: Any = value.get("kind")
    if not _name(name) or name not in KINDS:
        hint = did_you_mean(name, KINDS) if _name(name) else ""
        raise ModelFileError(f"{path}: unknown kind {_show(name)}{hint}")
    return KINDS[name]


def _check_names(value: dict[Any, Any], kind: Kind, path: str) -> None:
    """Refuse fields that the kind does not have, and the lack of one that it needs."""
    known = {*kind.fields, kind.inside, "kind"} - {""}
    for name in value:
        if type(name) is not str or name not in known:
            hint = did_you_mean(name, known) if _name(name) else ""
            raise ModelFileError(f"{path}: {value['kind']} has no field {_show(name)}{hint}")
    for field in dataclasses.fields(kind.make):  # type: ignore[arg-type]
        if field.default is dataclasses.MISSING and field.name not in value:
            raise ModelFileError(f"{path}: {value['kind']} lacks the field {field.name!r}")


def _inner(value: dict[str, Any], kind: Kind, path: str, depth: int, budget: Iterator[int]) -> list[Layer]:
    """Read the layers inside a layer."""
    if kind.inside == "layers":
        listed = value["layers"]
        if type(listed) is not list:
            raise ModelFileError(f"{path}.layers: expected a list, got {_show(listed)}")
        return [_read(part, f"{path}.{place}", depth + 1, budget) for place, part in enumerate(listed)]
    return [_read(value["inner"], f"{path}.inner", depth + 1, budget)] if kind.inside else []


def _checked(value: Any, name: str, kind: Kind, path: str) -> Any:
    """Return a field's value if its type and size are as they must be."""
    if not kind.fields[name](value):
        raise ModelFileError(f"{path}.{name}: {_show(value)} is not a value that this field can have")
    return tuple(map(tuple, value)) if type(value) is list else value


def _show(value: Any) -> str:
    """Return a short text for something that may be huge."""
    if type(value) is str:
        return repr(value[:MAX_NAME])
    return (
        repr(value) if _number(value) or value is None or type(value) is bool else f"a {type(value).__name__}"
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
