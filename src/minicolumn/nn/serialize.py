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
from minicolumn.nn.combine import Concatenate, Residual, Sequential
from minicolumn.nn.dense import Activation, Dense, Flatten, PReLU, Scale
from minicolumn.nn.embeddings import ColumnEmbedding, Embedding
from minicolumn.nn.heads import Heads
from minicolumn.nn.init import Constant, Orthogonal, RandomUniform, TruncatedNormal, VarianceScaling
from minicolumn.nn.layer import Layer
from minicolumn.nn.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise, NoisyReLU
from minicolumn.nn.norm import BatchNorm, LayerNorm, RMSNorm
from minicolumn.nn.piecewise import PiecewiseLinear

MAX_DEPTH = 32
MAX_LAYERS = 1_000
MAX_SIZE = 10**7
MAX_COLUMNS = 100_000
MAX_KNOTS = 1_000
MAX_NAME = 64
MAX_ACTIVATION = 128

Check = Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SIZE


def _number(value: Any) -> bool:
    return _whole(value) or (type(value) is float and math.isfinite(value))


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e38  # also refuses NaN, which compares as False


def _name(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_NAME


def _activation(value: Any) -> bool:
    return (
        type(value) is str and len(value) <= MAX_ACTIVATION
    )  # whose name, settings and numbers are looked at


def _flag(value: Any) -> bool:
    return type(value) is bool


def _initializer(value: Any) -> bool:
    return value is None or _name(value)  # or an object, which is looked up in INITIALIZER_KINDS


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
    """How one kind of record is written: its constructor, its plain fields, and whether layers lie inside."""

    make: Callable[..., Any]
    fields: dict[str, Check] = dataclasses.field(default_factory=dict)
    inside: str = ""  # the field that holds a layer, a tuple of layers, or pairs of a name and a layer


_RATE = {"rate": _number}
_NORM = {"eps": _number, "affine": _flag}

KINDS: dict[str, Kind] = {
    "sequential": Kind(Sequential, inside="layers"),
    "concatenate": Kind(Concatenate, inside="layers"),
    "residual": Kind(Residual, inside="inner"),
    "heads": Kind(Heads, inside="heads"),
    "dense": Kind(
        Dense,
        {
            "units": _whole,
            "activation": _activation,
            "bias": _flag,
            "initializer": _initializer,
            "parametrization": _name,
            "bias_rate": _number,
        },
    ),
    "activation": Kind(Activation, {"function": _activation}),
    "prelu": Kind(PReLU, {"shared": _flag, "initial": _finite}),
    "dropout": Kind(Dropout, _RATE),
    "alpha_dropout": Kind(AlphaDropout, _RATE),
    "gaussian_dropout": Kind(GaussianDropout, _RATE),
    "gaussian_noise": Kind(GaussianNoise, {"stddev": _number}),
    "noisy_relu": Kind(NoisyReLU),
    "batch_norm": Kind(BatchNorm, {"momentum": _number, **_NORM}),
    "layer_norm": Kind(LayerNorm, _NORM),
    "rms_norm": Kind(RMSNorm, {"eps": _number}),
    "flatten": Kind(Flatten),
    "ascending": Kind(Ascending),
    "scale": Kind(Scale, _RATE),
    "embedding": Kind(Embedding, {"levels": _whole, "dim": _whole}),
    "piecewise_linear": Kind(PiecewiseLinear, {"knots": _knots}),
    "column_embedding": Kind(ColumnEmbedding, {"embeddings": _pairs, "dim": _maybe(_whole)}),
}
INITIALIZER_KINDS: dict[str, Kind] = {
    "constant": Kind(Constant, {"value": _finite}),
    "random_uniform": Kind(RandomUniform, {"low": _finite, "high": _finite}),
    "truncated_normal": Kind(TruncatedNormal, {"stddev": _number, "mean": _finite}),
    "variance_scaling": Kind(VarianceScaling, {"scale": _number, "mode": _name, "distribution": _name}),
    "orthogonal": Kind(Orthogonal, {"gain": _finite}),
}
_NAMES = {kind.make: name for table in (KINDS, INITIALIZER_KINDS) for name, kind in table.items()}


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
    inner = {kind.inside: _write_inner(layer)} if kind.inside else {}
    return {"kind": name, **inner, **_write_fields(name, kind, layer)}


def _write_inner(layer: Layer) -> Any:
    """Return the layers inside a layer as JSON values."""
    if isinstance(layer, Residual):
        return _write(layer.inner)
    if isinstance(layer, Heads):
        return [[name, _write(head)] for name, head in layer.heads]
    return [_write(part) for _, part in layer.inside]


def _write_fields(name: str, kind: Kind, record: Any) -> dict[str, Any]:
    return {field: _plain(name, field, getattr(record, field)) for field in kind.fields}


def _plain(kind: str, field: str, value: Any) -> Any:
    """Return a setting as a JSON value."""
    if (name := _NAMES.get(type(value))) in INITIALIZER_KINDS:
        return {"kind": name, **_write_fields(name, INITIALIZER_KINDS[name], value)}
    if callable(value):
        shown = getattr(value, "__name__", "a function")
        raise DataError(
            f"{kind}: {field} is the function {shown}, which cannot be saved; give a built-in name, or keep "
            "the whole with joblib, which takes functions that a module defines by def"
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
    kind = _kind(value, path, KINDS)
    _check_names(value, kind, path)
    inner, named = _inner(value, kind, path, depth, budget)
    return _made(value, kind, path, inner, named)


def _made(value: dict[str, Any], kind: Kind, path: str, inner: list[Layer], named: dict[str, Layer]) -> Any:
    """Return the record of a kind with the settings that are written, and with layers inside."""
    settings = {name: _checked(value[name], name, kind, path) for name in kind.fields if name in value}
    try:
        return kind.make(*inner, **named, **settings)
    except (DataError, ShapeError) as error:
        raise ModelFileError(f"{path}: {_one_line(error)}") from None


def _kind(value: Any, path: str, table: dict[str, Kind]) -> Kind:
    """Return the entry of the table that a record claims to be."""
    if type(value) is not dict:
        raise ModelFileError(f"{path}: expected an object, got {_show(value)}")
    name: Any = value.get("kind")
    if not _name(name) or name not in table:
        hint = did_you_mean(name, table) if _name(name) else ""
        raise ModelFileError(f"{path}: unknown kind {_show(name)}{hint}")
    return table[name]


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


def _inner(
    value: dict[str, Any], kind: Kind, path: str, depth: int, budget: Iterator[int]
) -> tuple[list[Layer], dict[str, Layer]]:
    """Read the layers inside a layer: those without a name, and those with one."""
    if kind.inside in ("", "inner"):
        return [_read(value[kind.inside], f"{path}.inner", depth + 1, budget)] if kind.inside else [], {}
    listed = value[kind.inside]
    if type(listed) is not list:
        raise ModelFileError(f"{path}.{kind.inside}: expected a list, got {_show(listed)}")
    if kind.inside == "layers":
        return [_read(part, f"{path}.{place}", depth + 1, budget) for place, part in enumerate(listed)], {}
    if not all(type(pair) is list and len(pair) == 2 and _name(pair[0]) for pair in listed):
        raise ModelFileError(f"{path}.{kind.inside}: expected pairs of a name and a layer")
    named = {name: _read(part, f"{path}.{name}", depth + 1, budget) for name, part in listed}
    if len(named) < len(listed):
        raise ModelFileError(f"{path}.{kind.inside}: two layers have one name")
    return [], named


def _checked(value: Any, name: str, kind: Kind, path: str) -> Any:
    """Return a field's value if its type and size are as they must be."""
    check = kind.fields[name]
    if check is _initializer and type(value) is dict:
        inner = _kind(value, f"{path}.{name}", INITIALIZER_KINDS)
        _check_names(value, inner, f"{path}.{name}")
        return _made(value, inner, f"{path}.{name}", [], {})
    if not check(value):
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
