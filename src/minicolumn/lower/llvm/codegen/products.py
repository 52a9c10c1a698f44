"""From a product kernel to the functions that compute it: pack, multiply, and the maps that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minicolumn.ir.graph import Node
from minicolumn.ir.shapes import Dim
from minicolumn.lower.llvm.codegen import partition
from minicolumn.lower.llvm.codegen.elements import memory_type
from minicolumn.lower.llvm.codegen.emit import Function, Value, index, llvm_type, vector
from minicolumn.lower.llvm.codegen.kernels import KernelContext, Kernels, dims_of, operands
from minicolumn.lower.llvm.codegen.loop_nest import run_stores
from minicolumn.lower.llvm.matmul import (
    Operand,
    Product,
    emit_pack,
    emit_product,
    needs_result_buffer,
)
from minicolumn.lower.llvm.schedule.loops import separate
from minicolumn.passes.fuse import matrix_view
from minicolumn.passes.index_map import strides_of
from minicolumn.passes.kernel import Fused, Kernel

# What the maps after a product are called with: their arrays, a rectangle of the result, and where it lies.
EPILOGUE = (
    ("context", "ptr"),
    ("row_start", "i64"),
    ("row_stop", "i64"),
    ("col_start", "i64"),
    ("col_stop", "i64"),
    ("tile", "ptr"),
    ("ld", "i64"),
)


@dataclass(frozen=True, eq=False)
class Factor:
    """One operand of a product: the array, and how far apart its elements lie along the operand's axes."""

    array: Node
    offset: int
    strides: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ProductCode:
    """The functions of a product and what they are called with.

    pack        None where the operands are used as they lie
    follow      arrays that the maps after the product are given, by way of a table
    result      whether the plain product has to be stored, for itself or because it comes together in parts
    """

    spec: Product
    left: Factor
    right: Factor
    pack: str | None
    multiply: str
    follow: tuple[Node, ...]
    lengths: tuple[Dim, ...]
    batch: tuple[int, ...]
    has_epilogue: bool
    needs_buffer: bool
    stored: bool


def factor(operand: Node, fused: Fused) -> Factor:
    """Return where the elements of an operand lie."""
    found = matrix_view(operand, fused.arrays)
    assert found is not None, "the operand of a product has to be a view of an array"
    array, address = found
    return Factor(
        array, address.const, tuple(address.coefficient(d) for d in range(len(operand.array_type.shape)))
    )


def product_of(kernel: Kernel, fused: Fused) -> tuple[Product, Factor, Factor]:
    """Return what is to be multiplied."""
    node = kernel.anchor
    assert node is not None
    left, right = (factor(o, fused) for o in node.inputs)
    m, k = node.inputs[0].array_type.shape[-2:]
    n = node.inputs[1].array_type.shape[-1]
    a, b = Operand(*left.strides[-2:]), Operand(*right.strides[-2:])
    return Product(m, n, k, llvm_type(node.array_type.dtype), a, b), left, right


def emit_product_kernel(kernels: Kernels, fused: Fused, kernel: Kernel) -> ProductCode:
    """Write the functions of a product."""
    node = kernel.anchor
    assert node is not None
    spec, left, right = product_of(kernel, fused)
    following = [s for s in kernel.stores if s.target is not node]
    stored = len(following) < len(kernel.stores)
    epilogue, follow, lengths = None, (), ()
    if following:
        epilogue, follow, lengths = _emit_epilogue(kernels, fused, kernel, stored)
    machine = kernels.machine
    pack = kernels.once(("pack", spec), lambda name: emit_pack(kernels.module, name, spec, machine))
    multiply = kernels.once(
        ("product", spec, epilogue),
        lambda name: emit_product(kernels.module, name, spec, machine, epilogue) or True,
    )
    assert multiply is not None
    partial = needs_result_buffer(spec, machine)
    batch = node.array_type.shape[:-2]
    return ProductCode(
        spec,
        left,
        right,
        pack,
        multiply,
        follow,
        lengths,
        batch,
        epilogue is not None,
        partial,
        stored,
    )


def product_worth_sharing(node: Node) -> bool:
    """Return whether a product takes so long that several threads are faster."""
    return node.array_type.size * max(node.inputs[0].array_type.shape[-1], 1) >= partition.MULTIPLICATIONS


def is_by_rows(operand: Factor, rows: int) -> bool:
    """Return whether the rows of a matrix are the rows of the array that it lies in."""
    shape = operand.array.array_type.shape
    if not rows or len(operand.strides) != 2 or shape[:1] != (rows,):
        return False
    return operand.offset == 0 and operand.strides[0] == strides_of(shape)[0] > 0


def _emit_epilogue(
    kernels: Kernels, fused: Fused, kernel: Kernel, stored: bool
) -> tuple[str, tuple[Node, ...], tuple[Dim, ...]]:
    """Write what follows on a rectangle of the result; the result itself comes in registers' reach."""
    node = kernel.anchor
    assert node is not None
    arrays = epilogue_arrays(fused, kernel)
    lengths = dims_of(arrays)
    f = Function(kernels.module, kernels.fresh(), EPILOGUE, "void", "internal nounwind noinline")
    table = f.parameters["context"]
    slots = [f.load("ptr", f.at(table, k, "ptr")) for k in range(len(arrays) + 1)]
    sizes = [f.load("i64", f.at(table, len(arrays) + 1 + k, "ptr")) for k in range(len(lengths))]
    frame = KernelContext(
        f,
        fused,
        kernel,
        dict(zip(arrays, slots, strict=False)),
        dict(zip(lengths, sizes, strict=True)),
        slots[-1],
        kernels.machine,
    )
    _rectangle(frame, node)
    return kernels.module.share(f), arrays, lengths


def epilogue_arrays(fused: Fused, kernel: Kernel) -> tuple[Node, ...]:
    """Return the arrays that the maps after a product touch; not the operands of the product itself."""
    node, targets = kernel.anchor, kernel.targets
    after = Kernel("loop", kernel.shape, None, [s for s in kernel.stores if s.value is not node])
    arrays = dict.fromkeys((*operands(fused, after), *targets))
    return tuple(a for a in arrays if a is not node or a in targets)


def _rectangle(frame: KernelContext, node: Node) -> None:
    f, kernel, p = frame.f, frame.kernel, frame.f.parameters
    loops = separate(kernel.shape)
    lanes = frame.lanes_of_rows(loops)
    e = frame.elements(frame.addresses(kernel.shape), loops, lanes)
    element = memory_type(node)

    def result() -> Value:
        """Return the product at the current counters, from the tile it was left in."""
        row = f.op("mul nsw", f.op("sub nsw", e.counters[0], p["row_start"]), p["ld"])
        place = f.op("add nsw", row, f.op("sub nsw", e.counters[1], p["col_start"]))
        pointer = f.at(p["tile"], place, element)
        type = vector(element, lanes)
        loaded = f.load(type, pointer) if e.mask is None else f.load_masked(type, pointer, e.mask)
        return e.bits(node, loaded)

    e.given[node] = result
    exact = False  # rectangles may end anywhere
    rows, columns = (p["row_start"], p["row_stop"]), (p["col_start"], p["col_stop"])
    run_stores(e, kernel.stores, *rows, exact, columns)


def call_pack(
    f: Function, code: ProductCode, where: Mapping[Node, Value], scratch: Value, part: Value, parts: Value
) -> None:
    """Emit the call that packs the operands of a product which is no batch."""
    a, b = (_start(f, x, [], where) for x in (code.left, code.right))
    f.call(str(code.pack), "void", a, b, scratch, part, parts)


def call_product(f: Function, code: ProductCode, where: Mapping[Node, Value], call: ProductCall) -> None:
    """Emit the calls of a product: for each matrix of a batch. Unless it is one, it was packed before."""
    _batches(f, code, 0, [], where, call)


@dataclass(frozen=True, eq=False)
class ProductCall:
    """What a call needs besides the operands: result, workspace, context, this part of how many, barrier.

    barrier lets all parts come to one point before any goes on
    """

    result: Value
    scratch: Value
    context: Value
    part: Value
    parts: Value
    barrier: Callable[[], None]


def _batches(
    f: Function,
    code: ProductCode,
    axis: int,
    at: list[Value],
    where: Mapping[Node, Value],
    call: ProductCall,
) -> None:
    if axis < len(code.batch):
        with f.loop(0, code.batch[axis]) as loop:
            _batches(f, code, axis + 1, [*at, loop.counter], where, call)
        return
    a = _start(f, code.left, at, where)
    b = _start(f, code.right, at, where)
    if code.pack is not None and at:
        call.barrier()  # the packed operands of the matrix before may still be read
        f.call(code.pack, "void", a, b, call.scratch, call.part, call.parts)
        call.barrier()
    c = call.result
    if at:
        size = code.spec.m * code.spec.n
        steps = strides_of((*code.batch, size))[:-1]
        c = f.at(c, _sum(f, at, steps), code.spec.memory)
    f.call(code.multiply, "void", a, b, c, call.scratch, call.context, call.part, call.parts)


def _start(f: Function, factor: Factor, at: list[Value], where: Mapping[Node, Value]) -> Value:
    """Return where an operand's matrix begins for the current matrix of the batch."""
    own = len(factor.strides) - 2
    place = _sum(f, at[len(at) - own :] if own else [], factor.strides[:own], factor.offset)
    return f.at(where[factor.array], place, memory_type(factor.array))


def _sum(f: Function, counters: list[Value], strides: tuple[int, ...], start: int = 0) -> Value:
    total = index(start)
    for counter, stride in zip(counters, strides, strict=True):
        if stride:
            total = f.op("add nsw", total, f.op("mul nsw", counter, index(stride)))
    return total


NULL = Value("null", "ptr")
