"""Memory estimate of a training on a table: said of a large one, refused where there is not enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.extent import extent
from minicolumn.nn.layer import Param
from minicolumn.optim.wrappers import Layerwise
from minicolumn.tables.files.memory import free_memory
from minicolumn.tables.typed import Remark
from minicolumn.tabular.recipe import Recipe
from minicolumn.tree import flatten, leaves

_NUMBER = 4  # bytes of a float32
# Measured at the peak, of all weights: gradients, what is kept to go back to, and the network that is saved
# and scored are ten copies of them; each array of moments of the optimizer is there seven times.
_COPIES, _COPIES_OF_MOMENTS = 10, 7
_PASSES = 4  # a batch's numbers: forward, backward, and both at the held-out rows
_COMPILING = 40 << 20
_LARGE, _SHARE = 1 << 30, 0.25  # said from a gibibyte on, or a quarter of what is free


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """What a training on a table takes at its peak, in bytes; within a factor of two of what was measured.

    table       the rows as they came, once more by split
    matrix      the encoded rows
    weights     of the network, once
    training    weights in all their copies, moments, and what a batch becomes
    """

    table: int
    matrix: int
    weights: int
    training: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.table + self.matrix + self.training


def training_memory(recipe: Recipe, rows: int, features: int, table: int = 0) -> TrainingMemory:
    """Return what a training takes.

        training = (10 + 7 moments) weights + 4 batch numbers of a row

    rows        that train, validate and test
    table       bytes of the rows as they came
    """
    declared, _ = flatten(recipe.network.declare((features,)), is_leaf=lambda node: isinstance(node, Param))
    weights = _NUMBER * sum(math.prod(param.shape) for param in declared)
    one = {"weight": np.zeros((2, 2), np.float32)}
    optimizer = recipe.optimizer
    while isinstance(optimizer, Layerwise):  # which counts layers, and adds nothing
        optimizer = optimizer.optimizer
    moments = sum(np.shape(leaf) == (2, 2) for leaf in leaves(optimizer.start(one)))
    batch = _NUMBER * _PASSES * recipe.batch_size * extent(recipe.network, (features,)).numbers
    training = (_COPIES + _COPIES_OF_MOMENTS * moments) * weights + batch + _COMPILING
    return TrainingMemory(table, _NUMBER * rows * features, weights, training)


def check_matrix(rows: int, features: int) -> None:
    """Refuse a table whose encoded rows would not fit into memory, before they are made.

    Errors      DataError that says how much is needed and how much is free
    """
    free, need = free_memory(), _NUMBER * rows * features
    if free is not None and need > free:
        raise DataError(
            f"{rows:,} rows of {features:,} features take {_size(need)} as a matrix, {_size(free)} are free; "
            "leave rows or columns out"
        )


def said_of_memory(memory: TrainingMemory, rows: int, features: int) -> tuple[Remark, ...]:
    """Return a remark on a training that takes much memory; its rows and their matrix are there already.

    Errors      DataError where more is needed than is free
    """
    free = free_memory()
    if free is not None and memory.training > free:
        raise DataError(
            f"the training would take about {_size(memory.training)} (weights of {_size(memory.weights)}, "
            f"their moments and copies), {_size(free)} are free; leave columns out, or take fewer units"
        )
    large = _LARGE if free is None else min(_LARGE, int(_SHARE * (free + memory.table + memory.matrix)))
    if memory.total < large:
        return ()
    parts = f"{features:,} features of {rows:,} rows: about {_size(memory.total)} of memory while training"
    return (Remark("", "memory", f"{parts}, {_size(memory.matrix)} of it the table as numbers"),)


def _size(size: int) -> str:
    """Return a size in decimal units.

    >>> _size(390_400_000), _size(12_340_000_000)
    ('390 MB', '12.3 GB')
    """
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
