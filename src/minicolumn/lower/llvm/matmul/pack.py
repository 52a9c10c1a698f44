"""Packing: a into strips of rows, b into panels of columns, both read in order by the product."""

from __future__ import annotations

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, index, vector
from minicolumn.lower.llvm.codegen.partition import share, share_rows
from minicolumn.lower.llvm.matmul.lanes import (
    binary_pieces,
    gather,
    least,
    load_lanes,
    minus,
    most,
    plus,
    store_lanes,
    times,
    transpose,
    walk,
)
from minicolumn.lower.llvm.matmul.shapes import (
    Product,
    Run,
    Tiling,
    oriented,
    packed_a_bytes,
    packed_operands,
    packs_by_rows,
    runs_of_panels,
    runs_of_strips,
    tiling,
)
from minicolumn.lower.llvm.schedule.machine import Machine

COLUMNS = [("b", "ptr"), ("to", "ptr"), ("p0", "i64"), ("p1", "i64"), ("k0", "i64"), ("count", "i64")]
INTERNAL = "internal noinline nounwind"


def emit_pack(module: Module, name: str, product: Product, machine: Machine) -> bool:
    """Define `void @name(ptr a, ptr b, ptr scratch, i64 part, i64 parts)`, if packing pays: then True."""
    if not any(packed_operands(product, machine)):
        return False
    by_rows = packs_by_rows(product, machine)
    product, turned = oriented(product)
    t = tiling(product, machine)
    arguments = [*factors(turned), ("scratch", "ptr"), ("part", "i64"), ("parts", "i64")]
    fn = Function(module, name, arguments, attributes="nounwind")
    if t.pack_a:
        _share_of_strips(fn, product, t)
    if t.pack_b == "before":
        (_share_of_rows if by_rows else _share_of_panels)(fn, product, t)
    fn.finish()
    return True


def factors(turned: bool) -> list[tuple[str, str]]:
    """Return the names of the first two arguments: a turned product's first factor is called second."""
    return [("b", "ptr"), ("a", "ptr")] if turned else [("a", "ptr"), ("b", "ptr")]


def piece_start(fn: Function, piece: Value, run: Run, size: int, total: int) -> Value:
    """Return the row or column at which a strip or panel of a run begins: none reaches past the end."""
    start = times(fn, piece, size)
    moved = (run.last - 1) * size + run.size > total
    return least(fn, start, total - run.size) if moved else start


# b ------------------------------------------------------------------------------------------------------


def _share_of_panels(fn: Function, product: Product, t: Tiling) -> None:
    p = fn.parameters
    columns = emit_columns(fn.module, f"{fn.name}.columns", product, t)
    p0, p1 = share(fn, t.panels, p["part"], p["parts"])
    to = fn.at(p["scratch"], packed_a_bytes(product, t), "i8")
    to = fn.at(to, times(fn, p0, t.columns * product.k), product.memory)
    fn.call(columns, "void", p["b"], to, p0, p1, index(0), index(product.k))


def _share_of_rows(fn: Function, product: Product, t: Tiling) -> None:
    """Pack a part's rows of b: what lies there may just have been computed by the same thread."""
    p, element = fn.parameters, product.memory
    start, stop = share_rows(fn, product.k, p["part"], p["parts"])
    count, b = minus(fn, stop, start), fn.at(p["b"], times(fn, start, product.b.rows_stride), element)
    to = fn.at(p["scratch"], packed_a_bytes(product, t), "i8")
    # A row after the other, each into all panels: rows may lie far apart.
    runs, step = runs_of_panels(product, t), index(product.b.rows_stride * product.element_bytes)
    widths = [_padded(run.size, t.lanes) for run in runs]
    places = [
        (fn.at(to, times(fn, start, width), element), index(width * product.element_bytes))
        for width in widths
    ]
    with walk(fn, 0, count, 1, (b, step), *places) as loop:
        row, *in_runs = loop.carried
        for run, place in zip(runs, in_runs, strict=True):
            with fn.loop(run.first, run.last) as panel:
                column = piece_start(fn, panel.counter, run, t.columns, product.n)
                target = fn.at(place, times(fn, panel.counter, t.columns * product.k), element)
                _copy_row(fn, product, t, run.size, fn.at(row, column, element), target)


def emit_columns(module: Module, name: str, product: Product, t: Tiling) -> str:
    """Define the packing of panels [p0, p1) of b, steps [k0, k0 + count), one panel after the other."""
    fn = Function(module, name, COLUMNS, attributes=INTERNAL)
    p = fn.parameters
    b = fn.at(p["b"], times(fn, p["k0"], product.b.rows_stride), product.memory)
    for run in runs_of_panels(product, t):
        with fn.loop(most(fn, p["p0"], run.first), least(fn, p["p1"], run.last)) as loop:
            offset = fn.op("mul", times(fn, minus(fn, loop.counter, p["p0"]), t.columns), p["count"])
            column = piece_start(fn, loop.counter, run, t.columns, product.n)
            source = fn.at(b, times(fn, column, product.b.cols_stride), product.memory)
            _panel(fn, product, t, run.size, source, fn.at(p["to"], offset, product.memory))
    return fn.module.share(fn)


def _panel(fn: Function, product: Product, t: Tiling, columns: int, b: Value, to: Value) -> None:
    """Pack a panel of so many columns; vectors are filled up with zeros."""
    if product.b.cols_stride == 1:
        _copy_rows(fn, product, t, columns, b, to)
        return
    full, rest, nbytes = columns // t.lanes, columns % t.lanes, product.element_bytes
    next_vector = (index(t.lanes * product.b.cols_stride * nbytes), index(t.lanes * nbytes))
    if full:
        transpose = _emit_transpose_step(fn, product, t, columns, t.lanes)
        with walk(fn, 0, full, 1, (b, next_vector[0]), (to, next_vector[1])) as loop:
            fn.call(transpose, "void", *loop.carried, fn.parameters["count"])
    if rest:
        ends = [fn.at(p, times(fn, by, full), "i8") for p, by in zip((b, to), next_vector, strict=True)]
        fn.call(_emit_transpose_step(fn, product, t, columns, rest), "void", *ends, fn.parameters["count"])


def _padded(columns: int, lanes: int) -> int:
    return -(-columns // lanes) * lanes


def _copy_rows(fn: Function, product: Product, t: Tiling, columns: int, b: Value, to: Value) -> None:
    nbytes = product.element_bytes
    next_row = index(product.b.rows_stride * nbytes)
    next_place = index(_padded(columns, t.lanes) * nbytes)
    with walk(fn, 0, fn.parameters["count"], 1, (b, next_row), (to, next_place)) as loop:
        _copy_row(fn, product, t, columns, *loop.carried)


def _copy_row(fn: Function, product: Product, t: Tiling, columns: int, row: Value, place: Value) -> None:
    type, element = vector(product.memory, t.lanes), product.memory
    for at in range(0, columns, t.lanes):
        value = load_lanes(fn, type, fn.at(row, at, element), min(t.lanes, columns - at))
        fn.store(value, fn.at(place, at, element))


def _emit_transpose_step(caller: Function, product: Product, t: Tiling, columns: int, valid: int) -> str:
    """Define the packing of one vector of columns, of which `valid` exist, that do not lie side by side."""
    name, width = f"{caller.name}.turn{columns}.{valid}", _padded(columns, t.lanes)
    arguments = [("b", "ptr"), ("to", "ptr"), ("count", "i64")]
    fn = Function(caller.module, name, arguments, attributes=INTERNAL)
    (b, to, count), nbytes, done = fn.parameters.values(), product.element_bytes, index(0)
    if product.b.rows_stride == 1 and t.lanes > 1:
        done = minus(fn, count, fn.op("urem", count, index(t.lanes)))
        by = index(t.lanes * nbytes), index(t.lanes * width * nbytes)
        with walk(fn, 0, done, t.lanes, (b, by[0]), (to, by[1])) as loop:
            _turn_square(fn, product, t, width, valid, *loop.carried)
        b, to = loop.results
    by = index(product.b.rows_stride * nbytes), index(width * nbytes)
    with walk(fn, done, count, 1, (b, by[0]), (to, by[1])) as loop:
        ends = [fn.at(loop.carried[0], j * product.b.cols_stride, product.memory) for j in range(valid)]
        fn.store(gather(fn, vector(product.memory, t.lanes), ends), loop.carried[1])
    return fn.module.share(fn)


def _turn_square(
    fn: Function, product: Product, t: Tiling, width: int, valid: int, b: Value, to: Value
) -> None:
    element, type = product.memory, vector(product.memory, t.lanes)
    columns = [fn.load(type, fn.at(b, j * product.b.cols_stride, element)) for j in range(valid)]
    zeros = Value("zeroinitializer", type)
    for i, row in enumerate(transpose(fn, [*columns, *[zeros] * (t.lanes - valid)])):
        fn.store(row, fn.at(to, i * width, element))


# a ------------------------------------------------------------------------------------------------------


def _share_of_strips(fn: Function, product: Product, t: Tiling) -> None:
    p, element = fn.parameters, product.memory
    s0, s1 = share(fn, t.strips, p["part"], p["parts"])
    for run in runs_of_strips(product, t):
        strip = _emit_strip(fn.module, f"{fn.name}.strip{run.size}", product, t, run.size)
        with (
            fn.loop(0, product.k, t.k_block) as k,
            fn.loop(most(fn, s0, run.first), least(fn, s1, run.last)) as s,
        ):
            count = least(fn, minus(fn, index(product.k), k.counter), t.k_block)
            row = piece_start(fn, s.counter, run, t.rows, product.m)
            row_start, step = (
                times(fn, row, product.a.rows_stride),
                times(fn, k.counter, product.a.cols_stride),
            )
            source = fn.at(p["a"], plus(fn, row_start, step), element)
            to = fn.at(p["scratch"], packed_strip(fn, t, k.counter, s.counter, count), element)
            fn.call(strip, "void", source, to, count)


def packed_strip(fn: Function, t: Tiling, k0: Value, strip: Value, count: Value) -> Value:
    """Return where a strip lies: by blocks of k, then strips, then steps."""
    return plus(fn, times(fn, k0, t.strips * t.rows), times(fn, fn.op("mul", strip, count), t.rows))


def _emit_strip(module: Module, name: str, product: Product, t: Tiling, rows: int) -> str:
    """Define the packing of one strip: its rows side by side, k after k."""
    arguments = [("a", "ptr"), ("to", "ptr"), ("count", "i64")]
    fn = Function(module, name, arguments, attributes=INTERNAL)
    (a, to, count), nbytes, done = fn.parameters.values(), product.element_bytes, index(0)
    if product.a.cols_stride == 1 and t.lanes > 1:
        done = minus(fn, count, fn.op("urem", count, index(t.lanes)))
        by = index(t.lanes * nbytes), index(t.lanes * rows * nbytes)
        with walk(fn, 0, done, t.lanes, (a, by[0]), (to, by[1])) as loop:
            _turn_rows(fn, product, t, rows, *loop.carried)
        a, to = loop.results
    by = index(product.a.cols_stride * nbytes), index(rows * nbytes)
    with walk(fn, done, count, 1, (a, by[0]), (to, by[1])) as loop:
        _copy_strip(fn, product, t, rows, *loop.carried)
    return fn.module.share(fn)


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
