"""Every operation has what passes and lowerings ask of it, and what its record says is so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pieces import LEAVES, accepts, arity
from programs import apply_each

from minicolumn.errors import MinicolumnError
from minicolumn.ir.op import CHEAP, DEAR, OPS, Op, define
from minicolumn.ir.shapes import DTYPES, ArrayType
from minicolumn.ir.verify import infer_type
from minicolumn.lower.llvm.codegen.program import emit_program
from minicolumn.lower.llvm.codegen.scalar import MAPS
from minicolumn.lower.llvm.runtime.jit import host_target
from minicolumn.passes.expand import expand

MAP_OPS = sorted((op for op in OPS.values() if op.kind == "map"), key=lambda op: op.name)
# Maps on floats whose result is another number of the same kind, with attributes if they take any.
ATTRS = {"polygamma": {"n": 0}, "cast": {"dtype": DTYPES["f64"]}}


def _dtypes(op: Op) -> list[np.dtype]:
    return [d for d in DTYPES.values() if accepts(op.name, d)]


# Completeness ---------------------------------------------------------------------------------------------


def test_a_derivative_is_declared_even_where_there_is_none() -> None:
    with pytest.raises(TypeError, match="vjp"):
        define("forgetful", kind="map", infer=lambda x: x, numpy=np.negative)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="neither a meaning"):
        define("meaningless", kind="map", infer=lambda x: x, vjp=None)
    assert not {"forgetful", "meaningless"} & {*OPS}


@pytest.mark.parametrize("op", MAP_OPS, ids=lambda op: op.name)
def test_a_map_has_a_derivative_rule_for_each_operand_or_for_none(op: Op) -> None:
    count = 3 if op.name == "where" else 1 if op.name in ATTRS else arity(op.name)
    assert op.vjp is None or (isinstance(op.vjp, tuple) and len(op.vjp) == count)
    assert all(place < count for place in op.zero_signs)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
def test_python_is_called_where_the_record_says_so_and_nowhere_else(dtype: np.dtype) -> None:
    """An operation without an emitter or an expansion runs, slowly; nobody may overlook that."""
    made, names = apply_each(dtype)
    called = {node.op.name for node in emit_program(expand(made.graph), host_target()).hosts}
    declared = {n for n in names if OPS[n].kernel == "host" or dtype.kind in OPS[n].host}
    assert called == declared


def test_what_python_does_has_no_other_form() -> None:
    for op in MAP_OPS:
        kinds = {d.kind for d in _dtypes(op)}
        assert {*op.host} <= kinds, f"{op.name} does not take {op.host}"
        native = op in MAPS or op.expansion is not None
        assert native == bool(kinds - {*op.host}), f"{op.name}: on {op.host} or all of {kinds}?"


def test_expansions_stand_for_operations_without_an_emitter() -> None:
    assert not [op for op in MAPS if op.expansion]


# What the records say -------------------------------------------------------------------------------------


def test_costs() -> None:
    for op in OPS.values():
        assert op.cost == 0 if op.is_view else op.cost in (CHEAP, DEAR)
    # A view's elements are its operand's; whatever else moves elements has kernels of its own kind.
    assert {op.name for op in OPS.values() if op.is_view} == {
        op.name for op in OPS.values() if op.kind == "shape" and op.kernel != "store"
    }


def test_operands_are_stored_where_a_record_says_to() -> None:
    for op in OPS.values():
        assert (op.kernel == "store") == (op.place_map is not None)
        assert not op.has_gaps or op.place_map


def _operands(op: Op, count: int, dtype: type) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        (rng.standard_normal(20_000) * 10.0 ** rng.integers(-4, 2, 20_000)).astype(dtype)
        for _ in range(count)
    ]


@pytest.mark.parametrize("op", [op for op in MAP_OPS if op.ulp], ids=lambda op: op.name)
def test_what_numpy_computes_is_within_its_units(op: Op) -> None:
    """In float32, against the same function in float64."""
    operands = _operands(op, arity(op.name), np.float32)
    with np.errstate(all="ignore"):
        found = op.numpy(*operands).astype(np.float64)
        exact = op.numpy(*(x.astype(np.float64) for x in operands))
    size = np.abs(exact)
    if op.ulp_of_operands:
        size = np.maximum.reduce([size, *(np.abs(x) for x in operands), np.ones_like(size)])
    normal = np.isfinite(exact) & (size < np.finfo(np.float32).max) & (size > np.finfo(np.float32).tiny)
    assert normal.mean() > 0.05
    units = np.abs(found - exact)[normal] / np.spacing(size[normal].astype(np.float32)).astype(np.float64)
    # Half a unit is what rounding the exact result would take.
    assert units.max() <= op.ulp + 0.5


def test_a_formula_that_loses_digits_is_noticed() -> None:
    naive = _with(OPS["softplus"], lambda x: np.log(1 + np.exp(x)))
    with pytest.raises(AssertionError):
        test_what_numpy_computes_is_within_its_units(naive)


def _with(op: Op, numpy: Callable[..., np.ndarray]) -> Op:
    return Op(op.name, op.kind, op.infer, numpy, ulp=op.ulp)


@pytest.mark.parametrize("op", MAP_OPS, ids=lambda op: op.name)
def test_exact_operations_are_exact(op: Op) -> None:
    """Where no units are declared, a double's operation rounded to float is the float's own."""
    if op.ulp or op.host or "f" not in {d.kind for d in _dtypes(op)} or op.name in ("cast", "where"):
        return
    operands = _operands(op, arity(op.name), np.float32)
    with np.errstate(all="ignore"):
        found = op.numpy(*operands)
        exact = op.numpy(*(x.astype(np.float64) for x in operands)).astype(found.dtype)
    wrong = (found != exact) & ((found == found) | (exact == exact))
    if op.jumps:  # a quotient that is rounded to the next integer takes the rest along
        assert wrong.mean() < 0.01
    else:
        assert not wrong.any()


def test_type_rules_refuse_what_is_not_theirs() -> None:
    for op in OPS.values():
        if op.name not in LEAVES:
            with pytest.raises(MinicolumnError):
                infer_type(op, (ArrayType(DTYPES["f32"], (2,)),) * 7, {"colour": 1})
