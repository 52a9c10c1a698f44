"""Growth: the strategy's steps, weights that are handed on, and the same bits from whatever is at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.evaluate import Watcher, evaluate
from minicolumn.tune.growth import Nursery, grown_params
from minicolumn.tune.search import Budget, Search
from minicolumn.tune.session import SearchPlan, run_search
from minicolumn.tune.space import Space
from minicolumn.tune.strategies import Ground, strategy_by_name
from minicolumn.tune.strategies.grow import Grow
from minicolumn.tune.trial import Trial

SPACE: dict[str, Any] = {
    "layers": "1-2", "width": "4-8", "shape": "constant", "activation": "relu", "ramps": False,
    "schedule": "cosine", "batch_size": 32,
}  # fmt: skip
NEVER = Watcher(lambda: False)


def _trial(candidate: Candidate, score: float, state: Any = "finished") -> Trial:
    by_fold = (score - 0.001, score + 0.001)
    size = sum(candidate.hidden)
    return Trial(0, candidate, state, size, score=score, error=0.001, epoch=1, by_fold=by_fold)


def _run(strategy: Grow, worth: Callable[[Candidate], float], trials: int) -> list[Candidate]:
    asked: list[Candidate] = []
    while len(asked) < trials and (candidate := strategy.ask()) is not None:
        asked.append(candidate)
        strategy.tell(_trial(candidate, worth(candidate)))
    return asked


def test_it_grows_wider_and_deeper_from_the_better(whole: Space, ground: Callable[..., Ground]) -> None:
    strategy = Grow(ground(whole))
    asked = _run(strategy, lambda c: sum(c.hidden) + 100 * c.layers, 20)
    first = [c.hidden for c in asked if strategy.step_of(c) == "lineage 1"]
    assert first[:3] == [(8,), (16,), (8, 8)]
    assert first[3:6] == [(16, 16), (16, 8), (8, 16)]  # from the deeper, which was better
    assert asked[3].grown_from == ((8,), (8, 8))
    assert asked[3].parent == asked[2]
    assert max(map(len, first)) == 3


def test_a_lineage_ends_where_two_sizes_do_not_help(whole: Space, ground: Callable[..., Ground]) -> None:
    strategy = Grow(ground(whole))
    asked = _run(strategy, lambda c: -sum(c.hidden), 30)
    own = [c.hidden for c in asked if strategy.step_of(c) == "lineage 1"]
    assert own == [(8,), (16,), (8, 8), (32,), (16, 16)]
    assert "Lineage 1 ends at 8 " in " ".join(strategy.story)
    assert len({c.learning_rate for c in asked}) > 3  # the next ones have rates of their own


def test_lineages_grow_side_by_side_where_threads_are_free(
    whole: Space, ground: Callable[..., Ground]
) -> None:
    strategy = Grow(replace(ground(whole), threads=2))
    one, other = strategy.ask(), strategy.ask()
    assert one is not None
    assert other is not None
    assert one.hidden == other.hidden == (8,)
    assert strategy.ask() is None  # both wait
    strategy.tell(_trial(one, 1.0))
    grown = strategy.ask()
    assert grown is not None
    assert grown.parent == one


def test_a_fixed_space_ends(whole: Space, ground: Callable[..., Ground]) -> None:
    fixed = Space(dropout=0.1, learning_rate=0.01, activation="relu", shape="constant", batch_size=32)
    strategy = Grow(ground(fixed.over(whole)))
    asked = _run(strategy, lambda c: sum(c.hidden), 1000)
    assert len(asked) < 20
    assert strategy.ask() is None


def test_one_that_fails_has_no_children(whole: Space, ground: Callable[..., Ground]) -> None:
    strategy = Grow(ground(whole))
    for _ in range(5):
        candidate = strategy.ask()
        assert candidate is not None
        assert not candidate.grown_from
        strategy.tell(_trial(candidate, 0.0, "failed"))


def test_a_funnel_alone_cannot_grow(whole: Space, ground: Callable[..., Ground]) -> None:
    with pytest.raises(mc.DataError, match="constant or free"):
        Grow(ground(Space(shape="funnel", layers=(1, 2)).over(whole)))


def test_candidates_that_have_grown_come_back_from_a_file() -> None:
    grown = Candidate((8, 8), "constant", "relu", grown_from=((4,), (8,)))
    assert Candidate.from_json(grown.to_json()) == grown
    assert grown.words == "8-8 relu from 4"
    for past in ([[8], [4]], [[8, 8]], [[16]], [[0]], "4", [4], [[4]] * 200):
        with pytest.raises(mc.DataError, match="grown"):
            Candidate.from_json(grown.to_json() | {"grown_from": past})


def _grown(plan: SearchPlan, hidden: tuple[int, ...], *past: tuple[int, ...]) -> Candidate:
    seedling = strategy_by_name("strategy", "grow")(plan.ground).ask()
    assert seedling is not None
    return replace(seedling, hidden=hidden, grown_from=past)


def test_what_has_grown_begins_where_its_parent_ended(plan: Callable[..., SearchPlan]) -> None:
    """Its first outputs are the last ones of the parent, on rows that neither was trained on."""
    workshop = plan(space=SPACE, strategy="grow").workshop
    child = _grown(plan(space=SPACE, strategy="grow"), (8, 8), (4,))
    parent = child.parent
    assert parent is not None
    assert evaluate(workshop, parent, NEVER) is not None
    learnt, held = workshop.data.of(0)
    kept = workshop.nursery.find(parent, 0)  # type: ignore[union-attr]
    assert kept is not None
    start = grown_params(workshop, child, learnt, 0, 0)
    assert start is not None
    X = np.asarray(held[0], np.float32)
    before, after = (
        workshop.recipe(parent).network.apply(kept, X),
        workshop.recipe(child).network.apply(start, X),
    )
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


def test_weights_at_hand_and_those_trained_again_are_the_same_bits(plan: Callable[..., SearchPlan]) -> None:
    made = plan(space=SPACE, strategy="grow")
    child = _grown(made, (8, 8), (4,), (8,))
    workshop, ancestors = made.workshop, [child.parent.parent, child.parent]  # type: ignore[union-attr]
    trials = [evaluate(workshop, candidate, NEVER) for candidate in ancestors if candidate is not None]
    with_them = evaluate(workshop, child, NEVER)
    without = evaluate(replace(workshop, nursery=None), child, NEVER)
    assert all(trial is not None for trial in trials)
    assert with_them is not None
    assert without is not None
    assert with_them.curves == without.curves
    assert len(with_them.curves[0]) == workshop.epochs_of(child) == workshop.epochs // 2


def test_the_nursery_lets_go_of_what_was_not_needed_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minicolumn.tune.growth._MOST_KEPT", 2)
    nursery, old = Nursery(), Candidate((4,), "constant", "relu")
    nursery.keep(old, 0, {})
    nursery.keep(old, 1, {})
    assert nursery.find(old, 0) == {}
    nursery.keep(old, 2, {})
    assert nursery.find(old, 1) is None
    assert nursery.find(old, 0) == {}


def test_a_search_by_growth_ends_with_a_model(plan: Callable[..., SearchPlan]) -> None:
    study = run_search(plan(space=SPACE, strategy="grow", trials=4, winner="best"))
    assert [trial.candidate.hidden for trial in study.records][:3] == [(4,), (8,), (4, 4)]
    assert study.story
    assert study.winner is not None
    assert np.isfinite(study.metrics["r2"])
    widths = [getattr(layer, "units", None) for layer in study.best_model.network.layers]  # type: ignore[attr-defined]
    assert [width for width in widths if width][:-1] == list(study.winner.candidate.hidden)


def test_time_is_left_for_what_the_winner_has_grown_from(plan: Callable[..., SearchPlan]) -> None:
    """On all rows the whole lineage is trained again; in the folds too where its weights are gone."""
    made = plan(space=SPACE, strategy="grow", folds=2, epochs=4)
    child, strategy = _grown(made, (8,), (4,)), strategy_by_name("strategy", "grow")(made.ground)
    parent = child.parent
    assert parent is not None
    assert made.workshop.nursery is not None
    search = Search(made.workshop, strategy, Budget(100.0), threads=1)
    for candidate, score, seconds in ((parent, 0.5, 2.0), (child, 0.9, 3.0)):
        trial = Trial(0, candidate, "finished", 9, score=score, by_fold=(score, score), seconds=seconds)
        search.progress.trials.append(replace(trial, epoch=made.workshop.epochs_of(candidate)))
    # Two folds are half of the rows each: all rows take as long as both folds.
    folds, all_rows, before = 3.0, 3.0, 2.0
    assert search._for_the_winner() == pytest.approx(folds + all_rows + before + before)
    for fold in range(2):
        made.workshop.nursery.keep(parent, fold, {})
    assert search._for_the_winner() == pytest.approx(folds + all_rows + before)
