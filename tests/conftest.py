"""What all tests share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def graphs() -> ModuleType:
    """Return tests/graphs.py, the maker of random programs."""
    spec = importlib.util.spec_from_file_location(
        "minicolumn_test_graphs", Path(__file__).with_name("graphs.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name while they are made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
