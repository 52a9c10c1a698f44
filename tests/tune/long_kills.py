"""Kill -9 a real search at random, again and again: no trial that was told of is lost, and none there twice.

    python tests/tune/long_kills.py 500 [SEED]

A parent plans a search once; each child resumes it and is killed at a random moment. A child says of each
trial that it is written down, over a pipe; what was said must be in the storage, to the last digit.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars

from minicolumn.tabular.plan import plan_table
from minicolumn.tune.api import asked_of, table_settings
from minicolumn.tune.search import Progress
from minicolumn.tune.session import SearchPlan, Shown, plan_search, run_search
from minicolumn.tune.storage import open_storage

LONGEST = 0.4  # seconds that a child lives


def planned(journal: str) -> SearchPlan:
    """Plan a search of random networks of one shape, so that trials take milliseconds."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal(80)
    table = polars.DataFrame({"a": a, "y": 2.0 * a})
    settings = table_settings("tune", {"target": "y", "epochs": 2, "seed": 0, "test_fraction": 0.25})
    said: dict[str, Any] = {
        "space": {"layers": 1, "width": 4, "activation": "relu", "ramps": False, "batch_size": 32},
        "strategy": "random", "time": None, "trials": 1, "target_score": None, "score": None, "folds": 2,
        "winner": "smallest", "storage": journal, "resume": False, "seed": 0, "threads": 1,
    }  # fmt: skip
    return plan_search(plan_table(table, settings), asked_of("tune", said))


def child(plan: SearchPlan, pipe: int) -> None:
    """Go on with the search for ever, saying what was written down."""
    said = 0

    def watch(progress: Progress) -> None:
        nonlocal said
        fresh, said = progress.trials[said:], len(progress.trials)
        for trial in fresh:
            os.write(pipe, (json.dumps([trial.number, trial.score, list(trial.by_fold)]) + "\n").encode())

    @contextmanager
    def shown(_: SearchPlan) -> Any:
        yield watch

    run_search(plan, Shown(search=shown), refit=False)


def main(kills: int, seed: int) -> int:
    """Kill so many children; return how many trials were written down by then."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        journal = str(Path(folder) / "search.journal")
        plan = planned(journal)
        run_search(plan, refit=False)  # compiles, and begins the search
        plan = replace(
            plan, asked=replace(plan.asked, resume=True, budget=replace(plan.asked.budget, trials=10**6))
        )
        told: dict[int, list[Any]] = {}
        for number in range(1, kills + 1):
            told |= killed(plan, draw.uniform(0.0, LONGEST))
            check(journal, told, number)
        return len(told)


def killed(plan: SearchPlan, seconds: float) -> dict[int, list[Any]]:
    """Return what a child said before it was killed."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(read)
            child(plan, write)
        finally:
            os._exit(1)
    os.close(write)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"a child ended by itself, with status {status}"
    with open(read) as file:
        lines = [line for line in file.read().splitlines(keepends=True) if line.endswith("\n")]
    return {entry[0]: entry for entry in map(json.loads, lines)}


def check(journal: str, told: dict[int, list[Any]], kills: int) -> None:
    """Hold the storage to what was said."""
    with open_storage("storage", journal) as storage:
        (search,) = storage.searches()
    there = {trial.number: [trial.number, trial.score, list(trial.by_fold)] for trial in search.trials}
    candidates = {trial.candidate for trial in search.trials}
    assert len(candidates) == len(search.trials), f"after {kills} kills a candidate is there twice"
    lost = [number for number, entry in told.items() if there.get(number) != entry]
    assert not lost, f"after {kills} kills these trials are lost: {lost}"


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(
        f"{main(count, int(sys.argv[2]) if len(sys.argv) > 2 else 0)} trials after {count} kills, none lost"
    )
