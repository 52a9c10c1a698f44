"""Topology search as a scikit-learn search estimator: `fit` searches, cross-validates, refits the winner."""

from __future__ import annotations

import re
import time as clock
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval as Range
from sklearn.utils._param_validation import StrOptions

from minicolumn.errors import DataError, warn_user
from minicolumn.tabular.settings import check_time
from minicolumn.tune.api import space_from
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.parts import TOPOLOGY, Interval
from minicolumn.tune.score import Score
from minicolumn.tune.space import Space
from minicolumn.tune.strategies import Ground, Strategy, strategy_by_name
from minicolumn.tune.trial import Trial, smallest_within, standard_error

# Those that neither prune within a training nor hand weights on: scikit-learn trains candidates by itself.
WHOLE = ("course", "grid", "random", "tpe")
# scikit-learn raises this where nothing that it was given at once could be fitted: here one bad candidate.
_ALL_FAILED = re.compile(r"\s*All the \d+ fits failed")
# Which parameter of the estimators a part of a space is.
PARAMETERS = {
    "activation": "activation",
    "dropout": "dropout",
    "optimizer": "solver",
    "learning_rate": "learning_rate_init",
    "weight_decay": "alpha",
    "schedule": "learning_rate",
    "batch_size": "batch_size",
}
SPACE = Space(layers=(1, 2, 3), width=(16, 32, 64, 128), shape=("constant", "funnel", "pyramid"))
_OTHERS: dict[str, Any] = {
    "activation": ("relu", "selu", "mish"),
    "dropout": Interval(0.01, 0.4, log=False),
    "learning_rate": Interval(3e-4, 3e-2),
    "weight_decay": Interval(1e-5, 1e-1),
}
# Where a strategy may begin, scikit-learn's own network, and what stands for parts that the estimator says.
_START: dict[str, Any] = {
    "layers": 1, "width": 100, "shape": "constant",
    "activation": "relu", "normalization": "none", "dropout": 0.05, "ramps": False, "optimizer": "adam",
    "learning_rate": 3e-3, "weight_decay": 1e-4, "schedule": "constant", "batch_size": 128, "horizon": 1.0,
}  # fmt: skip


class TopologySearchCV(BaseSearchCV):
    """Search the topology and the rates of an `MLPClassifier` or `MLPRegressor`, cross-validated.

        strategy.ask -> scikit-learn's cross-validation -> strategy.tell -> ... -> the winner, on all rows

    estimator       an `MLPClassifier` or `MLPRegressor`; what the space leaves out stays as it is there
    space           a `mc.tune.Space`, its parts by name, or a TOML file; None searches layers, width, shape,
                    activation, dropout, learning_rate and weight_decay (which is `alpha` here)
    strategy        "course", "random", "tpe" or "grid"
    n_trials        candidates to try, 20; None until `time` is over or the strategy has tried all
    time            a budget, such as 60 or "2m"; no candidate begins afterwards
    winner          "smallest" within one standard error of the best, or "best"
    scoring, cv, n_jobs, refit, verbose, pre_dispatch, error_score, return_train_score
                    as of `GridSearchCV`; a `refit` that is a function chooses the winner itself. As many
                    candidates as jobs are asked for at once
    random_state    of the strategy

    Learnt attributes are those of `GridSearchCV`: best_estimator_, best_params_, best_score_, best_index_,
    cv_results_, ...; and `story_`, the course's steps in words.

    Errors          DataError for spaces and strategies that cannot be used
    Differs         from `mc.tune`: rows are numbers already, as the estimators take them; candidates are not
                    pruned; and no row is held out for a test

    >>> import numpy as np, minicolumn as mc
    >>> X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    >>> net = mc.MLPClassifier(solver="lbfgs", tol=0.1, random_state=0)
    >>> search = mc.TopologySearchCV(net, {"layers": 1, "width": [2, 4]}, strategy="grid", cv=2)
    >>> [params["hidden_layer_sizes"] for params in search.fit(X, y).cv_results_["params"]]
    [(2,), (4,)]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {  # type: ignore[misc]
        **BaseSearchCV._parameter_constraints,
        "space": [Space, Mapping, str, None],
        "strategy": [StrOptions({*WHOLE})],
        "n_trials": [Range(Integral, 1, None, closed="left"), None],
        "time": [Range(Real, 0, None, closed="neither"), str, None],
        "winner": [StrOptions({"smallest", "best"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        space: Space | Mapping[str, Any] | str | None = None,
        *,
        strategy: str = "tpe",
        n_trials: int | None = 20,
        time: float | str | None = None,
        winner: str = "smallest",
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[dict[str, Any]], int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,  # type: ignore[arg-type]
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,  # type: ignore[arg-type]
            error_score=error_score,  # type: ignore[arg-type]
            return_train_score=return_train_score,
        )
        self.space = space
        self.strategy = strategy
        self.n_trials = n_trials
        self.time = time
        self.winner = winner
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, and fit the winner to all rows.

        X, y        as the estimator takes them
        params      for the estimator's `fit` and the splitter, as of `GridSearchCV`
        """
        super().fit(X, y, **params)
        return self

    def _run_search(
        self, evaluate_candidates: Callable[..., dict[str, Any]], *, callback_ctx: Any = None
    ) -> None:
        """Ask for candidates, as many at once as there are jobs, until a budget ends it."""
        space, seconds = self._space(), check_time("TopologySearchCV: time", self.time)
        strategy = self._strategy(space.whole)
        began, told, scored = clock.monotonic(), 0, 0
        trouble: ValueError | None = None
        self.story_ = strategy.story
        while batch := list(self._asked(strategy, told)):
            told += len(batch)
            try:
                results = evaluate_candidates([self._params(candidate, space) for candidate in batch])
            except ValueError as error:
                if not _ALL_FAILED.match(str(error)):
                    raise
                warn_user(str(error).strip(), FitFailedWarning)
                trouble = error
                for candidate in batch:
                    strategy.tell(_failed(candidate))
            else:
                for candidate in batch:
                    strategy.tell(_trial(candidate, results, scored, self._first_score()))
                    scored += 1
            if seconds is not None and clock.monotonic() - began >= seconds:
                break
        strategy.finish()
        if not scored and trouble is not None:
            raise trouble

    def _asked(self, strategy: Strategy, told: int) -> Iterator[Candidate]:
        """Yield the candidates of the next turn; none where the search is over."""
        from joblib import effective_n_jobs

        most = effective_n_jobs(1 if self.n_jobs is None else self.n_jobs)
        left = most if self.n_trials is None else min(most, self.n_trials - told)
        for _ in range(left):
            candidate = strategy.ask()
            if candidate is None:
                return
            yield candidate

    def _strategy(self, space: Space) -> Strategy:
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        ground = Ground(space, Score("score", True), folds=2, epochs=1, seed=seed, start=_START)
        return strategy_by_name("strategy", self.strategy)(ground)

    def _space(self) -> _Searched:
        """Return what is searched: the space that was said, and fixed values where the estimator speaks.

        Errors      DataError for parts that the estimators do not have, and a topology that is said twice
        """
        said = space_from("TopologySearchCV", self.space)
        for name in ("normalization", "ramps", "horizon"):
            if said.part(name) is not None:
                raise DataError(f"TopologySearchCV: space: {name} is no parameter of the estimators")
        twice = [
            name for name in ("n_layers", "width", "shape") if getattr(self.estimator, name, None) is not None
        ]
        if twice:
            raise DataError(f"TopologySearchCV: {', '.join(twice)} of the estimator: say it in the space")
        searched = said.over(SPACE if self.space is not None else replace(SPACE, **self._others()))
        fixed = {name: value for name, value in _START.items() if searched.part(name) is None}
        return _Searched(replace(searched, **fixed), tuple(searched.said()))

    def _others(self) -> dict[str, Any]:
        """Return what is searched beside the topology where nobody says: lbfgs has no rate, nor dropout."""
        without = ("dropout", "learning_rate") if getattr(self.estimator, "solver", "") == "lbfgs" else ()
        return {name: part for name, part in _OTHERS.items() if name not in without}

    def _params(self, candidate: Candidate, space: _Searched) -> dict[str, Any]:
        """Return a candidate as parameters of the estimator."""
        names = [name for name in space.names if name not in TOPOLOGY]
        return {
            "hidden_layer_sizes": candidate.hidden,
            **{PARAMETERS[name]: getattr(candidate, name) for name in names},
        }

    def _first_score(self) -> str:
        """Return what of several scores decides: the one that is refitted by."""
        return self.refit if isinstance(self.refit, str) else "score"

    def _select_best_index(  # type: ignore[override]  scikit-learn's is static
        self, refit: Any, refit_metric: str, results: dict[str, Any]
    ) -> int:
        """Return the winner's place: of the smallest within one standard error, unless told otherwise."""
        if callable(refit) or self.winner == "best":
            return int(BaseSearchCV._select_best_index(refit, refit_metric, results))
        trials = [
            replace(_trial(_sized(params), results, place, refit_metric), number=place)
            for place, params in enumerate(results["params"])
        ]
        features = getattr(self, "n_features_in_", 1)
        sized = [replace(t, parameters=_weights(t.candidate.hidden, features)) for t in trials]
        found = smallest_within(sized, Score("score", True))
        return int(results[f"rank_test_{refit_metric}"].argmin()) if found is None else found.number


@dataclass(frozen=True)
class _Searched:
    """A complete space, and the names of the parts that are searched."""

    whole: Space
    names: tuple[str, ...]


def _trial(candidate: Candidate, results: dict[str, Any], place: int, metric: str) -> Trial:
    """Return what scikit-learn found of a candidate as a trial."""
    names = [name for name in results if name.startswith("split") and name.endswith(f"_test_{metric}")]
    scores = tuple(float(results[name][place]) for name in names)
    good = bool(np.isfinite(scores).all())
    return Trial(
        place,
        candidate,
        "finished" if good else "failed",
        _weights(candidate.hidden, 1),
        curves=tuple((score,) for score in scores),
        score=float(np.mean(scores)),
        error=standard_error(scores),
        epoch=1,
        by_fold=scores,
        seconds=float(results["mean_fit_time"][place]) * len(scores),
        reason="" if good else "it has no score on some fold",
    )


def _failed(candidate: Candidate) -> Trial:
    return Trial(0, candidate, "failed", 0, reason="it could be fitted on no fold")


def _sized(params: Mapping[str, Any]) -> Candidate:
    return Candidate(tuple(params["hidden_layer_sizes"]), "free", "relu")


def _weights(hidden: Sequence[int], features: int) -> int:
    """Return about how many weights a network of one output has."""
    sizes = [features, *hidden, 1]
    return sum((before + 1) * after for before, after in pairwise(sizes))
