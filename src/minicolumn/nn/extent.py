"""Static analysis of a network (abstract interpretation): what one row becomes, before anything is built.

Every layer is visited once with the shape of its input alone. On the way a number that is only moved keeps
the index of the input column that it came from, and a number that is computed is NaN, so that each embedding
is known to look up the codes of an input column, whatever layers stand in front of it.

Bounds      4,194,304 numbers of one row in all inputs and outputs of layers together, 2,000 operations,
            8 axes. Compiling takes time by the operations, running takes memory by the numbers.
Elsewhere   ONNX's shape inference; sizes are not bounded there
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.layer import Array, Composite, Layer, Shape

MAX_NUMBERS = 2**22
MAX_OPERATIONS = 2_000
MAX_RANK = 8


@dataclass(frozen=True, eq=False)
class Lookup:
    """The codes that an embedding looks up.

    path        of the layer, in the tree of parameters
    columns     for each code the flat index of the input column that holds it; NaN where it is computed
    levels      how many codes there are, 0 to levels - 1
    """

    path: str
    columns: Array
    levels: int

    @property
    def is_computed(self) -> bool:
        """Return whether some codes are computed by the network itself."""
        return bool(np.isnan(self.columns).any())


@dataclass
class Extent:
    """What a network becomes for one row.

    numbers         in the inputs and outputs of all layers
    operations      of the graph, about
    lookups         of all embeddings, in the order in which they are applied
    output_shape    of one row
    """

    numbers: int = 0
    operations: int = 0
    lookups: list[Lookup] = field(default_factory=list)
    output_shape: Shape = ()

    def add(self, shape: Shape, operations: int) -> None:
        """Count the output of a layer; DataError past the bounds, before anything of that size is made."""
        if len(shape) > MAX_RANK:
            raise DataError(f"the network makes rows of {len(shape)} axes; at most {MAX_RANK} are allowed")
        self.numbers += math.prod(shape)
        self.operations += operations
        if self.numbers > MAX_NUMBERS:
            raise DataError(f"the network makes more than {MAX_NUMBERS:,} numbers of one row")
        if self.operations > MAX_OPERATIONS:
            raise DataError(f"the network takes more than {MAX_OPERATIONS:,} operations")


class _Path(str):
    """A path in the tree of parameters, which stands for the parameters that are there."""

    __slots__ = ()

    def __getitem__(self, name: Any) -> _Path:
        return _Path(f"{self}.{name}".strip("."))


def extent(network: Layer, input_shape: Shape) -> Extent:
    """Return what a network becomes for one row of a shape.

    Errors      ShapeError where layers do not fit each other, DataError past the bounds
    Complexity  linear in layers, listed columns and numbers of a row, times the depth of nesting

    >>> from minicolumn.nn import ColumnEmbedding, Dense, PiecewiseLinear, Sequential
    >>> ramps = PiecewiseLinear(((0, (0.0, 1.0)),))
    >>> found = extent(Sequential(ramps, ColumnEmbedding(((1, 5),), dim=2), Dense(1)), (2,))
    >>> found.output_shape, found.lookups[0].levels, found.lookups[0].columns
    ((1,), 5, array([1.], dtype=float32))
    """
    found = Extent()
    found.add(tuple(input_shape), 0)
    columns = np.arange(math.prod(input_shape), dtype=np.float32).reshape((1, *input_shape))

    def visit(layer: Layer, path: Any, x: Array, key: Array | None) -> tuple[Array, Any]:
        shape = layer.output_shape(x.shape[1:])
        found.add(shape, layer.operations)
        found.lookups += [Lookup(path, taken, levels) for taken, levels in layer.lookups(x)]
        y = layer.moved_through(visit, path, x) if isinstance(layer, Composite) else layer.moved(x)
        if y.shape[1:] != shape:
            raise ShapeError(f"{type(layer).__name__}: its rows do not have the shape that it states")
        return y, path

    found.output_shape = visit(network, _Path(), columns, None)[0].shape[1:]
    return found


def first_bad_code(lookups: list[Lookup], X: Array) -> tuple[int, int, int] | None:
    """Return row, flat column and levels of the first code that is out of range; None where there is none.

    X           [rows, *input_shape]
    """
    rows = X.reshape(len(X), -1)
    for lookup in lookups:
        columns = lookup.columns[~np.isnan(lookup.columns)].astype(np.int64)
        with np.errstate(invalid="ignore"):
            bad = ~((rows[:, columns] > -1) & (rows[:, columns] < lookup.levels))  # NaN is neither
        if bad.any():
            row, place = np.argwhere(bad)[0]
            return int(row), int(columns[place]), lookup.levels
    return None
