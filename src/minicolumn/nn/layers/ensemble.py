"""Ensembles: the average of what several members predict, on the scale of raw outputs.

    Ensemble(a, b, c)                                   members that are networks beside each other
    Sequential(Members(8), ..., MeanOfMembers())        members that one network holds

A network hands out raw outputs, of which a loss makes predictions: softmax of scores, exp of a logarithm.
What is averaged are the predictions; the mean is handed on as the raw output of which the same function makes
it. Either layer says by one of these names what that is:

    numbers         mean of z                          exponential     log of the mean of exp(z)
    softmax         log of the mean of softmax(z)      logistic        logit of the mean of logistic(z)
    probabilities   softmax, of one output logistic
    normal          the mean and variance of the mixture of N(m, exp(v)):  mean m,  log(mean e^v + var m)

At the end of a network that is trained, either gives the loss its members' outputs, not their mean.

Source      of the mixture: Lakshminarayanan, Pritzel & Blundell 2017, "Simple and scalable predictive
            uncertainty estimation using deep ensembles" (arXiv 1612.01474), section 2.4
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, final

import numpy as np

from minicolumn.errors import DataError, ShapeError, did_you_mean
from minicolumn.nn.layer import Array, Composite, Deterministic, Layer, Params, Shape, Visit, own_key
from minicolumn.nn.layers.containers import check_layers, numbered
from minicolumn.nn.layers.members import members_and_features
from minicolumn.nn.losses import log_softmax
from minicolumn.registry import Choice, refuse, settle

Average = Callable[[Array], Array]


def mean_of_numbers(z: Array) -> Array:
    """Return the mean over the first axis.

    z           [members, ..., outputs]
    Returns     [..., outputs]
    """
    return np.mean(z, axis=0)


def mean_of_exponentials(z: Array) -> Array:
    """Return log(mean(e^z)) over the first axis, finite wherever z is.

    >>> mean_of_exponentials(np.log(np.array([[1.0], [3.0]])))  # log 2
    array([0.69314718])
    """
    largest = np.max(z, axis=0)
    return np.log(np.mean(np.exp(z - largest), axis=0)) + largest


def mean_of_softmax(z: Array) -> Array:
    """Return the logarithm of the mean of softmax over the first axis; its softmax is that mean.

    >>> z = np.log(np.array([[[0.5, 0.5]], [[0.9, 0.1]]]))
    >>> np.exp(mean_of_softmax(z)).round(2)
    array([[0.7, 0.3]])
    """
    return mean_of_exponentials(log_softmax(z))


def mean_of_logistic(z: Array) -> Array:
    """Return log(mean p / mean (1 - p)),  p = 1 / (1 + e^-z), over the first axis.

    >>> float(mean_of_logistic(np.array([0.0, 1000.0])).round(3))  # log of .75 / .25
    1.099
    """
    # log p = -log(1 + e^-z) and log(1 - p) = -log(1 + e^z): neither is lost where p is nearly 0 or 1.
    return mean_of_exponentials(-np.logaddexp(0.0, -z)) - mean_of_exponentials(-np.logaddexp(0.0, z))


def mean_of_normal(z: Array) -> Array:
    """Return mean and log variance of the mixture of normal distributions, over the first axis.

    z           [members, ..., 2], the mean and the logarithm of the variance

    >>> mean_of_normal(np.array([[[1.0, 0.0]], [[3.0, 0.0]]])).round(3)  # variance 1 + 1
    array([[2.   , 0.693]])
    """
    means, logs = z[..., :1], z[..., 1:]
    mean = np.mean(means, axis=0)
    between = np.mean((means - mean) ** 2, axis=0)
    return np.concatenate([mean, np.log(np.exp(mean_of_exponentials(logs)) + between)], axis=-1)


def mean_of_probabilities(z: Array) -> Array:
    """Return the mean of softmax, of a single output that of logistic, over the first axis.

    z           [members, ..., outputs]
    """
    return mean_of_logistic(z) if z.shape[-1] == 1 else mean_of_softmax(z)


AVERAGES: dict[str, Average] = {
    "numbers": mean_of_numbers,
    "exponential": mean_of_exponentials,
    "softmax": mean_of_softmax,
    "logistic": mean_of_logistic,
    "normal": mean_of_normal,
    "probabilities": mean_of_probabilities,
}
Averaged = Literal["numbers", "exponential", "softmax", "logistic", "normal", "probabilities"]
AVERAGE = Choice(help="What is averaged.", choices=tuple(AVERAGES))


def average_of(average: str, outputs: int) -> str:
    """Return what is averaged of so many outputs, by the name of one function alone.

    >>> average_of("probabilities", 1), average_of("probabilities", 3)
    ('logistic', 'softmax')
    """
    return average if average != "probabilities" else "logistic" if outputs == 1 else "softmax"


@final
@dataclass(frozen=True, repr=False, init=False)
class Ensemble(Composite):
    """Give the same input to several networks and average what they predict.

        y = mean of member_1(x), ..., member_n(x)

    members     one or more layers, whose outputs have one shape
    average     what is averaged, a key of `AVERAGES`: "numbers" the outputs themselves, "softmax" or
                "logistic" the probabilities that they stand for, "exponential" the rates, "normal" the
                distributions. The raw output is the one that stands for the mean
    params      ``{"0": params of the first member, "1": ...}``
    key         member ``i`` draws from ``fold_in(key, i)``
    Errors      DataError if an argument is not a layer; ShapeError if the outputs differ in shape
    Source      Hansen & Salamon 1990, "Neural network ensembles"
    Differs     scikit-learn's VotingClassifier calls each member by itself; here all of them are one graph,
                so that a prediction is one native call. As the last layer of a network that is trained, it
                learns by the mean of its members' losses, as `MeanOfMembers` does; `mc.fit_table` trains
                members apart, which learn from other rows each

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
        _check_outputs(self, self.average, shapes[0])
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

    @property
    def by_member(self) -> bool:
        return True

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        parts, after = self._each(visit, params, x, key)
        return AVERAGES[self.average](np.stack(parts)), after

    def _each(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[list[Array], Params]:
        """Return what each member gives, and a tree like ``params``."""
        parts, after = [], {}
        for place, (name, member) in enumerate(self.inside):
            y, after[name] = visit(member, params[name], x, own_key(member, key, place))
            parts.append(y)
        return parts, after

    def member_outputs(
        self, params: Params, x: Array, *, key: Array | None = None, training: bool = False
    ) -> tuple[Array, Params]:
        def visit(layer: Layer, own: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
            return Layer.member_outputs(layer, own, x, key=key, training=training)

        parts, after = self._each(visit, params, x, key if training else None)
        return np.stack(parts, axis=1), after

    def moved_through(self, visit: Visit, params: Params, columns: Array) -> Array:
        """Return NaN of the output's shape: all is computed. Members are visited for what they look up."""
        parts = [visit(member, params[name], columns, None)[0] for name, member in self.inside]
        return np.full_like(parts[0], np.nan)


@final
@dataclass(frozen=True, repr=False)
class MeanOfMembers(Deterministic):
    """Average the members that one network holds, as its last layer; a training's loss is each member's own.

        y = mean of x_1, ..., x_members

    Predictions, scores and the loss of held-out rows are of the mean. A training step does not average: its
    loss is the mean over the rows and the members of each member's own loss, so that every member learns to
    be right by itself. The loss of the mean would let them lean on each other.

    average     what is averaged, as of `Ensemble`; "probabilities" are softmax of several outputs and
                logistic of one, which the loss applies to the outputs: then they are the mean of the members'
    x           [batch, members, outputs]
    Returns     [batch, outputs]
    Errors      ShapeError for rows that are not [members, outputs]; `fit` refuses this layer in any place but
                the last, and probabilities under a loss that knows none
    Source      Gorishniy, Kotelnikov, Babenko 2024 (arXiv 2410.24210), section 3.2

    >>> x = np.log(np.array([[[1.0, 1.0], [3.0, 1.0]]]))
    >>> np.exp(MeanOfMembers("probabilities").apply({}, x))     # of 1/2, 1/2 and 3/4, 1/4
    array([[0.625, 0.375]])
    """

    average: Annotated[Averaged, AVERAGE] = "numbers"

    def output_shape(self, input_shape: Shape) -> Shape:
        outputs = members_and_features(self, input_shape)[1]
        _check_outputs(self, self.average, (outputs,))
        return (outputs,)

    @property
    def by_member(self) -> bool:
        return True

    @property
    def operations(self) -> int:
        return 2 if self.average == "numbers" else 24

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        return AVERAGES[self.average](np.swapaxes(x, 0, 1))

    def member_outputs(
        self, params: Params, x: Array, *, key: Array | None = None, training: bool = False
    ) -> tuple[Array, Params]:
        self.output_shape(x.shape[1:])
        return x, params


def _check_outputs(layer: Layer, average: str, shape: Shape) -> None:
    """Refuse outputs that are no distribution where distributions are averaged."""
    if average == "normal" and shape[-1:] != (2,):
        raise ShapeError(
            f"{type(layer).__name__}: rows of shape {list(shape)} are no mean and log variance, expected [2]"
        )
