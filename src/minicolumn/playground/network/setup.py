"""The whole state of the room as one declared record: controls, links and messages are views of it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from minicolumn.data.points.points import DATASETS
from minicolumn.errors import DataError
from minicolumn.nn import ACTIVATIONS, INITIALIZERS
from minicolumn.optim import OPTIMIZERS, SCHEDULES, Optimizer
from minicolumn.playground.lines import line
from minicolumn.registry import (
    Boolean,
    Choice,
    Integer,
    Listed,
    Number,
    Part,
    Record,
    Search,
    Text,
    is_function,
    read_text,
    settings_of,
    show,
)
from minicolumn.registry.record import check_names, refuse, settle
from minicolumn.registry.shared import LEARNING_RATE

MOST_LAYERS, MOST_UNITS, MOST_FEATURES, MOST_POINTS = 10, 64, 32, 5_000
# Layers of their own, beside the activations of a dense layer; gates halve a layer, so they are left out.
LAYER_ACTIVATIONS = ("noisy_relu", "prelu")
HIDDEN_ACTIVATIONS = (*(name for name in ACTIVATIONS if name != "glu"), *LAYER_ACTIVATIONS)
# Named by a data set's own name, or: points that were painted, and a table that was sent.
OWN, TABLE = "own", "table"
CLASS_LOSSES = ("cross_entropy", "squared_error", "focal", "hinge")
NUMBER_LOSSES = ("squared_error", "absolute_error", "huber", "log_cosh")
LOSS_NAMES = ("auto", *dict.fromkeys((*CLASS_LOSSES, *NUMBER_LOSSES)))
# "playground" and "zero" are those of TensorFlow Playground: U(-0.5, 0.5) with biases of 0.1, and all 0.
INITIALIZATIONS = ("auto", "playground", "zero", *(name for name in INITIALIZERS if name not in ("zeros",)))


@dataclass(frozen=True, kw_only=True)
class Setup(Record):
    """What the room is set to: data, network, learning and what is shown.

    >>> Setup().units, Setup(units=[8, 8, 4]).activations
    ((4, 2), ('tanh', 'tanh', 'tanh'))
    >>> Setup(units=[3, 3], activations=["relu", "tanh", "elu"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    minicolumn.errors.DataError: setup: activations: expected one, or one for each of 2 layers, got ...
    """

    # Data
    dataset: Annotated[str, Text(help="The points: a generator's name, own or table.")] = "circle"
    points: Annotated[int, Integer(help="How many points.", ge=20, le=MOST_POINTS)] = 500
    noise: Annotated[int, Integer(help="Noise of the points, in percent.", ge=0, le=80)] = 0
    train_percent: Annotated[
        int, Integer(help="Share of the points to train on, in percent.", ge=10, le=90)
    ] = 50
    data_seed: Annotated[str, Text(help="The same seed gives the same points.", longest=64)] = "0.5"

    # Network
    features: Annotated[
        tuple[str, ...],
        Listed(help="Inputs: formulas.", of=Text(help="A formula.", longest=200),
               words="formulas such as x1*x2", longest=MOST_FEATURES),
    ] = ("x1", "x2")  # fmt: skip
    units: Annotated[
        tuple[int, ...],
        Listed(help="Neurons of each hidden layer.", of=Integer(help="Neurons.", ge=1, le=MOST_UNITS),
               words=f"at most {MOST_LAYERS} numbers from 1 to {MOST_UNITS}", longest=MOST_LAYERS),
    ] = (4, 2)  # fmt: skip
    activations: Annotated[
        tuple[str, ...],
        Listed(help="Activation of each hidden layer, or one for all.",
               of=Choice(help="An activation.", choices=HIDDEN_ACTIVATIONS),
               words=f"names such as {', '.join(HIDDEN_ACTIVATIONS[:4])}", longest=MOST_LAYERS),
    ] = ("tanh",)  # fmt: skip
    dropout: Annotated[
        float, Number(help="Share of the hidden neurons that is silenced in each step.", ge=0, le=0.9)
    ] = 0.0
    input_noise: Annotated[
        float, Number(help="Standard deviation of noise on the inputs in each step.", ge=0, le=2)
    ] = 0.0
    initialization: Annotated[
        str, Choice(help="How the first weights are drawn.", choices=INITIALIZATIONS)
    ] = "auto"

    # Learning
    loss: Annotated[
        str, Choice(help="What is minimised; auto: cross-entropy for classes.", choices=LOSS_NAMES)
    ] = "auto"
    optimizer: Annotated[
        str,
        Part(help="How a step follows from the gradient.",
             words="an optimizer such as adam or sgd:momentum=0.9", registry=lambda: OPTIMIZERS,
             accepts=lambda value: isinstance(value, Optimizer), as_text=True),
    ] = "sgd"  # fmt: skip
    learning_rate: Annotated[float, LEARNING_RATE] = 0.03
    schedule: Annotated[
        str,
        Part(help="A factor on the learning rate, over the epochs of a run.",
             words="a schedule such as cosine", registry=lambda: SCHEDULES, accepts=is_function,
             as_text=True),
    ] = "constant"  # fmt: skip
    schedule_epochs: Annotated[
        int, Integer(help="Epochs that the schedule is spread over.", ge=1, le=10**6)
    ] = 1_000
    batch_size: Annotated[int, Integer(help="Points a step.", ge=1, le=MOST_POINTS, search=Search(1, 30))] = (
        10
    )
    regularization: Annotated[
        str, Choice(help="What is added to the loss for large weights.", choices=("none", "l1", "l2"))
    ] = "none"
    regularization_rate: Annotated[float, Number(help="Strength of the regularization.", ge=0, le=10)] = 0.0
    max_norm: Annotated[
        float | None, Number(help="The longest that a neuron's incoming weights may get.", gt=0, le=100)
    ] = None
    patience: Annotated[
        int | None,
        Integer(help="Early stopping: epochs without a smaller test loss.", ge=1, le=100_000),
    ] = None
    rule: Annotated[
        str,
        Choice(
            help="classic: exactly the learning rule of TensorFlow Playground.",
            choices=("minicolumn", "classic"),
        ),
    ] = "minicolumn"
    seed: Annotated[int, Integer(help="The same seed gives the same weights.", ge=0, lt=2**53)] = 0

    # What is shown
    show_test: Annotated[bool, Boolean(help="Whether test points are drawn.")] = False
    discretize: Annotated[bool, Boolean(help="Whether outputs are drawn as classes.")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        layers = len(self.units)
        if len(self.activations) not in (1, layers) and layers:
            raise DataError(line("activationCount", layers=layers, got=show(self.activations)))
        if len(self.activations) != layers:
            settle(self, "activations", self.activations[:1] * layers)
        for name in ("optimizer", "schedule"):
            if "learning_rate" in read_text(getattr(self, name))[1]:
                refuse(self, name, "no learning rate within, which has a control of its own")


SETTINGS = settings_of(Setup)
# Names that a page offers where a setting takes more than names: lists, or names with settings of their own.
OFFERED = {
    "dataset": {"choices": list(DATASETS)},
    "activations": {"choices": list(HIDDEN_ACTIVATIONS)},
    "optimizer": {"choices": list(OPTIMIZERS)},
    "schedule": {"choices": list(SCHEDULES)},
}
DEFAULT = Setup()
# What may change while a network learns: nothing is drawn or begun anew.
VIEW = ("show_test", "discretize")
DATA = ("dataset", "points", "noise", "train_percent", "data_seed")


def changed(setup: Setup, changes: Mapping[str, Any]) -> Setup:
    """Return a setup with some fields changed, from values as JSON holds them.

    Where layers are added, activations that were not said follow: new ones take the last one's.

    Errors      DataError for fields that do not exist, with the nearest one, and values that will not do

    >>> changed(Setup(activations=["relu", "tanh"]), {"units": [4, 3, 2]}).activations
    ('relu', 'tanh', 'tanh')
    """
    check_names("setup", SETTINGS, changes)
    values = {name: SETTINGS[name].check(SETTINGS[name].from_json(v), "setup") for name, v in changes.items()}
    if "units" in values and "activations" not in values:
        values["activations"] = _fitted(setup.activations, len(values["units"]))
    try:
        return replace(setup, **values)
    except DataError as error:  # the record's own checks name its class
        if error.values.get("where", "").startswith("Setup: "):
            where = error.values["where"].replace("Setup", "setup", 1)
            text = str(error).replace("Setup", "setup", 1)
            raise DataError(text, reason=error.reason, **{**error.values, "where": where}) from None
        raise


def _fitted(activations: tuple[str, ...], layers: int) -> tuple[str, ...]:
    """Return one activation for each of so many layers."""
    last = activations[-1:] or DEFAULT.activations[-1:]
    return tuple(itertools.islice(itertools.chain(activations, itertools.repeat(last[0])), layers)) or last


def to_json(setup: Setup) -> dict[str, Any]:
    """Return all fields as JSON holds them."""
    return {name: setting.to_json(getattr(setup, name)) for name, setting in SETTINGS.items()}


def controls() -> list[dict[str, Any]]:
    """Return what a page needs in order to offer each field: kind, help, default, range and choices."""
    return [setting.control | OFFERED.get(name, {}) for name, setting in SETTINGS.items()]
