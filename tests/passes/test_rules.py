"""Each row of the rule table: it fires on its example, and what it puts there is within its tolerance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minicolumn.ir.graph import Graph, Node, const_node, input_node
from minicolumn.ir.interpret import interpret
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.shapes import ArrayType, type_of
from minicolumn.passes.rules import RULES, Rule
from minicolumn.passes.simplify import simplify

F = np.float64
SPECIAL = np.array([np.nan, -np.nan, 0.0, -0.0, np.inf, -np.inf, 5e-324, -1.5])
OPERANDS = [
    SPECIAL.reshape(2, 4),
    SPECIAL.astype(np.float32),
    np.array(-0.0),
    np.zeros((0, 3)),
    np.arange(-3, 3, dtype=np.int32).reshape(3, 2),
    np.array([[True, False]]),
]
Maker = Callable[[Callable[..., Node], Node], Node]


def _one(x: Node) -> Node:
    return const_node(np.ones((), x.array_type.dtype))


def _axes(x: Node) -> tuple[int, ...]:
    return tuple(reversed(range(len(x.array_type.shape))))


def _per_axis(x: Node, value: int) -> tuple[int, ...]:
    return (value,) * len(x.array_type.shape)


def _row(a: Callable[..., Node], x: Node) -> Node:
    return a("reshape", x, shape=(1, x.array_type.size))


def _zero(x: Node) -> Node:
    return const_node(np.zeros((), x.array_type.dtype))


def _stretched(a: Callable[..., Node], x: Node) -> Node:
    return a("broadcast", x, shape=(2, *x.array_type.shape))


def _filled(x: Node, shape: tuple[int, ...]) -> Node:
    """Return a constant that holds -1.5 or what becomes of it; an IndexError for no elements."""
    return const_node(np.full(shape, np.full(x.array_type.size, -1.5).astype(x.array_type.dtype)[0]))


def _part(a: Callable[..., Node], x: Node, first: int, last: int) -> Node:
    start, stop = (first, *_per_axis(x, 0)[1:]), (last, *x.array_type.shape[1:])
    return a("slice", x, start=start, stop=stop, step=_per_axis(x, 1))


def _second_of_two(a: Callable[..., Node], x: Node) -> Node:
    rows = x.array_type.shape[0]
    return _part(a, a("concatenate", x, x, axis=0), rows, 2 * rows)


# By the name of the rule: a node on which it fires, for any operand it can take.
EXAMPLES: dict[str, Maker] = {
    "elide_copy": lambda a, x: a("copy", x),
    "elide_stop_gradient": lambda a, x: a("stop_gradient", x),
    "same_dtype": lambda a, x: a("cast", x, dtype=x.array_type.dtype),
    "same_shape": lambda a, x: a("reshape", x, shape=x.array_type.shape),
    "double_reshape": lambda a, x: a(
        "reshape", a("reshape", x, shape=(x.array_type.size,)), shape=(1, x.array_type.size)
    ),
    "same_broadcast": lambda a, x: a("broadcast", x, shape=x.array_type.shape),
    "identity_transpose": lambda a, x: a("transpose", x, axes=tuple(range(len(x.array_type.shape)))),
    "double_transpose": lambda a, x: a(
        "transpose", a("transpose", x, axes=_axes(x)), axes=tuple(range(len(x.array_type.shape)))
    ),
    "whole_slice": lambda a, x: a(
        "slice", x, start=_per_axis(x, 0), stop=x.array_type.shape, step=_per_axis(x, 1)
    ),
    "no_pad": lambda a, x: a("pad", x, low=_per_axis(x, 0), high=_per_axis(x, 0), gap=_per_axis(x, 0)),
    "double_flip": lambda a, x: a("flip", a("flip", x, axes=_axes(x)[::-1]), axes=_axes(x)[::-1]),
    "double_negative": lambda a, x: a("negative", a("negative", x)),
    "double_invert": lambda a, x: a("invert", a("invert", x)),
    "constant_condition": lambda a, x: a("where", const_node(np.array(False)), _one(x), x),
    "single_part": lambda a, x: a("concatenate", x, axis=0),
    "unit_axes_transpose": lambda a, x: a("transpose", _row(a, x), axes=(1, 0)),
    "slice_of_concatenation": _second_of_two,
    "adjacent_slices": lambda a, x: a(
        "concatenate", _part(a, x, 0, 1), _part(a, x, 1, x.array_type.shape[0]), axis=0
    ),
    "sum_of_one": lambda a, x: a("sum", _row(a, a("invert", x)), axes=(0,)),
    "prod_of_one": lambda a, x: a("prod", _row(a, x), axes=(0,)),
    "max_of_one": lambda a, x: a("max", _row(a, x), axes=(0,)),
    "min_of_one": lambda a, x: a("min", _row(a, x), axes=(0,)),
    "map_of_broadcast": lambda a, x: a("multiply", _stretched(a, x), _filled(x, (2, *x.array_type.shape))),
    "map_of_filled": lambda a, x: a("multiply", _stretched(a, x), _filled(x, (2, *x.array_type.shape))),
    "exact_reciprocal": lambda a, x: a("divide", x, const_node(np.array(-0.125, x.array_type.dtype))),
    "reciprocal": lambda a, x: a("divide", x, const_node(np.array(3.0, x.array_type.dtype))),
    "zero_add": lambda a, x: a("add", _zero(x), a("invert", x)),
    "add_zero": lambda a, x: a("add", a("invert", x), _zero(x)),
    "one_multiply": lambda a, x: a("multiply", _one(x), x),
    "multiply_one": lambda a, x: a("multiply", x, _one(x)),
    "divide_one": lambda a, x: a("divide", x, _one(x)),
    "subtract_zero": lambda a, x: a("subtract", x, _zero(x)),
}


def _made(maker: Maker, apply: Callable[..., Node], value: np.ndarray) -> tuple[Node, Node] | None:
    """Return an input and the rule's example on it, if the operation takes such an operand."""
    from minicolumn.errors import MinicolumnError

    x = input_node(type_of(value), "x")
    try:
        return x, maker(apply, x)
    except (MinicolumnError, IndexError):
        return None


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_a_rule_fires_and_keeps_its_tolerance(rule: Rule, apply: Any, bits: Any) -> None:
    fired = 0
    for value in OPERANDS:
        made = _made(EXAMPLES[rule.name], apply, value)
        if made is None:
            continue
        x, node = made
        assert rule.find in (node.op, node.op.kind)
        better = rule.put(node)
        assert better is not None, f"{rule.name} does not fire on {x.type}"
        assert better.type == node.type
        before, after = (interpret(Graph((x,), (n,)))(value) for n in (node, better))
        if rule.tolerance:
            assert _units_apart(*before, *after) <= rule.tolerance
        else:
            assert bits(before) == bits(after)
        fired += 1
    assert fired


def _units_apart(x: Any, y: Any) -> float:
    """Return the largest distance of two arrays, in units in the last place of the larger element."""
    apart = ~((x == y) | (np.isnan(x) & np.isnan(y)))
    a, b = x[apart].astype(np.longdouble), y[apart].astype(np.longdouble)
    unit = np.spacing(np.maximum(np.abs(x), np.abs(y))[apart])
    return float(np.max(np.abs(a - b) / unit, initial=0.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_division_by_constants_is_within_its_tolerance(dtype: Any, apply: Any) -> None:
    rng = np.random.default_rng(0)
    span = np.finfo(dtype).maxexp - 2  # the exponents of constants whose reciprocals are normal
    numbers, divisors = (
        np.ldexp(rng.uniform(1, 2, 20000), rng.integers(-span, span, 20000)).astype(dtype) for _ in range(2)
    )
    x = input_node(type_of(numbers), "x")
    graph = Graph((x,), (apply("divide", x, const_node(divisors)),))
    assert [n.op.name for n in simplify(graph, tolerance=0.5).nodes][-1] == "divide"
    with np.errstate(all="ignore"):
        fast = interpret(simplify(graph, tolerance=1.0))(numbers)[0]
        exact = interpret(graph)(numbers)[0]
    far = ~np.isfinite(fast) | ~np.isfinite(
        exact
    )  # where one is the largest number, the other may be infinite
    assert 0.0 < _units_apart(fast[~far], exact[~far]) <= 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers_of_two_are_divided_by_exactly(dtype: Any, apply: Any, bits: Any) -> None:
    info = np.finfo(dtype)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp)
    numbers = np.random.default_rng(0).standard_normal((50, 1)).astype(dtype)
    x = input_node(type_of(numbers), "x")
    rewritten = 0
    for exponent in exponents:
        graph = Graph((x,), (apply("divide", x, const_node(np.ldexp(dtype(1), exponent)[None])),))
        better = simplify(graph)
        rewritten += better.outputs[0].op.name == "multiply"
        with np.errstate(all="ignore"):
            assert bits(interpret(graph)(numbers)) == bits(interpret(better)(numbers))
    # All but x / 1, which goes by another rule, and the small ones whose reciprocal is infinite.
    assert rewritten == np.sum(exponents > -info.maxexp) - 1


def test_where_takes_either_side(apply: Any) -> None:
    x, y = (input_node(ArrayType(np.dtype(F), (2,)), name) for name in "xy")
    for chosen, kept in ((True, x), (False, y)):
        condition = const_node(np.full((2,), chosen))
        assert simplify(Graph((x, y), (apply("where", condition, x, y),))).outputs == (kept,)


def test_rules_find_operations_or_kinds() -> None:
    assert {rule.find for rule in RULES} <= {op.kind for op in OPS.values()} | set(OPS.values())


def test_every_rule_has_a_name_of_its_own_and_an_example() -> None:
    assert sorted(rule.name for rule in RULES) == sorted(EXAMPLES)


def _never(apply: Callable[..., Node], x: Node) -> list[Node]:
    """Return nodes that look like examples but are not."""
    dtype = x.array_type.dtype
    const = lambda value: const_node(np.full((), value, dtype))  # noqa: E731
    wide = const_node(np.ones((2, *x.array_type.shape), dtype))
    both = const_node(np.arange(x.array_type.size).reshape(x.array_type.shape) % 2 == 0)
    return [
        apply("subtract", x, const(-0.0)),  # -0 - -0 is +0
        apply("subtract", const(0.0), x),
        apply("multiply", x, const(2.0)),
        apply("multiply", x, wide),  # stretches x
        apply("divide", const(1.0), x),
        apply("where", both, x, const(1.0)),
        apply("cast", x, dtype=np.dtype(np.float32)),
        apply("flip", apply("flip", x, axes=(0,)), axes=(1,)),
        apply("transpose", x, axes=(1, 0)),
        apply("concatenate", x, x, axis=0),
        apply("broadcast", x, shape=(2, *x.array_type.shape)),
        apply("add", x, const(0.0)),  # -0 + 0 is +0
        apply("subtract", x, apply("negative", x)),  # iterations the sign of a NaN around
        apply("sum", apply("reshape", x, shape=(1, x.array_type.size)), axes=(0,)),  # 0 + -0 is +0
        apply("divide", x, const(3.0)),
        apply("divide", x, const(0.0)),
        apply("add", apply("broadcast", x, shape=(2, *x.array_type.shape)), const(1.0)),  # stretches x
        apply("slice", apply("concatenate", x, x, axis=0), start=(2, 0), stop=(4, 4), step=(1, 1)),
        apply("power", x, const_node(np.full(x.array_type.shape, 2.0))),  # NumPy squares for one number
        apply("concatenate", _part(apply, x, 1, 2), _part(apply, x, 0, 1), axis=0),
        apply("concatenate", _part(apply, x, 0, 1), _part(apply, x, 2, 3), axis=0),
    ]


NUMPY_KNOWS_NUMBERS = {"power", "root_power"}


def test_maps_take_a_number_for_an_array_of_it(bits: Any) -> None:
    rng = np.random.default_rng(0)
    differ = set()
    for op in OPS.values():
        for number in (2.0, 0.5, -1.0, 0.0, 3.7):
            x = rng.uniform(0.1, 4.0, 1000)
            differ |= {op.name for where in (0, 1) if not _same_for_number(op, x, number, where, bits)}
    assert differ == NUMPY_KNOWS_NUMBERS
    assert {op.name for op in OPS.values() if not op.keeps_numbers} == NUMPY_KNOWS_NUMBERS


def _same_for_number(op: Op, x: np.ndarray, number: float, where: int, bits: Any) -> bool:
    """Return whether a map of two floats gives the same bits for a number as for an array of it."""
    from minicolumn.errors import MinicolumnError

    try:
        if op.kind != "map" or op.infer(type_of(x), type_of(x)) != type_of(x):
            return True
    except (MinicolumnError, TypeError):
        return True
    one, many = np.array(number), np.full(x.shape, number)
    operands = [(one, x), (many, x)] if where == 0 else [(x, one), (x, many)]
    with np.errstate(all="ignore"):
        return bits([op.numpy(*operands[0])]) == bits([op.numpy(*operands[1])])


def test_rules_keep_quiet_where_bits_would_change(apply: Any) -> None:
    x = input_node(ArrayType(np.dtype(F), (3, 4)), "x")
    for node in _never(apply, x):
        rules = [r for r in RULES if r.tolerance == 0 and r.find in (node.op, node.op.kind)]
        found = [rule for rule in rules if rule.put(node) is not None]
        assert not found, f"{node} was rewritten by {[r.name for r in found]}"
