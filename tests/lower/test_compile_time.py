"""Compiling takes a time about linear in the operations, counted in calls of Python functions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.compile import graph_of
from minicolumn.lower.native import NativeProgram


def _chain(n: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        out = []
        for _ in range(n):
            x = np.sin(x)
            out.append(x)
        return out

    return f


FUNCTIONS: dict[str, Callable[[int], Callable[[Any], Any]]] = {
    "results that follow one another": _chain,
    "results beside one another": lambda n: lambda x: [np.sin(x + float(i)) for i in range(n)],
    "sums": lambda n: lambda x: [np.sum(x * float(i)) for i in range(n)],
    "sums of one another": lambda n: lambda x: np.sum(sum(np.sum(x * float(i)) * x for i in range(n))),
}


def _calls(run: Callable[[], Any]) -> int:
    """Return how many Python functions are called: a clock that other work on the machine does not move."""
    count = 0

    def note(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def _emission(f: Callable[[Any], Any], x: np.ndarray) -> int:
    def emit() -> None:
        assert "define" in NativeProgram(graph_of(f, x)).emitted.text

    return _calls(emit)


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_twice_the_operations_take_twice_the_time(kind: str) -> None:
    x = np.arange(3.0)
    _emission(FUNCTIONS[kind](10), x)  # what is done once is done
    once, twice = (_emission(FUNCTIONS[kind](n), x) for n in (100, 200))
    # What is done once a program makes it less than twice, sorting a little more; squares make it 4.
    assert twice < 2.3 * once


def test_a_hessian_takes_a_time_of_its_size() -> None:
    def hessian_of(n: int) -> int:
        f = mc.hessian(lambda x: np.sum(np.sin(x)) * np.prod(x))
        return _emission(f, np.linspace(0.9, 1.1, n))

    hessian_of(4)
    small, large = hessian_of(16), hessian_of(32)
    # Rows as many, each of about one operation on a vector; a square of them would be 4 times as many calls.
    assert large < 2.9 * small
