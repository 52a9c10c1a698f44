"""Each row of the rule table: it fires on its example, and what it puts there has the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minicolumn.ir.graph import Graph, Node, const_node, input_node
from minicolumn.ir.ops.control import evaluate
from minicolumn.ir.shapes import ArrayType, type_of
from minicolumn.passes.simplify import RULES, Rule, simplify

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


# By the reason of the rule, which is its name here: a node on which it fires, for any operand it can take.
EXAMPLES: dict[str, Maker] = {
    "a copy is the value under another name": lambda a, x: a("copy", x),
    "derivatives have been taken by now": lambda a, x: a("stop_gradient", x),
    "the operand has the dtype already": lambda a, x: a("cast", x, dtype=x.array_type.dtype),
    "the operand has the shape already": lambda a, x: a("reshape", x, shape=x.array_type.shape),
    "only the last shape counts": lambda a, x: a(
        "reshape", a("reshape", x, shape=(x.array_type.size,)), shape=(1, x.array_type.size)
    ),
    "nothing is stretched": lambda a, x: a("broadcast", x, shape=x.array_type.shape),
    "no axis moves": lambda a, x: a("transpose", x, axes=tuple(range(len(x.array_type.shape)))),
    "two permutations make one": lambda a, x: a(
        "transpose", a("transpose", x, axes=_axes(x)), axes=tuple(range(len(x.array_type.shape)))
    ),
    "every element is taken: a slice of the same length starts at 0 with step 1": lambda a, x: a(
        "slice", x, start=_per_axis(x, 0), stop=x.array_type.shape, step=_per_axis(x, 1)
    ),
    "nothing is added": lambda a, x: a(
        "pad", x, low=_per_axis(x, 0), high=_per_axis(x, 0), gap=_per_axis(x, 0)
    ),
    "twice is not at all": lambda a, x: a("flip", a("flip", x, axes=_axes(x)[::-1]), axes=_axes(x)[::-1]),
    "changing the sign bit twice": lambda a, x: a("negative", a("negative", x)),
    "changing every bit twice": lambda a, x: a("invert", a("invert", x)),
    "the condition is the same everywhere": lambda a, x: a("where", const_node(np.array(False)), _one(x), x),
    "one part is the whole": lambda a, x: a("concatenate", x, axis=0),
}
BY_PLACE: dict[tuple[str, int], Maker] = {
    ("multiply", 0): lambda a, x: a("multiply", _one(x), x),
    ("multiply", 1): lambda a, x: a("multiply", x, _one(x)),
    ("divide", 0): lambda a, x: a("divide", x, _one(x)),
    ("subtract", 0): lambda a, x: a("subtract", x, const_node(np.zeros((), x.array_type.dtype))),
}


def _maker(rule: Rule) -> Maker:
    if rule.safe in EXAMPLES:
        return EXAMPLES[rule.safe]
    return BY_PLACE[rule.find, [r for r in RULES if r.find == rule.find].index(rule)]


def _made(maker: Maker, apply: Callable[..., Node], value: np.ndarray) -> tuple[Node, Node] | None:
    """Return an input and the rule's example on it, if the operation takes such an operand."""
    from minicolumn.errors import MinicolumnError

    x = input_node(type_of(value), "x")
    try:
        return x, maker(apply, x)
    except (MinicolumnError, IndexError):
        return None


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.find}-{r.safe[:20]}")
def test_a_rule_fires_and_changes_no_bit(rule: Rule, apply: Any, bits: Any) -> None:
    fired = 0
    for value in OPERANDS:
        made = _made(_maker(rule), apply, value)
        if made is None:
            continue
        x, node = made
        assert node.op.name == rule.find
        better = rule.put(node)
        assert better is not None, f"{rule.find} does not fire on {x.type}"
        assert better.type == node.type
        before, after = (evaluate(Graph((x,), (n,)), (value,)) for n in (node, better))
        assert bits(before) == bits(after)
        fired += 1
    assert fired


def test_where_takes_either_side(apply: Any) -> None:
    x, y = (input_node(ArrayType(np.dtype(F), (2,)), name) for name in "xy")
    for chosen, kept in ((True, x), (False, y)):
        condition = const_node(np.full((2,), chosen))
        assert simplify(Graph((x, y), (apply("where", condition, x, y),))).outputs == (kept,)


def test_a_rule_for_each_example() -> None:
    assert {rule.safe for rule in RULES} >= set(EXAMPLES)


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
    ]


def test_rules_keep_quiet_where_bits_would_change(apply: Any) -> None:
    x = input_node(ArrayType(np.dtype(F), (3, 4)), "x")
    for node in _never(apply, x):
        found = [rule for rule in RULES if rule.find == node.op.name and rule.put(node) is not None]
        assert not found, f"{node} was rewritten by {[r.safe for r in found]}"
