"""Which tile for which machine and shape: every decision about a product is taken here, and only here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from minicolumn.lower.llvm.emit import size_of
from minicolumn.lower.llvm.machine import Machine

LATENCY, PIPES = 4, 2  # of a fused multiply-add: cycles until its result can be used; how many start a cycle
WIDEST, TALLEST = 12, 14  # vectors and rows of a register tile
LINE = 64  # bytes that caches fetch at once
PANEL = 64  # bytes to which packed buffers are aligned


@dataclass(frozen=True)
class Operand:
    """Where the elements of a factor lie: (i, j) at i * rows_stride + j * cols_stride, in elements."""

    rows_stride: int
    cols_stride: int

    @property
    def transposed(self) -> Operand:
        """Return the same memory seen with rows and columns swapped."""
        return Operand(self.cols_stride, self.rows_stride)


@dataclass(frozen=True)
class Product:
    """c[m, n] = a[m, k] b[k, n]; `element` is float, double, i32, i64, or i8 (i1) for any(a and b)."""

    m: int
    n: int
    k: int
    element: str
    a: Operand
    b: Operand

    @property
    def memory(self) -> str:
        """Return the element as it lies in memory: a bool is a byte."""
        return "i8" if self.element == "i1" else self.element

    @property
    def element_bytes(self) -> int:
        """Return the bytes of one element."""
        return size_of(self.memory)

    @property
    def turned(self) -> Product:
        """Return the product whose result is this one's transpose."""
        return Product(self.n, self.m, self.k, self.element, self.b.transposed, self.a.transposed)

    @property
    def empty(self) -> bool:
        """Return whether there is no element to compute."""
        return self.m == 0 or self.n == 0


@dataclass(frozen=True)
class Split:
    """A number cut into `count` pieces that differ by at most one; the larger ones come first."""

    total: int
    count: int

    @property
    def size(self) -> int:
        """Return the size of the larger pieces."""
        return -(-self.total // self.count)

    @property
    def large(self) -> int:
        """Return how many pieces have that size; the others have one less."""
        return self.total - self.count * (self.size - 1)

    def start(self, i: int) -> int:
        """Return where piece i begins."""
        return i * self.size - max(0, i - self.large)


def split_into(total: int, most: int) -> Split:
    """Return the fewest even pieces of at most `most`.

    >>> s = split_into(128, 6); s.count, s.size, s.large
    (22, 6, 18)
    """
    return Split(total, max(1, -(-total // most)))


@dataclass(frozen=True)
class Tiling:
    """How a product is computed.

    lanes                 elements in a vector
    strips                the rows, cut into register tiles
    panels                the columns, counted in vectors, cut into register tiles
    chains                accumulators of an element over k: k = 0, chains, ...; k = 1, 1 + chains, ...
    unroll                steps over k in a turn of the inner loop
    k_block               steps over k before the results are put aside
    pack_a                a is copied into strips, k by k, before the product
    pack_b                b is copied into panels: no, before the product, or inside it, block by block
    row_block, col_block  strips and panels of a rectangle, the piece of work that is shared out
    along_k               the lanes of a vector share one element's sum: dot products
    """

    lanes: int
    strips: Split
    panels: Split
    chains: int
    unroll: int
    k_block: int
    pack_a: bool = False
    pack_b: Literal["no", "before", "inside"] = "no"
    row_block: int = 1
    col_block: int = 1
    along_k: bool = False

    @property
    def row_blocks(self) -> int:
        """Return how many rectangles lie below each other."""
        return -(-self.strips.count // self.row_block)

    @property
    def col_blocks(self) -> int:
        """Return how many rectangles lie beside each other."""
        return -(-self.panels.count // self.col_block)

    @property
    def padded(self) -> int:
        """Return the columns with the last vector filled up."""
        return self.panels.total * self.lanes

    def k_blocks(self, k: int) -> int:
        """Return in how many blocks k is cut."""
        return max(1, -(-k // self.k_block))


@dataclass(frozen=True)
class Kind:
    """Panels [first, last) of one width; of the last vector only `tail` lanes count (0: all)."""

    first: int
    last: int
    vectors: int
    tail: int


def kinds(product: Product, t: Tiling) -> list[Kind]:
    """Return the widths of panels that occur, from left to right."""
    tail, p = product.n % t.lanes, t.panels
    full = p.count - 1 if tail else p.count
    found = [Kind(0, min(p.large, full), p.size, 0), Kind(p.large, full, p.size - 1, 0)]
    last = Kind(full, p.count, p.size if p.large == p.count else p.size - 1, tail)
    return [kind for kind in (*found, last) if kind.first < kind.last]


def fused(machine: Machine) -> bool:
    """Return whether multiply and add are one instruction; the baseline x86-64 has none."""
    return not (machine.vector_bytes == 16 and machine.registers == 16)


def oriented(product: Product) -> tuple[Product, bool]:
    """Return the product as it is computed, and whether it is turned over.

    Where the result is one column or one row, its transpose lies in memory in the same way. One row takes
    vectors along the columns of b, one column dot products: that one is chosen which reads memory in order.
    """
    by_columns = product.n == 1 < product.m and product.a.rows_stride == 1
    by_rows = product.m == 1 < product.n and product.b.cols_stride != 1
    return (product.turned, True) if by_columns or by_rows else (product, False)


def tiling(product: Product, machine: Machine) -> Tiling:
    """Return how a product that is not empty is computed on a machine."""
    in_order = product.a.cols_stride == product.b.rows_stride == 1
    if product.n == 1 and in_order and product.k >= 2 * machine.lanes(product.memory):
        return _dots(product, machine)
    t = _register_tile(product, machine)
    return _rectangles(product, machine, _blocks(product, machine, t))


def _dots(product: Product, machine: Machine) -> Tiling:
    strips = split_into(product.m, 4)
    chains = LATENCY * PIPES // strips.size
    row_block = max(1, min(strips.count // 8, 64))
    lanes = machine.lanes(product.memory)
    return Tiling(lanes, strips, Split(1, 1), chains, 1, product.k, row_block=row_block, along_k=True)


def _register_tile(product: Product, machine: Machine) -> Tiling:
    lanes = machine.lanes(product.memory)
    vectors = -(-product.n // lanes)
    tiles = [
        _tile(product, lanes, strips, split_into(vectors, width))
        for width in range(1, min(vectors, WIDEST) + 1)
        for strips in _strips(product.m, _most_rows(machine, width))
    ]
    return min(tiles, key=lambda t: _cycles(product, t))


def _most_rows(machine: Machine, width: int) -> int:
    # Accumulators, the vectors of b and one number of a share the registers; one row takes b from memory.
    return max(1, min((machine.registers - width - 1) // width, TALLEST))


def _strips(m: int, most: int) -> list[Split]:
    counts = {split_into(m, rows).count for rows in range(max(1, most // 2), most + 1)}
    return [Split(m, count) for count in sorted(counts)]


def _tile(product: Product, lanes: int, strips: Split, panels: Split) -> Tiling:
    chains = max(1, min(LATENCY * PIPES // (strips.size * panels.size), product.k))
    unroll = chains if chains > 1 else 2
    return Tiling(lanes, strips, panels, chains, unroll, max(1, product.k))


def _cycles(product: Product, t: Tiling) -> float:
    """Return about how long a step over k takes for the whole product, its tiles' ends included."""
    total = 0.0
    for rows, strips in _pieces(t.strips):
        for width, panels in _pieces(t.panels):
            issue = max(rows * width / PIPES, LATENCY / t.chains, (rows + width) / 2) + (rows + width) / 8
            ends = (12 + rows * width * (1 + t.chains)) / max(1, product.k)
            total += strips * panels * (issue + ends)
    code = sum(rows for rows, _ in _pieces(t.strips)) * sum(kind.vectors for kind in kinds(product, t))
    return total * (1 + code * t.chains / 400)  # code that LLVM has to take its time for


def _pieces(split: Split) -> list[tuple[int, int]]:
    both = [(split.size, split.large), (split.size - 1, split.count - split.large)]
    return [(size, count) for size, count in both if size and count]


def _blocks(product: Product, machine: Machine, t: Tiling) -> Tiling:
    """Decide what is packed, and where k is cut."""
    nbytes = product.element_bytes
    b_bytes = product.n * product.k * nbytes
    large = b_bytes > machine.l2 and product.m >= 64 and t.panels.count >= 8
    if large:
        steps = machine.l1 * 3 // 2 // (t.panels.size * t.lanes * nbytes)
        k_block = -(-split_into(product.k, steps).size // 4) * 4
        return replace(t, pack_a=True, pack_b="inside", k_block=k_block)
    # A panel of b is read once for each strip: where it does not stay in L1 it is laid down without gaps.
    width = t.panels.size * t.lanes * nbytes
    spread = product.k * (width + LINE) > machine.l1 // 2 and product.m >= 64 and t.panels.count > 1
    columns = product.b.cols_stride != 1
    strided = product.a.cols_stride != 1 and t.panels.count >= 4
    pack_a = strided and product.m * product.k * nbytes > machine.l2 // 2
    return replace(t, pack_a=pack_a, pack_b="before" if spread or columns else "no")


def _rectangles(product: Product, machine: Machine, t: Tiling) -> Tiling:
    """Decide how large the rectangles are: together with what they are made of they stay in a cache."""
    width = t.panels.size * t.lanes * product.element_bytes
    if t.pack_b == "inside":
        col_block = max(1, 768 // width)
        rows = machine.l2 // 2 // max(t.k_block * product.element_bytes, col_block * width)
        return replace(t, row_block=max(1, rows // t.strips.size), col_block=col_block)
    col_block = split_into(t.panels.count, max(1, 512 // width)).size
    rows = machine.l1 // (col_block * width * t.strips.size)
    return replace(t, col_block=col_block, row_block=max(1, min(rows, t.strips.count // 8)))


def needs_result_buffer(product: Product, machine: Machine) -> bool:
    """Return whether `c` must be given although an epilogue takes the results: partial sums live there."""
    product, _ = oriented(product)
    return not product.empty and tiling(product, machine).k_blocks(product.k) > 1


def packed_a_bytes(product: Product, t: Tiling) -> int:
    """Return the bytes of a in strips."""
    return _aligned(product.m * product.k * product.element_bytes) if t.pack_a else 0


def packed_b_bytes(product: Product, t: Tiling) -> int:
    """Return the bytes of b in panels, or of one block over k of them."""
    steps = {"no": 0, "before": product.k, "inside": min(t.k_block, product.k)}[t.pack_b]
    return _aligned(t.padded * steps * product.element_bytes)


def _aligned(nbytes: int) -> int:
    return -(-nbytes // PANEL) * PANEL


def scratch_bytes(product: Product, machine: Machine) -> int:
    """Return the bytes of scratch that a product's pack and product share; all parts see the same."""
    if product.empty:
        return 0
    product, _ = oriented(product)
    t = tiling(product, machine)
    return packed_a_bytes(product, t) + packed_b_bytes(product, t)
