"""Whole trainings through `mc.fit`, with all that it does, beside a bare loop of JAX and scikit-learn.

    python benchmarks/whole_runs.py [--seconds 20] [--cores 1]

* `tiny`: 2-4-2-1 tanh on 2,000 rows, batch 10, plain gradient descent, 200 epochs a call of `fit`: orders,
  history and checks included. JAX's side is a compiled scan over as many steps, its order drawn beforehand.
* `tiny, measured`: the same, with 500 held-out rows measured after every epoch and early stopping; JAX's side
  stays the bare scan, which measures nothing.
* `hundred rows`: `mc.MLPClassifier` beside scikit-learn's, 100 rows of 16 columns, 26 classes, 50 epochs.

Both sides take turns; minimum and median are printed, and the ratio of the minima.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import minicolumn as mc
from minicolumn.bench.machine import describe, use_cores
from minicolumn.bench.sides import Side
from minicolumn.bench.timing import Control, alternate
from minicolumn.bench.workloads import WORKLOADS, Problem
from minicolumn.lower.llvm.runtime.thread_count import cores

EPOCHS, ROWS, HELD, BATCH = 200, 2_000, 500, 10
STEPS = EPOCHS * ROWS // BATCH
HUNDRED, HUNDRED_EPOCHS, COLUMNS, CLASSES = 100, 50, 16, 26


def tiny(measured: bool) -> list[Side]:
    """Return `fit` and JAX's scan on the tiny network."""
    from minicolumn.bench import with_jax

    rng = np.random.default_rng(0)
    X, H = (rng.standard_normal((rows, 2), np.float32) for rows in (ROWS, HELD))
    net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(2, "tanh"), mc.nn.Dense(1))
    held: Any = {}
    if measured:
        held = {"validation_data": (H, np.sin(H[:, 0])), "callbacks": [mc.EarlyStopping(10**6)]}

    def fit() -> None:
        mc.fit(
            net, X, np.sin(X[:, 0]), loss="squared_error", optimizer=mc.optim.SGD(0.03), batch_size=BATCH,
            epochs=EPOCHS, **held,
        )  # fmt: skip

    problem = Problem(replace(WORKLOADS["playground"], rows=ROWS), STEPS)
    return [Side("mc.fit", fit, STEPS, "", 3), with_jax.scan(problem)]


def hundred() -> list[Side]:
    """Return both estimators on a hundred rows."""
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((HUNDRED, COLUMNS), np.float32), rng.integers(0, CLASSES, HUNDRED)
    settings: Any = {"max_iter": HUNDRED_EPOCHS, "tol": 0.0, "n_iter_no_change": 10**6, "random_state": 0}

    def fitting(kind: Callable[..., Any]) -> Callable[[], None]:
        def fit() -> None:
            kind(**settings).fit(X, y)

        return fit

    names = (("mc.MLPClassifier", mc.MLPClassifier), ("scikit-learn", MLPClassifier))
    return [Side(name, fitting(kind), HUNDRED_EPOCHS, "", 3) for name, kind in names]


def show(name: str, sides: list[Side], seconds: float) -> None:
    """Measure in turns and print."""
    found = alternate(sides, Control(cores()), seconds)
    for timed in found.times:
        low, middle = 1e6 * timed.best, 1e6 * timed.median
        print(f"{name:16} {timed.side.name:18} {low:9.3f} us min {middle:9.3f} median, a {_unit(timed.side)}")
    ours, theirs = found.times
    note = "" if found.steady else "   the machine was busy"
    print(
        f"{name:16} {theirs.side.name} / {ours.side.name}: {theirs.best / ours.best:.1f}x{note}", flush=True
    )


def _unit(side: Side) -> str:
    return "step" if side.units == STEPS else "epoch"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of alternating turns, each line")
    parser.add_argument("--cores", type=int, help="that may be used")
    options = parser.parse_args()
    if options.cores:
        use_cores(options.cores)
    warnings.simplefilter("ignore")  # that so few epochs do not converge
    print({name: value for name, value in describe().items() if not isinstance(value, list)})
    show("tiny", tiny(False), options.seconds)
    show("tiny, measured", tiny(True), options.seconds)
    show("hundred rows", hundred(), options.seconds)


if __name__ == "__main__":
    main()
