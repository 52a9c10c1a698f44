"""Turns, rounds that are thrown away, and what is said about them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from minicolumn.bench.sides import Side
from minicolumn.bench.timing import Control, alternate


class Script:
    """A control whose seconds are written down beforehand; the last one goes on."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = list(seconds)

    def __call__(self) -> float:
        return self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]


def _sides(calls: list[str]) -> list[Side]:
    return [Side(name, lambda name=name: calls.append(name), warm=2) for name in "AB"]


def test_sides_alternate_after_their_warm_up() -> None:
    calls: list[str] = []
    found = alternate(_sides(calls), Script(1.0), seconds=0.0, least=3, pause=0.0)  # type: ignore[arg-type]
    assert "".join(calls) == "AABB" + "AABB" * 3  # in each turn a call that is not timed comes first
    assert found.steady
    assert found.repeated == 0
    assert [len(t.seconds) for t in found.times] == [3, 3]


def test_a_round_in_which_the_control_moved_is_repeated() -> None:
    script: Any = Script(1.0, 1.0, 1.0, 1.2, 1.0)  # before and after each round: the second one is disturbed
    found = alternate(_sides([]), script, seconds=0.0, least=3, pause=0.0)
    assert found.repeated == 1
    assert found.steady
    assert max(found.control) == 1.0


def test_rounds_before_the_machine_became_fast_do_not_count() -> None:
    script: Any = Script(2.0, 2.0, 1.0)
    found = alternate(_sides([]), script, seconds=0.0, least=3, pause=0.0)
    assert found.repeated == 1
    assert max(found.control) == 1.0


def test_a_machine_that_never_settles_is_called_unsteady_and_the_measurement_ends() -> None:
    script: Any = Script(*(1.3**k for k in range(100)))
    found = alternate(_sides([]), script, seconds=0.0, least=3, pause=0.0)
    assert not found.steady
    assert len(found.control) == 3
    assert found.repeated == 3
    assert list(found.control) == sorted(found.control)


def test_seconds_are_those_of_one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    script: Any = Script(1.0)
    found = alternate([Side("A", lambda: None, units=4)], script, seconds=0.0, least=1, pause=0.0)
    assert found.times[0].best == 0.25  # each call takes one tick of this clock
    assert found.times[0].median == 0.25


def test_the_control_takes_time_on_every_core() -> None:
    assert Control(2)() > 0
