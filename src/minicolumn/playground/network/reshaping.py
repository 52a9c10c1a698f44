"""Hidden layers and neurons that come and go: changes of the setup, and which old unit each new one is."""

from __future__ import annotations

from typing import Any

from minicolumn.errors import DataError
from minicolumn.playground.lines import line
from minicolumn.playground.network import messages as m
from minicolumn.playground.network.setup import DEFAULT, Setup

Reshaped = tuple[dict[str, Any], list[list[Any]]]  # changes of the setup, and labels as `carried` takes them


def with_layer(setup: Setup, labels: list[list[Any]], said: m.Layer) -> Reshaped:
    """Put a hidden layer in, or take one out.

    Errors      DataError for a place where there is none
    """
    units, activations = list(setup.units), list(setup.activations)
    if said.add:
        if said.at > len(units):
            raise DataError(line("layerPlace", most=len(units), given=said.at))
        near = activations[min(said.at, len(units) - 1)] if units else DEFAULT.activations[0]
        units.insert(said.at, said.units)
        activations.insert(said.at, near)
        labels.insert(said.at + 1, [None] * said.units)
    else:
        _check_hidden("layer", setup, said.at)
        del units[said.at], activations[said.at], labels[said.at + 1]
    return {"units": units, "activations": activations}, labels


def with_units(setup: Setup, labels: list[list[Any]], said: m.Units) -> Reshaped:
    """Grow a hidden layer, or take neurons out of it.

    Errors      DataError for a layer or a neuron that is not there, and for the last neuron of a layer
    """
    _check_hidden("units", setup, said.layer)
    units, row = list(setup.units), labels[said.layer + 1]
    if said.remove is not None:
        if said.remove >= len(row) or len(row) == 1:
            raise DataError(line("oneStays", layer=said.layer, count=len(row)))
        del row[said.remove]
    elif said.units is not None:
        row[said.units :] = [None] * (said.units - len(row))
    units[said.layer] = len(row)
    return {"units": units, "activations": list(setup.activations)}, labels


def _check_hidden(who: str, setup: Setup, layer: int) -> None:
    if layer >= len(setup.units):
        raise DataError(line("noHidden", who=who, count=len(setup.units), layer=layer))
