"""What planes can do about the rows that a perceptron learns: Novikoff's bound, and XOR and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minicolumn.nn.classic import Separation, name_of_table

Array = np.ndarray
# Rows among which XOR and its kin are looked for.
MOST_ROWS = 10_000


@dataclass(frozen=True, eq=False)
class Convergence:
    """What `Perceptron.convergence` tells; print it.

    separation      what planes can do about the rows: margins, the bound on corrections, a verdict a unit
    corrections     how often each unit was corrected in the last `fit` or `partial_fit`, int [units]
    names           the class or label that each unit says yes to
    """

    separation: Separation
    corrections: Array
    names: tuple[str, ...]

    def __str__(self) -> str:
        table = self.separation.table(self.corrections, self.names)
        return f"longest row R = {self.separation.radius:.4g}\n{table}"


def known_tables(X: Array, names: Sequence[str], wrong: Array, signs: Array) -> list[str]:
    """Return which units are asked for one of the best-known tables that no plane divides, in words.

    names       the class or label of each unit
    wrong       where each unit is wrong, [rows, units]; one that never is has found its plane
    signs       what each should say, +1 or -1, [rows, units]

    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> known_tables(X, ["yes"], np.ones((4, 1), bool), np.array([[-1], [1], [1], [-1]]))
    ['no plane divides the rows of yes from the others: this is XOR']
    """
    if len(X) > MOST_ROWS:
        return []
    units = zip(names, np.any(wrong, axis=0), signs.T, strict=True)
    known = [(name, name_of_table(X, sign)) for name, missed, sign in units if missed]
    say = "no plane divides the rows of {} from the others: this is {}"
    return [say.format(name, table) for name, table in known if table]
