"""Columns of a table as the room holds them: inputs x1, x2, ..., with names and units of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from minicolumn.nn.formula import Apply, Column, Formula, Part, parse_formula
from minicolumn.tables import Encoder
from minicolumn.tables.inputs.datetimes import DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.inputs.scale import Scaler

Unit = dict[str, Any]  # of a `Scaler`: center, factor, smooth


def units_of(encoder: Encoder) -> list[Unit | None]:
    """Return how each feature was scaled, so that a page can show it in the column's own unit.

        x = center + s / factor,    s = x' or, where smooth, x' / sqrt(1 - (x'/3)^2)

    None for a feature that is no scaled number, such as one of a category, and for a constant.
    """
    scales: dict[str, Scaler] = {}
    for part in encoder.inputs:
        found: Sequence[Scaler] = ()
        if isinstance(part, NumberInput):
            found = (part.scale,)
        elif isinstance(part, DatetimeInput):
            found = [scale for _, scale in part.parts]
        scales |= dict(zip(part.features, found, strict=False))
    return [scales[n].to_json() if n in scales and scales[n].factor else None for n in encoder.features]


def formula_of_columns(text: str, inputs: Sequence[str], names: Sequence[str]) -> Formula:
    """Return the formula of inputs that a text says, in which columns may go by their names.

    inputs      x1, x2, ...; names: what each is called

    >>> str(formula_of_columns("width * `sepal length` + x1", ["x1", "x2"], ["width", "sepal length"]))
    'x1*x2+x1'
    """
    known = {name: own for name, own in zip(names, inputs, strict=True) if name not in inputs}
    return Formula(_renamed(parse_formula(text, [*inputs, *known]).tree, known))


def written_out(formula: str, inputs: Sequence[str], names: Sequence[str]) -> str:
    """Return a formula of inputs with what they are called.

    >>> written_out("x1*x2+x1", ["x1", "x2"], ["width", "sepal length"])
    'width*`sepal length`+width'
    """
    return str(Formula(_renamed(parse_formula(formula, inputs).tree, dict(zip(inputs, names, strict=True)))))


def _renamed(part: Part, names: Mapping[str, str]) -> Part:
    if isinstance(part, Column):
        return Column(names.get(part.name, part.name))
    if isinstance(part, Apply):
        return replace(part, parts=tuple(_renamed(inner, names) for inner in part.parts))
    return part
