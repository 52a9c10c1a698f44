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
    full = kind.vectors - bool(kind.tail)
    if product.b.cols_stride == 1:
        _copy_rows(fn, product, t, kind, b, to)
        return
    width, element = kind.vectors * t.lanes, product.memory
    with fn.loop(0, full) as loop:
        at = times(fn, loop.counter, t.lanes)
        source = fn.at(b, times(fn, at, product.b.cols_stride), element)
        _turn_columns(fn, product, t, t.lanes, source, fn.at(to, at, element), width)
    if kind.tail:
        source = fn.at(b, full * t.lanes * product.b.cols_stride, element)
        _turn_columns(fn, product, t, kind.tail, source, fn.at(to, full * t.lanes, element), width)


def _copy_rows(fn: Function, product: Product, t: Tiling, kind: Kind, b: Value, to: Value) -> None:
    """Copy rows of a panel, the last vector filled up with zeros."""
    type, element = vector(product.memory, t.lanes), product.memory
    with fn.loop(0, fn.parameters["count"]) as k:
        row = fn.at(b, times(fn, k.counter, product.b.rows_stride), element)
        place = fn.at(to, times(fn, k.counter, kind.vectors * t.lanes), element)
        for v in range(kind.vectors):
            lanes = kind.tail if kind.tail and v == kind.vectors - 1 else t.lanes
            value = load_lanes(fn, type, fn.at(row, v * t.lanes, element), lanes)
            fn.store(value, fn.at(place, v * t.lanes, element))


def _turn_columns(
    fn: Function, product: Product, t: Tiling, valid: int, b: Value, to: Value, width: int
) -> None:
    """Pack one vector of columns, of which `valid` exist, that do not lie side by side."""
    element, count = product.memory, fn.parameters["count"]
    type, done = vector(element, t.lanes), index(0)
    if product.b.rows_stride == 1:
        done = minus(fn, count, fn.op("urem", count, index(t.lanes)))
        with fn.loop(0, done, t.lanes) as k:
            _turn_square(fn, product, t, valid, fn.at(b, k.counter, element), to, k.counter, width)
    with fn.loop(done, count) as k:
        row = fn.at(b, times(fn, k.counter, product.b.rows_stride), element)
        ends = [fn.at(row, j * product.b.cols_stride, element) for j in range(valid)]
        fn.store(gather(fn, type, ends), fn.at(to, times(fn, k.counter, width), element))


def _turn_square(
    fn: Function, product: Product, t: Tiling, valid: int, b: Value, to: Value, k: Value, width: int
) -> None:
    element, type = product.memory, vector(product.memory, t.lanes)
    columns = [fn.load(type, fn.at(b, j * product.b.cols_stride, element)) for j in range(valid)]
    zeros = Value("zeroinitializer", type)
    rows = transpose(fn, [*columns, *[zeros] * (t.lanes - valid)])
    place = fn.at(to, times(fn, k, width), element)
    for i, row in enumerate(rows):
        fn.store(row, fn.at(place, i * width, element))


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
    done = index(0)
    if product.a.cols_stride == 1 and t.lanes > 1:
        count = fn.parameters["count"]
        done = minus(fn, count, fn.op("urem", count, index(t.lanes)))
        with fn.loop(0, done, t.lanes) as k:
            _turn_rows(fn, product, t, rows, k.counter)
    with fn.loop(done, fn.parameters["count"]) as k:
        _copy_strip(fn, product, t, rows, k.counter)
    return fn.finish()


def _turn_rows(fn: Function, product: Product, t: Tiling, rows: int, k: Value) -> None:
    element, type = product.memory, vector(product.memory, t.lanes)
    source = fn.at(fn.parameters["a"], k, element)
    to = fn.at(fn.parameters["to"], times(fn, k, rows), element)
    for first in range(0, rows, t.lanes):
        valid = min(t.lanes, rows - first)
        ends = [fn.at(source, (first + i) * product.a.rows_stride, element) for i in range(valid)]
        zeros = [Value("zeroinitializer", type)] * (t.lanes - valid)
        turned = transpose(fn, [*(fn.load(type, end) for end in ends), *zeros])
        for i, value in enumerate(turned):
            store_lanes(fn, value, fn.at(to, i * rows + first, element), valid)


def _copy_strip(fn: Function, product: Product, t: Tiling, rows: int, k: Value) -> None:
    element, stride = product.memory, product.a.rows_stride
    source = fn.at(fn.parameters["a"], times(fn, k, product.a.cols_stride), element)
    to = fn.at(fn.parameters["to"], times(fn, k, rows), element)
    for at, width in binary_pieces(rows, t.lanes if stride == 1 else 1):
        value = fn.load(vector(element, width), fn.at(source, at * stride, element))
        fn.store(value, fn.at(to, at, element))
