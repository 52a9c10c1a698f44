"""The search space: which networks and trainings there are to choose among, as one record."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn.widths import shaped
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.parts import RULES, Choices, Interval, Part, part_of

PartLike = Part | str | int | float | bool | Iterable[Any] | None
Choose = Callable[[str, Part], Any]


@dataclass(frozen=True, kw_only=True, repr=False)
class Space:
    """The networks and trainings that a search chooses among; None leaves a part to the table.

        layers -> shape (of two layers or more) -> width, or of a free shape a width for each layer
        activation, normalization, dropout, ramps
        optimizer, learning_rate, weight_decay, schedule, batch_size, horizon

    Each part is fixed (32), a choice ([16, 32, 64], "16,32,64", "1-4") or an interval ("1e-4..1e-1",
    `mc.tune.Interval`). What is not there is not chosen: one layer has no shape.

    layers          hidden layers
    width           units of the widest one; of a free shape, of each
    shape           constant, funnel (each half as wide as the one before), pyramid (even steps down to none
                    behind the last) or free
    activation      names of the catalogue, with settings as in "leaky_relu:slope=0.2"
    normalization   none, batch, layer or rms, behind each hidden layer
    dropout         rate of each hidden layer
    ramps           whether numbers come as ramps between their quantiles beside themselves
    optimizer       names; learning_rate, weight_decay: of those that have it
    schedule        of the learning rate
    batch_size      rows a step
    horizon         share of the epochs over which a training goes and its schedule falls: a short training
                    whose rate has fallen is often better than the first epochs of a long one

    Errors          DataError, one line, for parts that cannot be

    >>> space = Space(layers="1-2", width=[16, 32], activation="relu", learning_rate="0.01..0.1")
    >>> print(space)  # doctest: +ELLIPSIS
    layers         1, 2
    width          16, 32
    shape          by the table
    activation     relu
    ...
    learning_rate  from 0.01 to 0.1, by factors
    ...
    """

    layers: PartLike = None
    width: PartLike = None
    shape: PartLike = None
    activation: PartLike = None
    normalization: PartLike = None
    dropout: PartLike = None
    ramps: PartLike = None
    optimizer: PartLike = None
    learning_rate: PartLike = None
    weight_decay: PartLike = None
    schedule: PartLike = None
    batch_size: PartLike = None
    horizon: PartLike = None

    def __post_init__(self) -> None:
        for name, rule in RULES.items():
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, part_of(name, rule, given))
        _check_shapes(self.part("layers"), self.part("shape"))

    def part(self, name: str) -> Part | None:
        """Return the domain of a part by its name; None where it is left to the table."""
        found = getattr(self, name)
        assert found is None or isinstance(found, Choices | Interval)
        return found

    def said(self) -> dict[str, Part]:
        """Return the parts that are not left to the table."""
        parts = {name: self.part(name) for name in RULES}
        return {name: part for name, part in parts.items() if part is not None}

    def over(self, other: Space) -> Space:
        """Return the space of both, of which this one goes first."""
        return replace(other, **self.said())

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to the table."""
        return len(self.said()) == len(RULES)

    @property
    def size(self) -> float:
        """How many candidates there are; infinity where a part is an interval."""
        parts = self.said()
        if any(isinstance(part, Interval) for part in parts.values()):
            return math.inf
        counts = {name: len(part.values) for name, part in parts.items() if isinstance(part, Choices)}
        rest = math.prod(n for name, n in counts.items() if name not in ("layers", "shape", "width"))
        return rest * sum(self._networks(layers, counts) for layers in _values(parts, "layers"))

    def _networks(self, layers: int, counts: dict[str, int]) -> int:
        """Return how many choices of widths there are for so many layers."""
        if layers == 1:
            return counts["width"]
        shapes = _values(self.said(), "shape")
        return sum(counts["width"] ** (layers if shape == "free" else 1) for shape in shapes)

    def draw(self, choose: Choose) -> Candidate:
        """Return the candidate that a chooser makes its way to.

        choose      takes the name of a choice and its domain, and returns a value of it; it is asked only
                    where there is a choice. Widths of a free shape are called width_1, width_2, ...
        Errors      DataError where parts are left to the table
        """
        walk = _Walk(self.said(), choose)
        layers = walk.value("layers")
        shape = walk.value("shape") if layers > 1 else "constant"
        if shape == "free":
            hidden = tuple(walk.value("width", f"width_{place + 1}") for place in range(layers))
        else:
            hidden = shaped(shape, walk.value("width"), layers)
        rest = {name: walk.value(name) for name in RULES if name not in ("layers", "shape", "width")}
        return Candidate(hidden, shape, choices=tuple(walk.chosen), **rest)

    def all(self) -> Iterator[Candidate]:
        """Yield all candidates of a finite space, each network once; the last part changes first.

        Errors      DataError where a part is an interval

        >>> from minicolumn.tune import Space
        >>> fixed = dict.fromkeys(("dropout", "weight_decay"), 0.1) | {"normalization": "none"}
        >>> fixed |= {"ramps": False, "schedule": "constant"}
        >>> fixed |= {"activation": "relu", "optimizer": "adamw", "learning_rate": 0.1, "batch_size": 32}
        >>> fixed |= {"horizon": 1}
        >>> space = Space(layers="1-2", width="8,16", shape="constant", **fixed)
        >>> [candidate.hidden for candidate in space.all()]
        [(8,), (16,), (8, 8), (16, 16)]
        """
        for name, part in self.said().items():
            if isinstance(part, Interval):
                raise DataError(
                    f"grid: {name} goes {part}; list its values, such as {part.low:g},{part.high:g}"
                )
        seen, path = set(), [0]
        while path:
            counts: list[int] = []
            candidate = self.draw(lambda name, part: _nth(part, path, counts))  # noqa: B023  called at once
            if candidate not in seen:
                seen.add(candidate)
                yield candidate
            path = _next(path, counts)

    def to_json(self) -> dict[str, Any]:
        """Return the parts that are said as JSON values."""
        return {name: _plain(part) for name, part in self.said().items()}

    @classmethod
    def from_json(cls, said: Any) -> Space:
        """Return the space that JSON values describe; DataError for anything else than `to_json` gives."""
        return space_of("the space", {name: _part(name, part) for name, part in _mapping(said).items()})

    def __str__(self) -> str:
        widest = max(map(len, RULES))
        parts = {name: self.part(name) for name in RULES}
        lines = [f"{name:{widest}}  {part or 'by the table'}" for name, part in parts.items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        parts = {
            n: part if isinstance(part, Interval) else list(part.values) for n, part in self.said().items()
        }
        return f"Space({', '.join(f'{name}={part!r}' for name, part in parts.items())})"


def space_of(who: str, said: Mapping[str, Any]) -> Space:
    """Return a space from its parts by name.

    who         begins each message
    Errors      DataError for an unknown part, with the nearest one
    """
    known = [f.name for f in fields(Space)]
    for name in said:
        if name not in known:
            hint = did_you_mean(str(name), known) or f"; there are {', '.join(known)}"
            raise DataError(f"{who}: a space has no part {str(name)[:60]!r}{hint}")
    try:
        return Space(**said)
    except DataError as error:
        raise DataError(f"{who}: {error}") from None


@dataclass
class _Walk:
    """A way through the parts of a space, on which choices are noted."""

    parts: dict[str, Part]
    choose: Choose

    def __post_init__(self) -> None:
        self.chosen: list[tuple[str, Any]] = []

    def value(self, name: str, as_name: str = "") -> Any:
        """Return the value of a part: its only one, or what is chosen."""
        part = self.parts.get(name)
        if part is None:
            raise DataError(f"the space leaves {name} to the table; it has to be completed first")
        if isinstance(part, Choices) and len(part.values) == 1:
            return part.values[0]
        value = self.choose(as_name or name, part)
        self.chosen.append((as_name or name, value))
        return value


def _nth(part: Part, path: list[int], counts: list[int]) -> Any:
    """Return the value to which a path leads at the next turn, and note how many there are."""
    assert isinstance(part, Choices)
    place = len(counts)
    counts.append(len(part.values))
    return part.values[path[place] if place < len(path) else 0]


def _next(path: list[int], counts: list[int]) -> list[int]:
    """Return the path after this one, in the order of a counter; empty after the last."""
    turns = [path[place] if place < len(path) else 0 for place in range(len(counts))]
    while turns and turns[-1] + 1 >= counts[len(turns) - 1]:
        turns.pop()
    return [*turns[:-1], turns[-1] + 1] if turns else []


def _values(parts: Mapping[str, Part], name: str) -> tuple[Any, ...]:
    part = parts[name]
    assert isinstance(part, Choices)
    return part.values


def _check_shapes(layers: Part | None, shape: Part | None) -> None:
    """Refuse a space whose shapes need layers that it does not have."""
    if not isinstance(layers, Choices) or not isinstance(shape, Choices) or "constant" in shape:
        return
    if max(layers.values) == 1:
        raise DataError(f"shape: {shape} needs 2 hidden layers or more, and layers is 1")


def _plain(part: Part) -> Any:
    """Return a domain as JSON values."""
    if isinstance(part, Interval):
        return {"low": part.low, "high": part.high, "log": part.log}
    return list(part.values)


def _part(name: str, said: Any) -> Any:
    """Return a domain from JSON values."""
    if isinstance(said, Mapping):
        if set(said) != {"low", "high", "log"} or not isinstance(said["log"], bool):
            raise DataError(f"the space: {str(name)[:60]}: expected an interval of low, high and log")
        return Interval(said["low"], said["high"], said["log"])
    if not isinstance(said, list):
        raise DataError(f"the space: {str(name)[:60]}: expected a list of values or an interval")
    return Choices(tuple(said))


def _mapping(said: Any) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise DataError(f"the space: expected its parts by name, got {said!r:.60}")
    return said
