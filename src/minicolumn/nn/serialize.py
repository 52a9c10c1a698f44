"""Serialization of layers to JSON and back, through a closed table of what a model file may say.

The input of ``from_json`` may come from anyone. Nothing in it names anything importable: a kind is looked up
in the table below, every field is a setting that checks what it is given, and the size of the whole is
bounded before anything is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minicolumn.errors import DataError, ModelFileError, ShapeError, did_you_mean, one_line
from minicolumn.nn.layer import Layer
from minicolumn.nn.layers.containers import Concatenate, Frozen, Residual, Sequential
from minicolumn.nn.layers.dense import Activation, Dense, Flatten, PReLU, Reshape, Scale
from minicolumn.nn.layers.embeddings import ColumnEmbedding, Embedding
from minicolumn.nn.layers.ensemble import Ensemble, MeanOfMembers
from minicolumn.nn.layers.formulas import Formulas
from minicolumn.nn.layers.heads import MAX_NAME, Heads
from minicolumn.nn.layers.members import BatchEnsemble, MemberDense, Members
from minicolumn.nn.layers.monotone import MonotoneQuantiles
from minicolumn.nn.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise, NoisyReLU
from minicolumn.nn.layers.norm import BatchNorm, LayerNorm, RMSNorm, Standardize
from minicolumn.nn.layers.piecewise import PiecewiseLinear
from minicolumn.nn.layers.spline import ColumnSplines, PiecewiseDense
from minicolumn.registry import REQUIRED, Record, Registry, Setting, kind_of, show

# Fields that had another name in files written before.
RENAMED = {"mean_of_members": {"of": "average"}}
MAX_DEPTH = 32
MAX_LAYERS = 1_000

LAYERS: Registry[type[Layer]] = Registry(
    "layer",
    {
        "sequential": Sequential,
        "concatenate": Concatenate,
        "residual": Residual,
        "frozen": Frozen,
        "heads": Heads,
        "ensemble": Ensemble,
        "dense": Dense,
        "activation": Activation,
        "prelu": PReLU,
        "dropout": Dropout,
        "alpha_dropout": AlphaDropout,
        "gaussian_dropout": GaussianDropout,
        "gaussian_noise": GaussianNoise,
        "noisy_relu": NoisyReLU,
        "batch_norm": BatchNorm,
        "layer_norm": LayerNorm,
        "rms_norm": RMSNorm,
        "standardize": Standardize,
        "flatten": Flatten,
        "reshape": Reshape,
        "monotone_quantiles": MonotoneQuantiles,
        "scale": Scale,
        "embedding": Embedding,
        "piecewise_linear": PiecewiseLinear,
        "column_splines": ColumnSplines,
        "piecewise_dense": PiecewiseDense,
        "column_embedding": ColumnEmbedding,
        "formulas": Formulas,
        "members": Members,
        "batch_ensemble": BatchEnsemble,
        "member_dense": MemberDense,
        "mean_of_members": MeanOfMembers,
    },
    tag="kind",
    adopt=kind_of(Layer),
    wanted="a frozen dataclass that derives from mc.nn.Layer",
)
# The fields that hold a layer, a tuple of layers, or pairs of a name and a layer.
INSIDE: dict[type[Layer], str] = {
    Sequential: "layers",
    Concatenate: "layers",
    Residual: "inner",
    Frozen: "inner",
    Heads: "heads",
    Ensemble: "members",
}


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
    name = next((name for name, kind in LAYERS.items() if kind is type(layer)), None)
    if name is None:
        raise DataError(f"a {type(layer).__name__} cannot be saved; layers that can: {', '.join(LAYERS)}")
    inside = INSIDE.get(type(layer))
    inner = {inside: _write_inner(layer)} if inside else {}
    settings = LAYERS.settings(name)
    return {
        "kind": name,
        **inner,
        **{key: _plain(name, s, getattr(layer, key)) for key, s in settings.items()},
    }


def _write_inner(layer: Layer) -> Any:
    """Return the layers inside a layer as JSON values."""
    if isinstance(layer, Residual | Frozen):
        return _write(layer.inner)
    if isinstance(layer, Heads):
        return [[name, _write(head)] for name, head in layer.heads]
    return [_write(part) for _, part in layer.inside]


def _plain(kind: str, setting: Setting, value: Any) -> Any:
    """Return a setting as a JSON value."""
    if callable(value) and not isinstance(value, Record):
        shown = getattr(value, "__name__", "a function")
        raise DataError(
            f"{kind}: {setting.name} is the function {shown}, which cannot be saved; give a built-in name, "
            "or keep the whole with joblib, which takes functions that a module defines by def"
        )
    return setting.to_json(value)


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
    name = _kind(value, path)
    if name in RENAMED:
        value = {RENAMED[name].get(field, field): found for field, found in value.items()}
    kind, known = LAYERS[name], LAYERS.settings(name)
    inside = INSIDE.get(kind, "")
    _check_names(value, known, inside, path)
    inner, named = _inner(value, inside, path, depth, budget)
    try:
        settings = {key: known[key].from_json(value[key]) for key in known if key in value}
        return kind(*inner, **named, **settings)
    except (DataError, ShapeError, ModelFileError) as error:
        raise ModelFileError(f"{path}: {one_line(error)}") from None


def _kind(value: Any, path: str) -> str:
    """Return the name in the table of what a record claims to be."""
    if type(value) is not dict:
        raise ModelFileError(f"{path}: expected an object, got {show(value)}")
    name: Any = value.get("kind")
    if not _is_name(name) or name not in LAYERS:
        hint = LAYERS.hint(name, LAYERS) if _is_name(name) else ""
        raise ModelFileError(f"{path}: unknown kind {show(name)}{hint}")
    return name


def _check_names(value: dict[Any, Any], settings: dict[str, Setting], inside: str, path: str) -> None:
    """Refuse fields that the kind does not have, and the lack of one that it needs."""
    known = {*settings, inside, "kind"} - {""}
    for name in value:
        if type(name) is not str or name not in known:
            hint = did_you_mean(name, known) if _is_name(name) else ""
            raise ModelFileError(f"{path}: {value['kind']} has no field {show(name)}{hint}")
    needed = [name for name, setting in settings.items() if setting.default is REQUIRED]
    for name in filter(None, (inside, *needed)):
        if name not in value:
            raise ModelFileError(f"{path}: {value['kind']} lacks the field {name!r}")


def _inner(
    value: dict[str, Any], inside: str, path: str, depth: int, budget: Iterator[int]
) -> tuple[list[Layer], dict[str, Layer]]:
    """Read the layers inside a layer: those without a name, and those with one."""
    if inside in ("", "inner"):
        return [_read(value[inside], f"{path}.inner", depth + 1, budget)] if inside else [], {}
    listed = value[inside]
    if type(listed) is not list:
        raise ModelFileError(f"{path}.{inside}: expected a list, got {show(listed)}")
    if inside in ("layers", "members"):
        return [_read(part, f"{path}.{place}", depth + 1, budget) for place, part in enumerate(listed)], {}
    if not all(type(pair) is list and len(pair) == 2 and _is_name(pair[0]) for pair in listed):
        raise ModelFileError(f"{path}.{inside}: expected pairs of a name and a layer")
    named = {name: _read(part, f"{path}.{name}", depth + 1, budget) for name, part in listed}
    if len(named) < len(listed):
        raise ModelFileError(f"{path}.{inside}: two layers have one name")
    return [], named


def _is_name(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_NAME
