"""Strategies of Optuna: its samplers and pruners, by ask and tell, over a study in memory.

What is kept on disk is written elsewhere, one record a trial; here only the sampler's memory is held.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.tune.candidate import Candidate
from minicolumn.tune.parts import Choices, Interval, Part
from minicolumn.tune.strategies.strategy import Ground, Strategy
from minicolumn.tune.trial import Trial

if TYPE_CHECKING:
    import optuna

_STARTUP = 10  # trials by chance before a model of them is made
_ATTEMPTS = 100  # draws in vain, after which a space counts as exhausted
_REDUCTION = 3  # one in so many goes on at each rung
Make = Callable[[int], Any]


class Sampled(Strategy):
    """A sampler of Optuna, and a pruner or none.

    A candidate is asked for with a seed of its own, drawn from the search's and from how many were asked
    before: so a search that is resumed goes on as it would have. A candidate that is known already is drawn
    anew. Numbers of a grid are drawn by their place in it, so that the sampler knows their order.
    """

    def __init__(self, ground: Ground, sampler: Make, pruner: Any, rungs: Sequence[int]) -> None:
        super().__init__(ground)
        self.rungs = rungs
        self._sampler, self._lock = sampler, threading.Lock()
        self._asked: dict[Candidate, optuna.Trial] = {}
        self._known: set[Candidate] = set()
        self._study = _study(ground, pruner)

    def ask(self) -> Candidate | None:
        """Return a candidate that is not known; None where a hundred draws in a row were."""
        with self._lock:
            for attempt in range(_ATTEMPTS):
                place = [self.ground.seed, len(self._known) + len(self._asked), attempt]
                self._study.sampler = self._sampler(_seed(place))
                trial = self._study.ask()
                candidate = self.ground.space.draw(lambda name, part: _suggest(trial, name, part))  # noqa: B023
                if candidate not in self._known and candidate not in self._asked:
                    self._asked[candidate] = trial
                    return candidate
                self._study.tell(trial, state=_states().FAIL)
        return None

    def tell(self, trial: Trial) -> None:
        """Tell Optuna's study, of a candidate of this search or of an earlier one."""
        with self._lock:
            self._known.add(trial.candidate)
            asked = self._asked.pop(trial.candidate, None)
            state = _states()[{"finished": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}[trial.state]]
            value = trial.score if trial.is_finished else None
            if asked is not None:
                self._study.tell(asked, value, state)
            else:
                self._study.add_trial(self._earlier(trial, value, state))

    def forget(self, candidate: Candidate) -> None:
        with self._lock:
            asked = self._asked.pop(candidate, None)
            if asked is not None:
                self._study.tell(asked, state=_states().FAIL)

    def prunes(self, candidate: Candidate, resource: int, value: float) -> bool:
        if not math.isfinite(value):
            return False
        with self._lock:
            trial = self._asked[candidate]
            trial.report(value, resource)
            return trial.should_prune()

    def _earlier(self, trial: Trial, value: float | None, state: Any) -> optuna.trial.FrozenTrial:
        """Return a trial of a storage as Optuna has it."""
        import optuna

        parts: dict[str, Part] = {}
        values = dict(trial.candidate.choices)

        def again(name: str, part: Part) -> Any:
            parts[name] = part
            return values[name]

        self.ground.space.draw(again)
        params = {name: _inner(part, values[name]) for name, part in parts.items()}
        return optuna.trial.create_trial(
            state=state,
            value=value,
            params=params,
            distributions={name: _distribution(part) for name, part in parts.items()},
            intermediate_values=_at_rungs(trial, self.ground, self.rungs),
        )


def random_search(ground: Ground) -> Strategy:
    """Return random search: each candidate drawn by chance, each trained to the end."""
    import optuna

    return Sampled(ground, lambda seed: optuna.samplers.RandomSampler(seed), optuna.pruners.NopPruner(), ())


def tpe(ground: Ground) -> Strategy:
    """Return the tree-structured Parzen estimator; trials below the median of their rung are pruned."""
    import optuna

    rungs = range(_first(ground), ground.resource, _first(ground))
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_STARTUP)
    return Sampled(ground, lambda seed: _tpe(ground, seed), pruner, rungs)


def asha(ground: Ground) -> Strategy:
    """Return asynchronous successive halving of candidates drawn by chance: one in three goes on."""
    import optuna

    first = _first(ground)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=_REDUCTION)
    return Sampled(
        ground, lambda seed: optuna.samplers.RandomSampler(seed), pruner, _ladder(first, ground.resource)
    )


def hyperband(ground: Ground) -> Strategy:
    """Return Hyperband over the Parzen estimator: halving that begins early, late or never."""
    import optuna

    first = _first(ground)
    pruner = optuna.pruners.HyperbandPruner(first, ground.resource, _REDUCTION)
    return Sampled(ground, lambda seed: _tpe(ground, seed), pruner, _ladder(first, ground.resource))


def _tpe(ground: Ground, seed: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP, constant_liar=ground.threads > 1)


def _first(ground: Ground) -> int:
    """Return the first rung: a quarter of the epochs of a fold."""
    return max(1, ground.epochs // 4)


def _ladder(first: int, last: int) -> tuple[int, ...]:
    """Return rungs each three times the one before, below the end."""
    found = [first]
    while found[-1] * _REDUCTION < last:
        found.append(found[-1] * _REDUCTION)
    return tuple(rung for rung in found if rung < last)


def _study(ground: Ground, pruner: Any) -> optuna.Study:
    """Return a study in memory, made without a word."""
    import optuna

    with quiet():
        return optuna.create_study(
            study_name="tune",
            direction="maximize" if ground.score.higher_is_better else "minimize",
            pruner=pruner,
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from telling on standard error what it does, such as that it made a study."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _states() -> Any:
    import optuna

    return optuna.trial.TrialState


def _seed(place: Sequence[int]) -> int:
    return int(np.random.SeedSequence(place).generate_state(1)[0])


def _suggest(trial: optuna.Trial, name: str, part: Part) -> Any:
    """Return what the sampler suggests for a choice."""
    if isinstance(part, Interval):
        return trial.suggest_float(name, part.low, part.high, log=part.log)
    if _is_ordered(part):
        return part.values[trial.suggest_int(name, 0, len(part.values) - 1)]
    return trial.suggest_categorical(name, part.values)


def _distribution(part: Part) -> Any:
    """Return Optuna's distribution of a choice, as `_suggest` has it."""
    import optuna

    if isinstance(part, Interval):
        return optuna.distributions.FloatDistribution(part.low, part.high, log=part.log)
    if _is_ordered(part):
        return optuna.distributions.IntDistribution(0, len(part.values) - 1)
    return optuna.distributions.CategoricalDistribution(part.values)


def _inner(part: Part, value: Any) -> Any:
    """Return a value as Optuna knows it: of ordered choices the place."""
    return part.values.index(value) if isinstance(part, Choices) and _is_ordered(part) else value


def _is_ordered(part: Choices) -> bool:
    """Return whether the values of a choice are numbers."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in part.values)


def _at_rungs(trial: Trial, ground: Ground, rungs: Sequence[int]) -> dict[int, float]:
    """Return the values of an earlier trial at the rungs that it reached; see `evaluate`."""
    from minicolumn.tune.evaluate import value_at

    found = {rung: value_at(trial.curves, ground.epochs, rung, ground.score) for rung in rungs}
    return {rung: value for rung, value in found.items() if math.isfinite(value)}
