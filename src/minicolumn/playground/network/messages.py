"""What the page may say to the room `network`: one record a word, each field a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from minicolumn.playground.network.setup import MOST_FEATURES, MOST_LAYERS, MOST_POINTS, MOST_UNITS
from minicolumn.registry import Boolean, Choice, Custom, Integer, Listed, Number, Record, Text

Values = Mapping[str, Any]
LARGEST_PART = 500_000  # letters of a file's part; a message is bounded by the server, too
MOST_PARTS = 100


def _object(value: Any) -> Any:
    return (
        value if isinstance(value, Mapping) and all(isinstance(key, str) for key in value) else NotImplemented
    )


def _axes(value: Any) -> Any:
    if value == "pca":
        return value
    pair = tuple(value) if isinstance(value, list | tuple) else ()
    whole = all(isinstance(place, int) and not isinstance(place, bool) and place >= 0 for place in pair)
    return pair if len(pair) == 2 and whole else NotImplemented


def _places(value: Any) -> Any:
    """Return numbers by the names of inputs, floats."""
    named = _object(value)
    if named is NotImplemented:
        return NotImplemented
    found = {name: COORDINATE.plain(number) for name, number in named.items()}
    return NotImplemented if NotImplemented in found.values() else found


CHANGES = Custom(help="Fields of the setup.", words="an object of fields of the setup", form=_object)
LAYER = Integer(help="A layer with weights, the output last.", ge=0, le=MOST_LAYERS)
UNIT = Integer(help="A neuron of its layer.", ge=0, lt=MOST_UNITS)
WEIGHT = Number(help="A weight.", ge=-1e6, le=1e6)
COORDINATE = Number(help="A coordinate.", ge=-1e9, le=1e9)
ROW = Listed(help="Numbers.", of=COORDINATE, words="numbers", least=2, longest=3)
POINT = Listed(help="A row of inputs.", of=COORDINATE, words="numbers", least=1, longest=MOST_FEATURES)
ROWS = Listed(help="Rows of numbers.", of=ROW, words="rows of three numbers", longest=MOST_POINTS)
PLACES = Listed(
    help="Points.", of=Integer(help="A point.", ge=0, lt=MOST_POINTS), words="numbers of points",
    longest=MOST_POINTS,
)  # fmt: skip
PART = Integer(help="Which part, from 0.", ge=0, lt=MOST_PARTS)
PARTS = Integer(help="How many parts.", ge=1, le=MOST_PARTS)
NAME = Text(help="A name.", longest=200)


@dataclass(frozen=True, kw_only=True)
class Open(Record):
    """Begin with a setup, all of it at its default where nothing is said, or with a link.

    A page that lost its server goes on where it was: it sends the weights of the last tick, and their step.
    """

    setup: Annotated[Values | None, CHANGES] = None
    link: Annotated[str | None, Text(help="A link's fragment.", longest=8_000)] = None
    weights: Annotated[
        str | None, Text(help="All weights, float32 as base64, in the order of a tick.", longest=400_000)
    ] = None
    epoch: Annotated[int, Integer(help="Epochs behind these weights.", ge=0, le=10**12)] = 0
    step: Annotated[int, Integer(help="Steps behind these weights.", ge=0, le=10**12)] = 0


@dataclass(frozen=True, kw_only=True)
class Set(Record):
    """Change fields of the setup."""

    changes: Annotated[Values, CHANGES]


@dataclass(frozen=True, kw_only=True)
class Run(Record):
    """Run: on and on, for so many epochs, or until the training loss is small enough."""

    epochs: Annotated[int | None, Integer(help="Epochs from now on.", ge=1, le=10**9)] = None
    until: Annotated[float | None, Number(help="Training loss at which to stop.", ge=0)] = None


@dataclass(frozen=True, kw_only=True)
class Step(Record):
    """Pause, and go one epoch, or so far."""

    epochs: Annotated[int | None, Integer(help="Epochs.", ge=1, le=1_000_000)] = None
    steps: Annotated[int | None, Integer(help="Steps.", ge=1, le=1_000_000)] = None


@dataclass(frozen=True, kw_only=True)
class Reset(Record):
    """Begin anew, with other first weights or the same."""

    same: Annotated[bool, Boolean(help="Whether with the same first weights.")] = False


@dataclass(frozen=True, kw_only=True)
class Speed(Record):
    """How fast it runs."""

    steps_per_second: Annotated[float | None, Number(help="None is as fast as it goes.", gt=0, le=1e9)] = None


@dataclass(frozen=True, kw_only=True)
class Weight(Record):
    """Set the weight from a neuron, or an input, to a neuron."""

    layer: Annotated[int, LAYER]
    source: Annotated[int, UNIT]
    unit: Annotated[int, UNIT]
    value: Annotated[float, WEIGHT]


@dataclass(frozen=True, kw_only=True)
class Bias(Record):
    """Set the bias of a neuron."""

    layer: Annotated[int, LAYER]
    unit: Annotated[int, UNIT]
    value: Annotated[float, WEIGHT]


@dataclass(frozen=True, kw_only=True)
class Layer(Record):
    """Put a hidden layer in front of a layer, or take one out."""

    at: Annotated[int, LAYER]
    add: Annotated[bool, Boolean(help="Whether one is put in.")] = True
    units: Annotated[int, Integer(help="Its neurons.", ge=1, le=MOST_UNITS)] = 2


@dataclass(frozen=True, kw_only=True)
class Units(Record):
    """Let a hidden layer have so many neurons, or lose one of them."""

    layer: Annotated[int, LAYER]
    units: Annotated[int | None, Integer(help="How many from now on.", ge=1, le=MOST_UNITS)] = None
    remove: Annotated[int | None, UNIT] = None


@dataclass(frozen=True, kw_only=True)
class Paint(Record):
    """Add, move and remove points."""

    add: Annotated[tuple[tuple[float, ...], ...], ROWS] = ()
    move: Annotated[tuple[tuple[float, ...], ...], ROWS] = ()
    remove: Annotated[tuple[int, ...], PLACES] = ()
    clear: Annotated[bool, Boolean(help="Whether all others go first.")] = False
    classes: Annotated[
        int | None, Integer(help="Of how many classes the targets are; 0 for numbers.", ge=0, le=10)
    ] = None
    held: Annotated[tuple[int, ...] | None, PLACES] = (
        None  # which of `add` are held out; none said: every fourth
    )


@dataclass(frozen=True, kw_only=True)
class Table(Record):
    """A file of a table, in parts: each as text, or its bytes as base64."""

    name: Annotated[str, NAME]
    part: Annotated[int, PART] = 0
    parts: Annotated[int, PARTS] = 1
    text: Annotated[str | None, Text(help="The part.", longest=LARGEST_PART)] = None
    base64: Annotated[str | None, Text(help="The part's bytes.", longest=2 * LARGEST_PART)] = None


@dataclass(frozen=True, kw_only=True)
class Target(Record):
    """Learn a column of the table that was sent."""

    column: Annotated[str, NAME]
    task: Annotated[
        str | None, Choice(help="What it is.", choices=("binary", "multiclass", "regression"))
    ] = None


@dataclass(frozen=True, kw_only=True)
class View(Record):
    """Choose the plane of the inputs that is drawn."""

    axes: Annotated[Any, Custom(help="Two inputs, or pca.", words="two inputs, or pca", form=_axes)] = (0, 1)
    at: Annotated[
        Values | None,
        Custom(help="Where the other inputs stand.", words="numbers by input", form=_places),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Watch(Record):
    """What ticks are to tell beside the usual."""

    norms: Annotated[bool, Boolean(help="Norms of weights and gradients, a layer each.")] = True


@dataclass(frozen=True, kw_only=True)
class Neuron(Record):
    """Ask for a neuron's formula, with the numbers of a point."""

    layer: Annotated[int, LAYER]
    unit: Annotated[int, UNIT]
    point: Annotated[tuple[float, ...] | None, POINT] = None


@dataclass(frozen=True, kw_only=True)
class Formula(Record):
    """Ask whether a text is a formula of the inputs."""

    text: Annotated[str, Text(help="A formula.", longest=200)]


@dataclass(frozen=True, kw_only=True)
class Export(Record):
    """Ask for a file."""

    what: Annotated[str, Choice(help="What it holds.", choices=("data", "weights", "model", "numpy", "link"))]


@dataclass(frozen=True, kw_only=True)
class Load(Record):
    """A model file, in parts, each as base64."""

    name: Annotated[str, NAME]
    part: Annotated[int, PART] = 0
    parts: Annotated[int, PARTS] = 1
    base64: Annotated[str, Text(help="The part.", longest=2 * LARGEST_PART)]


@dataclass(frozen=True, kw_only=True)
class Back(Record):
    """Step back to where all was well, with other settings."""

    changes: Annotated[Values | None, CHANGES] = None
