"""Features by formula: columns computed from the columns of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.formula import LONGEST, Column, Formula, parse_formula
from minicolumn.nn.layer import Array, Deterministic, Params, Shape
from minicolumn.registry import Listed, Text, refuse, settle

FORMULAS = Listed(
    help="What each output is of the inputs.",
    of=Text(help="A formula.", longest=LONGEST),
    words=f"one or more formulas such as x1*x2, each of at most {LONGEST} letters",
    least=1,
    longest=256,
)
INPUTS = Listed(
    help="The names of the inputs.",
    of=Text(help="A name.", longest=1_000),
    words="one or more names",
    least=1,
    longest=10_000,
)


@final
@dataclass(frozen=True, repr=False)
class Formulas(Deterministic):
    """Compute columns from the columns of the input, each by a formula.

        y_k = formula_k(x_1, ..., x_n)

    Formulas have numbers, names, + - * / ^, parentheses, sin, cos, tanh, exp, log, sqrt, abs, min, max,
    sigmoid, pi and e; what they say is parsed, and kept without needless spaces and parentheses. Where one is
    not defined, as log(x1) is not below 0, there is NaN.

    formulas    at most 200 letters each; a name that has other than letters, digits and _ in backquotes
    inputs      the names of the columns, in order
    x           [batch, inputs]
    Returns     [batch, formulas]
    Errors      DataError for what is no formula of the inputs, with the place and the nearest name;
                ShapeError for inputs of another number
    Elsewhere   polynomial features and the like come before the network; here they are part of it, and of
                its file

    >>> layer = Formulas(("x1", "x2^2", "sin(pi*X1)"))
    >>> layer, layer.apply({}, np.array([[0.5, 3.0]]))
    (Formulas(('x1', 'x2^2', 'sin(pi*x1)')), array([[0.5, 9. , 1. ]]))
    """

    formulas: Annotated[tuple[str, ...], FORMULAS]
    inputs: Annotated[tuple[str, ...], INPUTS] = ("x1", "x2")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.inputs)) < len(self.inputs):
            refuse(self, "inputs", "each name once")
        settle(self, "formulas", tuple(map(str, self.parsed)))

    @property
    def parsed(self) -> tuple[Formula, ...]:
        """The formulas, as functions of columns."""
        try:
            return tuple(parse_formula(text, self.inputs) for text in self.formulas)
        except DataError as error:
            raise DataError(f"Formulas: {error}", reason=error.reason, **error.values) from None

    def output_shape(self, input_shape: Shape) -> Shape:
        if tuple(input_shape) != (len(self.inputs),):
            raise ShapeError(f"Formulas: rows have shape {list(input_shape)}, expected [{len(self.inputs)}]")
        return (len(self.formulas),)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        parsed, places = self.parsed, {name: place for place, name in enumerate(self.inputs)}
        used = dict.fromkeys(name for formula in parsed for name in formula.columns)
        columns = {name: x[:, places[name]] for name in used}
        found = [formula(columns) for formula in parsed]
        # One without columns is a number.
        filled = [np.full_like(x[:, 0], y) if isinstance(y, float) else y for y in found]
        return np.stack(filled, axis=1)

    @property
    def operations(self) -> int:
        return 1 + sum(1 + len(formula.columns) + formula.operations for formula in self.parsed)

    def moved(self, columns: Array) -> Array:
        trees = [formula.tree for formula in self.parsed]
        taken = [self.inputs.index(tree.name) if isinstance(tree, Column) else None for tree in trees]
        cells = [np.nan if place is None else columns[0, place] for place in taken]
        return np.array([cells], np.float32)
