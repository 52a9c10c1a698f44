"""The loops around the register tile: parts, rectangles, blocks of k, panels, strips."""

from __future__ import annotations

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const, index, vector
from minicolumn.lower.llvm.codegen.partition import share, share_rows
from minicolumn.lower.llvm.matmul.dots import dots
from minicolumn.lower.llvm.matmul.lanes import least, minus, most, plus, times
from minicolumn.lower.llvm.matmul.micro import (
    Arithmetic,
    Factors,
    Tile,
    accumulate,
    add_to_tile,
    store_tile,
)
from minicolumn.lower.llvm.matmul.pack import emit_columns, factors, packed_strip, piece_start
from minicolumn.lower.llvm.matmul.shapes import (
    Product,
    Run,
    oriented,
    packed_a_bytes,
    runs_of_panels,
    runs_of_strips,
    stretch,
    tiling,
)
from minicolumn.lower.llvm.schedule.machine import Machine

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
        self.t = tiling(product, machine)
        self.maths = Arithmetic(product, machine)
        self.blocked = self.t.blocked(product.k)
        self.strips = runs_of_strips(product, self.t)
        self.panels = runs_of_panels(product, self.t)
        self.start, self.stop = index(0), index(product.m)  # the rows that this part computes
        self.ld, self.buffer = product.n, None
        if epilogue and not self.blocked:
            self._make_buffer()

    def _make_buffer(self) -> None:
        """Make room for a rectangle on the stack: the raw results never leave the caches.

        A tile that is moved back may begin before its rectangle, so there is room before it.
        """
        t = self.t
        spare = (t.panels > 1, t.strips > 1 or t.by_rows)
        self.ld = 1 if t.along_k else (t.col_block + spare[0]) * t.columns
        whole = self.fn.alloca(self.product.memory, (t.row_block + spare[1]) * t.rows * self.ld)
        self.buffer = self.fn.at(
            whole, spare[1] * t.rows * self.ld + spare[0] * t.columns, self.product.memory
        )

    def _argument(self, name: str, offset: Value | int = 0) -> Value:
        return self.fn.at(self.fn.parameters[name], offset, self.product.memory)

    # Parts ------------------------------------------------------------------------------------------------

    def sharing(self) -> None:
        """Go through a part's rectangles, row by row."""
        fn, t = self.fn, self.t
        strips, (first, last) = index(t.strips), (index(0), index(0))
        if t.by_rows:
            p = fn.parameters
            self.start, self.stop = share_rows(fn, self.product.m, p["part"], p["parts"])
            strips = self._pieces(minus(fn, self.stop, self.start), t.rows)
            last = times(fn, self._pieces(strips, t.row_block), t.col_blocks)
        else:
            first, last = self._share(t.row_blocks * t.col_blocks)
        with fn.loop(first, last) as loop:
            row, col = self._place(loop.counter)
            panels = self._block(col, t.col_block, index(t.panels))
            self._rectangle(self._block(row, t.row_block, strips), panels, index(0))

    def _pieces(self, total: Value, size: int) -> Value:
        """Return how many pieces of a size cover a total."""
        return self.fn.op("udiv", plus(self.fn, total, size - 1), index(size)) if size > 1 else total

    def _place(self, number: Value) -> tuple[Value, Value]:
        """Return the row block and the column block of a rectangle."""
        fn, cols = self.fn, self.t.col_blocks
        if cols == 1:
            return number, index(0)
        return fn.op("udiv", number, index(cols)), fn.op("urem", number, index(cols))

    def _block(self, number: Value, size: int, total: Value) -> tuple[Value, Value]:
        """Return the first and the last (not included) of the strips or panels in a block of `size`."""
        if total.text.isdecimal() and size >= int(total.text):
            return index(0), total
        first = times(self.fn, number, size)
        return first, least(self.fn, plus(self.fn, first, size), total)

    def packing(self) -> None:
        """Go through a part's panels, some at a time; pack them, block by block over k, for all rows."""
        fn, t, p = self.fn, self.t, self.fn.parameters
        columns = emit_columns(fn.module, f"{fn.name}.columns", self.product, t)
        first, last = self._share(t.panels)
        with fn.loop(first, last, t.col_block) as p0, fn.loop(0, self.product.k, t.k_block) as k:
            panels = (p0.counter, least(fn, plus(fn, p0.counter, t.col_block), last))
            to, k0 = self._packed_b(panels[0]), k.counter
            fn.call(columns, "void", p["b"], to, *panels, k0, self._count(k0))
            with fn.loop(0, t.row_blocks) as row:
                self._rectangle(self._block(row.counter, t.row_block, index(t.strips)), panels, k0)

    def _share(self, total: int) -> tuple[Value, Value]:
        p = self.fn.parameters
        return share(self.fn, total, p["part"], p["parts"])

    # Rectangles -------------------------------------------------------------------------------------------

    def _rectangle(self, strips: tuple[Value, Value], panels: tuple[Value, Value], k0: Value) -> None:
        """Compute a rectangle over the block of k that begins at k0; give it away when it is done."""
        fn, t = self.fn, self.t
        corner = (plus(fn, self.start, times(fn, strips[0], t.rows)), times(fn, panels[0], t.columns))
        memory = self.buffer or self._argument("c", plus(fn, times(fn, corner[0], self.ld), corner[1]))
        for run in self.panels:
            with fn.loop(most(fn, panels[0], run.first), least(fn, panels[1], run.last)) as p:
                col = piece_start(fn, p.counter, run, t.columns, self.product.n)
                b = self._panel_of_b(p.counter, col, panels[0], k0)
                place = fn.at(memory, minus(fn, col, corner[1]), self.product.memory)
                self._strips(strips, corner[0], run.size, b, place, k0)
        if self.epilogue:
            stop = least(fn, plus(fn, self.start, times(fn, strips[1], t.rows)), self.stop)
            end = least(fn, times(fn, panels[1], t.columns), self.product.n)
            self._give_away((corner[0], stop), (corner[1], end), memory, k0)

    def _strips(
        self, strips: tuple[Value, Value], top: Value, columns: int, b: Value, place: Value, k0: Value
    ) -> None:
        """Compute a panel's strips; results of the row `top` are put at `place`."""
        fn, t, product = self.fn, self.t, self.product
        for run in self.strips:
            tile = self._emit_tile(run.size, columns)
            last = strips[1] if t.by_rows else least(fn, strips[1], run.last)
            with fn.loop(most(fn, strips[0], run.first), last) as s:
                row = self._row(s.counter, run)
                down = minus(fn, row, top)
                c = fn.at(place, times(fn, down, self.ld), product.memory)
                rest = (k0, self._count(k0)) if self.blocked else ()
                fn.call(tile, "void", self._strip_of_a(s.counter, row, k0), b, c, *rest)

    def _row(self, strip: Value, run: Run) -> Value:
        """Return the row at which a strip begins: none reaches past the end, nor before the first row."""
        fn, t = self.fn, self.t
        if not t.by_rows:
            return piece_start(fn, strip, run, t.rows, self.product.m)
        own = plus(fn, self.start, times(fn, strip, t.rows))
        return most(fn, least(fn, own, minus(fn, self.stop, index(t.rows))), 0)

    def _panel_of_b(self, panel: Value, col: Value, first: Value, k0: Value) -> Value:
        """Return where a panel lies, at the first step of the block of k; `first` is the first packed."""
        fn, product, t = self.fn, self.product, self.t
        if t.pack_b == "no":
            return self._argument("b", col)
        if t.pack_b == "inside":
            behind = fn.op("mul", minus(fn, panel, first), self._count(k0))
            return fn.at(self._packed_b(first), times(fn, behind, t.columns), product.memory)
        base = fn.at(fn.parameters["scratch"], packed_a_bytes(product, t), "i8")
        return fn.at(base, times(fn, panel, t.columns * product.k), product.memory)

    def _packed_b(self, panel: Value) -> Value:
        """Return where panels, beginning with this one, are packed inside the product."""
        fn, product, t = self.fn, self.product, self.t
        base = fn.at(fn.parameters["scratch"], packed_a_bytes(product, t), "i8")
        return fn.at(base, times(fn, panel, t.columns * min(t.k_block, product.k)), product.memory)

    def _strip_of_a(self, strip: Value, row: Value, k0: Value) -> Value:
        """Return where a strip lies, at the first step of the block of k."""
        if self.t.pack_a:
            return self._argument("scratch", packed_strip(self.fn, self.t, k0, strip, self._count(k0)))
        return self._argument("a", times(self.fn, row, self.product.a.rows_stride))

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

    def _emit_tile(self, rows: int, columns: int) -> str:
        """Define a register tile, as a function: its few loops stay simple, and LLVM is quick with them."""
        arguments = [("a", "ptr"), ("b", "ptr"), ("c", "ptr")]
        arguments += [("k0", "i64"), ("count", "i64")] if self.blocked else []
        name, lanes = f"{self.fn.name}.tile{rows}x{columns}", self.t.lanes
        fn = Function(self.fn.module, name, arguments, attributes="internal noinline nounwind")
        tile = Tile(rows, -(-columns // lanes), columns % lanes, vector(self.product.memory, lanes))
        self._dots(fn, tile) if self.t.along_k else self._sums(fn, tile)
        return fn.module.share(fn)

    def _sums(self, fn: Function, tile: Tile) -> None:
        """Add up stretches of k in registers, and each to what the earlier ones left in c."""
        x, steps = self._factors(fn, tile), stretch(self.product)
        if self.blocked:
            self._stretch(fn, tile, x, fn.parameters["count"], fn.parameters["k0"])
        elif steps >= self.product.k:
            self._stretch(fn, tile, x, index(self.product.k), index(0))
        else:
            with fn.loop(0, self.product.k, steps) as k:
                count = least(fn, minus(fn, index(self.product.k), k.counter), steps)
                self._stretch(fn, tile, x.moved(fn, k.counter, self.product.memory), count, k.counter)

    def _stretch(self, fn: Function, tile: Tile, x: Factors, count: Value, before: Value) -> None:
        """Add up some steps; the first ones are all that there is, later ones are added to the sum so far."""
        zeros = [const(tile.type, 0)] * len(tile.places)
        sums = accumulate(fn, self.maths, tile, self.t, x, count, zeros)
        put = (tile, fn.parameters["c"], self.ld, self.product.memory)
        if before == index(0):
            store_tile(fn, *put, sums)
            return
        first = fn.compare("eq", before, index(0))
        with fn.when(first):
            store_tile(fn, *put, sums)
        with fn.when(fn.op("xor", first, const("i1", True))):
            add_to_tile(fn, self.maths, *put, sums)

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
