"""The operation table: importing this package fills `minicolumn.ir.op.OPS`."""

from minicolumn.ir.ops import (  # noqa: F401
    control,
    decompositions,
    elementwise,
    indexing,
    linalg,
    logic,
    order,
    products,
    reductions,
    shaping,
    special,
)
