"""Truth tables: what a function of boolean inputs answers to each of its rows."""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError

Array = np.ndarray
# A table doubles with each input; 16 of them are 65,536 rows.
MOST_INPUTS = 16


def all_rows(inputs: int) -> Array:
    """Return every row of so many bits, in counting order: the last input changes fastest.

        bool [2^inputs, inputs]

    Errors      DataError for fewer than 0 inputs or more than 16

    >>> all_rows(2).astype(int).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if not 0 <= inputs <= MOST_INPUTS:
        raise DataError(f"all_rows: inputs must be between 0 and {MOST_INPUTS}, got {inputs}")
    numbers = np.arange(2**inputs)[:, None]
    return (numbers >> np.arange(inputs)[::-1] & 1).astype(bool)


@dataclass(frozen=True, eq=False)
class TruthTable:
    """Answers to every row of some yes-or-no inputs. Printing it draws it.

    inputs      their names
    outputs     the names of the answers
    values      bool [2^inputs, outputs], rows in counting order

    Two tables are equal if their answers are, whatever the names.

    >>> print(truth_table("0110", output="xor"))
    a b | xor
    ----+----
    0 0 |  0
    0 1 |  1
    1 0 |  1
    1 1 |  0
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Array

    @property
    def rows(self) -> Array:
        """Return the rows that the answers belong to, bool [2^inputs, inputs]."""
        return all_rows(len(self.inputs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TruthTable) and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.values.shape, self.values.tobytes()))

    def __repr__(self) -> str:
        bits = ", ".join(repr("".join(map(str, column.astype(int)))) for column in self.values.T)
        return f"TruthTable({' '.join(self.inputs)} -> {' '.join(self.outputs)}: {bits})"

    def __str__(self) -> str:
        head = " ".join(self.inputs)
        lines = [f"{head} | {' '.join(self.outputs)}".rstrip()]
        lines.append(f"{'-' * len(head)}-+-{'-' * len(' '.join(self.outputs))}")
        for row, answers in zip(self.rows, self.values, strict=True):
            lines.append(f"{_centred(row, self.inputs)} | {_centred(answers, self.outputs)}".rstrip())
        return "\n".join(lines)


def _centred(bits: Array, names: Sequence[str]) -> str:
    return " ".join(str(int(bit)).center(len(name)) for bit, name in zip(bits, names, strict=True))


def truth_table(
    answers: str | Sequence[Any] | Array | Callable[..., Any],
    inputs: int | Sequence[str] | None = None,
    output: str = "out",
) -> TruthTable:
    """Return a truth table from its answers, or from a function of bits.

    answers     "0110", or as many yes and no as there are rows, in counting order; or a function of so many
                bools, called once a row
    inputs      their names, or how many there are, which get the names a, b, c ...; None counts the answers,
                or takes the names of the function's arguments
    output      the name of the answer
    Errors      DataError for answers that are not 0 or 1, ShapeError where their number is not 2^inputs

    >>> truth_table(lambda a, b: a and not b)
    TruthTable(a b -> out: '0010')
    """
    if callable(answers):
        return _asked(answers, inputs, output)
    bits = _bits(answers)
    count = len(bits).bit_length() - 1
    names = input_names(count if inputs is None else inputs)
    if len(bits) != 2 ** len(names):
        raise ShapeError(
            f"truth_table: {len(bits)} answers, expected 2^inputs"
            + (f" = {2 ** len(names)} for {len(names)} inputs" if inputs is not None else " of them")
        )
    return TruthTable(names, (output,), bits[:, None])


def _asked(function: Callable[..., Any], inputs: int | Sequence[str] | None, output: str) -> TruthTable:
    names = input_names(_parameters(function) if inputs is None else inputs)
    answers = [bool(function(*map(bool, row))) for row in all_rows(len(names))]
    return TruthTable(names, (output,), np.array(answers, bool)[:, None])


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's arguments, which are the names of its inputs."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a callable that does not tell its arguments
        parameters = ()
    names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    if not names:
        raise DataError("truth_table: the function does not tell its inputs; give inputs=, their number")
    return names


def input_names(inputs: int | Sequence[str]) -> tuple[str, ...]:
    """Return names for so many inputs, or the given ones, which must differ."""
    if isinstance(inputs, int):
        return tuple(string.ascii_lowercase[:inputs] if inputs <= 26 else map("x{}".format, range(inputs)))
    names = tuple(inputs)
    if len(set(names)) < len(names):
        raise DataError(f"inputs must have different names, got {', '.join(names)}")
    return names


def _bits(answers: str | Sequence[Any] | Array) -> Array:
    values = np.array([*answers] if isinstance(answers, str) else answers)
    known = {"0": False, "1": True, "0.0": False, "1.0": True, "False": False, "True": True}
    found = [known.get(str(value)) for value in values.ravel().tolist()]
    if values.ndim != 1 or not found or None in found:
        raise DataError(f"truth_table: expected a list of 0 and 1 such as '0110', got {answers!r}")
    return np.array(found, bool)
