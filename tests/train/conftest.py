"""What the tests of training share: small problems, and ways to look into a training."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

import minicolumn as mc

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
def fit_module() -> ModuleType:
    """Return the module of `fit`; the package has the function under the same name."""
    return sys.modules[mc.fit.__module__]
