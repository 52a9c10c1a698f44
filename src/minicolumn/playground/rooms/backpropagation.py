"""The room `backpropagation`: one step in slow motion, with every number, on a network that can be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.autodiff.derivatives import grad
from minicolumn.errors import DataError
from minicolumn.explain import backprop_report
from minicolumn.nn import Dense, Sequential
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layer import Params
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import line
from minicolumn.playground.room import Nothing, Room
from minicolumn.registry import Choice, Integer, Listed, Number, Record

ACTIVATIONS = ("logistic", "tanh", "relu", "elu", "leaky_relu", "softplus", "linear")
INPUT = Number(help="An input.", ge=-5, le=5)
SHOWN = 500  # of the losses, the last ones
REACH, POINTS = 6.0, 121  # the activation is drawn for sums up to this, or the largest there is


@dataclass(frozen=True, kw_only=True)
class Step(Record):
    """The network, the row and the step."""

    hidden: Annotated[
        tuple[int, ...],
        Listed(help="Neurons of each hidden layer.", of=Integer(help="Neurons.", ge=1, le=4),
               words="1 to 3 numbers from 1 to 4", least=1, longest=3),
    ] = (2,)  # fmt: skip
    activation: Annotated[str, Choice(help="Of all layers.", choices=ACTIVATIONS)] = "logistic"
    x: Annotated[
        tuple[float, ...], Listed(help="The row.", of=INPUT, words="two numbers", least=2, longest=2)
    ] = (0.5, -1.0)
    target: Annotated[float, Number(help="What the output is to be.", ge=-2, le=2)] = 1.0
    learning_rate: Annotated[float, Number(help="How far the step goes.", gt=0, le=10)] = 0.5
    seed: Annotated[int, Integer(help="Of the first weights.", ge=0, lt=2**31)] = 0


@dataclass(frozen=True, kw_only=True)
class Past(Step):
    """The same, and of a page that lost its server where it stood: its weights, and the steps behind them."""

    weights: Annotated[
        tuple[float, ...] | None,
        Listed(help="Layer by layer, each matrix row by row, then its biases.",
               of=Number(help="A weight."), words="numbers", longest=100),
    ] = None  # fmt: skip
    losses: Annotated[
        tuple[float, ...],
        Listed(
            help="Before each of the last steps.", of=Number(help="A loss."), words="numbers", longest=SHOWN
        ),
    ] = ()
    steps: Annotated[int, Integer(help="That were taken.", ge=0, le=10**9)] = 0


@dataclass(frozen=True, kw_only=True)
class Taken(Record):
    """Steps to take."""

    steps: Annotated[int, Integer(help="How many.", ge=1, le=100)] = 1


class BackpropagationRoom(Room):
    """The four parts of a step: forward pass, output gradient, backward pass, update.

    Every number is one of `mc.backprop_report`; the gradients are checked by finite differences. With it come
    the activation f and its derivative f' by `mc.grad`, over sums z, and the loss of each step so far.
    """

    name = "backpropagation"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (Past, "open"),
        "update": (Taken, "update"),
        "reset": (Nothing, "reset"),
    }

    def __init__(self) -> None:
        self._said = Step()
        self._params: Params = {}
        self._losses: list[float] = []  # before each of the last steps that were taken
        self._steps = 0

    def open(self, said: Step) -> list[Frame]:
        """Show a step; weights stay where the network does, or are those that are said.

        Errors      DataError for weights of another number than the network has
        """
        if isinstance(said, Past) and said.weights is not None:
            self._params = self._with_weights(said, said.weights)
            self._losses, self._steps = list(said.losses), said.steps
        elif not self._params or (said.hidden, said.seed) != (self._said.hidden, self._said.seed):
            self._params, self._losses, self._steps = self._first(said), [], 0
        self._said = said
        return [self._state()]

    def _first(self, said: Step) -> Params:
        return self._network(said).init(said.seed, (2,), np.float64)

    def _with_weights(self, said: Step, weights: tuple[float, ...]) -> Params:
        params = self._first(said)
        sizes = [layer[name].size for layer in params.values() for name in ("weight", "bias")]
        if len(weights) != sum(sizes):
            raise DataError(line("weightCount", count=sum(sizes), given=len(weights)))
        parts = iter(np.split(np.array(weights, np.float64), np.cumsum(sizes)[:-1]))
        for layer in params.values():
            for name in ("weight", "bias"):
                layer[name] = next(parts).reshape(layer[name].shape)
        return params

    def reset(self, said: Nothing) -> list[Frame]:
        """Draw the first weights again."""
        self._params = {}
        return self.open(self._said)

    def update(self, said: Taken) -> list[Frame]:
        """Take the step that is shown, or as many as lead to finite losses, and show the next one.

        Errors      DataError where the step that is shown leads to none
        """
        for taken in range(said.steps):
            report = self._report()
            if not np.isfinite(report.loss_after):
                if not taken:
                    raise DataError(line("noFiniteLoss"))
                break
            for weight in report.weights:
                layer, name = weight.name.split(".")
                self._params[layer][name] = weight.after
            self._losses, self._steps = [*self._losses, report.loss][-SHOWN:], self._steps + 1
        return [self._state()]

    def _network(self, said: Step) -> Sequential:
        return Sequential(*(Dense(units, said.activation) for units in (*said.hidden, 1)))

    def _report(self) -> Any:
        if not self._params:
            self.open(self._said)
        x, target = [list(self._said.x)], [[self._said.target]]
        with np.errstate(over="ignore", invalid="ignore"):
            return backprop_report(
                self._network(self._said), self._params, x, target, learning_rate=self._said.learning_rate
            )

    def _state(self) -> Frame:
        said, report = self._said, self._report()
        weights = {weight.name: weight for weight in report.weights}
        layers = [
            {
                "inputs": step.inputs[0].tolist(), "pre_activations": step.pre_activations[0].tolist(),
                "outputs": step.outputs[0].tolist(), "derivatives": step.derivatives[0].tolist(),
                "upstream": step.upstream[0].tolist(), "deltas": step.deltas[0].tolist(),
                "weight": _weight(weights[f"{place}.weight"]), "bias": _weight(weights[f"{place}.bias"]),
            }
            for place, step in enumerate(report.layers)
        ]  # fmt: skip
        says = {
            "hidden": list(said.hidden), "activation": said.activation, "activations": list(ACTIVATIONS),
            "x": list(said.x), "target": said.target, "learning_rate": said.learning_rate,
            "seed": said.seed, "layers": layers, "loss": report.loss, "loss_after": report.loss_after,
            "steps": self._steps, "losses": self._losses,
            "largest_difference": report.largest_difference,
        }  # fmt: skip
        return self.frame("state", says, **_curve(said.activation, layers))


def _curve(activation: str, layers: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    function = activation_by_name(activation).function
    reach = max([REACH, *(abs(z) for layer in layers for z in layer["pre_activations"])])
    z = np.linspace(-reach, reach, POINTS)
    slope = grad(lambda z: np.sum(function(z)))(z)
    return {"z": z, "value": np.asarray(function(z)), "slope": np.asarray(slope)}


def _weight(step: Any) -> dict[str, Any]:
    return {
        "before": step.before.tolist(), "gradient": step.gradient.tolist(),
        "difference": step.difference.tolist(), "after": step.after.tolist(),
    }  # fmt: skip
