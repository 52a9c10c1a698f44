"""The operation table: each type rule says what NumPy does."""

from __future__ import annotations

from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.errors import MinicolumnError
from minicolumn.ir import ops  # noqa: F401
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.shapes import DTYPES, ArrayType, TupleType, Type
from minicolumn.ir.verify import infer_type

APPLIED = sorted(name for name, op in OPS.items() if op.kind not in ("leaf", "control"))


def types_of(result: Any) -> Type:
    if isinstance(result, tuple):
        return TupleType(tuple(ArrayType(np.asarray(r).dtype, np.shape(r)) for r in result))
    return ArrayType(result.dtype, result.shape)


@pytest.mark.parametrize("name", APPLIED)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_type_rule_is_what_numpy_returns(name: str, graphs: ModuleType, data: st.DataObject) -> None:
    operands, attrs = data.draw(graphs.applications(name))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    arrays = [graphs.elements(rng, operand) for operand in operands]
    with np.errstate(all="ignore"):
        result = OPS[name].numpy(*arrays, **attrs)
    assert types_of(result) == infer_type(OPS[name], tuple(o.type for o in operands), attrs)


@pytest.mark.parametrize("name", [name for name in APPLIED if OPS[name].kind == "map"])
def test_maps_take_exactly_the_dtypes_whose_type_they_know(name: str) -> None:
    op = OPS[name]
    attrs = {"polygamma": {"n": 0}, "cast": {"dtype": DTYPES["f32"]}}.get(name, {})
    for count, *dtypes in [(n, *d) for n in (1, 2, 3) for d in product(DTYPES.values(), repeat=n)]:
        types = tuple(ArrayType(d, (2, 1, 3)[i:]) for i, d in enumerate(dtypes))
        expected = _inferred(op, types, attrs)
        if expected is not None:
            with np.errstate(all="ignore"):
                found = types_of(op.numpy(*(np.ones(t.shape, t.dtype) for t in types), **attrs))
            assert found == expected, (count, types)


def _inferred(op: Op, types: tuple[ArrayType, ...], attrs: dict[str, Any]) -> Type | None:
    try:
        return infer_type(op, types, attrs)
    except MinicolumnError:
        return None


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_loops_return_what_their_type_says(graphs: ModuleType, data: st.DataObject) -> None:
    graph = data.draw(graphs.random_graphs(names=["scan", "add", "sum"], most=3))
    from minicolumn.ir.interpret import interpret

    with np.errstate(all="ignore"):
        results = interpret(graph)(*graphs.arguments(graph, 0))
    assert [types_of(r) for r in results] == [node.type for node in graph.outputs]
