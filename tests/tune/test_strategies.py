"""Strategies by themselves, on a landscape that needs no training: what they ask, and what follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from minicolumn.errors import DataError
from minicolumn.tune import STRATEGIES, Candidate, Space, Trial
from minicolumn.tune.evaluate import value_at
from minicolumn.tune.strategies import Ground, Strategy, strategy_by_name
from minicolumn.tune.strategies.course import Course
from minicolumn.tune.trial import standard_error

FOLDS, EPOCHS = 4, 8
HARD = np.array([0.0, 0.02, -0.03, 0.01])  # what makes a fold hard is hard for all


def worth(c: Candidate) -> float:
    """A landscape: capacity helps up to about 2 x 32, and the rate should be near 0.02."""
    capacity = math.log2(c.width) + 1.5 * min(c.layers, 2)
    return (
        -0.1 * max(0.0, 8.0 - capacity)
        - 0.05 * math.log10(c.learning_rate / 0.02) ** 2
        - 0.1 * abs(c.dropout - 0.1)
    )


def tried(c: Candidate, number: int = 0) -> Trial:
    """A trial of the landscape: what chance adds depends on the candidate alone."""
    noise = np.random.default_rng([c.width, c.layers, int(1e6 * c.learning_rate)]).normal(0, 1e-3, FOLDS)
    by_fold = tuple(map(float, worth(c) + HARD + noise))
    curves = tuple(tuple(value - 0.2 * (EPOCHS - 1 - e) / EPOCHS for e in range(EPOCHS)) for value in by_fold)
    return Trial(
        number, c, "finished", sum(c.hidden), curves, curves, float(np.mean(by_fold)),
        standard_error(by_fold), EPOCHS, by_fold, 0.1,
    )  # fmt: skip


def run(strategy: Strategy, trials: int = 200) -> list[Trial]:
    """Run a strategy on one thread, pruned where it says so."""
    found: list[Trial] = []
    while len(found) < trials and (candidate := strategy.ask()) is not None:
        found.append(pruned(strategy, tried(candidate, len(found))))
        strategy.tell(found[-1])
    return found


def pruned(strategy: Strategy, whole: Trial) -> Trial:
    """Return the trial as it stands when it is pruned; whole where it is not."""
    for rung in strategy.rungs:
        value = value_at(whole.curves, EPOCHS, rung, strategy.ground.score)
        if strategy.prunes(whole.candidate, rung, value):
            fold, left = divmod(rung, EPOCHS)
            curves = (*whole.curves[:fold], *((whole.curves[fold][:left],) if left else ()))
            return replace(whole, state="pruned", curves=curves, score=value)
    return whole


@pytest.fixture
def finite(whole: Space) -> Space:
    """A space whose every part is a choice."""
    return Space(learning_rate=(0.002, 0.02, 0.1), dropout=(0.1, 0.3), shape="constant").over(whole)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_asks_the_same(name: str, finite: Space, ground: Callable[..., Ground]) -> None:
    made = strategy_by_name("strategy", name)
    one, two = (run(made(ground(finite)), 25) for _ in range(2))
    assert [t.candidate for t in one] == [t.candidate for t in two]
    assert [t.state for t in one] == [t.state for t in two]
    assert len({t.candidate for t in one}) == len(one)  # none is tried twice
    if name in ("random", "tpe", "asha"):
        other = run(made(ground(finite, seed=1)), 25)
        assert [t.candidate for t in other] != [t.candidate for t in one]


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"hyperband"}))
def test_a_search_that_is_cut_goes_on_as_it_would_have(
    name: str, finite: Space, ground: Callable[..., Ground]
) -> None:
    made = strategy_by_name("strategy", name)
    unbroken = run(made(ground(finite)), 24)
    again = made(ground(finite))
    for trial in unbroken[:13]:
        again.tell(trial)
    rest = run(again, 11)
    assert [t.candidate for t in unbroken[13:]] == [t.candidate for t in rest]


@pytest.mark.parametrize("name", ["random", "tpe", "grid"])
def test_a_finite_space_is_exhausted(name: str, whole: Space, ground: Callable[..., Ground]) -> None:
    space = Space(layers=1, learning_rate=0.02, dropout=0.1, batch_size=32).over(whole)
    found = run(strategy_by_name("strategy", name)(ground(space)))
    assert {t.candidate for t in found} == set(space.all())
    assert len(found) == 8


@pytest.mark.parametrize("name", ["asha", "hyperband", "tpe"])
def test_pruners_spend_less_than_whole_trials(name: str, whole: Space, ground: Callable[..., Ground]) -> None:
    found = run(strategy_by_name("strategy", name)(ground(whole)), 40)
    spent = sum(len(curve) for trial in found for curve in trial.curves)
    assert any(trial.state == "pruned" for trial in found)
    assert any(trial.is_finished for trial in found)
    assert spent < 40 * FOLDS * EPOCHS * 0.9


def test_the_estimator_finds_what_chance_does_not(whole: Space, ground: Callable[..., Ground]) -> None:
    def best(name: str) -> float:
        made = [strategy_by_name("strategy", name)(ground(whole, seed=seed)) for seed in range(4)]
        return float(np.mean([max(worth(t.candidate) for t in run(each, 40)) for each in made]))

    assert best("tpe") > best("random")


def test_an_interval_has_no_grid(whole: Space, ground: Callable[..., Ground]) -> None:
    with pytest.raises(DataError, match=r"grid: dropout goes from 0 to 0\.5; list its values"):
        strategy_by_name("strategy", "grid")(ground(whole))


# The course -------------------------------------------------------------------------------------------------


def test_the_course_goes_from_few_neurons_to_more_to_layers_to_the_funnel(
    whole: Space, ground: Callable[..., Ground]
) -> None:
    course = Course(ground(whole))
    found = run(course)
    first = [t.candidate.hidden for t in found[:6]]
    assert first == [(8,), (16,), (32,), (64,), (64, 64), (64, 64, 64)]
    assert found[6].candidate.shape == "funnel"
    steps = list(dict.fromkeys(course.step_of(t.candidate) for t in found))
    assert steps[:3] == ["Few neurons first", "More layers of 64", "Each layer smaller than the one before"]
    assert course.story[0].startswith(
        "Few neurons first: one hidden layer, wider while it helps. 64 neurons: r2"
    )
    assert course.story[-1].startswith("The course ends here")


def test_the_course_ends_near_the_best(whole: Space, ground: Callable[..., Ground]) -> None:
    found = run(Course(ground(whole)))
    best = max(worth(t.candidate) for t in found)
    assert best > -0.005  # the landscape's top is 0
    assert len(found) < 90


def test_the_course_begins_once_more_from_the_recipe_s_own_network(
    whole: Space, ground: Callable[..., Ground]
) -> None:
    """Where width and depth help only together, the way up from few neurons does not find them."""
    course = Course(ground(whole))

    def value(c: Candidate) -> float:
        return 1.0 if c.layers == 3 and c.width == 64 else -0.01 * c.layers * math.log2(c.width)

    trials = []
    while (candidate := course.ask()) is not None:
        by_fold = tuple(map(float, value(candidate) + HARD))
        size = sum(candidate.hidden)
        trials.append(Trial(len(trials), candidate, "finished", size, score=by_fold[0], by_fold=by_fold))
        course.tell(trials[-1])
    place = next(n for n, t in enumerate(trials) if t.candidate.hidden == (64, 64, 64))
    assert course.step_of(trials[place].candidate) == "From the other end"
    assert "From the other end: 64-64-64 relu. The recipe's own network: r2" in " ".join(course.story)
    assert place > 10
    assert any(t.candidate.layers == 3 for t in trials[place + 1 :])  # around it too
    assert course.story[-1].startswith("The course ends here")


def test_the_course_takes_shorter_trainings_while_they_help(
    whole: Space, ground: Callable[..., Ground]
) -> None:
    space = Space(layers=1, width=8, horizon=(0.125, 0.25, 0.5, 1.0)).over(whole)
    course = Course(ground(space))
    worth_of = {1.0: 0.0, 0.5: 0.0, 0.25: 0.2, 0.125: 0.1}  # as good is enough
    asked = [run_one(course, lambda c: worth_of[c.horizon]) for _ in range(5)]
    assert [c.horizon for c in asked] == [1.0, 0.5, 0.25, 0.125, 0.25]  # and the next step from the best
    assert course.story[1].startswith(
        "Shorter trainings than 8 epochs, while they help. 2 epochs: r2 0.2 (better by 0.2 ± "
    )


def test_the_course_stops_when_more_neurons_do_not_help(whole: Space, ground: Callable[..., Ground]) -> None:
    space = Space(layers=1, width=(4, 8, 16, 32, 64, 128, 256, 512)).over(whole)
    course = Course(ground(space))
    widths = [run_one(course, lambda c: 0.0 if c.width >= 16 else -1.0).width for _ in range(5)]
    assert widths == [4, 8, 16, 32, 64]  # two in a row in vain, and no more
    assert course.ask() is not None
    assert "16 neurons" in course.story[0]
    assert "no further help from 32 neurons" in course.story[0]


def run_one(strategy: Strategy, value: Callable[[Candidate], float]) -> Candidate:
    """Ask for one candidate and tell of it; chance differs from fold to fold."""
    candidate = strategy.ask()
    assert candidate is not None
    noise = np.random.default_rng(candidate.width).normal(0, 1e-3, FOLDS)
    by_fold = tuple(map(float, value(candidate) + HARD + noise - noise.mean()))
    strategy.tell(
        Trial(0, candidate, "finished", sum(candidate.hidden), score=float(np.mean(by_fold)), by_fold=by_fold)
    )
    return candidate


def test_the_course_hands_out_ahead_where_threads_are_free(
    whole: Space, ground: Callable[..., Ground]
) -> None:
    course = Course(ground(whole, threads=2))
    one, two = course.ask(), course.ask()
    assert one is not None
    assert two is not None
    assert (one.width, two.width) == (8, 16)
    course.tell(tried(two))
    course.tell(tried(one))
    third = course.ask()
    assert third is not None
    assert third.width == 32
    course.forget(third)
    assert third not in course._out


def test_a_course_that_is_cut_tells_how_far_it_came(whole: Space, ground: Callable[..., Ground]) -> None:
    course = Course(ground(whole))
    run(course, 2)
    assert course.story == []
    course.finish()
    assert course.story[0].startswith(
        "Few neurons first: one hidden layer, wider while it helps. 16 neurons: r2"
    )
    assert course.story[1] == "The search ended before this step did."
    assert course.ask() is None


def test_a_course_of_failures_ends(whole: Space, ground: Callable[..., Ground]) -> None:
    course, tries = Course(ground(whole)), 0
    while (candidate := course.ask()) is not None:
        course.tell(Trial(tries, candidate, "failed", 1, reason="no"))
        tries += 1
    assert 0 < tries <= 4
    assert course.story[-1] == "No network of one width could be trained; the search ends here."


def test_a_space_of_one_candidate_is_one_trial(whole: Space, ground: Callable[..., Ground]) -> None:
    fixed: dict[str, Any] = {
        "layers": 1,
        "width": 8,
        "shape": "constant",
        "activation": "relu",
        "dropout": 0.1,
    }
    space = Space(learning_rate=0.1, batch_size=32, **fixed).over(whole)
    for name in STRATEGIES:
        assert len(run(strategy_by_name("strategy", name)(ground(space)))) == 1, name


def test_an_unknown_strategy_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="unknown strategy 'hyperbnd'; did you mean 'hyperband'"):
        strategy_by_name("strategy", "hyperbnd")
