"""A candidate of a search: one point of the space, from which a network and its training are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any

from minicolumn.errors import DataError
from minicolumn.tabular.limits import MOST_UNITS
from minicolumn.tune.parts import MOST_LAYERS, RULES, SHAPES, is_integer

_PLAIN = (
    "activation", "normalization", "dropout", "ramps", "optimizer", "learning_rate", "weight_decay",
    "schedule", "batch_size", "horizon",
)  # fmt: skip
_MOST_SIZES = 100  # that a network went through


@dataclass(frozen=True)
class Candidate:
    """The choices that make a network and its training.

    hidden      units of each hidden layer, first to last
    shape       by which rule they follow from one width: "constant", "funnel", "pyramid" or "free"
    grown_from  hidden layers of the networks from whose weights it grew, smallest first; see `tune.growth`
    choices     what was chosen, by the names of the space, where there was a choice; candidates that differ
                in it alone are the same network

    The other fields are the parts of `Space` of the same names.

    >>> Candidate((64, 32), "funnel", "relu").words
    '64-32 relu'
    """

    hidden: tuple[int, ...]
    shape: str
    activation: str
    normalization: str = "none"
    dropout: float = 0.0
    ramps: bool = False
    optimizer: str = "adamw"
    learning_rate: float = 0.05
    weight_decay: float = 0.0
    schedule: str = "flat_cosine"
    batch_size: int = 256
    horizon: float = 1.0
    grown_from: tuple[tuple[int, ...], ...] = ()
    choices: tuple[tuple[str, Any], ...] = field(default=(), compare=False, repr=False)

    @property
    def layers(self) -> int:
        """How many hidden layers there are."""
        return len(self.hidden)

    @property
    def width(self) -> int:
        """The units of the widest hidden layer."""
        return max(self.hidden)

    @property
    def words(self) -> str:
        """The topology in a few words."""
        parts = ["-".join(map(str, self.hidden)), self.activation]
        parts += [f"{self.normalization} norm"] if self.normalization != "none" else []
        parts += ["ramps"] if self.ramps else []
        parts += [f"from {'-'.join(map(str, self.grown_from[0]))}"] if self.grown_from else []
        return " ".join(parts)

    def epochs(self, longest: int) -> int:
        """Return over how many epochs it is trained; one that has grown half as long at each size."""
        whole = max(1, round(longest * self.horizon))
        return whole if self.parent is None else max(1, whole // 2)

    @property
    def parent(self) -> Candidate | None:
        """The candidate that it grew from; None where it begins anew."""
        if not self.grown_from:
            return None
        *before, hidden = self.grown_from
        return replace(self, hidden=hidden, grown_from=tuple(before))

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as JSON values."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        past = [list(hidden) for hidden in self.grown_from]
        choices = [list(pair) for pair in self.choices]
        return {**found, "hidden": list(self.hidden), "grown_from": past, "choices": choices}

    @classmethod
    def from_json(cls, said: Any) -> Candidate:
        """Return the candidate that JSON values describe.

        Errors      DataError for anything else than `to_json` gives; every value is in range
        """
        known = {f.name for f in fields(cls)}
        if not isinstance(said, Mapping) or set(said) != known:
            raise DataError("a candidate has other fields than those of this version")
        hidden, past, choices = said["hidden"], said["grown_from"], said["choices"]
        if not _are_layers(hidden):
            raise DataError(f"a candidate has the hidden layers {hidden!r:.60}")
        if not isinstance(past, list) or len(past) > _MOST_SIZES or not all(map(_are_layers, past)):
            raise DataError(f"a candidate has grown from {past!r:.60}")
        if not all(_grows(small, large) for small, large in pairwise([*past, hidden])):
            raise DataError(f"a candidate has grown from {past!r:.60} to {hidden!r:.60}, which is no growth")
        if said["shape"] not in SHAPES or not _are_choices(choices):
            raise DataError("a candidate has no shape or choices that this version knows")
        plain = {name: RULES[name].value(f"a candidate's {name}", said[name]) for name in _PLAIN}
        grown_from, chosen = tuple(map(tuple, past)), tuple((n, v) for n, v in choices)
        return cls(tuple(hidden), said["shape"], grown_from=grown_from, choices=chosen, **plain)


def _are_layers(found: Any) -> bool:
    """Return whether JSON values are the units of hidden layers."""
    good = isinstance(found, list) and 0 < len(found) <= MOST_LAYERS
    return good and all(is_integer(units) and 0 < units <= MOST_UNITS for units in found)


def _grows(small: list[int], large: list[int]) -> bool:
    """Return whether a network can grow into another: no layer is narrower, and something is more."""
    wide = len(small) <= len(large) and all(a <= b for a, b in zip(small, large, strict=False))
    return wide and small != large


def _are_choices(found: Any) -> bool:
    """Return whether JSON values are pairs of a name and a plain value."""
    return isinstance(found, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and isinstance(pair[1], str | int | float | bool)
        for pair in found
    )
