"""Programs as machine code: arrays go in as addresses, one call does everything."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicolumn.ir.graph import Graph, Node
from minicolumn.lower.llvm.jit import Loaded, Target, compile_object, host_target
from minicolumn.lower.llvm.program import ARENA, FIRST, HOST, STATUS, TIMES, Emitted, emit_program
from minicolumn.passes.memory import ALIGN

_RUN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_HOST = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.POINTER(ctypes.c_void_p))


class NativeProgram:
    """A graph compiled for this machine; called with arrays of the graph's input types.

    flexible    numbers of inputs whose first axis may have any length, instead of the one in the graph
    timed       whether to count the cycles of each kernel, in `cycles`
    """

    def __init__(
        self, graph: Graph, flexible: Sequence[int] = (), target: Target | None = None, timed: bool = False
    ) -> None:
        self.graph = graph
        self.target = target or host_target()
        self._flexible = frozenset(flexible)
        nodes = {graph.inputs[k] for k in flexible}
        self.emitted: Emitted = emit_program(graph, self.target.machine, nodes, timed)
        self.cycles = np.zeros(len(self.emitted.timed), np.int64)
        self._loaded = Loaded(compile_object(self.emitted.text, self.target))
        self._run = _RUN(self._loaded.address("run"))
        self._inputs = [node.array_type for node in graph.inputs]
        self._outputs = [node.array_type for node in graph.outputs]
        self._lengths = [_length_of(node, graph, self._flexible) for node in graph.outputs]
        self._constants = [node.attrs["value"] for node in self.emitted.constants]
        self._arenas: list[np.ndarray] = []
        self._lock = threading.Lock()

    def __call__(self, *args: np.ndarray) -> list[Any]:
        """Run on arrays of the graph's input types; the results are new arrays."""
        given = [_in_memory(a) for a in args]
        outputs = [np.empty(self._shape(k, given), t.dtype) for k, t in enumerate(self._outputs)]
        arena, status = self._take_arena(), np.zeros(1, np.int64)
        calls = _Calls(self.emitted.hosts)
        table = np.empty(FIRST + 2 * len(given) + len(outputs) + len(self._constants), np.uint64)
        table[ARENA] = -(-arena.ctypes.data // ALIGN) * ALIGN
        table[STATUS] = status.ctypes.data
        table[HOST] = calls.address
        table[TIMES] = self.cycles.ctypes.data
        arrays = [*given, *outputs]
        table[FIRST : FIRST + len(arrays)] = [a.ctypes.data for a in arrays]
        place = FIRST + len(arrays)
        table[place : place + len(given)] = [a.shape[0] if a.ndim else 0 for a in given]
        table[place + len(given) :] = [c.ctypes.data for c in self._constants]
        self._run(table.ctypes.data, None, 0, 1)
        self._give_arena(arena)
        calls.raise_error()
        if status[0]:
            raise IndexError(
                "an index is outside of the array that it is used on; compile with "
                'backend="reference" to see where'
            )
        return outputs

    def _shape(self, output: int, given: Sequence[np.ndarray]) -> tuple[int, ...]:
        shape, source = self._outputs[output].shape, self._lengths[output]
        return shape if source is None else (given[source].shape[0], *shape[1:])

    def _take_arena(self) -> np.ndarray:
        with self._lock:
            if self._arenas:
                return self._arenas.pop()
        return np.empty(self.emitted.arena + ALIGN, np.uint8)

    def _give_arena(self, arena: np.ndarray) -> None:
        with self._lock:
            self._arenas.append(arena)


def _in_memory(array: np.ndarray) -> np.ndarray:
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.require(array, requirements=["C", "A"])


def _length_of(node: Node, graph: Graph, flexible: frozenset[int]) -> int | None:
    """Return the number of the input that says how long an output's first axis is; None if it is fixed."""
    if node in graph.inputs:
        place = graph.inputs.index(node)
        return place if place in flexible else None
    if node.op.name != "item":
        return None
    scan, index = node.inputs[0], node.attrs["index"]
    carried = scan.attrs["consts"] + scan.attrs["carry"]
    if index < scan.attrs["carry"]:
        return None
    rows = (graph.inputs.index(x) for x in scan.inputs[carried:] if x in graph.inputs)
    return next((k for k in rows if k in flexible), None)


class _Calls:
    """Operations that the host does for a program while it runs."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes, self._error = nodes, None
        self._callback = _HOST(self._call) if nodes else None
        self.address = ctypes.cast(self._callback, ctypes.c_void_p).value if self._callback else 0

    _error: BaseException | None

    def _call(self, number: int, table: Any) -> None:
        # An exception cannot travel through machine code: it is kept, and what follows computes with garbage.
        if self._error is not None:
            return
        try:
            self._do(self._nodes[number], table)
        except BaseException as error:  # an interrupt too
            self._error = error

    def _do(self, node: Node, table: Any) -> None:
        nodes = (*node.inputs, node)
        arrays = [_array_at(table[k], n) for k, n in enumerate(nodes)]
        with np.errstate(all="ignore"):
            arrays[-1][...] = node.op.numpy(*arrays[:-1], **node.attrs)

    def raise_error(self) -> None:
        """Raise what went wrong in a call, if anything did."""
        if self._error is not None:
            raise self._error


def _array_at(address: int | None, node: Node) -> np.ndarray:
    """Return the memory of a node's value as an array."""
    type = node.array_type
    size = type.size * type.dtype.itemsize
    if not size or not address:
        return np.empty(type.shape, type.dtype)
    return np.frombuffer((ctypes.c_char * size).from_address(address), type.dtype).reshape(type.shape)
