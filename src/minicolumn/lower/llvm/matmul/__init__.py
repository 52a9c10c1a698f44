"""Matrix products: which register tile for which shape, packing, the tile, and the loops around it."""

from minicolumn.lower.llvm.matmul.pack import emit_pack
from minicolumn.lower.llvm.matmul.product import emit_product
from minicolumn.lower.llvm.matmul.shapes import (
    Operand,
    Product,
    goes_by_rows,
    needs_result_buffer,
    packed_operands,
    packs_by_rows,
    scratch_bytes,
)

__all__ = [
    "Operand",
    "Product",
    "emit_pack",
    "emit_product",
    "goes_by_rows",
    "needs_result_buffer",
    "packed_operands",
    "packs_by_rows",
    "scratch_bytes",
]
