"""From what was asked for to a study: plan the search, run it, refit the winner.

table plan + asked -> planned: space, folds, score, workshop -> searched: trials -> concluded: the winner
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from minicolumn.lower.llvm.runtime.thread_count import cores
from minicolumn.model.files import PathLike
from minicolumn.tabular.pipeline import TableRun, data_hash
from minicolumn.tabular.plan import TablePlan
from minicolumn.tabular.recipe import HIDDEN, habits_of, table_batch, table_recipe
from minicolumn.train.side_by_side import Progress as RefitProgress
from minicolumn.tune.build import Workshop, knots_of, outputs_of, own_loss, whole_space
from minicolumn.tune.cluster import Cluster, connected, is_client
from minicolumn.tune.crew import Crew
from minicolumn.tune.executor import Executed
from minicolumn.tune.folds import FoldData, folds_of, usual_folds
from minicolumn.tune.growth import Nursery
from minicolumn.tune.parts import TOPOLOGY
from minicolumn.tune.score import score_by_name
from minicolumn.tune.search import Budget, Progress, Search
from minicolumn.tune.space import Space
from minicolumn.tune.storage import Storage, Stored, open_storage
from minicolumn.tune.strategies import Ground, strategy_by_name
from minicolumn.tune.study import Setup, Study, WinnerRule
from minicolumn.tune.trial import Trial
from minicolumn.tune.winner import card_of, refitted

_DECAY = 0.02
_MANY = 16  # candidates at once that a strategy reckons with where nobody knows how many workers come


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a user asks of a search, checked; None takes the default.

    budget      of the search; the winner's last training is reckoned in
    storage     a journal file or a URL; None keeps nothing
    resume      whether to go on with the last search in it
    cluster     the address of a Dask scheduler whose workers train the candidates; executor: one as of
                `concurrent.futures`, or a Dask client; None trains here
    """

    space: Space
    strategy: str = "course"
    budget: Budget = Budget()  # noqa: RUF009  a frozen record
    score: str | None = None
    folds: int | None = None
    winner: WinnerRule = "smallest"
    storage: PathLike | None = None
    resume: bool = False
    seed: int = 0
    threads: int | None = None
    cluster: str | None = None
    executor: Any = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether candidates are trained by workers that this process does not own."""
        return self.cluster is not None or self.executor is not None


@dataclass(frozen=True, eq=False)
class SearchPlan:
    """A search that is planned: what it is asked for, and what its candidates are made with."""

    asked: Asked
    setup: Setup
    workshop: Workshop
    ground: Ground


def plan_search(table: TablePlan, asked: Asked) -> SearchPlan:
    """Plan a search over a table's rows that train; the test rows are not looked at.

    table       planned for several members, so that no rows are held out but those that test
    Errors      DataError, one line, for a score that does not fit, too few rows, and a space that cannot be
    """
    knots, settings = knots_of(table), table.settings
    start = _start(table)
    # A grid is of what was said, and of networks: all else is as the recipe has it.
    rest = {name: value for name, value in start.items() if name not in TOPOLOGY}
    space = whole_space(asked.space, table, knots, rest if asked.strategy == "grid" else {})
    score = score_by_name("score", asked.score, table.schema.task, outputs_of(table))
    count = usual_folds(len(table.train.X)) if asked.folds is None else asked.folds
    folds = FoldData(table, folds_of(table, count, asked.seed))
    usual = table_recipe(table.encoder, table.train.X, epochs=settings.epochs, knots=())
    nursery = Nursery() if asked.strategy == "grow" else None
    workshop = Workshop(table, knots, own_loss(table), folds, score, usual.epochs, asked.seed, nursery)
    threads = asked.threads or (_MANY if asked.is_elsewhere else cores())
    setup = Setup(
        space=space,
        strategy=asked.strategy,
        score=score,
        folds=count,
        epochs=usual.epochs,
        seed=asked.seed,
        target=table.schema.target,
        task=table.schema.task,
        rows=len(table.train.X),
        data=data_hash(table.train.frame),
    )
    ground = Ground(space, score, count, usual.epochs, asked.seed, start, threads)
    strategy_by_name("strategy", asked.strategy)(ground)  # refuses a space that is not for it
    return SearchPlan(asked, setup, workshop, ground)


def _start(table: TablePlan) -> dict[str, object]:
    """Return where a search may begin: what the recipe of one network is."""
    habits = habits_of(table.encoder)
    return {
        "layers": len(HIDDEN),
        "width": max(HIDDEN),
        "shape": "constant",
        "activation": habits.activation,
        "normalization": "none",
        "dropout": habits.dropout,
        "ramps": True,
        "optimizer": "adamw",
        "learning_rate": habits.learning_rate,
        "weight_decay": _DECAY,
        "schedule": "flat_cosine",
        "batch_size": table_batch(len(table.train.X)),
        "horizon": 1.0,
    }


@dataclass(frozen=True)
class Shown:
    """How a search is shown: what watches the trials, and what watches the winner's last training.

    stored      told how many trials an earlier search left, before the first
    """

    search: Callable[[SearchPlan], AbstractContextManager[Callable[[Progress], None]]] = lambda plan: (
        nullcontext(lambda progress: None)
    )
    refit: Callable[[Trial], AbstractContextManager[Callable[[RefitProgress], None]]] = lambda trial: (
        nullcontext(lambda progress: None)
    )


def run_search(plan: SearchPlan, shown: Shown = Shown(), *, refit: bool = True) -> Study:
    """Search as planned, train the winner again, and return the study.

    refit       whether the winner is trained again; without it a study has no model
    Errors      DataError for a storage that cannot be used, before anything is trained
    """
    if plan.asked.storage is None:
        return _concluded(plan, _searched(plan, None, shown), shown, refit)
    with open_storage("storage", plan.asked.storage) as storage:
        study = _searched(plan, _stored(plan, storage), shown)
    return _concluded(plan, study, shown, refit)


def _stored(plan: SearchPlan, storage: Storage) -> Stored:
    return storage.resume(plan.setup) if plan.asked.resume else storage.begin(plan.setup)


def _searched(plan: SearchPlan, stored: Stored | None, shown: Shown) -> Study:
    """Run the search, and return the study without a model."""
    began, asked = time.perf_counter(), plan.asked
    strategy = strategy_by_name("strategy", asked.strategy)(plan.ground)
    with shown.search(plan) as watch, _crew(plan) as crew:
        keep = (lambda trial: None) if stored is None else stored.add
        search = Search(plan.workshop, strategy, asked.budget, plan.ground.threads, keep, watch, crew)
        stopped = search.run(() if stored is None else stored.trials)
    seconds = time.perf_counter() - began
    records = tuple(search.progress.trials)
    return Study(plan.setup, records, tuple(strategy.story), seconds, stopped, asked.winner)


@contextmanager
def _crew(plan: SearchPlan) -> Iterator[Crew | None]:
    """Yield those who train the candidates; None for threads of this process."""
    workshop, asked = plan.workshop, plan.asked
    if asked.cluster is not None:
        with connected(asked.cluster) as client:
            yield Cluster(workshop, client, asked.threads)
    elif asked.executor is not None:
        kind = Cluster if is_client(asked.executor) else Executed
        yield kind(workshop, asked.executor, asked.threads)
    else:
        yield None


def _concluded(plan: SearchPlan, study: Study, shown: Shown, refit: bool) -> Study:
    """Train the winner again, where there is one."""
    winner = study.winner
    if winner is None or not refit:
        return study
    with shown.refit(winner) as watch:
        return replace(study, refit=refit_winner(plan, study, watch))


def refit_winner(
    plan: SearchPlan, study: Study, watch: Callable[[RefitProgress], None] = lambda progress: None
) -> TableRun:
    """Train the winner of a study on all training rows, and score it on the test rows."""
    winner, best = study.winner, study.best
    assert winner is not None
    assert best is not None
    described: dict[str, Any] = {
        "strategy": study.setup.strategy,
        "space": study.setup.space.to_json(),
        "seed": study.setup.seed,
        "folds": study.setup.folds,
        "epochs": study.setup.epochs,
        "metric": study.score.name,
        "rule": study.rule,
        "seconds": round(study.seconds, 3),
    }
    card = card_of(winner, best, study.records, described)
    return refitted(plan.workshop, winner, card, min(plan.ground.threads, cores()), watch)
