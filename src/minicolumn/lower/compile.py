"""`compile`: trace a function once for each shape, and run the graph from then on."""

from __future__ import annotations

import functools
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.ir.graph import Graph
from minicolumn.lower import forks as forks  # registers what a fork waits for
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.lower.signature import Unseen, exact_names, exactly, signature_of
from minicolumn.lower.turns import Turns
from minicolumn.passes.pipeline import SIMPLIFY
from minicolumn.trace.dims import named_axes, with_dims
from minicolumn.trace.program import Program, argument, trace, trace_call
from minicolumn.trace.tracer import Traced
from minicolumn.tree import Mismatch, Structure, Tree, builder, flatten, unflatten

if TYPE_CHECKING:
    from minicolumn.lower.fast_call import FastCall, RowsCall


@dataclass(frozen=True)
class Options:
    """How a graph is to run.

    donated     numbers of inputs that may be overwritten
    threads     the most that may work on it
    flush_subnormals  whether arithmetic takes subnormal numbers for 0
    interruptible   whether long loops look for signals
    """

    donated: Collection[int] = ()
    threads: int | None = None
    flush_subnormals: bool = False
    interruptible: bool = True


Run = Callable[..., list[Any]]
Lowering = Callable[[Graph, Options], Run]


def _native(graph: Graph, options: Options) -> Run:
    """Return machine code; where none can be made the reference, with one warning."""
    from minicolumn.lower.llvm.runtime.jit import why_missing

    if why_missing():
        _warn_once(why_missing())
        return _reference(graph, options)
    from minicolumn.lower.native import NativeProgram

    return NativeProgram(
        graph,
        threads=options.threads,
        donated=options.donated,
        flush_subnormals=options.flush_subnormals,
        interruptible=options.interruptible,
    )


def _shadowed(graph: Graph, options: Options) -> Run:
    """Return machine code whose every operation is compared with the reference."""
    from minicolumn.lower.compare.shadow import ShadowProgram

    return ShadowProgram(graph, options.threads)


def _reference(graph: Graph, options: Options) -> Run:
    """Return the interpreter, whose results then share no memory with what it was given."""
    run, donated = ReferenceProgram(graph, options.flush_subnormals), options.donated

    def quietly(*given: np.ndarray) -> list[Any]:
        with np.errstate(all="ignore"):  # NaN and infinity travel; whoever cares looks at the result
            out = run(*given)
        return _owned(out, [array for k, array in enumerate(given) if k not in donated])

    return quietly


@functools.cache
def _warn_once(reason: str) -> None:
    warnings.warn(f"{reason}; programs run on the slow reference until then", RuntimeWarning, stacklevel=2)


BACKENDS: dict[str, Lowering] = {"native": _native, "reference": _reference}
# Programs kept for each compiled function; a caller whose shapes never repeat must not fill the memory.
KEEP = 128
# Calls in a row with arguments of one look, from which on it pays to prepare for more of them.
REPEATS = 16


class _Prepared:
    """One traced and lowered version of a function, for arguments of one kind."""

    def __init__(self, program: Program, backend: str, shadow: str | None, options: Options) -> None:
        """Lower it; `options.donated` are numbers of leaves of the arguments."""
        self.graph = SIMPLIFY(program.graph)
        dtypes = [node.array_type.dtype for node in self.graph.inputs]
        self._reads = list(zip(program.fed, dtypes, strict=True))
        self._build = builder(program.results)
        donations = [k for k, leaf in enumerate(program.fed) if leaf in options.donated]
        lower = _shadowed if shadow else BACKENDS[backend]
        self._run = lower(self.graph, replace(options, donated=donations))
        open_ended = any(node.array_type.dims for node in self.graph.inputs)
        self._program = None if open_ended or donations else program
        self._fast: FastCall | None = None

    def fast(self, args: tuple[Any, ...]) -> FastCall | None:
        """Return a faster way for arguments that look like these, if there is one."""
        program = self._program
        if self._fast is None and program is not None:  # two threads at once make the same twice
            from minicolumn.lower.fast_call import fast_call

            self._fast = fast_call(self._run, program, args)
            self._program = None
        return self._fast

    def __call__(self, leaves: Sequence[Any]) -> Tree:
        out = self._run(*[_as_array(leaves[i], t) for i, t in self._reads])
        return self._build([array if array.ndim else array[()] for array in out])


def _as_array(value: Any, dtype: np.dtype) -> np.ndarray:
    return value if type(value) is np.ndarray and value.dtype is dtype else np.asarray(value, dtype)


def _owned(values: Sequence[Any], given: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return results that share nothing with arguments, constants or each other, free to be written to."""
    taken, results = {id(array) for array in given}, []
    for array in map(np.asarray, values):
        fresh = array.flags.owndata and array.flags.writeable and id(array) not in taken
        results.append(array if fresh else array.copy())
        taken.add(id(results[-1]))
    return results


class _Key:
    """What a program was made for; its hash, which goes through the whole structure, is taken once."""

    def __init__(self, *parts: Any) -> None:
        self._parts, self._hash = parts, hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._parts == other._parts


class _Cache:
    """What was used last, of one compiled function; safe to share between threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Any, value: Any) -> None:
        with self._lock:
            self._held[key] = value
            while len(self._held) > KEEP:
                self._held.popitem(last=False)


def compile(
    function: Callable[..., Any],
    backend: str = "native",
    dims: Mapping[int, str] | None = None,
    donate: Sequence[int] = (),
    threads: int | None = None,
    shadow: str | None = None,
    flush_subnormals: bool = False,
    interruptible: bool = True,
) -> Callable[..., Any]:
    """Return a function that traces once for each combination of shapes and dtypes, and then runs the graph.

    function  NumPy on arrays, numbers and nests of them; it must not branch on values. Strings, booleans and
              other hashable arguments are part of the program: a new value means a new trace. An object that
              is compared by identity could change unseen, and is refused. So methods can be compiled where
              `self` is a dataclass: its fields are arguments like others.
    backend   "native", one function of machine code; or "reference", the NumPy interpreter that defines what
              a graph means, which also stands in, with a warning, where llvmlite is missing
    dims      for arguments, by position, the names of the leading axes of all their arrays: such an axis
              may have any length, and another one does not trace again. Axes of one name have one length, as
              in {1: "rows", 2: "rows", 3: "epochs steps"}. While tracing, a name stands in the shape instead
              of the length, which is no number then. Native code indexes such arrays with integers and scans
              over them, loops within loops too; the reference does everything.
    donate    arguments, by position, whose arrays the caller gives away. Where one is the first state of a
              loop (`scan`) whose last state is returned, native code works right in it: the result is the
              same array, overwritten, and a large state is neither copied nor allocated anew. What a donated
              array holds after the call is not defined, unless it is the result.
    threads   the most that native code may use; by default as many as there are cores. The results are the
              same bits for any number.
    shadow    "reference" runs every operation on both backends and compares them, to find faults of native
              code; the results are the native ones. Slow: each operation's result is kept and looked at, and
              no subnormal number is flushed.
    flush_subnormals  takes numbers nearer to 0 than the smallest normal one (1.2e-38 in float32) for 0
              wherever arithmetic meets them or would give them. Processors are up to a hundred times slower
              with such numbers; NumPy keeps them. Trainings and predictions flush them. In native code what
              only moves numbers, or changes their sign, keeps them; the reference flushes each result.
    interruptible  whether Ctrl-C, and any other signal whose handler raises, ends long loops (`scan`) of
              native code within a tenth of a second, or the time of one iteration. Signals are seen on
              Python's main thread. Arguments stay as they are, but donated ones, and the function can be
              called again.
              False lets the call end first

    The result has the same arguments and values as the function. Called inside `grad` or another `compile`,
    it is traced through. Arrays that the function closes over are taken as they are when it is traced.

    Raises TraceError where the function depends on values, naming what to write instead, or needs a length
    that is not known; DataError for an unknown backend, and for axes of one name that differ in length;
    IndexError where an index is out of range; with a shadow ShadowError, which names the first operation
    whose results differ by more than its rounding allows.

    >>> import numpy as np, minicolumn as mc
    >>> fast = mc.compile(mc.grad(lambda x: np.sum(x**3)))
    >>> fast(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    if not callable(function):
        raise DataError(f"compile: expected a function, got a {type(function).__name__}")
    check_backend("compile", backend, shadow)
    if threads is not None and (not _is_whole(threads) or threads < 1):
        raise DataError(f"compile: threads must be an integer from 1, or None, got {threads!r}")
    if not _are_positions(donate):
        raise DataError(f"compile: donate must hold positions of arguments, such as (0,), got {donate!r}")
    named = named_axes(dims)
    cache, known = _Cache(), _Cache()  # programs by key; keys by what calls look like
    turns = Turns()

    def prepare(key: _Key, arguments: tuple[Any, ...], structure: Structure, count: int) -> _Prepared:
        with turns.of(key):
            prepared = cache.get(key)
            if prepared is None:  # else another thread has made it meanwhile
                donated = leaves_of(structure, count, donate) if donate else frozenset()
                program = trace(function, arguments, structure)
                options = Options(donated, threads, flush_subnormals, interruptible)
                prepared = _Prepared(program, backend, shadow, options)
                cache.put(key, prepared)
        return prepared

    last: tuple[Any, Any] = None, None  # what the last call looked like, and its program
    repeats, fast = 0, None  # how many calls in a row look like the last one, and the way for more of them

    @functools.wraps(function, updated=())
    def compiled(*args: Any, **kwargs: Any) -> Any:
        nonlocal last, repeats, fast
        way = fast  # other threads may set it meanwhile
        if way is not None and not kwargs:
            with suppress(Mismatch):
                return way(args)
            fast = None
        leaves: list[Any] = []
        seen, prepared = _look(args, kwargs, leaves), None
        if seen is not None:
            before, prepared = last
            repeats = repeats + 1 if seen == before else 0
            if seen != before:
                prepared = cache.get(known.get(seen))
        if prepared is not None:
            last = seen, prepared
            if repeats == REPEATS and not kwargs:
                fast = prepared.fast(args)
            return prepared(leaves)
        leaves, structure = flatten((args, kwargs))
        if any(isinstance(x, Traced) for x in leaves):
            return function(*args, **kwargs)
        arguments = tuple(argument(x) for x in leaves)
        if named:
            arguments = with_dims(arguments, structure, named)
        # True == 1 == Decimal(1), but a program made for one need not fit the others.
        statics = tuple([exactly(a.static) for a in arguments if a.type is None])
        key = _Key(structure, arguments, statics, exact_names(structure))
        prepared = cache.get(key) or prepare(key, arguments, structure, len(leaves))
        if seen is not None:
            known.put(seen, key)
            last = seen, prepared
        return prepared(leaves)

    return compiled


def _is_whole(number: Any) -> TypeGuard[int]:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _are_positions(value: Any) -> bool:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    return listed and all(_is_whole(k) and k >= 0 for k in value)


def _look(args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any]) -> Any:
    """Return what a call looks like, and append its leaves; None where that takes a closer look."""
    try:
        seen = signature_of(args, leaves)
        return (seen, signature_of(kwargs, leaves)) if kwargs else seen
    except Unseen:
        return None


def leaves_of(structure: Structure, count: int, positions: Sequence[int]) -> frozenset[int]:
    """Return which of so many leaves of (args, kwargs) belong to the arguments at some positions."""
    args, _ = unflatten(structure, list(range(count)))
    if any(position >= len(args) for position in positions):
        raise DataError(
            f"compile: donate={tuple(positions)} but {len(args)} arguments were given by position"
        )
    return frozenset(leaf for position in positions for leaf in flatten(args[position])[0])


def check_backend(who: str, backend: Any, shadow: Any) -> None:
    """Refuse a backend or a shadow that does not exist, and one that would be compared with itself."""
    if not isinstance(backend, str) or backend not in BACKENDS:
        hint = did_you_mean(str(backend), BACKENDS)
        raise DataError(f"{who}: unknown backend {backend!r}{hint}; there is {', '.join(BACKENDS)}")
    if shadow not in (None, "reference"):
        hint = did_you_mean(str(shadow), ["reference"])
        raise DataError(f'{who}: unknown shadow {shadow!r}{hint}; there is "reference", or None')
    if shadow == backend:
        raise DataError(f'{who}: the reference cannot be its own shadow; use backend="native"')


def graph_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Graph:
    """Return the simplified graph of a function for some example arguments."""
    return SIMPLIFY(trace_call(function, *args, **kwargs).graph)


def graph_with_dims(function: Callable[..., Any], dims: Mapping[int, str], *args: Any) -> Graph:
    """Return the simplified graph of a function some of whose arguments' axes have names, as in `compile`."""
    leaves, structure = flatten((args, {}))
    arguments = with_dims([argument(x) for x in leaves], structure, named_axes(dims))
    return SIMPLIFY(trace(function, arguments, structure).graph)


def call_directly(
    function: Callable[[Any], Any], example: np.ndarray, flush_subnormals: bool = False
) -> Callable[[Any], np.ndarray]:
    """Return a function of one array, compiled for the example's shape and dtype, with little around it.

    What is no such array is made one, or refused. Without native code it is the reference's, which is slower.
    """
    from minicolumn.lower.llvm.runtime.jit import available
    from minicolumn.lower.single_array_call import as_expected, single_array_call, takes_single_array

    graph = graph_of(function, example)
    type = graph.inputs[0].array_type
    run: Run = ReferenceProgram(graph, flush_subnormals)
    if available():
        from minicolumn.lower.native import NativeProgram

        run = NativeProgram(graph, threads=1, flush_subnormals=flush_subnormals)
        if takes_single_array(run):
            return single_array_call(run)
    return lambda x: np.asarray(run(as_expected(x, type))[0])


def call_by_rows(
    function: Callable[[Any, Any], Any], params: Any, block: np.ndarray, flush_subnormals: bool = False
) -> RowsCall | None:
    """Return a function of weights and a block of rows, compiled for any number of rows, on one thread.

    Its results are [rows, ...], and a row of them must depend on the same row alone. None where machine code
    cannot be made, or cannot be called like that.
    """
    from minicolumn.lower.llvm.runtime.jit import available

    if not available():
        return None
    from minicolumn.lower.fast_call import rows_call
    from minicolumn.lower.native import NativeProgram

    graph = graph_of(function, params, block)
    return rows_call(NativeProgram(graph, threads=1, flush_subnormals=flush_subnormals), params)
