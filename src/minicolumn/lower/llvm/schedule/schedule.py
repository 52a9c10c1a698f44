"""The schedule of a program: its kernels, the bodies of its loops, and where every array lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.shapes import ArrayType
from minicolumn.lower.llvm.codegen.kernels import Kernels
from minicolumn.lower.llvm.codegen.products import product_of
from minicolumn.lower.llvm.codegen.scalar import is_native
from minicolumn.lower.llvm.matmul import needs_result_buffer, scratch_bytes
from minicolumn.lower.llvm.schedule.lane_axes import lanes_of_body
from minicolumn.lower.llvm.schedule.work import Work, barrier_intervals, work_of
from minicolumn.passes.kernel import Fused, Kernel
from minicolumn.passes.memory import ALIGN, Memory, bytes_of
from minicolumn.passes.pipeline import FUSE, PLACE


@dataclass(frozen=True, eq=False)
class Schedule:
    """A graph made ready: the whole program's, or the body of a loop in it.

    inner   bodies of loops that are made of kernels
    lanes   of loops whose body is run in registers, how many lanes it takes
    """

    graph: Graph
    fused: Fused
    memory: Memory
    inner: Mapping[Kernel, Schedule]
    lanes: Mapping[Kernel, int]
    spaces: Mapping[Kernel, Workspace]
    work: Mapping[Kernel, Work]

    def packed_before(self, place: int) -> list[Kernel]:
        """Return the products whose operands are packed right before the kernel at a place."""
        return [kernel for kernel, at in self.memory.fills.items() if at == place]

    def is_parallel(self, kernel: Kernel) -> bool:
        """Return whether the iterations of a loop are independent of one another and worth sharing out."""
        assert kernel.anchor is not None
        if kernel not in self.inner or kernel.anchor.attrs["carry"]:
            return False
        # Rows that nobody reads have one place for all iterations: several threads would write to it.
        read = {i.attrs["index"] for i in self.fused.items if i.inputs[0] is kernel.anchor}
        return len(read) == len(kernel.anchor.type.items)  # type: ignore[union-attr]

    @property
    def private(self) -> int:
        """Return the bytes of arena that each thread needs for its own iterations."""
        sizes = (v.memory.size if self.is_parallel(k) else v.private for k, v in self.inner.items())
        return max(sizes, default=0)


@dataclass(frozen=True)
class Workspace:
    """The workspace of a kernel: packed operands, then partial results; or a loop's arena and unread results.

    parts   bytes of each
    """

    parts: tuple[int, ...]

    @property
    def size(self) -> int:
        return sum(_aligned(p) for p in self.parts)

    def offset(self, number: int) -> int:
        return sum(_aligned(p) for p in self.parts[:number])


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def prepare(
    graph: Graph, kernels: Kernels, carried: tuple[tuple[Node, int], ...] = (), one_thread: bool = False
) -> Schedule:
    """Fuse a graph and the bodies of its loops, and place their arrays; `one_thread` shares nothing out."""
    fused = FUSE(graph, is_native)
    work = {kernel: work_of(fused, kernel, kernels.machine) for kernel in fused.kernels}
    inner, lanes, spaces = {}, {}, {}
    for kernel in fused.kernels:
        if kernel.kind == "scan":
            assert kernel.anchor is not None
            batch = lanes_of_body(kernel.anchor.attrs["body"])
            if batch is None:
                inner[kernel] = _body(kernel, kernels, one_thread)
            else:
                lanes[kernel] = batch
            spaces[kernel] = _scan_space(fused, kernel, inner.get(kernel))
        elif kernel.kind == "product":
            spaces[kernel] = _product_space(fused, kernel, kernels)
    sizes = {k: s.size for k, s in spaces.items()}
    filled = {kernel: w.packed for kernel, w in work.items() if w.packing}
    intervals = None if one_thread else lambda order, needs: barrier_intervals(order, needs, work)
    memory = PLACE(fused, sizes, carried, filled, intervals)
    return Schedule(graph, fused, memory, inner, lanes, spaces, work)


def _body(kernel: Kernel, kernels: Kernels, one_thread: bool) -> Schedule:
    assert kernel.anchor is not None
    attrs = kernel.anchor.attrs
    body, consts = attrs["body"], attrs["consts"]
    carried = tuple((body.inputs[consts + k], k) for k in range(attrs["carry"]))
    return prepare(body, kernels, carried, one_thread or not carried)


def _scan_space(fused: Fused, kernel: Kernel, schedule: Schedule | None) -> Workspace:
    node = kernel.anchor
    assert node is not None
    read = {i.attrs["index"] for i in fused.items if i.inputs[0] is node}
    results = node.type.items  # type: ignore[union-attr]
    carry = node.attrs["carry"]
    unread = (0 if k in read else bytes_of(t if k < carry else row_of(t)) for k, t in enumerate(results))
    return Workspace((schedule.memory.size if schedule else 0, *unread))


def row_of(type: ArrayType) -> ArrayType:
    """Return the type of one row."""
    return type.with_shape(type.shape[1:])


def _product_space(fused: Fused, kernel: Kernel, kernels: Kernels) -> Workspace:
    spec, _, _ = product_of(kernel, fused)
    assert kernel.anchor is not None
    stored = any(s.target is kernel.anchor for s in kernel.stores)
    partial = needs_result_buffer(spec, kernels.machine) and not stored
    return Workspace(
        (scratch_bytes(spec, kernels.machine), bytes_of(kernel.anchor.array_type) if partial else 0)
    )
