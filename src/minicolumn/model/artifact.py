"""Model serialization: a network with its weights, its preprocessing and its training record as one file.

A model file is a safetensors file. Its tensors are the weights, named by their path in the tree of
parameters; one JSON text for each field of `Artifact` stands in its metadata or, if it grows with the table,
as bytes in a tensor of its own (`documents`). Nothing in it names code: layers,
losses and encoders are looked up in closed tables, so loading compares sizes and runs nothing.

Source      safetensors: github.com/huggingface/safetensors, section Format
Differs     joblib, pickle and torch.save store the names of classes and functions, which loading imports and
            calls; ONNX has the network but neither the table's encoder as JSON nor the training record.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError, MinicolumnError, ModelFileError, did_you_mean, one_line
from minicolumn.model import strict_json
from minicolumn.model.coherence import check_encoder, check_outputs
from minicolumn.model.container import (
    FORMAT_VERSION,
    MAX_FILE_BYTES,
    Container,
    check_header,
    decode,
    encode,
    load,
)
from minicolumn.model.documents import pack, unpack
from minicolumn.model.files import PathLike, shown, write_atomically
from minicolumn.nn.extent import Extent, extent
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import Loss
from minicolumn.nn.serialize import from_json
from minicolumn.tables.encode import Encoder
from minicolumn.tables.schema import Schema
from minicolumn.tree import flatten, named_leaves, unflatten

MAX_HISTORY = 1_000
_MAX_DIMENSION = 2**31
_FIELDS = (
    "network",
    "input_shape",
    "loss",
    "table",
    "schema",
    "training",
    "metrics",
    "history",
    "package",
    "data_hash",
)
# The text of a checkpoint, which models lack, and how the names of its tensors begin.
_CHECKPOINT, _PREFIX = "checkpoint", "checkpoint:"
_PACKAGE = re.compile(r"[0-9][0-9A-Za-z.+!]{0,63}")
_HASH = re.compile(r"[0-9A-Za-z:_-]{1,128}")


@dataclass(frozen=True, eq=False)
class Extra:
    """A checkpoint beside the model in its file: a description as JSON, and tensors.

    description     settings and state of the training, see `minicolumn.train.checkpoint`
    tensors         arrays by name; optimizer state and weights, any shape
    """

    description: dict[str, Any]
    tensors: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Artifact:
    """The content of a model file.

    network         the layers, as `minicolumn.nn.serialize.to_json` writes them
    input_shape     shape of one input row, without the batch
    params          nested dict of float32 or float64 arrays, as the network declares them
    loss            the loss, as `Loss.to_json` writes it: its name, or an object with its settings too
    table           the fitted encoder, as `Encoder.to_json` writes it; None without a table
    schema          what the table's columns mean, as `Schema.to_json` writes it, or None
    training        settings: optimizer, learning_rate, epochs, seed, batch_size, ...
    metrics         figures by name, nested at will; a figure that is not finite is stored as None
    history         one row an epoch; past 1,000 rows a save keeps 1,000, evenly spread
    package         version of minicolumn that trained the network
    data_hash       digest of the training data, or None
    checkpoint      the training that the model is of, where it can be gone on with; else None
    format_version  of the file; a newer one than this release knows is refused

    >>> from minicolumn.nn import Dense
    >>> from minicolumn.nn.serialize import to_json
    >>> params = {"weight": np.ones((2, 1), np.float32), "bias": np.zeros(1, np.float32)}
    >>> model = Artifact(to_json(Dense(1)), (2,), params, "squared_error")
    >>> artifact_from_bytes(artifact_to_bytes(model)).params["weight"].tolist()
    [[1.0], [1.0]]
    """

    network: dict[str, Any]
    input_shape: tuple[int, ...]
    params: Any
    loss: str | dict[str, Any]
    table: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    package: str = "0"
    data_hash: str | None = None
    checkpoint: Extra | None = None
    format_version: int = FORMAT_VERSION


def save_artifact(artifact: Artifact, path: PathLike) -> None:
    """Write a model file atomically: at every instant the path holds the old file or the new one.

    artifact    the model; it passes the loader's own checks before anything is written
    path        where to; an existing file is replaced as a whole
    Errors      DataError: a field does not fit, a weight is not finite, or the disk refuses

    The same artifact gives the same bytes, whatever the order of its dicts.
    """
    write_atomically(path, _encode(artifact))


def load_artifact(path: PathLike) -> Artifact:
    """Read a model file: all of it is checked, none of it is run, no other path is opened.

    path        of the file; at most 2 GiB are read
    Errors      ModelFileError in one line: missing, damaged, another format, or from a newer minicolumn
    Differs     `joblib.load` and `torch.load(weights_only=False)` run code that the file names
    """
    container = load(path)
    try:
        return _read(container)
    except ModelFileError as error:
        raise ModelFileError(f"{shown(path)} {error}") from None


def artifact_to_bytes(artifact: Artifact) -> bytes:
    """Serialize an artifact to the bytes of a model file, checked like `save_artifact`."""
    return b"".join(_encode(artifact))


def artifact_from_bytes(data: bytes | bytearray, name: str = "this model file") -> Artifact:
    """Deserialize the bytes of a model file, checked like `load_artifact`.

    name        for messages, in place of a path
    Errors      ModelFileError in one line that begins with the name
    """
    try:
        return _read(decode(data))
    except ModelFileError as error:
        raise ModelFileError(f"{name} {error}") from None


def check_description(artifact: Artifact) -> None:
    """Refuse, before the training, what no model file could hold; weights need only have their shapes.

    Errors      DataError, in one line
    """
    tensors, texts = _checked(artifact)
    try:
        check_header(tensors, texts)
    except ModelFileError as error:
        raise DataError(f"cannot save this model: it {error}") from None


def _encode(artifact: Artifact) -> list[bytes | memoryview]:
    """Return the file's bytes in chunks, once the loader's checks have passed."""
    tensors, texts = _checked(artifact)
    chunks = encode(tensors, texts)
    if (size := sum(len(chunk) for chunk in chunks)) > MAX_FILE_BYTES:
        raise DataError(f"cannot save this model: {size:,} bytes; at most {MAX_FILE_BYTES:,} can be loaded")
    return chunks


def _checked(artifact: Artifact) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return tensors and texts by name, once they have passed the loader's checks."""
    tensors = {name: np.asarray(array) for name, array in named_leaves(artifact.params)}
    try:
        texts = {name: _text(name, getattr(artifact, name)) for name in _FIELDS}
        if artifact.checkpoint is not None:
            texts[_CHECKPOINT] = _text(_CHECKPOINT, artifact.checkpoint.description)
            tensors |= {f"{_PREFIX}{name}": array for name, array in artifact.checkpoint.tensors.items()}
        tensors, texts = pack(texts, tensors)
        _read(Container(tensors, texts))
    except ModelFileError as error:
        wrong = f"it {error}".removeprefix("it is damaged: ")
        raise DataError(f"cannot save this model: {wrong}") from None
    return tensors, texts


def _text(name: str, value: Any) -> str:
    """Return one field as its JSON text."""
    if name == "history":
        value = _thinned(value)
    try:
        return strict_json.canonical(_plain(value, drop_infinite=name in ("metrics", "history")))
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"has a field {name!r} that JSON cannot hold: {error}") from None


def _thinned(rows: list[Any]) -> list[Any]:
    """Return at most MAX_HISTORY rows, evenly spread."""
    if len(rows) <= MAX_HISTORY:
        return rows
    return [rows[i * (len(rows) - 1) // (MAX_HISTORY - 1)] for i in range(MAX_HISTORY)]


def _plain(value: Any, drop_infinite: bool) -> Any:
    """Return a value as JSON has it: tuples as lists, NumPy scalars as Python's; where told, NaN as None."""
    if isinstance(value, Mapping):
        return {key: _plain(inner, drop_infinite) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, drop_infinite) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if drop_infinite and isinstance(value, float) and not math.isfinite(value) else value


def _read(container: Container) -> Artifact:
    """Return the artifact in a container, every field checked against the others."""
    extra, container = _without_checkpoint(container)
    documents, weights = unpack(container)
    fields = _parse_fields(documents)
    shape = _read_shape(fields["input_shape"])
    _check_figures(fields)
    layer = _read_network(fields["network"])
    found = _read_extent(layer, shape)
    loss = _read_loss(fields["loss"])
    check_outputs(loss.outputs, found.output_shape, fields["training"])
    encoder = _read_table(fields["table"], fields["schema"])
    if encoder is not None:
        check_encoder(encoder, loss, shape, found)
    params = _read_params(layer, shape, weights)
    return Artifact(
        **{**fields, "input_shape": shape, "params": params, "format_version": container.format_version},
        checkpoint=extra,
    )


def _without_checkpoint(container: Container) -> tuple[Extra | None, Container]:
    """Return the checkpoint, None where there is none, and the container of the model alone."""
    if _CHECKPOINT not in container.texts:
        return None, container
    texts = dict(container.texts)
    description = strict_json.parse(texts.pop(_CHECKPOINT), f"is damaged: its field {_CHECKPOINT!r}")
    _expect(isinstance(description, dict), _CHECKPOINT, "an object")
    own = {name: array for name, array in container.tensors.items() if not name.startswith(_PREFIX)}
    others = {
        name.removeprefix(_PREFIX): array for name, array in container.tensors.items() if name not in own
    }
    return Extra(description, others), replace(container, tensors=own, texts=texts)


def _parse_fields(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields by name, parsed; unknown and missing ones are refused."""
    for name in texts:
        if name not in _FIELDS:
            raise ModelFileError(f"has an unknown field {name[:60]!a}{did_you_mean(name, _FIELDS)}")
    for name in _FIELDS:
        if name not in texts:
            raise ModelFileError(f"is damaged: the field {name!r} is missing")
    return {name: strict_json.parse(texts[name], f"is damaged: its field {name!r}") for name in _FIELDS}


def _read_shape(value: object) -> tuple[int, ...]:
    """Return the input shape: 1 to 8 positive sizes."""
    if not isinstance(value, list) or not 0 < len(value) <= 8:
        raise ModelFileError("is damaged: its input shape is not a list of 1 to 8 sizes")
    if not all(type(size) is int and 0 < size <= _MAX_DIMENSION for size in value):
        raise ModelFileError("is damaged: its input shape holds something that is not a size")
    return tuple(value)


def _check_figures(fields: dict[str, Any]) -> None:
    """Check the types of the fields beside network and table."""
    _expect(isinstance(fields["network"], dict), "network", "an object")
    _expect(isinstance(fields["training"], dict), "training", "an object")
    _expect(_is_figures(fields["metrics"]), "metrics", "numbers by name")
    rows = fields["history"]
    _expect(isinstance(rows, list) and len(rows) <= MAX_HISTORY, "history", f"at most {MAX_HISTORY:,} rows")
    _expect(
        all(isinstance(row, dict) and _is_figures(row) for row in rows), "history", "rows of numbers by name"
    )
    _expect(_matches(_PACKAGE, fields["package"]), "package", "a version")
    _expect(fields["data_hash"] is None or _matches(_HASH, fields["data_hash"]), "data_hash", "a digest")


def _expect(fits: bool, name: str, kind: str) -> None:
    """Refuse a field that does not fit; kind: what it should have been, for the message."""
    if not fits:
        raise ModelFileError(f"is damaged: its field {name!r} is not {kind}")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    """Return whether a value is a string that a pattern fits as a whole."""
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_figures(value: object) -> bool:
    """Return whether this is a dict of numbers, None and dicts of the same kind."""
    if not isinstance(value, dict):
        return False
    return all(v is None or isinstance(v, (int, float)) or _is_figures(v) for v in value.values())


def _read_table(table: object, schema: object) -> Encoder | None:
    """Return the encoder, if there is one; it and the schema must be whole and agree."""
    if table is None:
        _expect(schema is None, "schema", "null, as it must be without a table")
        return None
    try:
        encoder = Encoder.from_json(table)
        if schema is not None:
            _check_agreement(encoder, Schema.from_json(schema))
    except MinicolumnError as error:
        raise ModelFileError(f"is damaged: {one_line(error)}") from None
    return encoder


def _check_agreement(encoder: Encoder, schema: Schema) -> None:
    """Check that encoder and schema have the same columns and the same target."""
    used = {column.name for column in schema.columns if column.used}
    same = (
        (encoder.target, encoder.task, encoder.target_form, encoder.classes or ())
        == (schema.target, schema.task, schema.target_form, schema.classes)
    ) and {part.name for part in encoder.inputs} == used
    if not same:
        raise ModelFileError("its table and its schema do not agree")


def _read_network(network: object) -> Layer:
    """Return the network that its JSON describes; only known layers and settings."""
    try:
        return from_json(network)
    except MinicolumnError as error:
        raise ModelFileError(f"is damaged: {one_line(error)}") from None


def _read_extent(layer: Layer, shape: tuple[int, ...]) -> Extent:
    """Return what the network becomes for one row; past the bounds it is refused before anything is made."""
    try:
        return extent(layer, shape)
    except MinicolumnError as error:
        raise ModelFileError(f"is damaged: its network: {one_line(error)}") from None


def _read_loss(value: Any) -> Loss:
    """Return the loss that its JSON describes."""
    try:
        return Loss.from_json(value)
    except ModelFileError as error:
        raise ModelFileError(f"has an {error}") from None


def _read_params(layer: Layer, shape: tuple[int, ...], tensors: Mapping[str, np.ndarray]) -> Any:
    """Return the weights as the tree that the network declares, names and shapes equal to it exactly."""
    try:
        declared = layer.declare(shape)
    except MinicolumnError as error:
        raise ModelFileError(f"is damaged: its network: {one_line(error)}") from None
    leaves, structure = flatten(declared, is_leaf=lambda node: hasattr(node, "shape"))
    names = [name for name, _ in named_leaves(unflatten(structure, range(len(leaves))))]
    _check_names(names, tensors)
    for name, leaf in zip(names, leaves, strict=True):
        _check_weight(name, tensors[name], tuple(leaf.shape))
    return unflatten(structure, [tensors[name] for name in names])


def _check_names(names: list[str], tensors: Mapping[str, np.ndarray]) -> None:
    """Check that the tensors are those that the network declares, by name: none missing, none left over."""
    if len(set(names)) != len(names):
        raise ModelFileError("is damaged: two weights of its network have one name")
    if missing := [name for name in names if name not in tensors]:
        raise ModelFileError(f"is damaged: the weight {missing[0]!a} of its network is missing")
    if left := sorted(tensors.keys() - set(names)):
        raise ModelFileError(f"has an unknown weight {left[0]!a}{did_you_mean(left[0], names)}")


def _check_weight(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Check one weight's dtype, float32 or float64, and its shape."""
    if array.dtype not in (np.float32, np.float64):
        raise ModelFileError(f"has the weight {name!a} as {array.dtype}; expected float32 or float64")
    if array.shape != shape:
        expected = f"its network expects {list(shape)}"
        raise ModelFileError(f"is damaged: the weight {name!a} is {list(array.shape)}, {expected}")
