"""A compiled function never runs the program of arguments that are only equal, or that have changed since."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.compile import REPEATS
from minicolumn.lower.signature import exactly

X = np.array([1.0, 2.0])
EAST = timezone(timedelta(hours=1))
EQUAL: list[tuple[Any, Any]] = [
    (1, True),
    (0, False),
    (1, 1.0),
    (1, np.int64(1)),
    (0.0, -0.0),
    ((1, 2), (1, 2.0)),
    ((1, (True,)), (1, (1,))),
    (frozenset({1}), frozenset({1.0})),
    (frozenset({1}), frozenset({True})),
    (frozenset({(0.0,)}), frozenset({(-0.0,)})),
    (Decimal("1.0"), Decimal("1.00")),
    (Fraction(1), Decimal(1)),
    (1 + 0j, 1),
    (range(0), range(5, 5)),
    (datetime(2020, 1, 1, 12, tzinfo=timezone.utc), datetime(2020, 1, 1, 13, tzinfo=EAST)),  # noqa: UP017
]


def _looks(x: Any) -> str:
    return f"{type(x).__name__} {x!r}"


@pytest.mark.parametrize(("one", "other"), EQUAL)
@pytest.mark.parametrize("backend", ["reference", "native"])
def test_equal_keys_of_dicts_have_programs_of_their_own(one: Any, other: Any, backend: str) -> None:
    assert one == other
    assert hash(one) == hash(other)
    seen: list[str] = []

    @functools.partial(mc.compile, backend=backend)
    def f(tree: Any) -> Any:
        (key,) = tree
        seen.append(_looks(key))
        return {key: tree[key] + 1.0}

    for _ in range(REPEATS + 3):  # until the fast way is taken
        assert _looks(*f({one: X})) == _looks(one)
    for _ in range(REPEATS + 3):
        assert _looks(*f({other: X})) == _looks(other)
    assert _looks(*f({one: X})) == _looks(one)
    assert seen == [_looks(one), _looks(other)]  # no program was made twice


@pytest.mark.parametrize(
    ("one", "other"), [(a, b) for a, b in EQUAL if not isinstance(a, tuple | int | float | complex)]
)
def test_equal_arguments_have_programs_of_their_own(one: Any, other: Any) -> None:
    f = mc.compile(lambda x, what: x + len(_looks(what)), backend="reference")
    for what in (one, other, one):
        np.testing.assert_array_equal(f(X, what), X + len(_looks(what)))
    assert exactly(one) != exactly(other)
    assert hash(exactly(one)) == hash(exactly(one))


@dataclass(frozen=True)
class Key:
    number: Any


def test_keys_are_told_apart_within_dataclasses() -> None:
    f = mc.compile(lambda tree: [x + len(_looks(key)) for key, x in tree.items()], backend="reference")
    for number in (1, True, 1.0, 1):
        np.testing.assert_array_equal(f({Key(number): X})[0], X + len(_looks(Key(number))))


class Settings:
    def __init__(self, rate: float) -> None:
        self.rate = rate


class Slotted:
    __slots__ = ("rate",)

    def __init__(self, rate: float) -> None:
        self.rate = rate


@dataclass
class Fields:
    rate: float
    names: list[str] = field(default_factory=list)


class Valued(Settings):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Valued) and self.rate == other.rate

    def __hash__(self) -> int:
        return hash(self.rate)


@pytest.mark.parametrize("settings", [Settings(2.0), Slotted(2.0), np.random.default_rng(0)])
def test_what_could_change_unseen_is_refused(settings: Any) -> None:
    f = mc.compile(lambda x, s: x, backend="reference")
    for call in (lambda: f(X, settings), lambda: f(X, s=settings), lambda: f(X, [settings])):
        with pytest.raises(mc.TraceError, match=f"{type(settings).__name__}.*identity.*dataclass"):
            call()


def test_methods_of_what_could_change_are_refused() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = 2.0

        @mc.compile
        def predict(self, x: Any) -> Any:
            return self.w * x

        def plain(self, x: Any) -> Any:
            return self.w * x

    with pytest.raises(mc.TraceError, match=r"of a method, self.*Model.*identity.*@dataclass"):
        Model().predict(X)
    np.testing.assert_array_equal(mc.compile(Model().plain)(X), 2.0 * X)


@pytest.mark.parametrize("kind", [Fields, Valued])
def test_what_shows_its_changes_is_seen(kind: Callable[[float], Any]) -> None:
    settings, f = kind(2.0), mc.compile(lambda x, s: x * s.rate)
    np.testing.assert_array_equal(f(X, settings), 2.0 * X)
    settings.rate = 3.0
    np.testing.assert_array_equal(f(X, settings), 3.0 * X)
    np.testing.assert_array_equal(f(X, kind(2.0)), 2.0 * X)


def test_methods_of_dataclasses_see_their_fields_change() -> None:
    @dataclass
    class Model:
        w: np.ndarray
        power: float = 2.0

        @mc.compile
        def predict(self, x: Any) -> Any:
            return np.sum(self.w * x**self.power)

    model = Model(np.array([1.0, 2.0]))
    for _ in range(20):  # past the calls from which on there is a faster way
        assert model.predict(X) == np.sum(model.w * X**model.power)
        model.w[0] += 1.0
    model.w, model.power = model.w[::-1].copy(), 3.0
    assert model.predict(X) == np.sum(model.w * X**model.power)


def _double(x: Any) -> Any:
    return 2.0 * x


@pytest.mark.parametrize("function", [_double, np.negative, np.sum, functools.partial(np.multiply, 3.0), abs])
def test_functions_are_arguments(function: Callable[[Any], Any]) -> None:
    f = mc.compile(lambda x, g: g(x))
    np.testing.assert_array_equal(f(X, function), function(X))
    np.testing.assert_array_equal(f(X, np.exp), np.exp(X))
