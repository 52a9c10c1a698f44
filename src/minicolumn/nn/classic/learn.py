"""Training perceptrons until all answers are right, and saying why where that never comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.lower.compile import compile
from minicolumn.nn.classic.rules import perceptron_rule
from minicolumn.nn.classic.separable import find_separator, largest_margin, name_of_table
from minicolumn.nn.classic.threshold import LTU
from minicolumn.trace.loops import scan

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class PerceptronRun:
    """What `train_perceptron` hands back. Printing it tells how the training went, unit by unit.

    ltu         the trained units
    mistakes    corrections in each epoch, by unit, int [epochs, units]
    converged   whether an epoch passed without a mistake
    cycle       the two epochs after which the weights were the same, so that they go round for ever; or None
    radius      R, the length of the longest row, with the bias's 1 as one more entry
    margin      of the widest plane, by unit, [units]; 0 where no plane divides the rows
    verdicts    one sentence a unit
    """

    ltu: LTU
    mistakes: Array
    converged: bool
    cycle: tuple[int, int] | None
    radius: float
    margin: Array
    verdicts: tuple[str, ...]

    @property
    def updates(self) -> Array:
        """Return how often each unit was corrected, int [units]."""
        return self.mistakes.sum(axis=0)

    @property
    def bound(self) -> Array:
        """Return the most corrections that each unit can need, (R / margin)^2, whatever the order; or inf."""
        margin = np.where(self.margin > 0, self.margin, 1.0)
        return np.where(self.margin > 0, (self.radius / margin) ** 2, np.inf)

    def __repr__(self) -> str:
        fan_in, units = self.ltu.weight.shape
        end = "all right" if self.converged else "not all right"
        return f"PerceptronRun(inputs: {fan_in}, units: {units}, epochs: {len(self.mistakes)}, {end})"

    def __str__(self) -> str:
        lines = [
            f"{self!r}, longest row R = {self.radius:.4g}",
            "unit  corrections  bound (R/margin)^2  margin   verdict",
        ]
        columns = zip(self.updates, self.bound, self.margin, self.verdicts, strict=True)
        for unit, (updates, bound, margin, verdict) in enumerate(columns):
            limit = f"{bound:.4g}" if np.isfinite(bound) else "none"
            lines.append(f"{unit:<4}  {updates:>11}  {limit:>18}  {margin:<7.3g}  {verdict}")
        if self.cycle:
            first, again = self.cycle
            lines.append(f"the weights after epoch {again} are those after epoch {first}: they go round")
        return "\n".join(lines)


def train_perceptron(
    X: Any, y: Any, *, learning_rate: float = 1.0, epochs: int = 1000, bias: bool = True
) -> PerceptronRun:
    """Go through the rows in their order, correcting what is wrong, until an epoch passes without a mistake.

        sign_i (x_i W + b) <= 0:   W += learning_rate * x_i' sign_i     b += learning_rate * sign_i

    If a plane divides the rows, this ends after at most (R / margin)^2 corrections (Novikoff); if none does,
    it never ends, and the verdict says so, by name where the rows are XOR or its kin.

    X               [rows, fan_in]
    y               what each unit should answer, [rows] for one or [rows, units]: 0 and 1, or -1 and +1
    learning_rate   from zero weights it only scales them
    epochs          the most times through the rows
    bias            whether units have one
    Returns         a `PerceptronRun`
    Errors          ShapeError if the shapes do not fit; DataError for targets of another kind, for numbers
                    that are not finite and for settings out of range
    Source          Rosenblatt 1958; the bound: Novikoff 1962, "On convergence proofs on perceptrons"

    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> run = train_perceptron(X, [[0, 0], [0, 1], [0, 1], [1, 0]])
    >>> print(*run.verdicts, sep="; ")
    divides all rows; no plane divides the rows: this is XOR
    """
    rows, signs = _checked(X, y)
    if not learning_rate > 0 or not np.isfinite(learning_rate):
        raise DataError(f"train_perceptron: learning_rate must be a finite number > 0, got {learning_rate!r}")
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise DataError(f"train_perceptron: epochs must be a whole number of at least 1, got {epochs!r}")
    state, mistakes, cycle = _train(rows, signs, float(learning_rate), epochs, bias)
    ltu = LTU(*state)
    lengths = (rows**2).sum(axis=1) + float(bias)
    wrong = (signs * ltu.scores(rows) <= 0).sum(axis=0)
    # A unit that is right about every row is proof enough that a plane exists.
    columns = list(zip(wrong.tolist(), signs.T, strict=True))
    separable = [not n or find_separator(rows, sign, bias) is not None for n, sign in columns]
    pairs = list(zip(separable, signs.T, strict=True))
    margin = [largest_margin(rows, sign, bias) if apart else 0.0 for apart, sign in pairs]
    return PerceptronRun(
        ltu,
        mistakes,
        not mistakes[-1].any(),
        cycle,
        float(np.sqrt(lengths.max())),
        np.array(margin),
        tuple(_verdict(apart, int(n), rows, sign) for n, (apart, sign) in zip(wrong, pairs, strict=True)),
    )


def _checked(X: Any, y: Any) -> tuple[Array, Array]:
    """Return float64 rows and signs [rows, units]."""
    rows, targets = np.asarray(X, np.float64), np.asarray(y)
    targets = targets[:, None] if targets.ndim == 1 else targets
    if rows.ndim != 2 or not rows.size or targets.ndim != 2 or len(targets) != len(rows):
        found = f"X {list(np.shape(X))} and y {list(np.shape(y))}"
        raise ShapeError(f"train_perceptron: expected X [rows, fan_in] and y [rows, units], got {found}")
    if not np.isfinite(rows).all():
        raise DataError("train_perceptron: X must hold finite numbers")
    values = set(np.unique(targets).tolist())
    if not (values <= {0, 1} or values <= {-1, 1}):
        raise DataError(f"train_perceptron: y must hold 0 and 1, or -1 and +1, got {sorted(values)[:5]}")
    return rows, np.where(targets > 0, 1.0, -1.0)


def _epoch(learning_rate: float, bias: bool) -> Callable[..., Any]:
    """Return one pass through the rows as one native function."""

    def run(state: tuple[Array, Array], rows: Array, signs: Array) -> Any:
        def step(state: tuple[Array, Array], row: tuple[Array, Array]) -> Any:
            x, sign = row
            weight, moved = perceptron_rule(*state, x, sign, learning_rate)
            wrong = sign * (x @ state[0] + state[1]) <= 0
            return (weight, moved if bias else state[1]), wrong

        return scan(step, state, (rows, signs))

    return compile(run, varying=((1, 2),))


def _train(rows: Array, signs: Array, learning_rate: float, epochs: int, bias: bool) -> Any:
    """Run epochs until one has no mistake, or the weights are what they were after an earlier one."""
    epoch = _epoch(learning_rate, bias)
    state = np.zeros((rows.shape[1], signs.shape[1])), np.zeros(signs.shape[1])
    seen = {_bytes(state): 0}
    mistakes = []
    for number in range(1, epochs + 1):
        state, wrong = epoch(state, rows, signs)
        mistakes.append(wrong.sum(axis=0))
        if not wrong.any():
            return state, np.array(mistakes), None
        # The same weights before the same rows: all that follows is known.
        before = seen.setdefault(_bytes(state), number)
        if before != number:
            return state, np.array(mistakes), (before, number)
    return state, np.array(mistakes), None


def _bytes(state: tuple[Array, Array]) -> bytes:
    return b"".join((part + 0.0).tobytes() for part in state)  # + 0.0: -0 and 0 are the same weight


def _verdict(separable: bool, wrong: int, rows: Array, sign: Array) -> str:
    if not wrong:
        return "divides all rows"
    if separable:
        return f"{wrong} of {len(rows)} rows are still wrong, but a plane exists: train longer"
    name = name_of_table(rows, sign)
    return "no plane divides the rows" + (f": this is {name}" if name else "")
