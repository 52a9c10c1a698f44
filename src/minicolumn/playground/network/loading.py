"""Model files opened in the room: what of a network can be drawn and trained here, and points for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from minicolumn import random
from minicolumn.data.points.points import LETTERS, SIGNED, Points
from minicolumn.errors import DataError
from minicolumn.model import Model
from minicolumn.nn import Dense, Dropout, GaussianNoise, Sequential
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.formulas import Formulas
from minicolumn.playground.layers import shortened
from minicolumn.playground.lines import line, line_of
from minicolumn.playground.network.architecture import OWN_LAYERS, Architecture, architecture_of
from minicolumn.playground.network.setup import (
    HIDDEN_ACTIVATIONS,
    MOST_FEATURES,
    MOST_LAYERS,
    MOST_UNITS,
    OWN,
    TABLE,
    Setup,
)
from minicolumn.playground.network.tables import EncodedTable
from minicolumn.playground.network.task import MORE, TWO, Task
from minicolumn.playground.network.whole import Whole, check_trainable, whole_of
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tree import map_leaves

Array = np.ndarray
ROWS = 300  # that are made for a network, whose file has none
LOSSES = {name: own for table in (TWO, MORE) for own, name in table.items()}


@dataclass(frozen=True, eq=False)
class Opened:
    """A network as the room holds it.

    points      made up, and answered by the network itself: a model file has no rows
    table       what rows are encoded by, where the file has it
    params      the weights of its network
    whole       its network, where that is none that the setup describes
    said        lines for the page
    """

    setup: Setup
    points: Points
    table: EncodedTable | None
    params: Params
    whole: Whole | None
    said: tuple[str, ...]


def opened_model(model: Model) -> Opened:
    """Return a model's network as the room holds it, with rows made for it.

    One that the setup does not describe is taken as it is where its inputs are one or two numbers.

    Errors      DataError, naming what stands in the way, for a network that cannot be drawn here
    """
    if len(model.input_shape) != 1 or not 1 <= model.input_shape[0] <= MOST_FEATURES:
        raise DataError(line("rowShape", shape=str(list(model.input_shape)), most=MOST_FEATURES))
    inputs, classes = _inputs(model), _classes(model)
    task = Task(classes, LOSSES.get(model.loss, model.loss if not classes else "cross_entropy"))
    said: tuple[str, ...] = (line("rowsMade", count=ROWS),)
    try:
        setup = _setup(model.network, inputs, task, own=model.table is None)
        _check_same(model.network, architecture_of(setup, inputs, task.outputs, task.ending))
        whole = None
    except DataError as error:
        whole, setup = _as_it_is(model, inputs, task, error)
        task, said = whole.task, (line("whole", why=line_of(error)), *said)
    points = _points(model, inputs, classes, task)
    table = None
    if model.table is not None and model.schema is not None:
        table = EncodedTable(points, model.table, model.schema, ())
    return Opened(setup, points, table, _float32(model.params), whole, said)


def _as_it_is(model: Model, inputs: tuple[str, ...], task: Task, why: DataError) -> tuple[Whole, Setup]:
    """Return a network that is trained as it came; where it cannot be, say why it is not drawn either.

    Errors      DataError
    """
    try:
        check_trainable(model, task)
    except DataError as error:
        raise DataError(line("neither", why=line_of(why), further=line_of(error))) from None
    if model.table is not None and not task.classes:
        task = replace(task, center=model.table.target_mean, scale=model.table.target_scale)
    task = replace(task, exact=model.loss_record)
    own = OWN if model.table is None else TABLE
    setup = Setup(dataset=own, features=inputs, units=(), loss=task.loss)
    return whole_of(model.network, model.input_shape, task), setup


def _float32(params: Params) -> Params:
    return map_leaves(lambda leaf: np.asarray(leaf, np.float32), params)


def _inputs(model: Model) -> tuple[str, ...]:
    layers = model.network.layers if isinstance(model.network, Sequential) else (model.network,)
    if layers and isinstance(layers[0], Formulas):
        return layers[0].inputs
    names = model.table.features if model.table is not None else ()
    plain = names and all(name.isidentifier() for name in names)
    return tuple(names) if plain else tuple(f"x{place + 1}" for place in range(model.input_shape[0]))


def _classes(model: Model) -> tuple[str, ...]:
    if model.table is not None:
        return model.table.classes or ()
    outputs = model.network.output_shape(model.input_shape)[0]
    if model.loss not in LOSSES:
        return ()
    labels = model.training.get("classes")
    if isinstance(labels, list) and len(labels) == max(outputs, 2):
        return tuple(map(str, labels))
    return SIGNED if outputs == 1 else tuple(LETTERS[:outputs])


def _setup(network: Layer, inputs: tuple[str, ...], task: Task, own: bool) -> Setup:
    """Return the setup whose network this is, as far as there is one."""
    layers = network.layers if isinstance(network, Sequential) else (network,)
    features, noise = inputs, 0.0
    if layers and isinstance(layers[0], Formulas):
        features, layers = layers[0].formulas, layers[1:]
    if layers and isinstance(layers[0], GaussianNoise):
        noise, layers = layers[0].stddev, layers[1:]
    dense = [layer for layer in layers if isinstance(layer, Dense)]
    kinds: dict[type[Layer], str] = {kind: name for name, kind in OWN_LAYERS.items()}
    owns = [kinds[type(layer)] for layer in layers if type(layer) in kinds]
    rates = {layer.rate for layer in layers if isinstance(layer, Dropout)}
    hidden = dense[:-1]
    odd = [layer for layer in layers if not isinstance(layer, (Dense, Dropout, *kinds))]
    if odd or not dense:
        raise DataError(line("layerNotDrawn", kind=type(odd[0]).__name__) if odd else line("noDense"))
    if len(hidden) > MOST_LAYERS or any(layer.units > MOST_UNITS for layer in hidden):
        raise DataError(line("tooManyLayers", layers=MOST_LAYERS, units=MOST_UNITS))
    kept = iter(owns)
    names = tuple(
        str(layer.activation) if layer.activation != "linear" else next(kept, "linear") for layer in hidden
    )
    if not set(names) <= set(HIDDEN_ACTIVATIONS):
        raise DataError(line("activationNotDrawn", names=shortened(", ".join(dict.fromkeys(names)), 60)))
    return Setup(
        dataset=OWN if own else TABLE, features=tuple(features), units=tuple(layer.units for layer in hidden),
        activations=names, dropout=max(rates, default=0.0), input_noise=noise, loss=task.loss,
    )  # fmt: skip


def _check_same(network: Layer, architecture: Architecture) -> None:
    """Refuse a network that the setup does not describe in full."""
    layers = network.layers if isinstance(network, Sequential) else (network,)
    drawn = architecture.network.layers
    for place, (own, other) in enumerate(zip(layers, drawn, strict=False)):
        if type(own) is not type(other) or (isinstance(own, Dense) and not _alike(own, other)):
            raise DataError(line("layerSettings", place=place, layer=shortened(repr(own), 60)))
    if len(layers) != len(drawn):
        raise DataError(line("layersDrawn", count=len(layers), drawn=len(drawn)))


def _alike(one: Dense, other: Layer) -> bool:
    """Return whether two dense layers compute the same, whatever their first weights."""
    names = ("units", "activation", "bias", "parametrization")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _points(model: Model, inputs: Sequence[str], classes: tuple[str, ...], task: Task) -> Points:
    """Return rows spread over what the training saw, answered by the network itself."""
    key = random.stream(0, "split")
    low, high = _seen(model)
    X = low + (high - low) * random.uniform(key, (ROWS, len(inputs)), np.float64)
    outputs = model.network.apply(model.params, X.astype(np.float32))
    y = task.answers(np.asarray(outputs)).astype(np.float64)
    held = np.arange(ROWS) % 2 == 1
    return Points(X, y, held, tuple(inputs), classes)


def _seen(model: Model) -> tuple[Array, Array]:
    """Return the range of each input: what the table saw of plain numbers, else three deviations."""
    low, high = np.full(model.input_shape[0], -3.0), np.full(model.input_shape[0], 3.0)
    if model.table is None:
        return 2 * low, 2 * high
    place = 0
    for part in model.table.inputs:
        own = slice(place, place := place + len(part.features))
        if isinstance(part, NumberInput):  # and whether it is missing, which no row is that is made
            low[own], high[own] = part.encoded(np.array([[part.seen.low], [part.seen.high]]))
    return low, high
