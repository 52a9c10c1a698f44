"""Sealed model files whose parts do not go together, made by splicing good ones; and what uses them.

The weights are those that the spliced network declares and the checksum is right, so that whatever is wrong
is wrong with the meaning: a loss of other outputs, a table of other codes, a layer of another width.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars
from tally import Tally

from minicolumn.errors import DataError, MinicolumnError, ModelFileError
from minicolumn.model.artifact import Artifact, artifact_from_bytes, artifact_to_bytes
from minicolumn.model.compute import Forward
from minicolumn.model.container import decode, encode
from minicolumn.model.documents import pack, unpack
from minicolumn.model.model import Model
from minicolumn.nn import LOSSES, Loss
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.extent import extent
from minicolumn.nn.layer import named_params
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs
from minicolumn.nn.serialize import from_json
from minicolumn.tables.encode import Encoder
from minicolumn.tables.schema import Schema

SLOW = 2.0  # seconds of processor time that loading may take
NATIVE = 0.1  # the share of a sample that is compiled; the others go through the interpreter
SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 40, 41, 42, 43, 1000, 2**22, 2**31, -1)
Parts = dict[str, Any]
# Weights are slices of this: drawing them took longer than loading them. Positive, as variances must be.
_POOL = np.random.default_rng(0).uniform(0.01, 0.5, 2**20).astype(np.float32)


@dataclass(frozen=True)
class Donors:
    """What files are spliced of, as JSON texts, of which parsing makes copies.

    files       the documents of each file
    layers      all layers of their networks
    """

    files: list[str]
    layers: list[str]

    def file(self, dice: random.Random) -> Parts:
        """Return a file's documents, free to be changed."""
        return json.loads(dice.choice(self.files))

    def layer(self, dice: random.Random) -> Any:
        """Return a layer, free to be changed."""
        return json.loads(dice.choice(self.layers))


def donors_of(artifacts: list[Artifact]) -> Donors:
    """Return the parts of some files."""
    files = [
        {name: json.loads(text) for name, text in unpack(decode(artifact_to_bytes(artifact)))[0].items()}
        for artifact in artifacts
    ]
    layers = [node[key] for parts in files for node, key in _layers({"network": parts["network"]})]
    return Donors([json.dumps(parts) for parts in files], [json.dumps(layer) for layer in layers])


def splice(donors: Donors, dice: random.Random) -> bytes | None:
    """Return a sealed file of mixed parts; None where they make no file at all."""
    parts = donors.file(dice)
    for _ in range(dice.randint(1, 3)):
        dice.choice((_swap_part, _splice_layer, _splice_layer, _resize, _resize, _swap_loss))(
            parts, donors, dice
        )
    documents = {name: json.dumps(value) for name, value in parts.items()}
    try:
        tensors, texts = pack(documents, _weights(parts))
        return b"".join(encode(tensors, texts))
    except (MinicolumnError, TypeError, ValueError):
        return None


def _swap_part(parts: Parts, donors: Donors, dice: random.Random) -> None:
    names = ("loss", "table", "schema", "input_shape", "network", "training")
    name = dice.choice(names)
    parts[name] = donors.file(dice)[name]


def _swap_loss(parts: Parts, donors: Donors, dice: random.Random) -> None:
    levels = sorted(dice.sample((0.05, 0.1, 0.25, 0.5, 0.9), dice.randint(1, 4)))
    quantiles = Loss("quantile", levels=tuple(levels)).to_json()
    parts["loss"] = dice.choice((dice.choice(list(LOSSES)), quantiles))


def _layers(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where each layer of a network stands: its container and its key."""
    keys: Any = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in list(keys):
        if isinstance(node[key], dict) and "kind" in node[key]:
            yield node, key
        yield from _layers(node[key])


def _splice_layer(parts: Parts, donors: Donors, dice: random.Random) -> None:
    """Put a layer of one network into another: in place of one, before one, or not at all."""
    own = list(_layers({"network": parts["network"]}))[1:] or [(parts, "network")]
    layer, (node, key) = donors.layer(dice), dice.choice(own)
    if isinstance(node, list) and dice.random() < 0.6:
        node.insert(key, layer)
    elif isinstance(node, list) and dice.random() < 0.3:
        del node[key]
    elif dice.random() < 0.1:
        node[key] = {"kind": "concatenate", "layers": [node[key]] * dice.choice((1, 2, 30))}
    else:
        node[key] = layer


def _numbers(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where each integer stands."""
    keys: Any = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in list(keys):
        if type(node[key]) is int:
            yield node, key
        yield from _numbers(node[key])


def _resize(parts: Parts, donors: Donors, dice: random.Random) -> None:
    """Change integers, a list's length or the input's shape."""
    where = dice.choice(("network", "input_shape", "table", "schema", "loss"))
    places = list(_numbers({where: parts[where]}))
    if places and dice.random() < 0.7:
        node, key = dice.choice(places)
        node[key] = dice.choice((dice.choice(SIZES), node[key] + 1, node[key] - 1))
    elif where == "input_shape":
        parts[where] = [dice.choice(SIZES) for _ in range(dice.choice((0, 1, 1, 2, 3, 9)))]
    elif where == "table" and parts["table"]:
        listed = dice.choice([value for value in parts["table"].values() if isinstance(value, list)] or [[0]])
        if listed and dice.random() < 0.5:
            del listed[dice.randrange(len(listed))]
        elif listed:
            listed.append(json.loads(json.dumps(dice.choice(listed))))


def _weights(parts: Parts) -> dict[str, np.ndarray]:
    """Return weights that fit the network; none where nobody could make them."""
    try:
        network, shape = from_json(parts["network"]), tuple(parts["input_shape"])
        if any(type(size) is not int or size < 1 for size in shape):
            return {}
        extent(network, shape)
        declared = {path: param.shape for path, param in named_params(network.declare(shape))}
    except MinicolumnError:
        return {}
    sizes = {path: math.prod(shape) for path, shape in declared.items()}
    if sum(sizes.values()) > len(_POOL):
        return {}
    return {path: _POOL[: sizes[path]].reshape(shape) for path, shape in declared.items()}


def try_out(data: bytes, dice: random.Random, tally: Tally, case: str, sample: float) -> None:
    """Load a file and predict with it; only a refusal at load may come of it.

    sample      the share of files that are used in every way, through programs; of the others the network,
                the loss and what becomes of outputs are run as they stand, in a tenth of the time
    """
    tally.mutants += 1
    started = time.process_time()
    try:
        artifact = artifact_from_bytes(data)
    except ModelFileError as error:
        if not str(error).isprintable() or len(str(error)) > 1000:
            tally.fail(f"{case}: not one short line: {str(error)!r:.300}", data)
        return
    except Exception as error:
        tally.fail(f"{case}: load: {type(error).__name__}: {error!s:.300}", data)
        return
    finally:
        seconds = time.process_time() - started
        tally.slowest = max(tally.slowest, seconds)
        if seconds > SLOW:
            tally.fail(f"{case}: loading took {seconds:.1f} s", data)
    tally.loaded += 1
    try:
        if dice.random() < sample:
            use(artifact, native=dice.random() < NATIVE)
        else:
            run(artifact)
    except Exception as error:
        tally.fail(f"{case}: loaded, but unusable: {type(error).__name__}: {error!s:.300}", data)


def run(artifact: Artifact) -> None:
    """Run the network and the loss of a file in plain NumPy, and decode what comes out."""
    network, loss = from_json(artifact.network), Loss.from_json(artifact.loss)
    X = np.zeros((2, *artifact.input_shape), np.float32)
    with np.errstate(all="ignore"):
        try:
            out = network.apply(artifact.params, X)
        except IndexError:
            if not any(lookup.is_computed for lookup in extent(network, artifact.input_shape).lookups):
                raise
            return
        shape = network.output_shape(artifact.input_shape)
        assert out.shape == (2, *shape), out.shape
        meaning = loss.outputs
        y = np.zeros(
            (2, *meaning.target_shape(shape)), np.int32 if loss.rule.task == "multiclass" else out.dtype
        )
        assert np.shape(loss.measured()(out, y)) == ()
        predictions = activation_by_name(meaning.activation).function(out)
        if artifact.table is not None:
            table = Encoder.from_json(artifact.table)
            if isinstance(meaning, ClassOutputs):
                predictions = meaning.class_scores(predictions)
            elif isinstance(meaning, NumberOutputs):
                predictions = meaning.expected(predictions)
            assert table.decode_target(predictions).shape == (2,)


def use(artifact: Artifact, native: bool) -> None:
    """Predict rows, raw rows of the table if there is one, and single rows."""
    network, loss = from_json(artifact.network), Loss.from_json(artifact.loss)
    table = None if artifact.table is None else Encoder.from_json(artifact.table)
    schema = None if artifact.schema is None else Schema.from_json(artifact.schema)
    model = Model(
        network, artifact.params, artifact.input_shape, loss.name, table, schema=schema,
        loss_settings=dict(loss.changed), training=artifact.training,
    )  # fmt: skip
    if not native:
        model.__dict__["_quick"] = network, artifact.params  # not rearranged for predictions
        model.__dict__["_forward"] = Forward(network, loss, None, "reference")
    X = np.zeros((2, *artifact.input_shape), np.float32)
    with np.errstate(all="ignore"):
        try:
            out = model.predict(X)
        except DataError:
            if not any(lookup.is_computed for lookup in extent(network, artifact.input_shape).lookups):
                raise
            return
        assert len(out) == 2, out.shape
        if native:
            row = np.atleast_1d(model.predictor()(X[0]))
            np.testing.assert_allclose(row, np.atleast_1d(out[0]), rtol=1e-4, atol=1e-4)
        shape = network.output_shape(artifact.input_shape)
        with suppress(DataError):  # some losses take no zeros
            model.evaluate(X, np.zeros((2, *loss.outputs.target_shape(shape))))
        if table is not None:
            use_table(model, table)


def use_table(model: Model, table: Encoder) -> None:
    """Predict two rows of missing values."""
    frame = polars.DataFrame({part.name: ["", ""] for part in table.inputs})
    labels = model.predict_table(frame)
    assert labels.shape == (2,), labels.shape
    distribution = model.predict_distribution_table(frame)
    assert all(column.shape == (2,) for column in distribution.values())
    if table.classes is not None:
        assert model.predict_proba_table(frame).shape == (2, len(table.classes))
