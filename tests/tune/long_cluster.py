"""Kill -9 workers of a real Dask cluster at random while a search runs: each candidate counts once.

    python tests/tune/long_cluster.py 200 [SEED]

Scheduler and workers are on loopback; a worker process that is killed is started again by its nanny. A search
goes over a grid of candidates, again and again until there were so many kills, and each time it must end with
every candidate once, and with the scores to the last digit that one thread finds.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import minicolumn as mc
from minicolumn.tune.study import Study

RATES = tuple(round(0.01 * 1.1**k, 4) for k in range(10))
SPACE: dict[str, Any] = {
    "layers": 1, "width": (4, 8), "activation": "relu", "ramps": False, "schedule": "cosine",
    "batch_size": 32, "dropout": 0.1, "weight_decay": 0.01, "learning_rate": RATES,
}  # fmt: skip
ROWS = np.random.default_rng(0).standard_normal((400, 3))


def searched(epochs: int, **where: Any) -> Study:
    """Search the grid somewhere."""
    y = ROWS[:, 0] * ROWS[:, 1]
    grid: dict[str, Any] = {"space": SPACE, "strategy": "grid", "epochs": epochs, "folds": 2, "refit": False}
    return mc.tune(ROWS, y, **grid, **where)


# What a worker process runs: no nanny, so that who is killed is dead.
WORKER = """
import asyncio, sys
from distributed import Worker
import minicolumn.tune.cluster, minicolumn.tune.storage  # before it says that it is there

async def main():
    async with Worker(sys.argv[1], nthreads=1, memory_limit=0, dashboard_address="127.0.0.1:0") as worker:
        await worker.finished()

asyncio.run(main())
"""


class Cluster:
    """A scheduler, and worker processes of one thread each, on loopback."""

    def __init__(self, scheduler: Any) -> None:
        self.address: str = scheduler.scheduler_address
        self.scheduler, self.workers = scheduler, [self._started() for _ in range(2)]

    def _started(self) -> subprocess.Popen[bytes]:
        where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", WORKER, self.address]
        return subprocess.Popen(command, env=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def is_whole(self) -> bool:
        """Whether all workers have come to the scheduler."""
        there = {worker.pid for worker in list(self.scheduler.scheduler.workers.values())}
        return {worker.pid for worker in self.workers} <= there

    def kill(self, place: int) -> None:
        """Kill -9 a worker, and start another in its place."""
        self.workers[place].kill()
        self.workers[place].wait()
        self.workers[place] = self._started()

    def close(self) -> None:
        """End the scheduler and the workers."""
        self.scheduler.close()
        for worker in self.workers:
            worker.kill()
            worker.wait()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a cluster for as long as the block lasts."""
    from distributed import LocalCluster

    quiet: Any = {"dashboard_address": "127.0.0.1:0", "silence_logs": 100}
    with LocalCluster(n_workers=0, processes=True, **quiet) as scheduler:
        found = Cluster(scheduler)
        try:
            yield found
        finally:
            found.close()


class Killer:
    """Kills a worker process at random, as often as it is told, while the block lasts."""

    def __init__(self, cluster: Cluster, kills: int, seed: int, longest: float) -> None:
        self.cluster, self.most, self.kills = cluster, kills, 0
        self._random, self._longest = random.Random(seed), longest
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while self.kills < self.most and not self._over.wait(self._random.uniform(0.05, self._longest)):
            while not self.cluster.is_whole and not self._over.wait(0.02):
                pass  # starting takes seconds: who kills faster is waited for for ever
            if self._over.is_set():
                return
            self.cluster.kill(self._random.randrange(len(self.cluster.workers)))
            self.kills += 1


def check_whole(found: Study, expected: Study) -> None:
    """Check that a study has every trial once, with the same scores."""
    assert found.stopped == "all tried", found.stopped
    assert [trial.number for trial in found.records] == list(range(len(expected.records)))
    scores = [
        {t.candidate: (t.state, t.score, t.curves) for t in study.records} for study in (found, expected)
    ]
    assert len(scores[0]) == len(found.records)
    assert scores[0] == scores[1]


def main(kills: int, seed: int) -> None:
    expected, done, rounds, began = searched(40, threads=1), 0, 0, time.monotonic()
    with cluster() as found:
        while done < kills:
            with Killer(found, kills - done, seed + rounds, longest=4.0) as killer:
                check_whole(searched(40, cluster=found.address), expected)
            done, rounds = done + killer.kills, rounds + 1
            print(f"{rounds} searches, {done} kills, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{rounds * len(expected.records)} trials over {done} kills: none lost, none twice, none stuck")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
