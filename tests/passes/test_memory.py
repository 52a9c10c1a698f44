"""IndexMap in memory: the plan, acted out in NumPy on one arena, gives what the graph means.

Each kernel writes the first half of what it stores and reads everything again before it writes the rest, so
that updating an array in place is only right where it is read element by element, as it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.ir.op import OPS
from minicolumn.ir.parse import parse_graph
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.passes.fuse import fuse
from minicolumn.passes.kernel import Fused, Kernel, Store
from minicolumn.passes.memory import ALIGN, Memory, bytes_of, plan_memory

Carried = list[tuple[Node, int]]
NAMES = sorted({*OPS} - {"scan", "item", "input", "const"})
UNTOUCHED = 0x7B


class Stage:
    """Arrays where a plan puts them."""

    def __init__(self, done: Fused, memory: Memory, args: list[np.ndarray], carried: Carried) -> None:
        self.done, self.memory = done, memory
        graph = done.graph
        given = dict(zip(graph.inputs, (a.copy() for a in args), strict=True))
        state = {output: given[node] for node, output in carried}
        self.results = [
            state[k] if k in state else np.full(n.array_type.shape, 0, n.array_type.dtype)
            for k, n in enumerate(graph.outputs)
        ]
        self.arena = np.full(memory.size, UNTOUCHED, np.uint8)
        self.where: dict[Node, np.ndarray] = {**given}
        self.where |= {n: n.attrs["value"] for n in graph.nodes if n.op is CONST}
        self.where |= {node: self.results[k] for node, k in memory.results.items()}
        self.where |= {node: self.in_arena(offset, node) for node, offset in memory.offsets.items()}

    def in_arena(self, offset: int, node: Node) -> np.ndarray:
        type = node.array_type
        assert offset % ALIGN == 0
        assert offset + bytes_of(type) <= len(self.arena)
        return self.arena[offset : offset + bytes_of(type)].view(type.dtype).reshape(type.shape)

    def run(self) -> list[np.ndarray]:
        """Act out all kernels, then the copies."""
        for kernel in self.memory.kernels:
            if kernel.kind == "fill":
                self.where[kernel.targets[0]][...] = 0
            for half in (0, 1):
                values = [self.value(kernel, s) for s in kernel.stores]
                for store, value in zip(kernel.stores, values, strict=True):
                    self.write(store, value, half)
        copies = self.memory.copies
        rooms = {c.output: self.in_arena(self.memory.rooms[c.output], c.source) for c in copies if c.room}
        for copy in copies:
            if copy.room:
                rooms[copy.output][...] = self.where[copy.source]
        for copy in copies:
            self.results[copy.output][...] = rooms.get(copy.output, self.where[copy.source])
        return self.results

    def value(self, kernel: Kernel, store: Store) -> np.ndarray:
        """Return what a kernel stores, from the arrays as they are now."""
        here = {s.target for s in kernel.stores if s.is_plain} | {kernel.anchor}
        known: dict[Node, np.ndarray] = {}

        def get(node: Node) -> np.ndarray:
            if node in self.done.arrays and node not in here:
                return self.where[node]
            if node not in known:
                known[node] = np.asarray(node.op.numpy(*map(get, node.inputs), **node.attrs))
            return known[node]

        return get(store.value).copy()

    def write(self, store: Store, value: np.ndarray, half: int) -> None:
        places = np.full(value.shape, store.offset)
        for axis, stride in enumerate(store.strides):
            places += stride * np.arange(value.shape[axis]).reshape([-1] + [1] * (value.ndim - axis - 1))
        chosen = np.arange(value.size) % 2 == half
        target = self.where[store.target].reshape(-1)
        assert np.shares_memory(target, self.where[store.target]) or not target.size
        target[places.reshape(-1)[chosen]] = value.reshape(-1)[chosen]


def act(graph: Graph, args: list[np.ndarray], carried: Carried) -> Memory:
    """Hold a plan against the reference."""
    done = fuse(graph, lambda node: True)
    memory = plan_memory(done, {}, carried)
    with np.errstate(all="ignore"):
        expected = [np.array(r) for r in ReferenceProgram(graph)(*args)]
        found = Stage(done, memory, args, carried).run()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not overlaps(done, memory)
    return memory


def overlaps(done: Fused, memory: Memory) -> list[tuple[Node, Node]]:
    """Return pairs of arrays that share bytes of the arena while both are still needed."""
    life: dict[Node, tuple[int, int]] = {}
    for k, kernel in enumerate(memory.kernels):
        for array in (*kernel.targets, *done.reads(kernel)):
            if array in memory.offsets:
                life[array] = (life.get(array, (k, k))[0], k)
    for copy in memory.copies:
        if copy.source in life:
            life[copy.source] = (life[copy.source][0], len(memory.kernels))
    found = []
    for a, (first, last) in life.items():
        for b, (start, stop) in life.items():
            (low, high), (lower, upper) = memory.region(a) or (0, 0), memory.region(b) or (0, 0)
            if a is not b and first <= stop and start <= last and low < upper and lower < high:
                found.append((a, b))
    return found


@settings(
    max_examples=150, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_plan_acted_out_gives_what_the_graph_means(graphs: ModuleType, data: st.DataObject):
    graph = data.draw(graphs.random_graphs(NAMES, most=14))
    args = [np.asarray(a) for a in graphs.arguments(graph, data.draw(st.integers(0, 1000)))]
    carried: Carried = []
    for node in graph.inputs:
        taken = {k for _, k in carried}
        fitting = [k for k, o in enumerate(graph.outputs) if o.type == node.type and k not in taken]
        if fitting and data.draw(st.booleans()):
            carried.append((node, data.draw(st.sampled_from(fitting))))
    with suppress(np.linalg.LinAlgError):
        act(graph, args, carried)


def planned(text: str, states: int = 1) -> Memory:
    """Return the plan of a graph whose first inputs are states that its first outputs replace."""
    graph = parse_graph(text)
    rng = np.random.default_rng(0)
    args = [rng.standard_normal(n.array_type.shape).astype(n.array_type.dtype) for n in graph.inputs]
    return act(graph, args, [(graph.inputs[k], k) for k in range(states)])


def test_a_state_that_is_read_as_it_is_written_is_updated_in_place():
    memory = planned("fn(s: f32[4], g: f32[4]) { a: f32[4] = add(s, g) return a }")
    assert not memory.copies
    assert not memory.offsets


def test_a_state_that_is_read_elsewhere_is_not():
    for body in ("flip(s, axes=[0])", "cumsum(s, axis=0)", "gather(s, i)"):
        memory = planned(f"fn(s: f32[4], i: i32[4]) {{ a: f32[4] = {body} return a }}")
        assert [c.output for c in memory.copies] == [0]


def test_a_reader_of_the_old_state_runs_before_its_writer():
    memory = planned(
        "fn(s: f32[4], g: f32[4]) { a: f32[4] = add(s, g)  b: f32[] = sum(s, axes=[0]) return a, b }"
    )
    assert not memory.copies
    assert [k.kind for k in memory.kernels] == ["reduce", "loop"]


def test_a_state_that_is_a_result_too_is_not_overwritten():
    memory = planned("fn(s: f32[4], g: f32[4]) { a: f32[4] = add(s, g) return a, s }")
    assert [c.output for c in memory.copies] == [1, 0]


def test_a_state_that_is_padded_is_not_zeroed_first():
    planned("fn(s: f32[4]) { a: f32[4] = pad(s, low=[0], high=[0], gap=[0]) return a }")


def test_states_trade_places_by_way_of_rooms():
    memory = planned("fn(s: f32[4], t: f32[4], u: f32[4]) { return t, u, s }", states=3)
    assert all(c.room for c in memory.copies)
    assert len({memory.rooms[c.output] for c in memory.copies}) == 3


def test_arrays_share_the_arena_when_their_lives_do_not_overlap(apply: Callable[..., Node]):
    # Ten sorts in a row: each needs its operand and its result, so two places do.
    lines = "".join(f"a{k + 1}: f32[1000] = sort(a{k}, axis=0) " for k in range(10))
    memory = planned(f"fn(a0: f32[1000]) {{ {lines} return a10 }}", states=0)
    assert memory.size == 2 * 4096
