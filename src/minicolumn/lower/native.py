"""Programs as machine code: arrays go in as addresses, one call does everything."""

from __future__ import annotations

import ctypes
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.ir.shapes import ArrayType, Dim
from minicolumn.lower.alignment import on_cache_lines
from minicolumn.lower.llvm.runtime import array_objects
from minicolumn.lower.llvm.runtime.abi import table_of
from minicolumn.lower.llvm.runtime.cache import ObjectCache, key_of
from minicolumn.lower.llvm.runtime.call_frame import READ, CallFrame
from minicolumn.lower.llvm.runtime.core_shares import shares
from minicolumn.lower.llvm.runtime.fingerprint import all_nodes, compiler_version, fingerprint
from minicolumn.lower.llvm.runtime.function_packs import PACKS, are_links
from minicolumn.lower.llvm.runtime.jit import (
    CodeError,
    Loaded,
    Target,
    compile_object,
    host_target,
    versions,
)
from minicolumn.lower.llvm.runtime.team import shared
from minicolumn.lower.llvm.runtime.thread_count import ThreadTuners, cores
from minicolumn.passes.memory import ALIGN
from minicolumn.passes.pipeline import EXPAND

if TYPE_CHECKING:
    from minicolumn.lower.llvm.codegen.program import Emitted

_RUN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_HOST = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.POINTER(ctypes.c_void_p))
_FUNCTIONS = ("run", "read")
_FIELDS = {"arena", "constants", "hosts", "timed", "shared", "watched", "links"}  # kept beside the code
OUT_OF_RANGE = (
    'an index is outside of the array that it is used on; compile with backend="reference" to see where'
)
# Frames kept for the next calls: more are only needed while that many calls go on at once.
KEPT = 4


class NativeProgram:
    """A graph compiled for this machine; called with arrays of the graph's input types.

    timed       whether to count the cycles of each kernel, in `cycles`
    cache       where code is kept between processes
    threads     the most that may work on it; by default as many as there are cores to use. The results are
                the same bits for any number.
    donated     numbers of inputs that may be overwritten: a loop's state then starts where it lies, and the
                result is the array that was given
    flush_subnormals  whether arithmetic takes subnormal numbers for 0
    interruptible   whether signals are looked for in long loops, so that a handler that raises ends them
    """

    def __init__(
        self,
        graph: Graph,
        target: Target | None = None,
        timed: bool = False,
        cache: ObjectCache | None = None,
        threads: int | None = None,
        donated: Collection[int] = (),
        flush_subnormals: bool = False,
        interruptible: bool = False,
    ) -> None:
        graph = self.graph = EXPAND(graph)
        self.target = target or host_target()
        self._timed, self._flushes, self._interruptible = timed, flush_subnormals, interruptible
        self._inputs = [node.array_type for node in graph.inputs]
        self._outputs = [node.array_type for node in graph.outputs]
        self._axes = list(graph.dims.values())
        self._shapes = [[graph.dims.get(n, n) for n in type.shape] for type in self._outputs]
        self._open = [k for k, type in enumerate(self._inputs) if type.dims]
        self._iterations = [[graph.dims[n] for n in nest] for nest in nests(graph)]
        self._in_place = in_place(graph, donated)
        # Not a cached_property: its lock is one for all, and a child forked meanwhile would wait for it.
        self._emitted: Emitted | None = None
        header, self._loaded = self._code(cache or ObjectCache.default())
        self.address = self._loaded.address("run")
        self._run, self._read = _RUN(self.address), READ(self._loaded.address("read"))
        nodes = list(all_nodes(graph)) if header["constants"] or header["hosts"] else []
        self._constants = [on_cache_lines(nodes[k].attrs["value"]) for k in header["constants"]]
        self._hosts = [nodes[k] for k in header["hosts"]]
        self.cycles = np.zeros(header["timed"], np.int64)
        most = min(threads or cores(), cores()) if header["shared"] else 1
        self._pacers = ThreadTuners(most)
        self.watched: int = header["watched"]
        common, own = header["arena"]
        self.arena_bytes = common + own * most
        self._frames: list[CallFrame] = []

    @property
    def emitted(self) -> Emitted:
        """Return the program's LLVM text and its kernels; what is found in the cache does without."""
        if self._emitted is None:
            from minicolumn.lower.llvm.codegen.program import (
                emit_program,
            )  # a third of what a first call would import

            self._emitted = emit_program(
                self.graph, self.target, self._timed, self._flushes, self._interruptible
            )
        return self._emitted

    @property
    def calls_host(self) -> bool:
        """Return whether some operations are done by Python."""
        return bool(self._hosts)

    @property
    def most_threads(self) -> int:
        """Return how many threads may work on it at most."""
        return self._pacers.most

    def _code(self, cache: ObjectCache) -> tuple[dict[str, Any], Loaded]:
        """Return how to call the object code, and the code itself, from the cache if it is there.

        An entry that is whole, but not of this program, is made anew: that cannot happen but by somebody
        who writes to this user's own folder, and so could do anything that the code could.
        """
        key = self._key()
        found = cache.get(key)
        if found is not None and self._fits(found[0]):
            with suppress(CodeError):
                return found[0], PACKS.linked(found[1], _FUNCTIONS, found[0]["links"], cache)
        header, links, divided = self._header(), {}, self.emitted.divided
        if divided is None:
            code = compile_object(self.emitted.text, self.target)
            loaded = Loaded(code, _FUNCTIONS)
        else:
            code, loaded, links = PACKS.loaded(divided, _FUNCTIONS, self.target, cache)
            self._emitted = replace(self.emitted, divided=None)  # the text once is enough to be looked at
        header["links"] = links
        cache.put(key, header, code)
        return header, loaded

    def _fits(self, header: dict[str, Any]) -> bool:
        """Return whether a header says what one of this graph can say."""
        if header.keys() != _FIELDS:
            return False
        arena, counts = header["arena"], [header["timed"], header["watched"]]
        if not _are_sizes(arena) or len(arena) != 2 or not _are_sizes(counts):
            return False
        if type(header["shared"]) is not bool or not are_links(header["links"]):
            return False
        constants, hosts = header["constants"], header["hosts"]
        if not _are_sizes(constants) or not _are_sizes(hosts):
            return False
        nodes = list(all_nodes(self.graph)) if constants or hosts else []
        if any(k >= len(nodes) for k in (*constants, *hosts)):
            return False
        return all(nodes[k].op is CONST for k in constants) and not any(nodes[k].op is CONST for k in hosts)

    def _key(self) -> str:
        """Return everything that shapes the code."""
        # Where an array object keeps its fields is part of the code, and differs between builds of Python.
        settings = f"{self._timed} {self._flushes} {self._interruptible} {array_objects.DATA}"
        return key_of(fingerprint(self.graph), self.target.identity, versions(), compiler_version(), settings)

    def _header(self) -> dict[str, Any]:
        emitted = self.emitted
        number = {node: k for k, node in enumerate(all_nodes(self.graph))}
        return {
            "arena": list(emitted.arena),
            "constants": [number[n] for n in emitted.constants],
            "hosts": [number[n] for n in emitted.hosts],
            "timed": len(emitted.timed),
            "shared": emitted.shared,
            "watched": emitted.watched,
        }

    def __call__(self, *args: Any) -> list[Any]:
        """Run on arrays of the graph's input types; the results are new arrays, or donated ones."""
        given = [a if type(a) is np.ndarray else np.asarray(a) for a in args]
        for k in self._open:
            given[k] = given[k] if given[k].size else _no_rows(given[k], self._inputs[k])
        reused = self._reused(given) if self._in_place else {}
        outputs = self._results(given, reused)
        frame = self._take_frame()
        if not frame.point_to([*given, *outputs]):
            given = [np.require(a, requirements=["C", "A"]) for a in given]
            frame.point_to([*given, *outputs])
        calls = _Calls(self._hosts) if self._hosts else None
        if calls:
            frame.call_host(calls.address)
        if frame.watch:
            frame.watch.begin()
        try:
            self._execute(frame.table, given)
            failed = frame.failed()
            if calls:
                calls.raise_error()
            if frame.watch:
                frame.watch.raise_error()
        finally:
            self._give_frame(frame)
        if failed:
            raise IndexError(OUT_OF_RANGE)
        return outputs

    def _results(self, given: Sequence[np.ndarray], reused: Mapping[int, int]) -> list[np.ndarray]:
        """Return the arrays that results are written to."""
        if not self._axes and not reused:
            return [np.empty(t.shape, t.dtype) for t in self._outputs]
        return [
            given[reused[k]] if k in reused else np.empty(_sized(shape, given), t.dtype)
            for k, (t, shape) in enumerate(zip(self._outputs, self._shapes, strict=True))
        ]

    def _reused(self, given: Sequence[np.ndarray]) -> dict[int, int]:
        """Return the results that take the place of a donated array: of one that shares no memory."""
        starts = [a.ctypes.data for a in given]
        spans = sorted(
            (p, p + a.nbytes, k) for k, (a, p) in enumerate(zip(given, starts, strict=True)) if a.nbytes
        )
        alone = {k for _, _, k in spans}
        reached, holder = 0, -1
        for start, stop, k in spans:
            if start < reached:
                alone -= {k, holder}
            if stop > reached:
                reached, holder = stop, k
        return {output: k for output, k in self._in_place.items() if k in alone and _is_own(given[k])}

    def _execute(self, table: int, given: Sequence[np.ndarray]) -> None:
        """Run with as many threads as turn out to be worth it, of this call's share of the cores."""
        if self._pacers.most == 1 and not any(self._iterations):  # too little for others to make room for
            self._run(table, None, 0, 1)
            return
        steps = self._steps(given)
        with shares().take(self._pacers.of(steps).parts) as parts:
            began = time.perf_counter()
            parts = shared().run(self.address, table, parts)
            self._pacers.note(steps, time.perf_counter() - began, parts)

    def _steps(self, given: Sequence[np.ndarray]) -> int:
        """Return the most iterations of a loop nest, as far as lengths differ from call to call."""
        return max((prod(given[k].shape[axis] for k, axis in nest) for nest in self._iterations), default=1)

    def template(self) -> np.ndarray:
        """Return a table that lacks the addresses of the arena, the status, inputs and outputs."""
        return table_of(len(self._inputs) + len(self._outputs), len(self._axes), self._constants)

    def _take_frame(self) -> CallFrame:
        try:
            return self._frames.pop()
        except IndexError:  # all are in use
            return self.frame(np.empty(self.arena_bytes + ALIGN, np.uint8), self._constants)

    def _give_frame(self, frame: CallFrame) -> None:
        if len(self._frames) < KEPT:
            self._frames.append(frame)

    def frame(self, arena: np.ndarray, constants: Sequence[np.ndarray]) -> CallFrame:
        """Return what one call at a time works with, in some memory."""
        arrays = len(self._inputs) + len(self._outputs)
        return CallFrame(arrays, self._axes, constants, arena, self.cycles, self._read, self.watched)


def _sized(shape: Sequence[Any], given: Sequence[np.ndarray]) -> list[int]:
    """Return a shape with the lengths that some arrays have in place of (array, axis)."""
    return [given[n[0]].shape[n[1]] if type(n) is tuple else n for n in shape]


def _no_rows(array: np.ndarray, type: ArrayType) -> np.ndarray:
    """Return an array without elements and with room for a row: indices outside of it read the first one."""
    room = np.zeros([1 if isinstance(n, Dim) else n for n in type.shape], array.dtype)
    return np.ndarray(array.shape, array.dtype, room) if room.size else array


def _is_own(array: np.ndarray) -> bool:
    """Return whether an array may be worked in where it lies."""
    flags = array.flags
    return flags.owndata and flags.writeable and flags.c_contiguous and flags.aligned


def nests(graph: Graph) -> set[tuple[Dim, ...]]:
    """Return the symbolic dimensions that loops run over, those of loops within loops together."""
    found: set[tuple[Dim, ...]] = set()
    for node in graph.nodes:
        if node.op is SCAN:
            length = node.attrs["length"]
            own = (length,) if isinstance(length, Dim) else ()
            found |= {(*own, *inner) for inner in nests(node.attrs["body"]) or {()}}
    return found


def in_place(graph: Graph, donated: Collection[int]) -> dict[int, int]:
    """Return the outputs that are last states of loops, with the inputs that are just their first."""
    uses = Counter(operand for node in graph.nodes for operand in node.inputs) + Counter(graph.outputs)
    found = {}
    for output, node in enumerate(graph.outputs):
        if node.op is not ITEM or uses[node] > 1 or node.attrs["index"] >= node.inputs[0].attrs["carry"]:
            continue
        loop = node.inputs[0]
        first = loop.inputs[loop.attrs["consts"] + node.attrs["index"]]
        if first in graph.inputs and uses[first] == 1 and graph.inputs.index(first) in donated:
            found[output] = graph.inputs.index(first)
    return found


class _Calls:
    """Operations that the host does for a program while it runs."""

    _error: BaseException | None = None

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._callback = _HOST(self._call) if nodes else None
        self.address = _address_of(self._callback) if self._callback else 0

    def _call(self, number: int, table: Any) -> None:
        # An exception cannot travel through machine code: it is kept, and what follows computes with garbage.
        if self._error is not None:
            return
        try:
            self._do(self._nodes[number], table)
        except BaseException as error:  # an interrupt too
            self._error = error

    def _do(self, node: Node, table: Any) -> None:
        arrays = [_array_at(table[k], n) for k, n in enumerate((*node.inputs, node))]
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
    held = (ctypes.c_uint8 * size).from_address(address)
    return np.ctypeslib.as_array(held).view(type.dtype).reshape(type.shape)


def _address_of(callback: Any) -> int:
    return ctypes.cast(callback, ctypes.c_void_p).value or 0


def _are_sizes(value: Any) -> bool:
    """Return whether a value of JSON is a list of integers that are not negative."""
    return type(value) is list and all(type(size) is int and 0 <= size < 1 << 40 for size in value)
