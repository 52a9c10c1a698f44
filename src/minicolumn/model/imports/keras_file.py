"""Keras 3 import: .keras archives, and .weights.h5 files of dense layers; no code of a file is run.

A .keras file is a ZIP of config.json, which names layers and their settings, and model.weights.h5. The config
is JSON, read strictly: a class is a key of the table here or it is refused, with its layer's name.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import numpy as np

from minicolumn.errors import ModelFileError, one_line
from minicolumn.model import strict_json
from minicolumn.model.file_sniffing import sniff_format
from minicolumn.model.files import PathLike, read_whole, shown
from minicolumn.model.imports.chain import LONGEST_LINE, Chain
from minicolumn.model.imports.hdf5 import MAGIC, read_arrays
from minicolumn.model.imports.keras_layers import LAYERS, Config, KerasLayer
from minicolumn.model.model import Model
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.losses import Loss, as_loss

Array = np.ndarray
MAX_BYTES = 2 * 1024**3
MAX_CONFIG = 16 * 1024**2
MAX_LAYERS = 1_000
MAX_DEPTH = 8


def from_keras(path: PathLike, *, activation: str | None = None, loss: str | Loss | None = None) -> Model:
    """Return the network of a Keras 3 file as a model; no code of the file is run.

    path        of a .keras file of a Sequential, or of a functional model without branches; or of a
                .weights.h5 file of dense layers, which holds no settings
    activation  of the hidden layers of a .weights.h5 file, such as "relu"
    loss        says what the outputs mean; by default softmax or sigmoid at the end make probabilities, and
                anything else numbers
    Errors      ModelFileError, in one line: every layer that is not known is named; DataError for an unknown
                activation or loss
    Differs     `keras.models.load_model` makes objects of whatever class a config names

    >>> "BatchNormalization" in LAYERS, "Lambda" in LAYERS
    (True, False)
    """
    said = None if loss is None else as_loss(loss)
    if activation is not None:
        activation_by_name(activation)
    data = read_whole(path, MAX_BYTES)
    try:
        with np.errstate(all="ignore"):
            chain = _of_weights(read_arrays(data), activation) if data[:8] == MAGIC else _of_archive(data)
            return chain.model({"format": "keras"}, said)
    except ModelFileError as error:
        raise ModelFileError(f"{shown(path)} {one_line(error, LONGEST_LINE)}") from None


# The archive ------------------------------------------------------------------------------------------------


def _of_archive(data: bytes | bytearray) -> Chain:
    """Return the chain of a .keras file's bytes."""
    if data[:2] != b"PK":
        raise ModelFileError(sniff_format(bytes(data[:65536]), bytes(data[-65536:]), "a Keras model"))
    config, weights = _members(data)
    try:
        text = config.decode()
    except UnicodeDecodeError:
        raise ModelFileError("is damaged: its config is not UTF-8") from None
    model = strict_json.parse(text, "is damaged: its config")
    arrays = read_arrays(weights)
    found = _layers(model, "", arrays, 0)
    if missing := [layer.where for layer in found if layer.kind not in LAYERS]:
        listed = ", ".join(missing[:20]) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        raise ModelFileError(f"has layers that are not known here: {listed}")
    chain = Chain(_input_shape(model, found))
    for layer in found:
        try:
            chain = LAYERS[layer.kind](layer, chain)
        except ModelFileError as error:
            raise ModelFileError(f"{error}, in {layer.where}") from None
    return chain


def _members(data: bytes | bytearray) -> tuple[bytes, bytes]:
    """Return config.json and model.weights.h5 of an archive, in which they are stored as they are."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _stored(archive, "config.json", MAX_CONFIG), _stored(
                archive, "model.weights.h5", len(data)
            )
    except ModelFileError:
        raise
    except Exception as error:  # zipfile raises half a dozen kinds for a damaged archive
        raise ModelFileError(f"is damaged: {one_line(error, LONGEST_LINE)}") from None


def _stored(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    if name not in archive.namelist():
        raise ModelFileError(f"is no Keras file: it has no {name}")
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise ModelFileError(f"has {name} compressed, which Keras does not do; save it anew")
    if info.file_size > most:
        raise ModelFileError(f"has a {name} of {info.file_size:,} bytes; at most {most:,} are read")
    return archive.read(info)


# The config -------------------------------------------------------------------------------------------------


def _layers(model: Any, path: str, arrays: dict[str, Array], depth: int) -> list[KerasLayer]:
    """Return the layers of a model and of the models inside it, in the order of the forward pass."""
    kind, config = _class_of(model)
    if kind not in ("Sequential", "Functional") or depth > MAX_DEPTH:
        raise ModelFileError(f"is a {kind[:60]}; read are Sequential and Functional models, {MAX_DEPTH} deep")
    listed = config.get("layers")
    if not isinstance(listed, list) or len(listed) > MAX_LAYERS:
        raise ModelFileError(f"is damaged: its layers are not a list of at most {MAX_LAYERS:,}")
    places = _places(listed, f"{path}/layers".strip("/"))
    order = range(len(listed)) if kind == "Sequential" else _in_a_row(listed)
    found: list[KerasLayer] = []
    for n in order:
        inner, settings = _class_of(listed[n])
        if inner in ("Sequential", "Functional"):
            found += _layers(listed[n], places[n], arrays, depth + 1)
        elif inner != "InputLayer":
            found.append(KerasLayer(inner, settings, _own(arrays, places[n])))
        if len(found) > MAX_LAYERS:
            raise ModelFileError(f"has more than {MAX_LAYERS:,} layers")
    return found


def _class_of(value: Any) -> tuple[str, Config]:
    """Return the class of a serialized object and its settings; a class of one's own is refused."""
    if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
        raise ModelFileError("is damaged: its config has something that is no layer")
    config = value.get("config")
    if not isinstance(config, dict):
        raise ModelFileError("is damaged: its config has a layer without settings")
    module = value.get("module")
    own = value.get("registered_name") not in (None, value["class_name"])
    if own or not (isinstance(module, str) and module.split(".")[0] == "keras"):
        return f"{module}.{value['class_name']}"[:80], config
    return value["class_name"], config


def _places(listed: list[Any], path: str) -> list[str]:
    """Return the paths of layers among the weights: by class, numbered in the order of the list."""
    seen: dict[str, int] = {}
    found = []
    for layer in listed:
        name = _snake(_class_of(layer)[0])
        number = seen.get(name, 0)
        seen[name] = number + 1
        found.append(f"{path}/{name}_{number}" if number else f"{path}/{name}")
    return found


def _snake(name: str) -> str:
    """Return a class's name as Keras writes it among the weights.

    >>> _snake("BatchNormalization"), _snake("PReLU")
    ('batch_normalization', 'p_re_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _own(arrays: dict[str, Array], path: str) -> tuple[Array, ...]:
    """Return the arrays of one layer, in order."""
    found: list[Array] = []
    while (array := arrays.get(f"{path}/vars/{len(found)}")) is not None:
        found.append(array)
    return tuple(found)


def _in_a_row(listed: list[Any]) -> list[int]:
    """Return the order of the layers of a functional model, each of which reads the one before it."""
    by_name: dict[str, int] = {}
    reads: dict[str, int] = {}
    first: list[int] = []
    for n, layer in enumerate(listed):
        name = layer.get("name")
        if not isinstance(name, str):
            name = _class_of(layer)[1].get("name")
        if not isinstance(name, str) or name in by_name:
            raise ModelFileError("is damaged: a layer has no name of its own")
        by_name[name] = n
        sources = _sources(layer.get("inbound_nodes"))
        if not sources:
            first.append(n)
        elif len(sources) > 1 or sources[0] in reads:
            raise ModelFileError(f"has branches, at the layer {name[:60]!a}; networks in one row are read")
        else:
            reads[sources[0]] = n
    if len(first) != 1:
        raise ModelFileError(f"has {len(first)} inputs; networks with one are read")
    names = {n: name for name, n in by_name.items()}
    order = [first[0]]
    while (following := reads.get(names[order[-1]])) is not None and len(order) <= len(listed):
        order.append(following)
    if len(order) != len(listed):
        raise ModelFileError("has layers that are not joined to the input")
    return order


def _sources(nodes: Any) -> list[str]:
    """Return the names of the layers that a layer reads; more than one call of it counts as more."""
    found: list[str] = []
    waiting: list[tuple[Any, int]] = [(nodes, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > 8:
            continue
        if isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, dict):
            history = value.get("keras_history")
            if isinstance(history, list) and history and isinstance(history[0], str):
                found.append(history[0])
            waiting += [(inner, depth + 1) for name, inner in value.items() if name != "keras_history"]
    return found


def _input_shape(model: Any, found: list[KerasLayer]) -> tuple[int, ...]:
    """Return the shape of one row: of the input layer, else of what the model was built with."""
    config = model["config"]
    built = model.get("build_config")
    shapes = [config.get("build_input_shape"), built.get("input_shape") if isinstance(built, dict) else None]
    for layer in config["layers"]:
        kind, settings = _class_of(layer)
        if kind == "InputLayer":
            shapes.insert(0, settings.get("batch_shape"))
    for shape in shapes:
        lengths = shape[1:] if isinstance(shape, list) else []
        if lengths and len(lengths) <= 8 and all(type(n) is int and 0 < n <= 2**22 for n in lengths):
            return tuple(lengths)
    for layer in found[:1]:
        if layer.kind == "Dense" and layer.arrays and layer.arrays[0].ndim == 2:
            return (layer.arrays[0].shape[0],)
    raise ModelFileError("does not say how many features its input has; build the model before it is saved")


# Weights alone ----------------------------------------------------------------------------------------------


def _of_weights(arrays: dict[str, Array], activation: str | None) -> Chain:
    """Return the chain of a .weights.h5 file of dense layers, which are numbered in their order."""
    groups = {path.rpartition("/vars/")[0] for path in arrays if "/vars/" in path}
    dense = {
        path: found for path in groups if (found := re.fullmatch(r"layers/dense(?:_([0-9]{1,6}))?", path))
    }
    others = sorted(path for path in groups - set(dense) if "seed_generator" not in path)
    if others:
        raise ModelFileError(
            f"has weights of {others[0][:60]!a}, and a .weights.h5 file does not say in which order layers "
            "stand; save the model as .keras"
        )
    if not dense:
        raise ModelFileError("holds no weights of dense layers")
    if len(dense) > 1 and activation is None:
        raise ModelFileError(
            'does not say which activations the network has; say activation="relu" (--activation relu), or '
            "save the model as .keras"
        )
    ordered = sorted(dense, key=lambda path: int(dense[path][1] or 0))
    chain: Chain | None = None
    for place, path in enumerate(ordered):
        weight, *bias = _own(arrays, path) or (np.zeros(0),)
        if weight.ndim != 2 or len(bias) > 1:
            raise ModelFileError(f"has weights of {path[:60]!a} that are no dense layer's")
        chain = chain or Chain((weight.shape[0],))
        chain = chain.dense(weight.astype(np.float64), bias[0] if bias else None)
        if place < len(ordered) - 1 and activation is not None:
            chain = chain.activation(activation)
    assert chain is not None
    return chain
