"""Transfer learning: a trained network as the start of another training, with a new head, partly frozen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model, load
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.containers import Frozen, Sequential
from minicolumn.nn.layers.dense import Dense
from minicolumn.nn.losses import Loss, as_loss


def transfer(
    model: Model | PathLike,
    outputs: int | None = None,
    *,
    freeze: bool | int = False,
    loss: str | Loss | None = None,
    seed: int = 0,
) -> Model:
    """Return a model to go on from: with a new head, and some of its layers frozen.

        start = mc.transfer("digits.safetensors", outputs=5, freeze=True)
        run = mc.fit(start.network, X, y, params=start.params, loss=start.loss_record)

    model       a model, or the path of its file; it is not changed
    outputs     of the new head, such as the number of classes: a linear dense layer in the place of the last
                one and of its form, with weights drawn anew. None keeps the head
    freeze      True freezes all layers but the head, a number so many from the input on (see `mc.nn.Frozen`).
                `mc.Unfreeze` among the callbacks frees them by and by; `mc.optim.Layerwise` has them learn
                more slowly instead
    loss        of the training to come; None takes softmax_cross_entropy for a new head, else the model's own
    seed        draws the new head
    Returns     a `Model` for rows of the same shape; where the head is new, it knows no labels, and nothing
                of a table: raw rows are encoded by who goes on
    Errors      DataError for a network that is no `Sequential`, or has no dense layer at its end
    Source      Yosinski, Clune, Bengio, Lipson 2014, "How transferable are features in deep neural networks?"
                (arXiv 1411.1792)
    Elsewhere   timm's ``create_model(name, pretrained=True, num_classes=K)``; in Keras a new model is built
                around the old layers by hand

    >>> import minicolumn as mc
    >>> net = mc.nn.Sequential(mc.nn.Dense(8, "relu"), mc.nn.Dropout(0.1), mc.nn.Dense(10))
    >>> old = mc.Model(net, net.init(0, (4,)), (4,), "softmax_cross_entropy")
    >>> start = mc.transfer(old, outputs=3, freeze=True)
    >>> start.network
    Sequential(Frozen(Dense(8, activation='relu')), Frozen(Dropout(0.1)), Dense(3))
    >>> bool((start.params["0"]["weight"] == old.params["0"]["weight"]).all())
    True
    """
    source = model if isinstance(model, Model) else load(model)
    network = source.network
    if not isinstance(network, Sequential) or not network.layers:
        raise DataError(f"transfer: the network is a {type(network).__name__}, expected a Sequential")
    layers = [layer.inner if isinstance(layer, Frozen) else layer for layer in network.layers]
    params: Params = {str(place): source.params[str(place)] for place in range(len(layers))}
    head = len(layers) - 1
    if outputs is not None:
        layers, params, head = _new_head(layers, params, outputs, source, seed)
    whole = Sequential(*_frozen(layers, freeze, head))
    chosen = as_loss(loss if loss is not None else _loss(source, outputs))
    if chosen is None:
        raise DataError("transfer: loss must be one of the catalogue, not an own function")
    told: dict[str, Any] = {"loss": chosen.name, "loss_settings": dict(chosen.changed)}
    if outputs is None:
        return replace(source, network=whole, params=params, **told)
    return Model(whole, params, source.input_shape, **told)


def _new_head(
    layers: list[Layer], params: Params, outputs: int, source: Model, seed: int
) -> tuple[list[Layer], Params, int]:
    """Return layers and weights with a new dense layer in the place of the last one, and its place."""
    places = [place for place, layer in enumerate(layers) if isinstance(layer, Dense)]
    if not places:
        raise DataError("transfer: the network has no dense layer to put a new head in the place of")
    head = places[-1]
    if behind := [layers[place] for place in range(head + 1, len(layers)) if params[str(place)]]:
        raise DataError(f"transfer: {behind[0]!r} with weights of its own stands behind the last dense layer")
    # Of the old one's form: how fast a head learns depends on it.
    old = layers[head]
    assert isinstance(old, Dense)
    changed: list[Layer] = [*layers[:head], replace(old, units=outputs, activation="linear")]
    drawn = Sequential(*changed).init(seed, source.input_shape, source.dtype)
    return changed, {**{str(n): params[str(n)] for n in range(head)}, str(head): drawn[str(head)]}, head


def _frozen(layers: list[Layer], freeze: bool | int, head: int) -> list[Layer]:
    """Return layers of which some are frozen: all in front of the head, or so many."""
    whole = isinstance(freeze, bool | int | np.integer)
    count = (head if freeze else 0) if isinstance(freeze, bool) else freeze
    if not whole or not 0 <= count <= head:
        raise DataError(
            f"transfer: freeze must be True, False or a number from 0 to {head}, got {freeze!r:.60}"
        )
    return [Frozen(layer) if place < count else layer for place, layer in enumerate(layers)]


def _loss(source: Model, outputs: int | None) -> str | Loss:
    """Return the loss of what follows: the model's own, or that of classes for a new head."""
    if outputs is not None:
        return "softmax_cross_entropy" if outputs > 1 else "binary_cross_entropy"
    if source.loss_record is None:
        raise DataError("transfer: this model was trained with an own loss function; say the loss")
    return source.loss_record
