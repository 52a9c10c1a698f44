"""Candidates trained elsewhere: the same trials from an executor and a cluster whose workers are killed."""

from __future__ import annotations

import importlib.util
import math
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

import minicolumn as mc
from minicolumn.tune.build import Workshop
from minicolumn.tune.cluster import Cluster, connected
from minicolumn.tune.evaluate import Standing, Watcher
from minicolumn.tune.executor import Executed
from minicolumn.tune.search import Budget, Progress, Search
from minicolumn.tune.session import SearchPlan
from minicolumn.tune.strategies import strategy_by_name
from minicolumn.tune.study import Study
from minicolumn.tune.trial import Trial
from tests.tune import long_cluster

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="distributed is not installed"
)


@pytest.fixture(scope="module")
def expected() -> Study:
    """The grid as one thread of this process finds it."""
    return long_cluster.searched(4, threads=1)


class Recorded:
    """An executor of one thread that counts how often the table is sent, and fails as it is told."""

    def __init__(self, fails: Callable[[int], BaseException | None] = lambda number: None) -> None:
        self.pool, self.fails = ThreadPoolExecutor(1), fails
        self.submitted, self.tables = 0, 0

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        self.submitted += 1
        self.tables += any(isinstance(argument, Workshop) for argument in arguments)
        error = self.fails(self.submitted)
        if error is not None:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed
        travelled = pickle.loads(pickle.dumps((function, arguments)))  # as between processes
        return self.pool.submit(travelled[0], *travelled[1])


def test_an_executor_finds_the_same_and_is_sent_the_table_once(expected: Study) -> None:
    executor = Recorded()
    long_cluster.check_whole(long_cluster.searched(4, executor=executor, threads=1), expected)
    assert executor.tables == 1
    assert executor.submitted == len(expected.records) + 1


def test_test_rows_do_not_travel(plan: Callable[..., SearchPlan]) -> None:
    workshop = plan().workshop
    assert len(workshop.table.test.X) > 0
    sent = pickle.loads(pickle.dumps(workshop.to_send()))
    assert len(sent.table.test.X) == 0
    assert sent.data.table is sent.table
    assert len(sent.table.train.X) == len(workshop.table.train.X)


def test_a_pool_whose_processes_died_ends_the_search_in_one_line() -> None:
    executor = Recorded(lambda number: BrokenProcessPool("a process died") if number > 3 else None)
    with pytest.raises(mc.DataError, match="executor: a worker could not train: a process died"):
        long_cluster.searched(2, executor=executor, threads=1)


class Losing(Executed):
    """A crew whose workers may die."""

    def _is_loss(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)


def test_what_a_lost_worker_trained_is_trained_again_and_counts_once(
    monkeypatch: pytest.MonkeyPatch, expected: Study
) -> None:
    monkeypatch.setattr("minicolumn.tune.session.Executed", Losing)
    executor = Recorded(lambda number: ConnectionError("lost") if number % 3 == 0 else None)
    long_cluster.check_whole(long_cluster.searched(4, executor=executor, threads=1), expected)
    assert executor.submitted > len(expected.records)


def test_a_candidate_that_kills_its_workers_is_a_failed_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minicolumn.tune.session.Executed", Losing)
    monkeypatch.setattr("minicolumn.tune.executor.MOST_DEATHS", 3)
    executor = Recorded(lambda number: ConnectionError("lost"))
    study = long_cluster.searched(2, executor=executor, threads=1, trials=2)
    assert [trial.reason for trial in study.records] == ["3 workers died while they trained it"] * 2


def test_a_budget_ends_what_is_trained_elsewhere(expected: Study) -> None:
    study = long_cluster.searched(300, executor=Recorded(), threads=1, time=1.0)
    assert study.stopped == "out of time"
    assert 1 <= len(study.records) < len(expected.records)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"executor": 3}, "executor: 3 has no `submit`"),
        ({"executor": Recorded(), "cluster": "tcp://127.0.0.1:1"}, "cluster and executor are two places"),
        ({"cluster": " "}, "cluster: expected an address, "),
        ({"cluster": "tcp://127.0.0.1:1", "strategy": "asha"}, "asha prunes within trainings"),
    ],
)
def test_places_that_cannot_be(said: dict[str, Any], message: str) -> None:
    space = {"layers": 1, "width": 4, "activation": "relu", "ramps": False}
    with pytest.raises(mc.DataError, match=message):
        mc.tune("penguins", space=space, trials=1, epochs=1, refit=False, **said)


# A real cluster ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dask_cluster() -> Iterator[Any]:
    with long_cluster.cluster() as found:
        yield found


@needs_dask
@pytest.mark.slow
def test_killed_workers_lose_nothing_and_nothing_counts_twice(dask_cluster: Any) -> None:
    expected = long_cluster.searched(40, threads=1)
    with long_cluster.Killer(dask_cluster, 3, seed=0, longest=0.6) as killer:
        found = long_cluster.searched(40, cluster=dask_cluster.address)
    assert killer.kills
    long_cluster.check_whole(found, expected)


@needs_dask
@pytest.mark.slow
def test_a_worker_hears_that_the_search_was_interrupted(plan: Callable[..., SearchPlan]) -> None:
    """A training of a million epochs ends where it is, and the worker is free again."""
    from distributed import LocalCluster

    quiet: Any = {"dashboard_address": None, "silence_logs": 100}
    started: Any = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **quiet)
    with started as local:
        made = plan(trials=1, epochs=1_000_000, space=long_cluster.SPACE)
        candidate = strategy_by_name("strategy", "grid")(made.ground).ask()
        [worker] = local.workers.values()
        with connected(local.scheduler_address) as client, Cluster(made.workshop, client) as crew:
            assert candidate is not None
            crew.submit(candidate, Watcher(lambda: False), Standing(candidate), math.inf)
            assert _comes(lambda: "train_on_worker" in _executing(worker))
            crew.stop()
            assert _comes(lambda: not worker.active_threads)


def _executing(worker: Any) -> str:
    return " ".join(key for key, task in dict(worker.state.tasks).items() if task.state == "executing")


def _comes(happens: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Return whether something happens in some time, which is far more than it needs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not happens():
        time.sleep(0.05)
    return happens()


@needs_dask
def test_nobody_at_an_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minicolumn.tune.cluster._SECONDS_TO_CONNECT", 0.3)
    with pytest.raises(mc.DataError, match="cluster: no scheduler answers at tcp://"):
        long_cluster.searched(2, cluster="tcp://127.0.0.1:1")


@needs_dask
@pytest.mark.slow
def test_a_scheduler_that_goes_ends_the_search_in_one_line(
    plan: Callable[..., SearchPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ended until then has been written."""
    monkeypatch.setattr("minicolumn.tune.cluster._SECONDS_TO_CONNECT", 2)
    kept: list[Trial] = []
    with long_cluster.cluster() as found, connected(found.address) as client:
        made = plan(trials=None, time=60, epochs=20, space=long_cluster.SPACE)
        crew = Cluster(made.workshop, client)
        strategy = strategy_by_name("strategy", "grid")(made.ground)

        def watch(progress: Progress) -> None:
            if len(progress.trials) >= 2 and client.status == "running":
                found.close()

        search = Search(made.workshop, strategy, Budget(60.0), 1, kept.append, watch, crew)
        with pytest.raises(mc.DataError, match=r"^cluster: \w"):
            search.run()
    assert len(kept) >= 2
