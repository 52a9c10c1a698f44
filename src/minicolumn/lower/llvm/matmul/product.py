"""The loops around the register tile: parts, rectangles, blocks of k, panels, strips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minicolumn.lower.llvm.emit import Function, Module, Value, const, index
from minicolumn.lower.llvm.machine import Machine
from minicolumn.lower.llvm.matmul.dots import dots
from minicolumn.lower.llvm.matmul.lanes import least, minus, most, plus, share, times
from minicolumn.lower.llvm.matmul.micro import (
    Arithmetic,
    Factors,
    Tile,
    accumulate,
    load_tile,
    store_tile,
    vector_type,
)
from minicolumn.lower.llvm.matmul.pack import emit_columns, factors, packed_row, split_start, strip_sizes
from minicolumn.lower.llvm.matmul.shapes import Kind, Product, kinds, oriented, packed_a_bytes, tiling

REST = [("c", "ptr"), ("scratch", "ptr"), ("context", "ptr"), ("part", "i64"), ("parts", "i64")]


def emit_product(
    module: Module, name: str, product: Product, machine: Machine, epilogue: str | None = None
) -> None:
    """Define `void @name(ptr a, ptr b, ptr c, ptr scratch, ptr context, i64 part, i64 parts)`."""
    product, turned = oriented(product)
    fn = Function(module, name, [*factors(turned), *REST], attributes="nounwind")
    if not product.empty:
        loops = _Loops(fn, product, turned, machine, epilogue)
        loops.packing() if loops.t.pack_b == "inside" else loops.sharing()
    fn.finish()


class _Loops:
    """What the loops of one product have in common."""

    def __init__(
        self, fn: Function, product: Product, turned: bool, machine: Machine, epilogue: str | None
    ) -> None:
        self.fn, self.product, self.turned, self.epilogue = fn, product, turned, epilogue
        self.t = t = tiling(product, machine)
        self.maths = Arithmetic(product, machine)
        self.blocked = t.k_blocks(product.k) > 1
        self.ld, self.buffer = product.n, None
        if epilogue and not self.blocked:
            self.ld = 1 if t.along_k else t.col_block * t.panels.size * t.lanes
            self.buffer = fn.alloca(product.memory, t.row_block * t.strips.size * self.ld)

    def _argument(self, name: str, offset: Value | int = 0) -> Value:
        return self.fn.at(self.fn.parameters[name], offset, self.product.memory)

    # Parts ------------------------------------------------------------------------------------------------

    def sharing(self) -> None:
        """Go through a part's rectangles, row by row."""
        fn, t = self.fn, self.t
        first, last = self._share(t.row_blocks * t.col_blocks)
        with fn.loop(first, last) as loop:
            row, col = self._place(loop.counter)
            with self._blocks_of_k() as k0:
                self._rectangle(row, self._panels(col), k0)

    @contextmanager
    def _blocks_of_k(self) -> Iterator[Value]:
        if not self.blocked:
            yield index(0)
            return
        with self.fn.loop(0, self.product.k, self.t.k_block) as k:
            yield k.counter

    def _place(self, number: Value) -> tuple[Value, Value]:
        """Return the row block and the column block of a rectangle."""
        fn, cols = self.fn, self.t.col_blocks
        if cols == 1:
            return number, index(0)
        if self.t.row_blocks == 1:
            return index(0), number
        return fn.op("udiv", number, index(cols)), fn.op("urem", number, index(cols))

    def packing(self) -> None:
        """Go through a part's blocks of columns; pack each, block by block over k, for all rows."""
        fn, t, p = self.fn, self.t, self.fn.parameters
        columns = emit_columns(fn.module, f"{fn.name}.columns", self.product, t)
        first, last = self._share(t.panels.count)
        with fn.loop(first, last, t.col_block) as p0, self._blocks_of_k() as k0:
            panels = (p0.counter, least(fn, plus(fn, p0.counter, t.col_block), last))
            to = self._packed_b(split_start(fn, t.panels, panels[0]))
            fn.call(columns, "void", p["b"], to, *panels, k0, self._count(k0))
            with fn.loop(0, t.row_blocks) as row:
                self._rectangle(row.counter, panels, k0)

    def _share(self, total: int) -> tuple[Value, Value]:
        p = self.fn.parameters
        return share(self.fn, index(total), p["part"], p["parts"])

    # Rectangles -------------------------------------------------------------------------------------------

    def _rectangle(self, row: Value, panels: tuple[Value, Value], k0: Value) -> None:
        """Compute a rectangle over the block of k that begins at k0; give it away when it is done."""
        fn, t = self.fn, self.t
        s0 = times(fn, row, t.row_block)
        s1 = index(t.strips.count)
        if t.row_blocks > 1:
            s1 = least(fn, plus(fn, s0, t.row_block), t.strips.count)
        p0, p1 = panels
        corner = (split_start(fn, t.strips, s0), times(fn, split_start(fn, t.panels, p0), t.lanes))
        memory = self.buffer or self._argument("c", plus(fn, times(fn, corner[0], self.ld), corner[1]))
        for kind in kinds(self.product, t):
            self._panels_of_kind(kind, (p0, p1), (s0, s1), corner, memory, k0)
        if self.epilogue:
            rows = (corner[0], split_start(fn, t.strips, s1))
            end = least(fn, times(fn, split_start(fn, t.panels, p1), t.lanes), self.product.n)
            self._give_away(rows, (corner[1], end), memory, k0)

    def _panels(self, col: Value) -> tuple[Value, Value]:
        fn, t = self.fn, self.t
        if t.col_blocks == 1:
            return index(0), index(t.panels.count)
        p0 = times(fn, col, t.col_block)
        return p0, least(fn, plus(fn, p0, t.col_block), t.panels.count)

    def _panels_of_kind(
        self,
        kind: Kind,
        panels: tuple[Value, Value],
        strips: tuple[Value, Value],
        corner: tuple[Value, Value],
        memory: Value,
        k0: Value,
    ) -> None:
        fn, t, element = self.fn, self.t, self.product.memory
        with fn.loop(most(fn, panels[0], kind.first), least(fn, panels[1], kind.last)) as p:
            col = times(fn, split_start(fn, t.panels, p.counter), t.lanes)
            b = self._panel_of_b(col, corner[1], k0)
            place = fn.at(memory, minus(fn, col, corner[1]), element)
            for size, first, last in strip_sizes(fn, t.strips, *strips):
                tile = self._emit_tile(Tile(size, kind.vectors, kind.tail, vector_type(self.product, t)))
                with fn.loop(first, last) as s:
                    row = split_start(fn, t.strips, s.counter, size)
                    c = fn.at(place, times(fn, minus(fn, row, corner[0]), self.ld), element)
                    self._call_tile(tile, self._strip_of_a(row, k0), b, c, k0)

    def _panel_of_b(self, col: Value, first: Value, k0: Value) -> Value:
        """Return where the panel that begins at a column lies, at the first step of the block of k."""
        fn, product = self.fn, self.product
        if self.t.pack_b == "no":
            return self._argument("b", plus(fn, times(fn, k0, product.b.rows_stride), col))
        if self.t.pack_b == "before":
            base = fn.at(fn.parameters["scratch"], packed_a_bytes(product, self.t), "i8")
            return fn.at(base, times(fn, col, product.k), product.memory)
        base = self._packed_b(fn.op("udiv", first, index(self.t.lanes)))
        return fn.at(base, fn.op("mul", minus(fn, col, first), self._count(k0)), product.memory)

    def _packed_b(self, v0: Value) -> Value:
        """Return where a block of columns, beginning at a vector, is packed inside the product."""
        fn, product = self.fn, self.product
        base = fn.at(fn.parameters["scratch"], packed_a_bytes(product, self.t), "i8")
        steps = min(self.t.k_block, product.k)
        return fn.at(base, times(fn, v0, self.t.lanes * steps), product.memory)

    def _strip_of_a(self, row: Value, k0: Value) -> Value:
        """Return where the strip that begins at a row lies, at the first step of the block of k."""
        fn, a = self.fn, self.product.a
        if self.t.pack_a:
            return self._argument("scratch", packed_row(fn, self.product, k0, row, self._count(k0)))
        return self._argument("a", plus(fn, times(fn, row, a.rows_stride), times(fn, k0, a.cols_stride)))

    def _count(self, k0: Value) -> Value:
        """Return how many steps the block of k has that begins at k0."""
        if not self.blocked:
            return index(self.product.k)
        return least(self.fn, minus(self.fn, index(self.product.k), k0), self.t.k_block)

    def _give_away(
        self, rows: tuple[Value, Value], cols: tuple[Value, Value], memory: Value, k0: Value
    ) -> None:
        assert self.epilogue
        fn = self.fn
        # A turned result is one line, so its elements follow each other whatever its leading dimension.
        sides, ld = ((cols, rows), 1) if self.turned else ((rows, cols), self.ld)
        arguments = (fn.parameters["context"], *sides[0], *sides[1], memory, index(ld))
        if not self.blocked:
            fn.call(self.epilogue, "void", *arguments)
            return
        after = plus(fn, k0, self.t.k_block)
        with fn.when(fn.compare("sge", after, index(self.product.k))):
            fn.call(self.epilogue, "void", *arguments)

    # Tiles ------------------------------------------------------------------------------------------------

    def _call_tile(self, tile: str, a: Value, b: Value, c: Value, k0: Value) -> None:
        self.fn.call(tile, "void", a, b, c, *([k0, self._count(k0)] if self.blocked else []))

    def _emit_tile(self, tile: Tile) -> str:
        """Define a register tile, as a function: its few loops stay simple, and LLVM is quick with them."""
        arguments = [("a", "ptr"), ("b", "ptr"), ("c", "ptr")]
        arguments += [("k0", "i64"), ("count", "i64")] if self.blocked else []
        name = f"{self.fn.name}.tile{tile.rows}x{tile.vectors}{'t' if tile.tail else ''}"
        fn = Function(self.fn.module, name, arguments, attributes="internal noinline nounwind")
        count = fn.parameters["count"] if self.blocked else index(self.product.k)
        if self.t.along_k:
            self._dots(fn, tile)
            return fn.finish()
        begin = self._begin(fn, tile)
        sums = accumulate(fn, self.maths, tile, self.t, self._factors(fn, tile), count, begin)
        store_tile(fn, tile, sums, fn.parameters["c"], self.ld, self.product.memory)
        return fn.finish()

    def _dots(self, fn: Function, tile: Tile) -> None:
        x = self._factors(fn, tile)
        for r, value in enumerate(dots(fn, self.maths, tile, self.t.chains, x, self.product.k)):
            fn.store(value, fn.at(fn.parameters["c"], r * self.ld, self.product.memory))

    def _factors(self, fn: Function, tile: Tile) -> Factors:
        a, b, product = fn.parameters["a"], fn.parameters["b"], self.product
        packed = self.t.pack_b != "no"
        b_step = tile.vectors * self.t.lanes if packed else product.b.rows_stride
        strides = (1, tile.rows) if self.t.pack_a else (product.a.rows_stride, product.a.cols_stride)
        return Factors(a, *strides, b, b_step, packed)

    def _begin(self, fn: Function, tile: Tile) -> list[Value]:
        """Return zeros, or what earlier blocks of k have left."""
        zeros = [const(tile.type, 0)] * len(tile.places)
        if not self.blocked:
            return zeros
        with fn.loop(0, least(fn, fn.parameters["k0"], 1), carried=zeros) as loop:
            loop.next(*load_tile(fn, tile, fn.parameters["c"], self.ld, self.product.memory))
        return loop.results
