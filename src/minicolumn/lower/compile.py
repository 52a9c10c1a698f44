"""`compile`: trace a function once for each shape, and run the graph from then on."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.ir.graph import Graph
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.passes.simplify import simplify
from minicolumn.trace.program import Argument, argument, trace
from minicolumn.trace.tracer import Traced
from minicolumn.tree import Structure, Tree, flatten, unflatten

BACKENDS: dict[str, Callable[[Graph], Callable[..., list[Any]]]] = {"reference": ReferenceProgram}
# Programs kept for each compiled function; a caller whose shapes never repeat must not fill the memory.
KEEP = 128


class _Prepared:
    """One traced and lowered version of a function, for arguments of one kind."""

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Argument], structure: Structure, backend: str):
        program = trace(function, arguments, structure)
        self.graph = simplify(program.graph)
        self._fed = program.fed
        self._types = [node.array_type for node in self.graph.inputs]
        self._results = program.results
        self._run = BACKENDS[backend](self.graph)

    def __call__(self, leaves: Sequence[Any]) -> Tree:
        given = [np.asarray(leaves[i], t.dtype) for i, t in zip(self._fed, self._types, strict=True)]
        with np.errstate(all="ignore"):  # NaN and infinity travel; whoever cares looks at the result
            out = self._run(*given)
        return unflatten(self._results, [_own(value, given) for value in out])


def _own(value: Any, given: Sequence[np.ndarray]) -> Any:
    """Return a result that shares nothing with arguments or constants, so that callers may write to it."""
    array = np.asarray(value)
    fresh = array.flags.owndata and array.flags.writeable and not any(array is g for g in given)
    return (array if fresh else array.copy())[()]


def compile(function: Callable[..., Any], backend: str = "reference") -> Callable[..., Any]:
    """Return a function that traces once for each combination of shapes and dtypes, and then runs the graph.

    function  NumPy on arrays, numbers and nests of them; it must not branch on values. Strings, booleans and other
              hashable arguments are part of the program: a new value means a new trace.
    backend   "reference", the NumPy interpreter that defines what a graph means

    The result has the same arguments and values as the function. Called inside `grad` or another `compile`, it is
    traced through.

    Raises TraceError where the function depends on values, naming what to write instead.

    >>> import numpy as np, minicolumn as mc
    >>> fast = mc.compile(mc.grad(lambda x: np.sum(x**3)))
    >>> fast(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    if backend not in BACKENDS:
        raise DataError(f"compile: unknown backend {backend!r}{did_you_mean(backend, BACKENDS)}; there is reference")
    prepared: OrderedDict[Any, _Prepared] = OrderedDict()

    @functools.wraps(function, updated=())
    def compiled(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        if any(isinstance(x, Traced) for x in leaves):
            return function(*args, **kwargs)
        arguments = tuple(argument(x) for x in leaves)
        key = (structure, arguments)
        program = prepared.get(key)
        if program is None:
            program = prepared[key] = _Prepared(function, arguments, structure, backend)
            while len(prepared) > KEEP:
                prepared.popitem(last=False)
        return program(leaves)

    return compiled


def graph_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Graph:
    """Return the simplified graph of a function for some example arguments."""
    leaves, structure = flatten((args, kwargs))
    return simplify(trace(function, [argument(x) for x in leaves], structure).graph)
