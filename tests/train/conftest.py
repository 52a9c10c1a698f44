"""What the tests of training share: small problems, and ways to look into a training."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.tree import flatten

Array = np.ndarray


@pytest.fixture(scope="session")
def blobs() -> tuple[Array, Array]:
    """Return 47 rows of three overlapping classes: X float64 [47, 3], y int [47]."""
    rng = np.random.default_rng(3)
    y = np.arange(47) % 3
    return rng.standard_normal((47, 3)) + np.eye(3)[y], y


@pytest.fixture(scope="session")
def wave() -> tuple[Array, Array]:
    """Return 50 rows of a curve: X [50, 1], y [50]."""
    X = np.linspace(-2.0, 2.0, 50)[:, None]
    return X, np.sin(2.0 * X[:, 0])


@pytest.fixture(scope="session")
def net() -> mc.nn.Sequential:
    """Return a network for `blobs`."""
    return mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dense(3))


@pytest.fixture(scope="session")
def same_bits() -> Callable[[Any, Any], bool]:
    """Return whether two trees of arrays have the same structure, dtypes, shapes and bits."""

    def same(a: Any, b: Any) -> bool:
        (left, form), (right, other) = flatten(a), flatten(b)
        pairs = zip(left, right, strict=True)
        return form == other and all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs)

    return same


@pytest.fixture(scope="session")
def fit_module() -> ModuleType:
    """Return the module of `fit`; the package has the function under the same name."""
    return sys.modules[mc.fit.__module__]


class Spy(mc.Callback):
    """Notes what it is told, and can be told what to do at a certain moment: {("epoch", 2): action}."""

    def __init__(self, actions: dict[Any, Callable[[Any], None]] | None = None) -> None:
        self.actions = actions or {}
        self.told: list[Any] = []
        self.params: list[Any] = []

    def _note(self, what: Any, training: Any) -> None:
        self.told.append(what)
        self.actions.get(what, lambda _: None)(training)

    def on_start(self, training: Any) -> None:
        self.params.append(training.params)
        self._note("start", training)

    def on_chunk(self, training: Any, done: int, loss: float) -> None:
        self._note(("chunk", len(training.history) + 1, done), training)

    def on_epoch(self, training: Any, row: Any) -> None:
        self.params.append(training.params)
        self._note(("epoch", row["epoch"]), training)

    def on_end(self, training: Any) -> None:
        self._note("end", training)


@pytest.fixture(scope="session")
def spy() -> type[Spy]:
    """Return `Spy`."""
    return Spy


def _interrupt(_: Any) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def interrupt() -> Callable[[Any], None]:
    """Return an action that stands for Ctrl-C."""
    return _interrupt
