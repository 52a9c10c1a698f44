"""What the tests of the estimators share: small problems."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

Array = np.ndarray


@pytest.fixture(scope="session")
def blobs() -> tuple[Array, Array]:
    """Return 90 rows of three overlapping classes: X float64 [90, 4], y int [90]."""
    rng = np.random.default_rng(3)
    y = np.arange(90) % 3
    return rng.standard_normal((90, 4)) + 1.5 * np.eye(4)[y], y


@pytest.fixture(scope="session")
def wave() -> tuple[Array, Array]:
    """Return 120 rows of a noisy curve: X [120, 2], y [120]."""
    rng = np.random.default_rng(5)
    X = rng.uniform(-2.0, 2.0, (120, 2))
    return X, np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] + 0.1 * rng.standard_normal(120)


@pytest.fixture(scope="session")
def targets(blobs: Any, wave: Any) -> dict[str, tuple[Array, Array]]:
    """Return a problem for each kind of target."""
    X, y = blobs
    signs = (X[:, :3] > 0.3).astype(int)
    return {
        "binary": (X, np.array(["no", "yes"])[(y == 1).astype(int)]),
        "multiclass": (X, y + 10),
        "multilabel": (X, signs),
        "numbers": wave,
        "two numbers": (wave[0], np.stack([wave[1], wave[0][:, 0] ** 2], axis=1)),
        "counts": (wave[0], np.round(np.exp(wave[1]))),
    }
