"""Packing: a into strips of rows, b into panels of columns, both read in order by the product."""

from __future__ import annotations

from minicolumn.lower.llvm.emit import Function, Module, Value, index, vector
from minicolumn.lower.llvm.machine import Machine
from minicolumn.lower.llvm.matmul.lanes import (
    binary_pieces,
    gather,
    least,
    load_lanes,
    minus,
    most,
    plus,
    share,
    store_lanes,
    times,
    transpose,
    walk,
)
from minicolumn.lower.llvm.matmul.shapes import (
    Kind,
    Product,
    Split,
    Tiling,
    kinds,
    oriented,
    packed_a_bytes,
    tiling,
)

COLUMNS = [("b", "ptr"), ("to", "ptr"), ("p0", "i64"), ("p1", "i64"), ("k0", "i64"), ("count", "i64")]


def emit_pack(module: Module, name: str, product: Product, machine: Machine) -> bool:
    """Define `void @name(ptr a, ptr b, ptr scratch, i64 part, i64 parts)`, if packing pays: then True."""
    if product.empty or not product.k:
        return False
    product, turned = oriented(product)
    t = tiling(product, machine)
    if not t.pack_a and t.pack_b != "before":
        return False
    arguments = [*factors(turned), ("scratch", "ptr"), ("part", "i64"), ("parts", "i64")]
    fn = Function(module, name, arguments, attributes="nounwind")
    if t.pack_a:
        _share_of_strips(fn, product, t)
    if t.pack_b == "before":
        _share_of_panels(fn, product, t)
    fn.finish()
    return True


def factors(turned: bool) -> list[tuple[str, str]]:
    """Return the names of the first two arguments: a turned product's first factor is called second."""
    return [("b", "ptr"), ("a", "ptr")] if turned else [("a", "ptr"), ("b", "ptr")]


def _share_of_panels(fn: Function, product: Product, t: Tiling) -> None:
    p = fn.parameters
    columns = emit_columns(fn.module, f"{fn.name}.columns", product, t)
    p0, p1 = share(fn, index(t.panels.count), p["part"], p["parts"])
    to = fn.at(p["scratch"], packed_a_bytes(product, t), "i8")
    to = fn.at(to, times(fn, split_start(fn, t.panels, p0), t.lanes * product.k), product.memory)
    fn.call(columns, "void", p["b"], to, p0, p1, index(0), index(product.k))


def split_start(fn: Function, split: Split, i: Value, size: int = 0) -> Value:
    """Return where piece i of a split begins; quicker, if the piece's size is known."""
    if split.large == split.count or size == split.size:
        return times(fn, i, split.size)
    if size:
        return plus(fn, times(fn, i, size), split.large)
    return minus(fn, times(fn, i, split.size), most(fn, minus(fn, i, split.large), 0))


# b ------------------------------------------------------------------------------------------------------


def emit_columns(module: Module, name: str, product: Product, t: Tiling) -> str:
    """Define the packing of panels [p0, p1) of b, steps [k0, k0 + count), one panel after the other."""
    fn = Function(module, name, COLUMNS, attributes="internal noinline nounwind")
    p = fn.parameters
    origin = split_start(fn, t.panels, p["p0"])
    for kind in kinds(product, t):
        with fn.loop(most(fn, p["p0"], kind.first), least(fn, p["p1"], kind.last)) as loop:
            v0 = split_start(fn, t.panels, loop.counter)
            offset = times(fn, minus(fn, v0, origin), t.lanes)
            to = fn.at(p["to"], fn.op("mul", offset, p["count"]), product.memory)
            column = times(fn, times(fn, v0, t.lanes), product.b.cols_stride)
            source = plus(fn, column, times(fn, p["k0"], product.b.rows_stride))
            _panel(fn, product, t, kind, fn.at(p["b"], source, product.memory), to)
    return fn.finish()


def _panel(fn: Function, product: Product, t: Tiling, kind: Kind, b: Value, to: Value) -> None:
    if product.b.cols_stride == 1:
        _copy_rows(fn, product, t, kind, b, to)
        return
    full, element = kind.vectors - bool(kind.tail), product.memory
    next_row = index(kind.vectors * t.lanes * product.element_bytes)
    column = index(t.lanes * product.b.cols_stride * product.element_bytes)
    with walk(fn, 0, full, 1, (b, column), (to, index(t.lanes * product.element_bytes))) as loop:
        turn = _emit_turn(fn, product, t, t.lanes)
        fn.call(turn, "void", *loop.carried, next_row, fn.parameters["count"])
    if kind.tail:
        turn = _emit_turn(fn, product, t, kind.tail)
        ends = (fn.at(b, times(fn, column, full), "i8"), fn.at(to, full * t.lanes, element))
        fn.call(turn, "void", *ends, next_row, fn.parameters["count"])


def _copy_rows(fn: Function, product: Product, t: Tiling, kind: Kind, b: Value, to: Value) -> None:
    """Copy rows of a panel, the last vector filled up with zeros."""
    type, element, nbytes = vector(product.memory, t.lanes), product.memory, product.element_bytes
    next_row = index(product.b.rows_stride * nbytes)
    next_place = index(kind.vectors * t.lanes * nbytes)
    with walk(fn, 0, fn.parameters["count"], 1, (b, next_row), (to, next_place)) as loop:
        row, place = loop.carried
        for v in range(kind.vectors):
            lanes = kind.tail if kind.tail and v == kind.vectors - 1 else t.lanes
            value = load_lanes(fn, type, fn.at(row, v * t.lanes, element), lanes)
            fn.store(value, fn.at(place, v * t.lanes, element))


def _emit_turn(caller: Function, product: Product, t: Tiling, valid: int) -> str:
    """Define the packing of one vector of columns, of which `valid` exist, that do not lie side by side."""
    name = f"{caller.name}.turn{valid}"
    if name in caller.module.functions:
        return name
    arguments = [("b", "ptr"), ("to", "ptr"), ("next_row", "i64"), ("count", "i64")]
    fn = Function(caller.module, name, arguments, attributes="internal noinline nounwind")
    (b, to, next_row, count), element = fn.parameters.values(), product.memory
    type, done = vector(element, t.lanes), index(0)
    if product.b.rows_stride == 1:
        done = minus(fn, count, fn.op("urem", count, index(t.lanes)))
        square = (index(t.lanes * product.element_bytes), times(fn, next_row, t.lanes))
        with walk(fn, 0, done, t.lanes, (b, square[0]), (to, square[1])) as loop:
            _turn_square(fn, product, t, valid, *loop.carried)
        b, to = loop.results
    step = index(product.b.rows_stride * product.element_bytes)
    with walk(fn, done, count, 1, (b, step), (to, next_row)) as loop:
        ends = [fn.at(loop.carried[0], j * product.b.cols_stride, element) for j in range(valid)]
        fn.store(gather(fn, type, ends), loop.carried[1])
    return fn.finish()


def _turn_square(fn: Function, product: Product, t: Tiling, valid: int, b: Value, to: Value) -> None:
    element, type = product.memory, vector(product.memory, t.lanes)
    columns = [fn.load(type, fn.at(b, j * product.b.cols_stride, element)) for j in range(valid)]
    zeros = Value("zeroinitializer", type)
    for row in transpose(fn, [*columns, *[zeros] * (t.lanes - valid)]):
        fn.store(row, to)
        to = fn.at(to, fn.parameters["next_row"], "i8")


# a ------------------------------------------------------------------------------------------------------


def _share_of_strips(fn: Function, product: Product, t: Tiling) -> None:
    p, split, element = fn.parameters, t.strips, product.memory
    s0, s1 = share(fn, index(split.count), p["part"], p["parts"])
    for size, lo, hi in strip_sizes(fn, split, s0, s1):
        strip = _emit_strip(fn.module, f"{fn.name}.strip{size}", product, t, size)
        with fn.loop(0, product.k, t.k_block) as k, fn.loop(lo, hi) as s:
            count = least(fn, minus(fn, index(product.k), k.counter), t.k_block)
            row = split_start(fn, split, s.counter, size)
            offset = plus(
                fn, times(fn, row, product.a.rows_stride), times(fn, k.counter, product.a.cols_stride)
            )
            place = packed_row(fn, product, k.counter, row, count)
            source, to = fn.at(p["a"], offset, element), fn.at(p["scratch"], place, element)
            fn.call(strip, "void", source, to, count)


def packed_row(fn: Function, product: Product, k0: Value, row: Value, count: Value) -> Value:
    """Return where the strip that begins at a row lies: by blocks of k, then strips, then steps."""
    return plus(fn, times(fn, k0, product.m), fn.op("mul", row, count))


def strip_sizes(fn: Function, split: Split, s0: Value, s1: Value) -> list[tuple[int, Value, Value]]:
    """Return (rows, first, last) for the two sizes of strips in [s0, s1)."""
    if split.large == split.count:
        return [(split.size, s0, s1)]
    both = [(split.size, s0, least(fn, s1, split.large))]
    return [*both, (split.size - 1, most(fn, s0, split.large), s1)]


def _emit_strip(module: Module, name: str, product: Product, t: Tiling, rows: int) -> str:
    """Define the packing of one strip: its rows side by side, k after k."""
    arguments = [("a", "ptr"), ("to", "ptr"), ("count", "i64")]
    fn = Function(module, name, arguments, attributes="internal noinline nounwind")
    (a, to, count), nbytes, done = fn.parameters.values(), product.element_bytes, index(0)
    if product.a.cols_stride == 1 and t.lanes > 1:
        done = minus(fn, count, fn.op("urem", count, index(t.lanes)))
        strides = (index(t.lanes * nbytes), index(t.lanes * rows * nbytes))
        with walk(fn, 0, done, t.lanes, (a, strides[0]), (to, strides[1])) as loop:
            _turn_rows(fn, product, t, rows, *loop.carried)
        a, to = loop.results
    strides = (index(product.a.cols_stride * nbytes), index(rows * nbytes))
    with walk(fn, done, count, 1, (a, strides[0]), (to, strides[1])) as loop:
        _copy_strip(fn, product, t, rows, *loop.carried)
    return fn.finish()


def _turn_rows(fn: Function, product: Product, t: Tiling, rows: int, a: Value, to: Value) -> None:
    element, type = product.memory, vector(product.memory, t.lanes)
    for first in range(0, rows, t.lanes):
        valid = min(t.lanes, rows - first)
        ends = [fn.at(a, (first + i) * product.a.rows_stride, element) for i in range(valid)]
        zeros = [Value("zeroinitializer", type)] * (t.lanes - valid)
        turned = transpose(fn, [*(fn.load(type, end) for end in ends), *zeros])
        for i, value in enumerate(turned):
            store_lanes(fn, value, fn.at(to, i * rows + first, element), valid)


def _copy_strip(fn: Function, product: Product, t: Tiling, rows: int, a: Value, to: Value) -> None:
    element, stride = product.memory, product.a.rows_stride
    for at, width in binary_pieces(rows, t.lanes if stride == 1 else 1):
        value = fn.load(vector(element, width), fn.at(a, at * stride, element))
        fn.store(value, fn.at(to, at, element))
