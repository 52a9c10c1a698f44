"""Puts this folder's helpers within reach of its tests and of the long scripts alike."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import minicolumn

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def script_environment() -> dict[str, str]:
    """Return an environment in which a script of this folder finds this minicolumn, from any folder."""
    found = {**os.environ, "PYTHONPATH": str(Path(minicolumn.__file__).parents[1])}
    # Kills and injected errors do not depend on the disk, and its fsync would take most of the time.
    return found | {"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else found
