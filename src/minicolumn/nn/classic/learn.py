"""Perceptron training to convergence, and saying why where that never comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.lower.compile import compile
from minicolumn.nn.classic.rules import perceptron_rule
from minicolumn.nn.classic.separable import Separation, separation
from minicolumn.nn.classic.threshold import LTU
from minicolumn.registry.shared import EPOCHS, LEARNING_RATE
from minicolumn.trace.loops import scan

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class PerceptronRun:
    """What `train_perceptron` hands back. Printing it tells how the training went, unit by unit.

    ltu         the trained units
    mistakes    corrections in each epoch, by unit, int [epochs, units]
    converged   whether an epoch passed without a mistake
    cycle       the two epochs after which the weights were the same, so that they go round for ever; or None
    separation  what planes can do about the rows: margins, the bound on corrections, a verdict a unit
    """

    ltu: LTU
    mistakes: Array
    converged: bool
    cycle: tuple[int, int] | None
    separation: Separation

    @property
    def updates(self) -> Array:
        """Return how often each unit was corrected, int [units]."""
        return self.mistakes.sum(axis=0)

    def __repr__(self) -> str:
        fan_in, units = self.ltu.weight.shape
        end = "all right" if self.converged else "not all right"
        return f"PerceptronRun(inputs: {fan_in}, units: {units}, epochs: {len(self.mistakes)}, {end})"

    def __str__(self) -> str:
        names = [str(unit) for unit in range(len(self.updates))]
        lines = [
            f"{self!r}, longest row R = {self.separation.radius:.4g}",
            self.separation.table(self.updates, names),
        ]
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
    >>> print(*run.separation.verdicts, sep="; ")
    divides all rows; no plane divides the rows: this is XOR
    """
    rows, signs = _checked(X, y)
    learning_rate = LEARNING_RATE.check(learning_rate, "train_perceptron")
    epochs = EPOCHS.check(epochs, "train_perceptron")
    state, mistakes, cycle = _train(rows, signs, learning_rate, epochs, bias)
    ltu = LTU(*state)
    wrong = (signs * ltu.scores(rows) <= 0).sum(axis=0)
    return PerceptronRun(ltu, mistakes, not mistakes[-1].any(), cycle, separation(rows, signs, wrong, bias))


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

    return compile(run, dims={1: "rows", 2: "rows"})


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
