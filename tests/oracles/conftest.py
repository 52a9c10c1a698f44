"""What the oracles share: JAX computes in float64 here, and only here."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def wide_jax() -> Iterator[None]:
    """Let JAX compute in float64 during a test; other tests of the same process compare in float32."""
    if importlib.util.find_spec("jax") is None:
        yield
        return
    jax: Any = importlib.import_module("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)
