"""Loop nests: every store of a kernel in one pass, vectors along the innermost loop, exact at the ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from minicolumn.lower.llvm.codegen.elements import Elements
from minicolumn.lower.llvm.codegen.emit import Function, Value, const_lanes, index, vector
from minicolumn.lower.llvm.schedule.loops import Loops
from minicolumn.passes.index_map import identity_map
from minicolumn.passes.kernel import Store

Body = Callable[[], None]


def lanes_for(loops: Loops, strides: Sequence[int], width: int) -> int:
    """Return how many elements are worked on at once: a power of two, 1 where stores are not neighbours."""
    size = loops.sizes[-1] if loops.groups else 1
    if size < 2 or any(s != 1 for s in strides):
        return 1
    while width // 2 >= size:
        width //= 2
    return width


def run_stores(
    e: Elements,
    stores: Sequence[Store],
    start: Value,
    stop: Value,
    exact: bool,
    inner: tuple[Value, Value] | None = None,
) -> None:
    """Emit the loops that compute some stores; the bounds are those of `nest`.

    exact   whether the innermost loop is known to hold whole vectors only
    """
    keys = [(s, identity_map(s.value.array_type.shape)) for s in stores]

    def prepare(depth: int) -> None:
        e.prepare([(store.value, index_map) for store, index_map in keys], depth)

    def compute() -> None:
        # Everything is read before anything is written: an array may be updated in place.
        values = [e.value(s.value, index_map) for s, index_map in keys]
        for (store, _), value in zip(keys, values, strict=True):
            e.store(store.target, store.address, value)

    nest(e, start, stop, exact, prepare, compute, inner)


def nest(
    e: Elements,
    start: Value,
    stop: Value,
    exact: bool,
    prepare: Callable[[int], None],
    compute: Body,
    inner: tuple[Value, Value] | None = None,
) -> None:
    """Emit loops over all loops, with what each can prepare before the loops inside of it.

    start, stop     of the outermost loop; `inner` are those of the second, which else is run through whole
    """
    bounds = [(start, stop), *((index(0), index(n)) for n in e.loops.sizes[1:])]
    if inner is not None:
        bounds[1] = inner
    with e.scope():
        prepare(-1)
        if e.loops.groups:
            _loop(e, 0, bounds, exact, prepare, compute)
        else:
            with e.f.when(e.f.compare("slt", start, stop)), e.scope():
                compute()


def _loop(
    e: Elements,
    depth: int,
    bounds: Sequence[tuple[Value, Value]],
    exact: bool,
    prepare: Callable[[int], None],
    compute: Body,
) -> None:
    if depth == e.inner:
        across(e, *bounds[depth], exact, compute)
        return
    with e.f.loop(*bounds[depth]) as loop, e.scope():
        e.counters[depth] = loop.counter
        prepare(depth)
        _loop(e, depth + 1, bounds, exact, prepare, compute)


def across(e: Elements, start: Value, stop: Value, exact: bool, compute: Body) -> None:
    """Emit the loop along the lanes: whole vectors, then one masked vector for what is left."""
    f, lanes = e.f, e.lanes
    if lanes == 1:
        with f.loop(start, stop) as loop, e.scope():
            e.counters[e.along] = loop.counter
            compute()
        return
    whole = stop if exact else _whole_vectors(f, start, stop, lanes)
    with f.loop(start, whole, lanes) as loop, e.scope():
        e.counters[e.along] = loop.counter
        compute()
    if not exact:
        with rest(e, whole, stop), e.scope():
            compute()


def _whole_vectors(f: Function, start: Value, stop: Value, lanes: int) -> Value:
    count = f.op("and", f.op("sub nsw", stop, start), index(-lanes))
    return f.op("add nsw", start, count)


@contextmanager
def rest(e: Elements, whole: Value, stop: Value) -> Iterator[None]:
    """Work on the lanes between the last whole vector and the end, if there are any."""
    f = e.f
    with f.when(f.compare("slt", whole, stop)):
        left = f.convert("trunc", f.op("sub nsw", stop, whole), "i32")
        left = f.opaque(left) if e.hides_masks else left
        numbers = const_lanes(vector("i32", e.lanes), range(e.lanes))
        mask = f.compare("slt", numbers, f.splat(left, e.lanes))
        e.counters[e.along] = whole
        with e.masked(mask):
            yield


def no_lanes_left(loops: Loops, lanes: int) -> bool:
    """Return whether the innermost loop holds whole vectors only."""
    return lanes == 1 or loops.sizes[-1] % lanes == 0
