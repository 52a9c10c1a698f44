"""Which tile for which machine and shape: every decision about a product is taken here, and only here."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Literal

from minicolumn.lower.llvm.codegen import partition
from minicolumn.lower.llvm.codegen.emit import size_of
from minicolumn.lower.llvm.schedule.machine import Machine

LATENCY, PIPES = 4, 2  # of a fused multiply-add: cycles until its result can be used; how many start a cycle
WIDEST, TALLEST = 12, 14  # vectors and rows of a register tile
LINE = 64  # bytes that caches fetch at once
LONG_ENOUGH_FOR_DOTS = 128  # bytes, on every machine: two vectors of the widest
WORTH_A_NARROW_PANEL = 1 << 20  # multiplications, from which a last panel gets a tile of its own
PIECES = 16  # rectangles of a product at least, if it can be cut so finely: no thread then waits long
PANEL = 64  # bytes to which packed buffers are aligned
# Steps over k that are added up in registers, since over all of them roundings would grow like the root of k.
# To put a tile aside after 512 costs half a percent.
STRETCH = 512


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
class Tiling:
    """How a product is computed.

    lanes                 elements in a vector
    rows, width           of a register tile, the width in vectors
    strips, panels        how many tiles cover the rows and the columns
    narrow                the last panel's width in vectors where it has fewer, else 0
    chains                accumulators of an element over k: k = 0, chains, ...; k = 1, 1 + chains, ...
    unroll                steps over k in an iteration of the inner loop
    k_block               steps over k before the results are put aside
    pack_a                a is copied into strips, k by k, before the product
    pack_b                b is copied into panels: no, before the product, or inside it, block by block
    row_block, col_block  strips and panels of a rectangle, the piece of work that is shared out
    along_k               the lanes of a vector share one element's sum: dot products
    by_rows               threads have rows of the result instead of rectangles

    The last strip and the last panel are moved back to end where the product ends, so that one tile does for
    all: what it has in common with its neighbour is computed twice, to the same bits. Where partial sums are
    kept this cannot be, and the last ones have tiles of their own.
    """

    lanes: int
    rows: int
    width: int
    strips: int
    panels: int
    chains: int
    unroll: int
    k_block: int
    pack_a: bool = False
    pack_b: Literal["no", "before", "inside"] = "no"
    row_block: int = 1
    col_block: int = 1
    along_k: bool = False
    by_rows: bool = False
    narrow: int = 0

    @property
    def columns(self) -> int:
        """Return the columns of a panel."""
        return self.width * self.lanes

    @property
    def row_blocks(self) -> int:
        """Return how many rectangles lie below each other."""
        return -(-self.strips // self.row_block)

    @property
    def col_blocks(self) -> int:
        """Return how many rectangles lie beside each other."""
        return -(-self.panels // self.col_block)

    def blocked(self, k: int) -> bool:
        """Return whether k is cut, so that partial sums are kept."""
        return k > self.k_block


def stretch(product: Product) -> int:
    """Return the steps over k after which partial sums are put aside, all stretches being about as long.

    >>> stretch(Product(1, 1, 784, "float", Operand(784, 1), Operand(1, 1)))
    392
    """
    pieces = -(-product.k // STRETCH)
    if product.element not in ("float", "double") or pieces < 2:
        return max(1, product.k)
    return -(-product.k // (pieces * 4)) * 4


@dataclass(frozen=True)
class Run:
    """Strips or panels [first, last) of one size, in rows or columns."""

    first: int
    last: int
    size: int


def runs(total: int, size: int, last: int) -> list[Run]:
    """Cut a length into runs of pieces; the last has a size of its own, and is moved back if it is too long.

    >>> runs(20, 6, last=2)
    [Run(first=0, last=3, size=6), Run(first=3, last=4, size=2)]
    >>> runs(20, 6, last=6)
    [Run(first=0, last=4, size=6)]
    """
    count = -(-total // size)
    if total < size:
        return [Run(0, 1, total)]
    if last == size:
        return [Run(0, count, size)]
    return [Run(0, count - 1, size), Run(count - 1, count, last)]


def runs_of_strips(product: Product, t: Tiling) -> list[Run]:
    """Return the strips of a product in runs of one size."""
    exact = t.blocked(product.k) and product.m % t.rows
    return runs(product.m, t.rows, exact or t.rows)


def runs_of_panels(product: Product, t: Tiling) -> list[Run]:
    """Return the panels of a product in runs of one size."""
    exact = t.blocked(product.k) and product.n % t.columns
    return runs(product.n, t.columns, exact or t.narrow * t.lanes or t.columns)


def fused(machine: Machine) -> bool:
    """Return whether multiply and add are one instruction; the baseline x86-64 has none."""
    return not (machine.vector_bytes == 16 and machine.registers == 16)


def oriented(product: Product) -> tuple[Product, bool]:
    """Return the product as it is computed, and whether it is turned over.

    Where the result is one column or one row, its transpose lies in memory in the same way. One row takes
    vectors along the columns of b, one column dot products: that one is chosen which reads memory in order.
    """
    by_columns = product.n == 1 < product.m and product.a.rows_stride == 1
    in_order = product.a.cols_stride == product.b.rows_stride == 1
    # The elements of one column follow each other only as dot products; register tiles leave gaps.
    long = product.k * product.element_bytes >= LONG_ENOUGH_FOR_DOTS
    by_rows = product.m == 1 < product.n and in_order and long
    return (product.turned, True) if by_columns or by_rows else (product, False)


@functools.lru_cache(maxsize=256)  # asked by everybody who has to do with a product
def tiling(product: Product, machine: Machine) -> Tiling:
    """Return how a product that is not empty is computed on a machine."""
    in_order = product.a.cols_stride == product.b.rows_stride == 1
    if product.n == 1 and in_order and product.k >= 2 * machine.lanes(product.memory):
        return _dots(product, machine)
    t = _blocks(product, machine, _register_tile(product, machine))
    return _rectangles(product, machine, replace(t, by_rows=_goes_by_rows(product, t)))


def _dots(product: Product, machine: Machine) -> Tiling:
    rows = min(product.m, 4)
    t = _tile(product, machine.lanes(product.memory), rows, 1)
    t = replace(t, chains=LATENCY * PIPES // rows, along_k=True)
    row_block = max(1, min(t.strips // 8, 64))
    return replace(t, row_block=row_block, by_rows=_goes_by_rows(product, t))


def _register_tile(product: Product, machine: Machine) -> Tiling:
    lanes = machine.lanes(product.memory)
    vectors = -(-product.n // lanes)
    tiles = [
        _tile(product, lanes, rows, width, narrow)
        for width in range(1, min(vectors, WIDEST) + 1)
        for rows in _heights(product.m, _most_rows(product, machine, width))
        for narrow in {0, _narrow(product, vectors, width)}
    ]
    return min(tiles, key=lambda t: _cycles(product, t))


def _most_rows(product: Product, machine: Machine, width: int) -> int:
    # Accumulators, the vectors of b and one number of a share the registers; one row takes b from memory.
    # A mask takes one more, and so does a product that is not added at once.
    others = width + 1 + (not fused(machine)) + (product.n < width * machine.lanes(product.memory))
    return max(1, min((machine.registers - others) // width, TALLEST))


def _heights(m: int, most: int) -> list[int]:
    return sorted({min(m, rows) for rows in range(-(-most // 2), most + 1)})


def _narrow(product: Product, vectors: int, width: int) -> int:
    """Return the vectors that are left for a last panel; 0 where a second tile is not worth its code."""
    worth = product.m * product.n * product.k >= WORTH_A_NARROW_PANEL
    return vectors % width if worth and vectors > width else 0


def _tile(product: Product, lanes: int, rows: int, width: int, narrow: int = 0) -> Tiling:
    chains = max(1, min(LATENCY * PIPES // (rows * width), product.k))
    # Two steps hide the loop's own instructions; a large tile does so in one, and has no register to spare.
    unroll = chains if chains > 1 else 1 if rows * width > 12 else 2 - product.k % 2
    strips, panels = -(-product.m // rows), -(-product.n // (width * lanes))
    return Tiling(lanes, rows, width, strips, panels, chains, unroll, max(1, product.k), narrow=narrow)


def _cycles(product: Product, t: Tiling) -> float:
    """Return about how long a step over k takes for the whole product, its tiles' ends included."""
    last = _cycles_of_tile(product, t, t.narrow or t.width)
    return t.strips * ((t.panels - 1) * _cycles_of_tile(product, t, t.width) + last)


def _cycles_of_tile(product: Product, t: Tiling, width: int) -> float:
    each, loads = t.rows * width, t.rows + width
    # As many accumulators as hide the latency and no more leave no room for any delay.
    issue = max(each / PIPES, 1.15 * LATENCY / t.chains, loads / 2) + loads / 6
    ends = (12 + each * (1 + t.chains)) / max(1, product.k)
    return issue + ends


def _blocks(product: Product, machine: Machine, t: Tiling) -> Tiling:
    """Decide what is packed, and where k is cut."""
    nbytes = product.element_bytes
    width = t.columns * nbytes
    if product.n * product.k * nbytes > 2 * machine.l2 and product.m >= 64 and t.panels >= 8:
        t = _tile(
            product, t.lanes, _most_rows(product, machine, 2), 2
        )  # as quick as wider ones, and fits more widths
        blocks = -(-product.k // max(4, machine.l1 // (t.columns * nbytes)))
        k_block = -(-product.k // (blocks * 4)) * 4
        return replace(t, pack_a=True, pack_b="inside", k_block=k_block)
    # A panel of b is read once for each strip: where it does not stay in L1 it is laid down without gaps.
    spread = product.k * (width + LINE) > machine.l1 // 2 and product.m >= 64 and t.panels > 1
    strided = product.a.cols_stride != 1 and t.panels >= 4
    pack_a = strided and product.m * product.k * nbytes > machine.l2 // 2
    packs = product.k > 0 and (spread or product.b.cols_stride != 1)
    return replace(t, pack_a=pack_a, pack_b="before" if packs else "no")


def _goes_by_rows(product: Product, t: Tiling) -> bool:
    """Return whether threads have rows: those of a must be rows in memory, so that each reads its own."""
    own = product.a.rows_stride >= product.k * product.a.cols_stride
    return own and product.m >= partition.LEAST_ROWS and not t.pack_a and t.pack_b != "inside"


def _rectangles(product: Product, machine: Machine, t: Tiling) -> Tiling:
    """Decide how large the rectangles are: together with what they are made of they stay in a cache."""
    width = t.columns * product.element_bytes
    if t.pack_b == "inside":
        col_block = max(1, 768 // width)
        rows = machine.l2 // 2 // (col_block * width)
        return replace(t, row_block=max(1, rows // t.rows), col_block=col_block)
    blocks = -(-t.panels // max(1, 512 // width))
    if not t.by_rows and t.strips * blocks < PIECES:
        blocks = min(t.panels, -(-PIECES // t.strips))
    col_block = -(-t.panels // blocks)
    rows = machine.l1 // (col_block * width * t.rows)
    most = t.strips if t.by_rows else t.strips // (PIECES // 2)
    return replace(t, col_block=col_block, row_block=max(1, min(rows, most)))


def goes_by_rows(product: Product, machine: Machine) -> bool:
    """Return whether each thread computes its own rows of the result, from its own rows of a."""
    oriented_product, turned = oriented(product)
    return not turned and not product.empty and tiling(oriented_product, machine).by_rows


def packed_operands(product: Product, machine: Machine) -> tuple[bool, bool]:
    """Return which of a and b are packed before the product begins."""
    if product.empty or not product.k:
        return False, False
    product, turned = oriented(product)
    t = tiling(product, machine)
    packed = t.pack_a, t.pack_b == "before"
    return (packed[1], packed[0]) if turned else packed


def packs_by_rows(product: Product, machine: Machine) -> bool:
    """Return whether packing is shared out by rows of b: they lie in memory as rows, and only b is packed."""
    if product.empty or product.k < partition.LEAST_ROWS:
        return False
    product, turned = oriented(product)
    t = tiling(product, machine)
    return not turned and not t.pack_a and t.pack_b == "before" and product.b.cols_stride == 1


def needs_result_buffer(product: Product, machine: Machine) -> bool:
    """Return whether `c` must be given although an epilogue takes the results: partial sums live there."""
    product, _ = oriented(product)
    return not product.empty and tiling(product, machine).blocked(product.k)


def packed_a_bytes(product: Product, t: Tiling) -> int:
    """Return the bytes of a in strips."""
    return _aligned(t.strips * t.rows * product.k * product.element_bytes) if t.pack_a else 0


def packed_b_bytes(product: Product, t: Tiling) -> int:
    """Return the bytes of b in panels, or of one block over k of them."""
    steps = {"no": 0, "before": product.k, "inside": min(t.k_block, product.k)}[t.pack_b]
    return _aligned(t.panels * t.columns * steps * product.element_bytes)


def _aligned(nbytes: int) -> int:
    return -(-nbytes // PANEL) * PANEL


def scratch_bytes(product: Product, machine: Machine) -> int:
    """Return the bytes of scratch that a product's pack and product share; all parts see the same."""
    if product.empty:
        return 0
    product, _ = oriented(product)
    t = tiling(product, machine)
    return packed_a_bytes(product, t) + packed_b_bytes(product, t)
