"""Puts this folder's helpers within reach of its tests and of the long scripts alike."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from page_samples import served

from minicolumn.playground.server.serving import PlaygroundServer


@pytest.fixture(scope="module")
def server() -> Iterator[PlaygroundServer]:
    """A server of sessions that count."""
    with served() as running:
        yield running
