"""`inspect`: the graph of a function to look at, and what its derivatives cost, counted by doing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.autodiff.derivatives import vjp
from minicolumn.errors import DataError
from minicolumn.ir.graph import Graph
from minicolumn.ir.plan import Plan, make_plan
from minicolumn.passes.pipeline import SIMPLIFY
from minicolumn.trace.program import trace_call
from minicolumn.tree import flatten, map_leaves, unflatten

if TYPE_CHECKING:
    from minicolumn.lower.native import NativeProgram
    from minicolumn.lower.profile import Times
    from minicolumn.passes.show import Shown

# Finite differences run the function once for each input element; beyond this a count is not worth its wait.
MOST_INPUTS = 20_000


@dataclass(frozen=True)
class Traversals:
    """How often the graph is walked for all first derivatives, counted while they are computed.

    inputs, outputs     numbers of elements, floats only
    reverse             1 forward walk and one backward walk for each output: outputs + 1
    finite_differences  one walk at the point and one for each input: inputs + 1
    difference          the largest difference between both results, beside the largest derivative
    """

    inputs: int
    outputs: int
    reverse: int
    finite_differences: int
    difference: float

    def __str__(self) -> str:
        return (
            f"all derivatives of {self.outputs} output{'s' * (self.outputs != 1)} by {self.inputs} "
            f"input{'s' * (self.inputs != 1)}: reverse mode takes {self.reverse} traversals (outputs + 1), "
            f"finite differences {self.finite_differences} (inputs + 1)"
        )


@dataclass(frozen=True, eq=False)
class Inspection:
    """What `inspect` hands back; print it, or ask for a picture.

    given   the example arguments as the graph takes them
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    graph: Graph
    given: tuple[Any, ...] = ()

    @property
    def text(self) -> str:
        """Return the graph as typed text."""
        return str(self.graph)

    @cached_property
    def plan(self) -> Plan:
        """Return the order of operations, with the slots that hold their results."""
        return make_plan(self.graph)

    @cached_property
    def _program(self) -> NativeProgram:
        from minicolumn.lower.llvm.runtime.jit import why_missing
        from minicolumn.lower.native import NativeProgram

        if why_missing():
            raise DataError(f"inspect: there is no native code to look at: {why_missing()}")
        return NativeProgram(self.graph)

    @cached_property
    def fused(self) -> Shown:
        """Return the kernels that the graph becomes, in running order, with what they cost; print it."""
        from minicolumn.lower.profile import plan_of

        return plan_of(self._program)

    @property
    def llvm(self) -> str:
        """Return the program as LLVM text, before LLVM has tidied it."""
        return self._program.emitted.text

    @property
    def assembly(self) -> str:
        """Return the program in this processor's assembly."""
        from minicolumn.lower.llvm.runtime.jit import assembly

        return assembly(self.llvm, self._program.target)

    def times(self, runs: int = 20, threads: int | None = None) -> Times:
        """Run the program on the example arguments; return the least time of each kernel, ready to print."""
        from minicolumn.lower.profile import time_kernels

        self._program  # noqa: B018  says why, where there is no native code
        return time_kernels(self.graph, self.given, runs, threads)

    def dot(self) -> str:
        """Return the graph in Graphviz' language."""
        from minicolumn.ir.draw import to_dot

        return to_dot(self.graph)

    def svg(self) -> str:
        """Return a picture of the graph as SVG."""
        from minicolumn.ir.svg import to_svg

        return to_svg(self.graph)

    _repr_svg_ = svg  # what a notebook shows

    @cached_property
    def operations(self) -> dict[str, int]:
        """Return how often each operation occurs, the most frequent first; bodies of loops count once."""
        names = [node.op.name for node in self.graph.nodes if node.op.kind != "leaf"]
        return dict(sorted({n: names.count(n) for n in names}.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def traversals(self) -> Traversals:
        """Return how many walks over the graph all first derivatives take, counted by taking them."""
        return count_traversals(self.function, *self.args)

    def __repr__(self) -> str:
        count = sum(self.operations.values())
        listed = ", ".join(f"{n} {name}" for name, n in self.operations.items())
        return f"{self.text}\n{count} operations: {listed}"


def inspect(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Inspection:
    """Return the graph that a function becomes for some example arguments, ready to read, draw and count.

    function    NumPy on arrays, as for `compile`; `mc.grad(f)` shows a derivative's graph
    args        example arguments; only shapes and dtypes matter, except for `traversals`

    Errors      TraceError for what cannot be traced

    >>> import numpy as np, minicolumn as mc
    >>> look = mc.inspect(lambda x: np.sum(np.tanh(x)), np.ones(3))
    >>> look.traversals.reverse, look.traversals.finite_differences
    (2, 4)
    >>> print(look.fused)
    plan of <lambda>: 2 operations in 1 kernel; arena 0 B; a run moves 32 B and does 6 flop
      shape  bytes  flop  threads  computes; reads -> writes, and where that lies
      []      32 B     6  solo     a = sum(tanh(x))
                                     x -> a result 0
    """
    called = (lambda *a: function(*a, **kwargs)) if kwargs else function
    program = trace_call(called, *args)
    graph, leaves = SIMPLIFY(program.graph), flatten((args, {}))[0]
    types = (node.array_type for node in graph.inputs)
    given = tuple(np.asarray(leaves[k], t.dtype) for k, t in zip(program.fed, types, strict=True))
    return Inspection(called, args, graph, given)


def count_traversals(function: Callable[..., Any], *args: Any) -> Traversals:
    """Take all first derivatives in both ways, and count the walks over the graph."""
    point = map_leaves(_as_float64, args)
    forward = _Counted(function)
    out, pull = vjp(forward, *point)
    outs, structure = flatten(out)
    backward = _Counted(pull)
    exact = [
        np.concatenate([np.ravel(leaf) for leaf in flatten(backward(seed))[0]])
        for seed in _seeds(outs, structure)
    ]
    by_reverse = np.stack(exact) if exact else np.zeros((0, 0))
    counted = _Counted(function)
    by_difference = _differences(counted, point)
    scale = max(1.0, float(np.abs(by_reverse).max(initial=0.0)))
    worst = float(np.abs(by_reverse - by_difference).max(initial=0.0)) / scale
    return Traversals(
        by_difference.shape[1], len(exact), forward.calls + backward.calls, counted.calls, worst
    )


class _Counted:
    """A function that knows how often it was called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.calls = function, 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.function(*args)


def _as_float64(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise DataError(f"traversals are counted for numbers; an argument is {array.dtype}")
    return array.astype(np.float64)


def _seeds(outs: list[Any], structure: Any) -> list[Any]:
    """Return one cotangent for each output element: 1 there and 0 elsewhere."""
    found = []
    for k, o in enumerate(outs):
        for place in np.ndindex(*np.shape(o)):
            seeds = [np.zeros(np.shape(x)) for x in outs]
            seeds[k][place] = 1.0
            found.append(unflatten(structure, seeds))
    return found


def _differences(function: Callable[..., Any], point: tuple[Any, ...]) -> np.ndarray:
    """Return forward differences, float64 [outputs, inputs]."""
    leaves, structure = flatten(point)
    inputs = sum(leaf.size for leaf in leaves)
    if inputs > MOST_INPUTS:
        raise DataError(
            f"counting finite differences would run the function {inputs + 1:,} times; traversals are "
            f"counted for at most {MOST_INPUTS:,} input elements"
        )
    flat = lambda out: np.concatenate([np.ravel(x) for x in flatten(out)[0]])  # noqa: E731
    base = flat(function(*point))
    columns = []
    for k, leaf in enumerate(leaves):
        for place in np.ndindex(*leaf.shape):
            # The square root of the precision balances rounding against curvature for a one-sided difference.
            step = 2.0**-26 * max(1.0, abs(float(leaf[place])))
            moved = [x.copy() for x in leaves]
            moved[k][place] += step
            columns.append((flat(function(*unflatten(structure, moved))) - base) / step)
    return np.stack(columns, axis=1) if columns else np.zeros((len(base), 0))
