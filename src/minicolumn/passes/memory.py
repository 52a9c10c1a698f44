"""Buffer assignment by liveness: every array lies in an argument, in a result, or in one arena.

Arrays whose live ranges do not overlap share memory. The state of a loop is updated in place where nobody can
tell: every other reader of the old value runs before the kernel that writes the new one, and that kernel
reads it element by element, as it writes.

    a = sum(x)      a @0                            a: 4 bytes, live in kernels 0-1
    b = x / a       a @0, b @128                    b: 256 bytes, live in kernels 1-3
    c = max(b)            b @128, c @0              a is dead, so c takes its place
    d = sum(b - c)  result 0                        computed where the caller wants it; arena: 384 bytes

Invariants  what is live at the same time lies apart (`passes.laws`); addresses are multiples of ALIGN
Complexity  kernels x arrays live at once, times its logarithm
Source      first fit in program order, as linear scan does for registers (Poletto & Sarkar 1999). The least
            arena is NP-hard to find (dynamic storage allocation, Garey & Johnson 1979, SR2)
Elsewhere   XLA's BufferAssignment and heap simulator, with copy insertion and input-output aliasing; TVM's
            StorageRewrite; LLVM's stack coloring
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from minicolumn.ir.graph import Node
from minicolumn.ir.ops.control import ITEM
from minicolumn.ir.shapes import ArrayType
from minicolumn.passes.index_map import identity_map
from minicolumn.passes.kernel import (
    Fused,
    Kernel,
    array_below,
    arrays_read,
    evaluated,
    is_leaf,
    needed_whole,
    reading,
    topological_kernels,
)

# Arrays begin on lines of their own, two of which some processors fetch together.
ALIGN = 128
# Up to so many bytes, memory is spent to let threads run on without meeting.
ROOMY = 4 << 20

# From kernels in order, and those that each needs, to the stage of each: it never falls along the needs.
Stages = Callable[[Sequence[Kernel], Mapping[Kernel, Sequence[Kernel]]], Mapping[Kernel, int]]


@dataclass(frozen=True)
class Copy:
    """An array that is copied into a result after the kernels; through `room` where results trade places.

    room        whether by way of the arena: where two states are swapped, one must get out of the way first
    """

    source: Node
    output: int
    room: bool


@dataclass(frozen=True, eq=False)
class Memory:
    """The memory plan: kernels in their final order, and a buffer for everything. All offsets in bytes.

    offsets     within the arena, of arrays
    results     the output in whose memory an array lies
    workspaces  within the arena, of kernels that asked for some
    fills       before which kernel, by number, a workspace is filled
    rooms       within the arena, for outputs that are copied by way of it
    size        of the arena
    """

    kernels: tuple[Kernel, ...]
    offsets: Mapping[Node, int]
    results: Mapping[Node, int]
    copies: tuple[Copy, ...]
    workspaces: Mapping[Kernel, int]
    fills: Mapping[Kernel, int]
    rooms: Mapping[int, int]
    size: int

    def region(self, array: Node) -> tuple[int, int] | None:
        """Return where in the arena an array begins and ends, in bytes, if it lies there."""
        if array not in self.offsets:
            return None
        return self.offsets[array], self.offsets[array] + bytes_of(array.array_type)


def bytes_of(type: ArrayType) -> int:
    """Return the size of an array in bytes, without padding."""
    return type.size * type.dtype.itemsize


def plan_memory(
    fused: Fused,
    needs: Mapping[Kernel, int],
    carried: Sequence[tuple[Node, int]] = (),
    filled: Mapping[Kernel, Sequence[Node]] = MappingProxyType({}),
    stages: Stages | None = None,
) -> Memory:
    """Assign a buffer to every array, and fix the order of the kernels.

    needs       bytes of workspace that kernels ask for
    carried     for each state of a loop the input that holds it and the output that replaces it
    filled      kernels whose workspace is filled from some arrays, as soon as they are there
    stages      puts kernels side by side that several threads can run without a barrier between them; none of
                them then uses memory that another gives up, unless that takes more than ROOMY bytes

    >>> from minicolumn.ir.parse import parse_graph
    >>> from minicolumn.passes.fuse import fuse
    >>> text = "fn(w: f32[4], g: f32[4]) { v: f32[4] = subtract(w, g) return v }"
    >>> fused = fuse(parse_graph(text), native=lambda node: True)
    >>> state = fused.graph.inputs[0]
    >>> plan_memory(fused, {}, carried=[(state, 0)]).copies  # none: v overwrites w
    ()
    """
    bindings = _Bindings(fused, carried)
    if stages:
        known = stages(bindings.kernels, bindings.needs())
        order = sorted(bindings.kernels, key=known.__getitem__)
        memory = _places(fused, bindings, order, needs, filled, [known[k] for k in order])
        if memory.size <= ROOMY:
            return memory
    order = bindings.kernels
    return _places(fused, bindings, order, needs, filled, range(len(order)))


def _places(
    fused: Fused,
    bindings: _Bindings,
    kernels: Sequence[Kernel],
    needs: Mapping[Kernel, int],
    filled: Mapping[Kernel, Sequence[Node]],
    stages: Sequence[int],
) -> Memory:
    """Assign buffers for one order of the kernels.

    stages      the barrier interval of each kernel, never falling; one each where a single thread runs them
    """
    room = {c.output: bytes_of(fused.graph.outputs[c.output].array_type) for c in bindings.copies if c.room}
    arena = _Arena()
    rooms = {output: arena.take(size) for output, size in room.items()}
    fills = _fills(fused, kernels, filled)
    planner = _Placing(fused, kernels, bindings.results, arena)
    planner.run(needs, fills, stages)
    return Memory(
        tuple(kernels),
        planner.offsets,
        bindings.results,
        tuple(bindings.copies),
        planner.workspaces,
        fills,
        rooms,
        arena.size,
    )


def _fills(
    fused: Fused, kernels: Sequence[Kernel], filled: Mapping[Kernel, Sequence[Node]]
) -> dict[Kernel, int]:
    """Return the number of the first kernel before which all arrays are there that fill a workspace."""
    made = {array: i + 1 for i, kernel in enumerate(kernels) for array in _written(fused, kernel)}
    return {kernel: max(made.get(array, 0) for array in arrays) for kernel, arrays in filled.items()}


class _Bindings:
    """Which arrays are computed right where a result belongs, and what must be copied there.

    Binding a state may move kernels: readers of the old state before the writer of the new one.
    """

    def __init__(self, fused: Fused, carried: Sequence[tuple[Node, int]]) -> None:
        self.fused, self.arrays = fused, fused.arrays
        self.kernels = list(fused.kernels)
        self._reads = {k: set(arrays_read(k, self.arrays)) for k in self.kernels}
        self.results: dict[Node, int] = {}
        self.copies: list[Copy] = []
        self._after: dict[Kernel, list[Kernel]] = {}  # readers of a state, before its writer
        self._bind(carried)

    def _bind(self, carried: Sequence[tuple[Node, int]]) -> None:
        state = {output: node for node, output in carried}
        outputs = self.fused.graph.outputs
        # Last states of loops first, which so need not move the whole state each iteration. Then plain
        # results: what lies in one of them need not take part in the states' exchange.
        loops = [k for k in state if outputs[k].op is ITEM]
        for k in dict.fromkeys((*loops, *(k for k in range(len(outputs)) if k not in state), *state)):
            node = outputs[k]
            if node is state.get(k):
                continue
            free = not is_leaf(node) and node not in self.results
            if free and (k not in state or self._in_place(node, state[k])):
                self.results[node] = k
            else:
                self.copies.append(Copy(node, k, room=node in state.values()))

    def _in_place(self, node: Node, old: Node) -> bool:
        """Let a kernel overwrite the old state, if an order can be found in which nobody notices.

        Returns     whether it does; then the kernels are in that order
        """
        if old in self.fused.graph.outputs:
            return False  # the old state is a result too, which is copied after all kernels
        writers = [k for k in self.kernels if node in _written(self.fused, k)]
        if len(writers) != 1 or not _reads_as_it_writes(writers[0], node, old, self.arrays):
            return False  # results of several kernels, or of a loop that goes elsewhere
        if writers[0].kind == "product" and node is writers[0].anchor and old in self._reads[writers[0]]:
            return False  # partial sums may come together there before the old state is read
        readers = [k for k in self.kernels if k is not writers[0] and old in self._reads[k]]
        needs = self.needs()
        needs[writers[0]] += readers
        order = topological_kernels(self.kernels, needs)
        place = {k: i for i, k in enumerate(order)}
        if any(place[n] > place[k] for k in order for n in needs[k]):
            return False  # a reader needs the new value first
        self.kernels = order
        self._after.setdefault(writers[0], []).extend(readers)
        return True

    def needs(self) -> dict[Kernel, list[Kernel]]:
        """Return for each kernel those that must run before it, readers of an old state among them."""
        return {k: [*self.fused.needs[k], *self._after.get(k, ())] for k in self.kernels}


def _reads_as_it_writes(kernel: Kernel, node: Node, old: Node, arrays: frozenset[Node]) -> bool:
    """Return whether a kernel reads the old state by the identity index map alone, before it writes there."""
    if kernel.kind == "scan":
        return _goes_on_from(node, old)
    if any(array_below(o, arrays) is old for o in needed_whole(kernel)):
        return False
    for value, computed in evaluated(kernel):
        own = identity_map(kernel.shape) if any(s.value is value for s in kernel.stores) else None
        for array, places in reading(value, arrays, computed):
            if array is old and (places is None or places != own or array.array_type.shape != kernel.shape):
                return False
    return kernel.kind in ("loop", "reduce", "product")


def _goes_on_from(item: Node, old: Node) -> bool:
    """Return whether a loop's last state is in the place of an array that it only takes for its first."""
    loop, index = item.inputs[0], item.attrs["index"]
    attrs, operands = loop.attrs, loop.inputs
    return index < attrs["carry"] and operands.count(old) == 1 and operands[attrs["consts"] + index] is old


class _Arena:
    """A first-fit allocator of address ranges: room that is handed out and taken back, lowest address first.

    size        the most bytes that were held at any time, holes included

    >>> arena = _Arena()
    >>> first, second = arena.take(100), arena.take(300)
    >>> arena.give(first)
    >>> first, second, arena.take(64), arena.size
    (0, 128, 0, 512)
    """

    def __init__(self) -> None:
        self.size = 0
        self._held: list[tuple[int, int]] = []

    def take(self, size: int) -> int:
        """Return the lowest address, a multiple of ALIGN, with so many bytes free."""
        size, start = -(-max(size, 1) // ALIGN) * ALIGN, 0
        for low, high in sorted(self._held):
            if start + size <= low:
                break
            start = max(start, high)
        self._held.append((start, start + size))
        self.size = max(self.size, start + size)
        return start

    def give(self, start: int) -> None:
        """Free what begins at an address."""
        self._held = [h for h in self._held if h[0] != start]


class _Placing:
    """A linear scan over the kernels that assigns every array and workspace its address.

    What dies in one barrier interval is reused in a later one: within one, threads may be at any kernel.
    """

    def __init__(
        self, fused: Fused, kernels: Sequence[Kernel], results: Mapping[Node, int], arena: _Arena
    ) -> None:
        self.fused, self.kernels, self.results, self.arena = fused, kernels, results, arena
        self.offsets: dict[Node, int] = {}
        self.workspaces: dict[Kernel, int] = {}

    def run(self, needs: Mapping[Kernel, int], fills: Mapping[Kernel, int], stages: Sequence[int]) -> None:
        """Place everything."""
        ending, asking = self._ending(), self._asking(needs, fills)
        given: list[int] = []
        for i, kernel in enumerate(self.kernels):
            if i and stages[i] != stages[i - 1]:
                for place in given:
                    self.arena.give(place)
                given = []
            for later in asking.get(i, ()):
                self.workspaces[later] = self.arena.take(needs[later])
            self._take(kernel)
            given += [self.workspaces[kernel]] if kernel in self.workspaces else []
            given += [self.offsets[array] for array in ending.get(i, ()) if array in self.offsets]

    def _take(self, kernel: Kernel) -> None:
        for array in _written(self.fused, kernel):
            if array not in self.offsets and array not in self.results:
                self.offsets[array] = self.arena.take(bytes_of(array.array_type))

    def _asking(self, needs: Mapping[Kernel, int], fills: Mapping[Kernel, int]) -> dict[int, list[Kernel]]:
        """Return the kernels whose workspace begins to live before each kernel, by number."""
        found: dict[int, list[Kernel]] = {}
        for i, kernel in enumerate(self.kernels):
            if needs.get(kernel):
                found.setdefault(fills.get(kernel, i), []).append(kernel)
        return found

    def _ending(self) -> dict[int, list[Node]]:
        """Return the arrays that die with each kernel, by number."""
        found: dict[int, list[Node]] = {}
        for array, end in _last_use(self.fused, self.kernels).items():
            found.setdefault(end, []).append(array)
        return found


def _written(fused: Fused, kernel: Kernel) -> list[Node]:
    """Return the arrays that a kernel defines; of a loop over a body the results that somebody reads."""
    if kernel.kind == "scan":
        return [a for a in fused.items if a.inputs[0] is kernel.anchor]
    return kernel.targets


def _last_use(fused: Fused, kernels: Sequence[Kernel]) -> dict[Node, int]:
    """Return the end of each live range: the number of the last kernel that touches an array.

    What is copied into a result in the end lives beyond the last kernel.
    """
    last: dict[Node, int] = {}
    for i, kernel in enumerate(kernels):
        for array in (*arrays_read(kernel, fused.arrays), *_written(fused, kernel)):
            last[array] = i
    for output in fused.graph.outputs:
        last[output] = len(kernels)
    return last
