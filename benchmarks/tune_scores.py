"""What a search wins over the default network: `tune` for a while beside `train` of one network, ten tables.

    python benchmarks/tune_scores.py --csv FILE [SET ...] [--data DIR] [--seconds 120] [--seeds 0 1 2]
                                     [--threads 2] [--strategy course]

A quarter of each table's rows is set apart first; both are scored on them, and no choice looks at them: not
of the search, not of its winner, not of the epoch that `train` keeps. Each seed is another quarter, search
and weights. The score is R2 of numbers, else the accuracy.

Each table and seed is a row of the CSV file as soon as it is done; those that are there are not done again,
so the run can be ended at any time and taken up by the same command. With nothing left to do it prints the
table: the mean over the seeds, the difference to `train`, its standard error over the seeds, and on how many
tables the search is better.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.tables import read_table

sys.path.insert(0, str(Path(__file__).parent))
from measured import keep, known
from table_scores import SETS, Task
from tune_strategies import score_of, searched, split


@dataclass(frozen=True)
class Pair:
    """The two scores of one table and seed, and what they took.

    default, tuned      on the rows set apart
    budget              seconds that the search was given; strategy: by which it searched
    trials, weights     of the search, and of its winner; winner: in words
    """

    table: str
    seed: int
    strategy: str
    budget: float
    default: float
    tuned: float
    default_seconds: float
    tuned_seconds: float
    trials: int
    weights: int
    winner: str

    @property
    def gain(self) -> float:
        """By how much the search is better."""
        return self.tuned - self.default

    @property
    def kind(self) -> tuple[str, int, str, float]:
        """What it is a measurement of: it is not measured twice."""
        return self.table, self.seed, self.strategy, self.budget


def measured(
    name: str, frame: polars.DataFrame, task: Task, seed: int, strategy: str, seconds: float, **budget: Any
) -> Pair:
    """Train the default network and search, on the same rows, and score both on those set apart."""
    return compared(name, *split(frame, task, seed), task, seed, strategy, seconds, **budget)


def compared(
    name: str,
    train: polars.DataFrame,
    test: polars.DataFrame,
    task: Task,
    seed: int,
    strategy: str,
    seconds: float,
    **budget: Any,
) -> Pair:
    """Return both scores on the rows to test on."""
    began = time.perf_counter()
    default = mc.fit_table(
        train, task.target, members=1, drop=task.drop, task=task.task, seed=seed, test=test
    )
    middle = time.perf_counter()
    study = searched(train, test, task, strategy, seed, time=seconds, **budget)
    if study.winner is None:
        raise DataError(f"{name}: {study.why_no_winner()}")
    return Pair(
        table=name,
        seed=seed,
        strategy=strategy,
        budget=seconds,
        default=score_of(default.metrics),
        tuned=score_of(study.metrics),
        default_seconds=middle - began,
        tuned_seconds=time.perf_counter() - middle,
        trials=len(study.records),
        weights=study.winner.parameters,
        winner=study.winner.candidate.words,
    )


# The table --------------------------------------------------------------------------------------------------


def shown(pairs: Sequence[Pair]) -> list[str]:
    """Return a line a table, and how many the search is better on."""
    heads = ("train", "tune", "gain", "error", "seeds", "trials", "s train", "s tune")
    lines = [f"{'':22}" + "".join(f"{head:>9}" for head in heads)]
    better = 0
    tables = list(dict.fromkeys(pair.table for pair in pairs))
    for table in tables:
        own = [pair for pair in pairs if pair.table == table]
        gains = [pair.gain for pair in own]
        better += float(np.mean(gains)) > 0.0
        error = np.std(gains, ddof=1) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
        means = [float(np.mean([getattr(p, what) for p in own])) for what in ("default", "tuned", "gain")]
        took = [np.mean([getattr(p, w) for p in own]) for w in ("trials", "default_seconds", "tuned_seconds")]
        lines.append(
            f"{table:22}"
            + "".join(f"{m:9.4f}" for m in (*means, error))
            + f"{len(own):9}"
            + "".join(f"{t:9.0f}" for t in took)
        )
    return [*lines, f"the search is better on {better} of {len(tables)} tables, by the mean over the seeds"]


def parsed() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", default=[*SETS], metavar="SET")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--strategy", default="course")
    return parser.parse_args()


def main() -> None:
    """Do what the file lacks, a row at a time, and print the table."""
    said = parsed()
    pairs = known(said.csv, Pair)
    done = {pair.kind for pair in pairs}
    print(f"minicolumn {mc.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {said.csv}")
    wanted = [(name, seed, said.strategy, said.seconds) for seed in said.seeds for name in said.sets]
    for name, seed, strategy, seconds in wanted:
        if (name, seed, strategy, seconds) in done:
            continue
        frame = read_table(said.data / f"{name}.csv.gz")
        pair = measured(name, frame, SETS[name], seed, strategy, seconds, threads=said.threads)
        pairs.append(pair)
        keep(pairs, said.csv, Pair)
        words = f"train {pair.default:.4f}  tune {pair.tuned:.4f}  {pair.trials} trials  {pair.winner}"
        print(f"  {name:22} seed {seed}  {words}", flush=True)
    print("\n".join(shown([pair for pair in pairs if pair.kind in set(wanted)])))


if __name__ == "__main__":
    try:
        main()
    except DataError as error:
        sys.exit(str(error))
