"""The pass pipeline: passes in their order, and the verifiers that run between them.

    traced graph -> SIMPLIFY -> every backend
                             -> EXPAND -> FUSE -> PLACE -> lowerings that compile
                             -> EXPAND -> OUTLINE -> lowerings to a language with larger operations

With the environment variable MINICOLUMN_VERIFY set to 1, as tests set it, what a pass returns is checked
before anybody uses it: a graph by `ir.verify`, kernels and memory by `passes.laws`. Errors name the pass, and
the logger "minicolumn" tells of every check at level DEBUG.

Elsewhere   LLVM's pass manager with ``-verify-each``; to find the part at fault, ``-opt-bisect-limit``
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from minicolumn.errors import MinicolumnError
from minicolumn.ir.graph import Graph
from minicolumn.passes.expand import expand
from minicolumn.passes.simplify import PARTS, simplify

if TYPE_CHECKING:
    from minicolumn.ir.graph import Node
    from minicolumn.ir.op import Op
    from minicolumn.passes.kernel import Fused, Kernel
    from minicolumn.passes.memory import Memory

VARIABLE = "MINICOLUMN_VERIFY"
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Pass(Generic[P, R]):
    """One pass, called like the function that it is.

    name    for errors
    run     what it does
    check   ``check(result, *arguments)`` raises where the result breaks a law
    does    what it is for, in a line
    parts   names of what it is made of, in order, where each can be left out

    >>> [each.name for each in PASSES], SIMPLIFY.parts
    (['simplify', 'expand', 'fuse', 'place'], ('rewrite', 'fold', 'share'))
    """

    name: str
    run: Callable[P, R]
    check: Callable[..., None]
    does: str
    parts: tuple[str, ...] = ()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the pass, and verify what it made if that is asked for.

        Errors      those of the pass; those of the verifier, with the name of the pass in front
        """
        result = self.run(*args, **kwargs)
        if is_verifying():
            self._verify(result, *args)
        return result

    def _verify(self, result: R, *args: Any) -> None:
        """Check a result; an error says after which pass, and after which part of it, a law is broken."""
        import logging  # takes longer than all of this, and is needed only here

        try:
            self.check(result, *args)
        except MinicolumnError as error:
            raise type(error)(f"after {self._culprit(*args)}: {error}") from error
        logging.getLogger("minicolumn").debug("checked %s", self.name)

    def _culprit(self, *args: Any) -> str:
        """Return the name of the pass, and of its first part without which the law is kept."""
        run: Callable[..., R] = self.run
        for k, part in enumerate(self.parts):
            try:
                self.check(run(*args, parts=self.parts[: k + 1]), *args)
            except MinicolumnError:
                return f"{self.name} ({part})"
        return self.name


def is_verifying() -> bool:
    """Return whether what passes make is checked."""
    return os.environ.get(VARIABLE, "0") not in ("", "0")


# What only code that is made anew needs is imported when it is: code from the cache goes without.


def _fuse(graph: Graph, native: Callable[[Node], bool]) -> Fused:
    from minicolumn.passes.fuse import fuse

    return fuse(graph, native)


def _place(fused: Fused, *args: Any, **kwargs: Any) -> Memory:
    from minicolumn.passes.memory import plan_memory

    return plan_memory(fused, *args, **kwargs)


def _outline(graph: Graph, ops: Sequence[Op]) -> Graph:
    from minicolumn.passes.outline import outline

    return outline(graph, ops)


def _check_graph(graph: Graph, *_: Any) -> None:
    from minicolumn.ir.verify import verify

    verify(graph)


def _check_outlined(outlined: Graph, graph: Graph, *_: Any) -> None:
    from minicolumn.passes.laws import check_outlined

    check_outlined(outlined, graph)


def _check_kernels(fused: Fused, *_: Any) -> None:
    from minicolumn.passes.laws import check_kernels

    check_kernels(fused)


def _check_memory(memory: Memory, fused: Fused, needs: Mapping[Kernel, int], *_: Any) -> None:
    from minicolumn.passes.laws import check_memory

    check_memory(memory, fused, needs)


SIMPLIFY = Pass(
    "simplify",
    simplify,
    _check_graph,
    "rewrites by the table of rules, folds constants, shares what is computed twice, drops dead code",
    tuple(PARTS),
)
EXPAND = Pass("expand", expand, _check_graph, "puts others in the place of operations defined by them")
OUTLINE = Pass("outline", _outline, _check_outlined, "puts operations in the place of their expansions")
FUSE = Pass("fuse", _fuse, _check_kernels, "gathers operations into kernels and says which values are arrays")
PLACE = Pass("place", _place, _check_memory, "orders kernels and gives every array its place in memory")
PASSES = (SIMPLIFY, EXPAND, FUSE, PLACE)  # of native code
