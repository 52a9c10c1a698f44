"""Two trainings in two threads of one process, beside the same two one after the other.

    python benchmarks/side_by_side.py [--seconds 20] [--steps 1000]

The network is 54-128-64-7 with ReLU, batches of 256 rows, Adam. A training that may use all cores gains by
them when it is alone, so that two at once gain less than two of one thread each. How much there is to gain at
all is what the machine gives two NumPy sorts in two threads, which share nothing; that is in the last line.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable

import numpy as np

import minicolumn as mc
from minicolumn.bench.machine import describe
from minicolumn.bench.sides import Side
from minicolumn.bench.timing import Comparison, Control, alternate
from minicolumn.lower.llvm.runtime.thread_count import cores

ROWS, FEATURES, CLASSES, BATCH = 20_480, 54, 7, 256
SORTED = 1 << 20


def one_after_the_other(*jobs: Callable[[], object]) -> None:
    """Do all jobs in this thread."""
    for job in jobs:
        job()


def side_by_side(*jobs: Callable[[], object]) -> None:
    """Do each job in a thread of its own."""
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def trainings(threads: int | None, steps: int) -> list[Callable[[], object]]:
    """Return two jobs that each take some steps of a training of their own."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, FEATURES)).astype(np.float32)
    y = rng.integers(0, CLASSES, ROWS)
    net = mc.nn.Sequential(
        mc.nn.Dense(128, activation="relu"), mc.nn.Dense(64, activation="relu"), mc.nn.Dense(CLASSES)
    )

    def job(seed: int) -> Callable[[], object]:
        trainer = mc.Trainer(
            net,
            X,
            y,
            optimizer=mc.optim.Adam(1e-3),
            batch_size=BATCH,
            epochs=10**6,
            seed=seed,
            threads=threads,
        )
        return lambda: trainer.advance(steps=steps)

    return [job(1), job(2)]


def sorts() -> list[Callable[[], object]]:
    """Return two jobs of NumPy's, which need a core each and nothing else."""
    values = [np.random.default_rng(seed).random(SORTED, np.float32) for seed in range(2)]
    return [lambda v=v: np.sort(v) for v in values]


def compare(jobs: list[Callable[[], object]], control: Control, seconds: float) -> Comparison:
    """Return the times of both ways, in turn."""
    sides = [
        Side("one after the other", lambda: one_after_the_other(*jobs)),
        Side("side by side", lambda: side_by_side(*jobs)),
    ]
    return alternate(sides, control, seconds)


def line(name: str, found: Comparison) -> str:
    """Return the line of a table."""
    first, second = found.times
    numbers = [1e3 * t for t in (first.best, first.median, second.best, second.median)]
    note = "" if found.steady else "   the machine was busy"
    return (
        f"{name:24}"
        + "".join(f"{number:10.1f}" for number in numbers)
        + f"{first.best / second.best:8.2f}{first.median / second.median:8.2f}{note}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each line of the table")
    parser.add_argument("--steps", type=int, default=1000, help="that each training takes in a turn")
    options = parser.parse_args()
    control = Control(cores())
    print({name: value for name, value in describe().items() if not isinstance(value, list)})
    print(f"{'ms':24}{'one after':>10}{'the other':>10}{'side by':>10}{'side':>10}{'ratio':>8}")
    print(f"{'':24}" + "".join(f"{word:>10}" for word in ("min", "median") * 2) + "     min  median")
    for name, threads in (("all cores", None), ("threads=1", 1)):
        found = compare(trainings(threads, options.steps), control, options.seconds)
        print(line(f"trainings, {name}", found), flush=True)
    print(line("NumPy's sort", compare(sorts(), control, options.seconds)))


if __name__ == "__main__":
    main()
