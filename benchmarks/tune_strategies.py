"""Strategies of topology search beside each other: the same time, tables, threads and test rows.

    python benchmarks/tune_strategies.py [SET ...] [--data DIR] [--seconds 120] [--seeds 0 1 2] [--threads 2]
                                         [--strategies course tpe ...] [--csv FILE] [--picture FILE]

A quarter of each table's rows is set apart first and given to the search as rows to test on: no choice looks
at them, neither of the strategy nor of the winner. Each seed is another quarter, search and weights.
The score is the winner's on those rows, R2 of numbers, else the accuracy. Beside them `train`, one network by
the default recipe, on the same rows. Strategies take turns in going first.

With --csv each score is a row of that file as soon as it is there, and what the file holds is not done again:
the same command takes up a run that was ended.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars

import minicolumn as mc
from minicolumn.tables import Overrides, read_table
from minicolumn.tabular.plan import plan_table
from minicolumn.tabular.settings import TableSettings
from minicolumn.tune.study import Study

sys.path.insert(0, str(Path(__file__).parent))
from measured import keep, known
from table_scores import SETS, Task

STRATEGIES = ("course", "random", "tpe", "asha", "hyperband", "grow")
BASELINE = "train"


@dataclass(frozen=True)
class Result:
    """What one entrant came to on one table with one seed.

    score       on the test rows; trials, weights: of a search, and of its winner
    """

    table: str
    entrant: str
    seed: int
    score: float
    seconds: float
    trials: int = 0
    weights: int = 0


def split(frame: polars.DataFrame, task: Task, seed: int) -> tuple[polars.DataFrame, polars.DataFrame]:
    """Return rows to search with, and rows to test on, stratified as `train` does it."""
    settings = TableSettings(
        target=task.target,
        overrides=Overrides(drop=task.drop),
        task=task.task,
        seed=seed,
        members=2,  # no rows are set apart but those that test
    )
    plan = plan_table(frame, settings)
    return plan.train.frame, plan.test.frame


def searched(
    train: polars.DataFrame, test: polars.DataFrame, task: Task, strategy: str, seed: int, **budget: Any
) -> Study:
    """Search on some rows; the others are predicted once, by the winner."""
    return mc.tune(
        train, task.target, test=test, drop=task.drop, task=task.task, strategy=strategy, seed=seed, **budget
    )


def score_of(metrics: dict[str, float]) -> float:
    """Return R2 of numbers, else the accuracy."""
    return metrics["r2"] if "r2" in metrics else metrics["accuracy"]


def run(
    name: str, task: Task, frame: polars.DataFrame, seed: int, entrant: str, budget: dict[str, Any]
) -> Result | None:
    """Return what a strategy, or the default recipe, comes to on a table; None without a winner."""
    train, test = split(frame, task, seed)
    began = time.perf_counter()
    if entrant == BASELINE:
        said: Any = {"drop": task.drop, "task": task.task, "seed": seed, "test": test}
        default = mc.fit_table(train, task.target, members=1, **said)
        return Result(name, BASELINE, seed, score_of(default.metrics), time.perf_counter() - began)
    study = searched(train, test, task, entrant, seed, **budget)
    seconds = time.perf_counter() - began
    if study.winner is None:
        print(f"{name} {entrant}: {study.why_no_winner()}", flush=True)
        return None
    trials, weights = len(study.records), study.winner.parameters
    return Result(name, entrant, seed, score_of(study.metrics), seconds, trials, weights)


def show(results: list[Result], entrants: list[str]) -> None:
    """Print a line a table: the mean over the seeds, and the standard deviation; below them mean ranks."""
    print(f"\n{'':22}" + "".join(f"{entrant:>18}" for entrant in entrants))
    ranks: dict[str, list[float]] = {entrant: [] for entrant in entrants}
    for table in dict.fromkeys(result.table for result in results):
        line, means = f"{table:22}", {}
        for entrant in entrants:
            scores = [r.score for r in results if (r.table, r.entrant) == (table, entrant)]
            means[entrant] = float(np.mean(scores)) if scores else float("nan")
            bar = f" +- {np.std(scores, ddof=1):.3f}" if len(scores) > 1 else ""
            line += f"{f'{means[entrant]:.4f}{bar}':>18}"
        for entrant, mean in means.items():
            ranks[entrant].append(1.0 + sum(other > mean for other in means.values()))
        print(line)
    print(f"{'mean rank':22}" + "".join(f"{np.mean(ranks[entrant]):18.2f}" for entrant in entrants))
    trials = {e: np.mean([r.trials for r in results if r.entrant == e] or [0]) for e in entrants}
    print(f"{'trials a search':22}" + "".join(f"{trials[entrant]:18.0f}" for entrant in entrants))


def draw(results: list[Result], entrants: list[str], path: str) -> None:
    """Draw a row a table: how far each strategy is from one default network on the test rows."""
    from minicolumn.picture import BEHIND, COLOURS, INK, QUIET, new_axes, quiet, save, titled

    tables = list(dict.fromkeys(result.table for result in results))
    axes = new_axes(8.6, 1.7 + 0.5 * len(tables))
    strategies = [entrant for entrant in entrants if entrant != BASELINE]
    for row, table in enumerate(tables[::-1]):
        axes.axhline(row, color="#e4e7eb", lw=1.0, zorder=0)
        scores = {e: [r.score for r in results if (r.table, r.entrant) == (table, e)] for e in entrants}
        base = np.mean(scores[BASELINE])
        for place, strategy in enumerate(strategies):
            if not scores[strategy]:
                continue
            gains = 100.0 * (np.array(scores[strategy]) - base)
            y = row - 0.11 * (place - (len(strategies) - 1) / 2)  # from above, as the legend goes
            colour, first = COLOURS[place % len(COLOURS)], row == len(tables) - 1
            axes.plot([gains.min(), gains.max()], [y, y], color=colour, lw=1.4, alpha=0.45, zorder=2)
            label = strategy if first else None
            axes.plot(
                [gains.mean()], [y], "o", ms=7, color=colour, mec="white", mew=0.8, label=label, zorder=3
            )
    axes.axvline(0.0, color=BEHIND, lw=1.2, zorder=1)
    axes.set_yticks(range(len(tables)), [table.replace("_", " ") for table in tables[::-1]])
    quiet(axes)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=10)
    axes.set_xlabel("points of accuracy or R² (x 100) above one network by the default recipe", color=QUIET)
    titled(axes, "Strategies at equal time", "on rows that no search has seen: mean and range over the seeds")
    axes.figure.legend(loc="outside lower center", ncols=6, frameon=False)
    save(axes, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", default=[*SETS], metavar="SET")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--strategies", nargs="+", default=[*STRATEGIES])
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--picture")
    said = parser.parse_args()
    print(
        f"minicolumn {mc.__version__}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    )
    print(f"{said.seconds:g} s a search, load when it began {os.getloadavg()[0]:.1f}\n")
    budget = {"time": said.seconds, "threads": said.threads}
    results = known(said.csv, Result)
    done = {(result.table, result.seed, result.entrant) for result in results}
    for seed in said.seeds:
        first = seed % len(said.strategies)
        turned = [BASELINE, *said.strategies[first:], *said.strategies[:first]]
        for name in said.sets:
            frame = read_table(said.data / f"{name}.csv.gz")
            for entrant in turned:
                if (name, seed, entrant) in done:
                    continue
                found = run(name, SETS[name], frame, seed, entrant, budget)
                if found is None:
                    continue
                results.append(found)
                print(f"  {found}", flush=True)
                if said.csv:
                    keep(results, said.csv, Result)
    results = [r for r in results if r.table in said.sets and r.seed in said.seeds]
    entrants = [BASELINE, *said.strategies]
    show(results, entrants)
    if said.picture:
        draw(results, entrants, said.picture)


if __name__ == "__main__":
    main()
