"""Two trainings in two threads of one process, beside the same two one after the other.

    python benchmarks/side_by_side.py [TABLE ...] [--seconds 20] [--steps 1000] [--data DIR]

The network is 54-128-64-7 with ReLU, batches of 256 rows, Adam. A training that may use all cores gains by
them when it is alone, so that two at once gain less than two of one thread each.

The lines of tables train the members of the default recipe, all of them, two at a time and one at a time:
making their trainers, compiled programs that are known, measuring after each epoch and judging included.

How much there is to gain at all is what the machine gives two NumPy sorts in two threads, which share
nothing; that is in the last line.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from table_scores import SETS, asked

import minicolumn as mc
from minicolumn.bench.machine import describe
from minicolumn.bench.sides import Side
from minicolumn.bench.timing import Comparison, Control, alternate
from minicolumn.lower.llvm.runtime.thread_count import cores
from minicolumn.tables import Overrides, read_table
from minicolumn.tabular import TableSettings, plan_table
from minicolumn.tabular.ensemble import train_members

ROWS, FEATURES, CLASSES, BATCH = 20_480, 54, 7, 256
SORTED = 1 << 20
TABLES = ["spambase", "california_housing"]


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


def both_ways(jobs: list[Callable[[], object]]) -> list[Side]:
    """Return two jobs one after the other, and in two threads."""
    return [
        Side("one after the other", lambda: one_after_the_other(*jobs)),
        Side("side by side", lambda: side_by_side(*jobs)),
    ]


def members(folder: Path, name: str) -> list[Side]:
    """Return the members of a table's default recipe one at a time, and two at a time."""
    task = SETS[name]
    settings = TableSettings(task.target, task=task.task, overrides=Overrides(drop=task.drop))
    plan = plan_table(read_table(folder / f"{name}.csv.gz"), asked(settings, "normal"))
    return [
        Side("one after the other", lambda: train_members(plan, threads=1)),
        Side("side by side", lambda: train_members(plan, threads=2)),
    ]


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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", default=TABLES, help=f"of {', '.join(SETS)}")
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each line of the table")
    parser.add_argument("--steps", type=int, default=1000, help="that each training takes in a turn")
    options = parser.parse_args()
    control = Control(cores())
    print({name: value for name, value in describe().items() if not isinstance(value, list)})
    print(f"{'ms':24}{'one after':>10}{'the other':>10}{'side by':>10}{'side':>10}{'ratio':>8}")
    print(f"{'':24}" + "".join(f"{word:>10}" for word in ("min", "median") * 2) + "     min  median")
    for name, threads in (("all cores", None), ("threads=1", 1)):
        found = alternate(both_ways(trainings(threads, options.steps)), control, options.seconds)
        print(line(f"trainings, {name}", found), flush=True)
    for name in options.tables:
        print(line(name, alternate(members(options.data, name), control, options.seconds)), flush=True)
    print(line("NumPy's sort", alternate(both_ways(sorts()), control, options.seconds)))


if __name__ == "__main__":
    main()
