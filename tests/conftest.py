"""What all tests share."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.graph import Node
from minicolumn.ir.op import op_named
from minicolumn.ir.verify import infer_type
from minicolumn.passes.pipeline import VARIABLE

os.environ.setdefault(VARIABLE, "1")  # what passes make is checked, in subprocesses too


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


def apply(name: str, *operands: Node, **attrs: Any) -> Node:
    """Return a node of an operation, with the type its rule gives."""
    op = op_named(name)
    return Node(op, operands, attrs, infer_type(op, tuple(n.type for n in operands), attrs))


def bits(values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what must be the same for two results to be the same: dtype, shape and every bit."""
    return [(v.dtype, v.shape, v.tobytes()) for v in map(np.asarray, values)]


@pytest.fixture(name="apply", scope="session")
def apply_fixture() -> Callable[..., Node]:
    """Return `apply`."""
    return apply


@pytest.fixture(name="bits", scope="session")
def bits_fixture() -> Callable[[Sequence[Any]], list[tuple[Any, ...]]]:
    """Return `bits`."""
    return bits
