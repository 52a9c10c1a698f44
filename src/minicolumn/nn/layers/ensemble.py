"""Ensembles: networks beside each other whose predictions are averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, final

import numpy as np

from minicolumn.errors import DataError, ShapeError, did_you_mean
from minicolumn.nn.layer import Array, Composite, Layer, Params, Shape, Visit, own_key
from minicolumn.nn.layers.averages import AVERAGES
from minicolumn.nn.layers.containers import check_layers, numbered
from minicolumn.registry import Choice, refuse, settle

Averaged = Literal["numbers", "exponential", "softmax", "logistic", "normal"]
AVERAGE = Choice(help="What is averaged.", choices=tuple(AVERAGES))


@final
@dataclass(frozen=True, repr=False, init=False)
class Ensemble(Composite):
    """Give the same input to several networks and average what they predict.

        y = mean of member_1(x), ..., member_n(x)

    members     one or more layers, whose outputs have one shape
    average     what is averaged, see `minicolumn.nn.layers.averages`: "numbers" the outputs themselves,
                "softmax" or "logistic" the probabilities that they stand for, "exponential" the rates,
                "normal" the distributions. The raw output is the one that stands for the mean
    params      ``{"0": params of the first member, "1": ...}``
    key         member ``i`` draws from ``fold_in(key, i)``
    Errors      DataError if an argument is not a layer; ShapeError if the outputs differ in shape
    Source      Hansen & Salamon 1990, "Neural network ensembles"
    Differs     scikit-learn's VotingClassifier calls each member by itself; here all of them are one graph,
                so that a prediction is one native call. Trained as it stands, an ensemble learns by the loss
                of its mean; members that shall differ are trained apart, as `mc.fit_table` does

    >>> from minicolumn.nn import Dense
    >>> both = Ensemble(Dense(1), Dense(1))
    >>> params = {"0": {"weight": np.array([[1.0]]), "bias": np.zeros(1)},
    ...           "1": {"weight": np.array([[3.0]]), "bias": np.zeros(1)}}
    >>> both.apply(params, np.array([[5.0]]))
    array([[10.]])
    """

    members: tuple[Layer, ...]
    average: Annotated[Averaged, AVERAGE] = "numbers"

    def __init__(self, *members: Layer, average: Averaged = "numbers") -> None:
        settle(self, "members", members)
        settle(self, "average", average)
        if not members:
            refuse(self, "members", "at least one layer")
        check_layers("Ensemble", members)
        if not isinstance(average, str) or average not in AVERAGES:
            hint = did_you_mean(str(average)[:40], AVERAGES) or f"; there are {', '.join(AVERAGES)}"
            raise DataError(f"Ensemble: average: {average!r:.60} is not known{hint}")

    def __repr__(self) -> str:
        average = "" if self.average == "numbers" else f", average={self.average!r}"
        return f"Ensemble({', '.join(map(repr, self.members))}{average})"

    def output_shape(self, input_shape: Shape) -> Shape:
        shapes = [member.output_shape(input_shape) for member in self.members]
        first = list(shapes[0])
        for place, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ShapeError(
                    f"Ensemble: member {place} gives rows of shape {list(shape)}, member 0 of {first}"
                )
        if self.average == "normal" and shapes[0][-1:] != (2,):
            raise ShapeError(f"Ensemble: rows of shape {first} are no mean and log variance, expected [2]")
        return shapes[0]

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        return {name: member.declare(input_shape) for name, member in self.inside}

    @property
    def operations(self) -> int:
        return 12 + len(self.members)

    @property
    def inside(self) -> tuple[tuple[str, Layer], ...]:
        return numbered(self.members)

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        parts, after = [], {}
        for place, (name, member) in enumerate(self.inside):
            y, after[name] = visit(member, params[name], x, own_key(member, key, place))
            parts.append(y)
        return AVERAGES[self.average](np.stack(parts)), after

    def moved_through(self, visit: Visit, params: Params, columns: Array) -> Array:
        """Return NaN of the output's shape: all is computed. Members are visited for what they look up."""
        parts = [visit(member, params[name], columns, None)[0] for name, member in self.inside]
        return np.full_like(parts[0], np.nan)
