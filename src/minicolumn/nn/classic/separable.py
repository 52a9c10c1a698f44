"""Linear separability, by linear programming, and the names of truth tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.nn.classic.table import all_rows

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Separation:
    """What planes can do about some rows, unit by unit.

    radius      R, the length of the longest row, with the bias's 1 as one more entry
    margin      of the widest plane, by unit, [units]; 0 where no plane divides the rows
    verdicts    one sentence a unit
    """

    radius: float
    margin: Array
    verdicts: tuple[str, ...]

    @property
    def bound(self) -> Array:
        """Return the most corrections that each unit can need, (R / margin)^2, whatever the order; or inf."""
        margin = np.where(self.margin > 0, self.margin, 1.0)
        return np.where(self.margin > 0, (self.radius / margin) ** 2, np.inf)

    def table(self, corrections: Array, names: Sequence[str]) -> str:
        """Return one line a unit, to be read beside how often each was corrected."""
        width = max(4, *map(len, names))
        lines = [f"{'unit':<{width}}  corrections  bound (R/margin)^2  margin   verdict"]
        columns = zip(names, corrections, self.bound, self.margin, self.verdicts, strict=True)
        for name, count, bound, margin, verdict in columns:
            limit = f"{bound:.4g}" if np.isfinite(bound) else "none"
            lines.append(f"{name:<{width}}  {count:>11}  {limit:>18}  {margin:<7.3g}  {verdict}")
        return "\n".join(lines)


def separation(rows: Array, signs: Array, wrong: Array, bias: bool = True) -> Separation:
    """Tell for each unit whether a plane divides the rows, how wide its margin is, and what that means.

    rows        float64 [rows, fan_in]
    signs       +1 or -1, what each unit should say, [rows, units]
    wrong       about how many rows each unit is wrong, int [units]
    bias        whether planes may miss the origin
    Source      the bound: Novikoff 1962, "On convergence proofs on perceptrons"
    """
    lengths = (rows**2).sum(axis=1) + float(bias)
    pairs = list(zip(wrong.tolist(), signs.T, strict=True))
    # A unit that is right about every row is proof enough that a plane exists.
    apart = [not count or find_separator(rows, sign, bias) is not None for count, sign in pairs]
    units = [(a, count, sign) for a, (count, sign) in zip(apart, pairs, strict=True)]
    margin = [largest_margin(rows, sign, bias) if a else 0.0 for a, _, sign in units]
    verdicts = [_verdict(a, count, rows, sign) for a, count, sign in units]
    return Separation(float(np.sqrt(lengths.max())), np.array(margin), tuple(verdicts))


def _verdict(apart: bool, wrong: int, rows: Array, sign: Array) -> str:
    if not wrong:
        return "divides all rows"
    if apart:
        return f"{wrong} of {len(rows)} rows are still wrong, but a plane exists: train longer"
    name = name_of_table(rows, sign)
    return "no plane divides the rows" + (f": this is {name}" if name else "")


def find_separator(X: Any, sign: Any, bias: bool = True) -> Array | None:
    """Return a plane that has the two kinds of rows on its two sides, or None where there is none.

        find w with  sign_i (x_i w + b) >= 1  for every row,  by linear programming

    X           [rows, fan_in]
    sign        +1 or -1, [rows]
    bias        whether the plane may miss the origin
    Returns     [fan_in + 1], the last being the bias (0 without one); or None
    Errors      ShapeError if the shapes do not fit
    Source      Minsky & Papert 1969; the solver is HiGHS, through SciPy

    >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> find_separator(corners, np.array([-1, 1, 1, -1])) is None
    True
    """
    from scipy.optimize import linprog

    X = np.asarray(X, np.float64)
    # The solver takes what is small for nothing, so the numbers are brought to about 1.
    scale = float(np.abs(X).max(initial=0.0)) or 1.0
    rows = _signed(X / scale, sign, bias)
    found = linprog(np.zeros(rows.shape[1]), -rows, -np.ones(len(rows)), bounds=(None, None))
    if found.x is None or not (rows @ found.x > 0).all():
        return None
    weight = found.x if bias else np.append(found.x, 0.0)
    return weight / np.append(np.full(X.shape[1], scale), 1.0)


def largest_margin(X: Any, sign: Any, bias: bool = True) -> float:
    """Return how far the plane that keeps furthest from all rows is from the nearest; 0 where there is none.

        max over w of  min over rows of  sign_i (x_i, 1) w / |w|

    The bias counts as one more weight, as it does to the perceptron.

    X           [rows, fan_in]
    sign        +1 or -1, [rows]
    bias        whether the plane may miss the origin
    Source      Lawson & Hanson 1974, chapter 23: least distance programming by non-negative least squares

    >>> round(largest_margin(np.array([[1.0], [-1.0]]), np.array([1, -1])), 6)
    1.0
    """
    from scipy.optimize import nnls

    rows = _signed(X, sign, bias)
    scale = float(np.sqrt((rows**2).sum(axis=1).max(initial=0.0)))
    if scale == 0.0:
        return 0.0
    # The nearest point to 0 of the hull of the rows is the widest plane's normal, as long as the margin.
    rows = rows / scale
    system = np.vstack([rows.T, np.ones(len(rows))])
    wanted = np.append(np.zeros(rows.shape[1]), 1.0)
    shares, _ = nnls(system, wanted)
    total = shares.sum()
    normal = rows.T @ shares / total if total > 0 else np.zeros(rows.shape[1])
    length = float(np.linalg.norm(normal))
    margin = float((rows @ normal).min()) / length if length > 0 else 0.0
    return max(margin, 0.0) * scale


def _signed(X: Any, sign: Any, bias: bool) -> Array:
    """Return the rows times their signs, with a column for the bias."""
    X, sign = np.asarray(X, np.float64), np.asarray(sign, np.float64)
    if X.ndim != 2 or sign.shape != X.shape[:1]:
        found = f"{list(X.shape)} and {list(sign.shape)}"
        raise ShapeError(f"expected X [rows, fan_in] and sign [rows], got {found}")
    rows = np.hstack([X, np.ones((len(X), 1))]) if bias else X
    return rows * sign[:, None]


def name_of_table(X: Any, sign: Any) -> str | None:
    """Return the name of the best-known truth tables that no single unit can answer, if the rows are one.

    X           [rows, fan_in], each column with two values
    sign        +1 or -1, [rows]
    Returns     "XOR", "XNOR", "parity of 3 inputs", "XOR of inputs 0 and 2 where the others stand still", or
                None for anything else

    >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> name_of_table(corners, np.array([-1, 1, 1, -1]))
    'XOR'
    """
    bits = _as_bits(np.asarray(X))
    if bits is None or not 2 <= bits.shape[1] <= 8:
        return None
    answers = _answers(bits, np.asarray(sign) > 0)
    if answers is None:
        return None
    inputs = bits.shape[1]
    odd = all_rows(inputs).sum(axis=1) % 2 == 1
    if None not in answers:
        known = np.array(answers, bool)
        if (known == odd).all():
            return "XOR" if inputs == 2 else f"parity of {inputs} inputs"
        if (known != odd).all():
            return "XNOR" if inputs == 2 else f"parity of {inputs} inputs, negated"
    return _xor_inside(answers, inputs)


def _as_bits(X: Array) -> Array | None:
    """Return rows whose columns have two values each as bits, the larger one True; None for others."""
    columns = []
    for column in X.T:
        values = np.unique(column)
        if len(values) != 2:
            return None
        columns.append(column == values[1])
    return np.stack(columns, axis=1) if columns else None


def _answers(bits: Array, positive: Array) -> list[bool | None] | None:
    """Return the answer to each row of the table, None where no row asks; None at all for contradictions."""
    numbers = bits.astype(int) @ (1 << np.arange(bits.shape[1])[::-1])
    answers: list[bool | None] = [None] * 2 ** bits.shape[1]
    for number, answer in zip(numbers.tolist(), positive.tolist(), strict=True):
        if answers[number] not in (None, answer):
            return None
        answers[number] = answer
    return answers


def _xor_inside(answers: list[bool | None], inputs: int) -> str | None:
    """Return which two inputs are XOR or XNOR while the others stand still, if some are."""
    for i, j in itertools.combinations(range(inputs), 2):
        high, low = 1 << (inputs - 1 - i), 1 << (inputs - 1 - j)
        for base in (row for row in range(2**inputs) if not row & (high | low)):
            corners = [answers[base], answers[base | low], answers[base | high], answers[base | high | low]]
            for name, pattern in (("XOR", [False, True, True, False]), ("XNOR", [True, False, False, True])):
                if corners == pattern:
                    return f"{name} of inputs {i} and {j} where the others stand still"
    return None
