"""Pictures and the page of a study: what they show, what is said where there is nothing, nothing foreign."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.importance import FEWEST, importances
from minicolumn.tune.pictures.catalogue import PICTURES
from minicolumn.tune.pictures.pareto import pareto_front
from minicolumn.tune.pictures.style import short, span
from minicolumn.tune.report import report_html
from minicolumn.tune.score import Score
from minicolumn.tune.session import SearchPlan, run_search
from minicolumn.tune.space import Space
from minicolumn.tune.study import Setup, Study
from minicolumn.tune.trial import Trial, standard_error

SVG = "http://www.w3.org/"


def _trial(number: int, candidate: Candidate, worth: float, state: Any = "finished") -> Trial:
    by_fold = (worth - 0.01, worth, worth + 0.01)
    curves = tuple(tuple(value - 0.3 / (e + 1) for e in range(6)) for value in by_fold)
    size = 10 * sum(candidate.hidden) + number
    error = standard_error(by_fold)
    return Trial(
        number, candidate, state, size, curves, curves, worth, error, 6, by_fold, 0.1, "<b>late</b>"
    )  # fmt: skip


def _study(setup: Setup, trials: int = 30, sign: float = 1.0) -> Study:
    """Return a study in which wide networks are better, and the rate matters little."""
    rng, found = np.random.default_rng(0), []
    for number in range(trials):
        width, layers = int(rng.choice([8, 16, 32])), int(rng.integers(1, 4))
        candidate = Candidate(
            (width,) * layers,
            "constant",
            str(rng.choice(["relu", "mish"])),
            learning_rate=float(rng.uniform(0.01, 0.1)),
        )
        state = "pruned" if number % 7 == 3 else "failed" if number % 11 == 5 else "finished"
        found.append(
            _trial(number, candidate, sign * (0.5 + width / 100 + 0.01 * rng.standard_normal()), state)
        )
    story = ("Few neurons first. 32 neurons: r2 0.8 <script>alert(1)</script> & more.",)
    return Study(setup, tuple(found), story, 12.0, "trials")


@pytest.fixture
def setup(whole: Space) -> Setup:
    return Setup(
        space=whole, strategy="tpe", score=Score("r2", True), folds=3, epochs=6, seed=0, target="y",
        task="regression", rows=90, data="sha256:0",
    )  # fmt: skip


@pytest.fixture
def study(setup: Setup) -> Study:
    return _study(setup)


@pytest.mark.parametrize("name", [name for name in PICTURES if name != "topology"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_every_picture_can_be_drawn_and_written(name: str, sign: float, setup: Setup, tmp_path: Path) -> None:
    score = Score("r2", True) if sign > 0 else Score("log_loss", False)
    drawn = _study(replace(setup, score=score), sign=sign)
    path = tmp_path / f"{name}.svg"
    axes = getattr(drawn, f"plot_{name}")(path)
    assert axes.get_title(loc="left")
    assert path.read_text().count("<path") > 5
    assert getattr(drawn, f"plot_{name}")(axes=axes) is axes


@pytest.mark.parametrize("name", PICTURES)
def test_a_study_without_a_winner_has_no_pictures(name: str, setup: Setup) -> None:
    with pytest.raises(mc.DataError, match=f"Study.plot_{name}: no trial finished"):
        getattr(Study(setup, ()), f"plot_{name}")()


def test_one_trial_is_enough_but_for_importance(setup: Setup) -> None:
    one = Study(setup, (_trial(0, Candidate((8,), "constant", "relu"), 0.9),))
    for name in ("pareto", "sizes", "curves"):
        getattr(one, f"plot_{name}")()
    with pytest.raises(mc.DataError, match=f"it takes {FEWEST} finished trials"):
        one.plot_importance()
    with pytest.raises(mc.DataError, match="plot_topology: topology: the winner was not refitted"):
        one.plot_topology()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), min_size=1, max_size=30), st.booleans())
def test_the_front_is_of_those_that_none_beats(pairs: list[tuple[int, float]], higher: bool) -> None:
    score = Score("r2", higher)
    trials = tuple(
        replace(_trial(k, Candidate((units,), "constant", "relu"), value), parameters=units)
        for k, (units, value) in enumerate(pairs)
    )
    setup: Any = type("Setup", (), {"score": score})()
    front = pareto_front(Study(setup, trials))
    beaten = [
        t for t in trials
        if any(o.parameters <= t.parameters and score.is_better(o.score, t.score) for o in trials)
    ]  # fmt: skip
    assert all(t not in beaten for t in front)
    assert {(t.parameters, t.score) for t in trials if t not in beaten} >= {
        (t.parameters, t.score) for t in front
    }
    assert [t.parameters for t in front] == sorted({t.parameters for t in front})
    best = max(trials, key=lambda t: score.sign * t.score).score
    assert front[-1].score == best


def test_what_matters_is_found(study: Study) -> None:
    found = importances(study.records, study.score)
    assert next(iter(found)) == "width"
    assert found["width"] > 0.8
    assert sum(found.values()) == pytest.approx(1.0)
    assert set(found) == {"layers", "width", "activation", "learning_rate"}
    assert importances(study.records[:5], study.score) == {}


def test_one_training_that_learnt_nothing_does_not_explain_everything(setup: Setup) -> None:
    records = list(_study(setup, 40).records)
    records.append(_trial(41, Candidate((32,), "constant", "relu", learning_rate=0.0999), -1e6))
    assert next(iter(importances(records, setup.score))) == "width"


@settings(max_examples=50)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), st.booleans())
def test_the_best_is_always_in_sight(values: list[float], higher: bool) -> None:
    score = Score("r2", higher)
    low, high = span(values, score)
    assert low < high
    assert low <= score.sign * max(score.sign * v for v in values) <= high


def test_counts_are_short() -> None:
    assert [short(v) for v in (7, 999, 1_000, 12_345, 2_000_000)] == ["7", "999", "1k", "12.3k", "2M"]


# The page ---------------------------------------------------------------------------------------------------


def test_the_page_holds_all_of_it_and_asks_for_nothing(
    plan: Callable[..., SearchPlan], tmp_path: Path
) -> None:
    found = run_search(plan(task="multiclass", strategy="course"))
    path = tmp_path / "report.html"
    found.report(path)
    text = path.read_text()
    assert re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", text) == []
    assert "<script" not in text
    assert [url for url in re.findall(r"https?://[^\"' )]+", text) if not url.startswith(SVG)] == []
    assert "default-src 'none'" in text
    for said in (found.story[0].split(":")[0], found.winner.candidate.words, "prefers-color-scheme", "★"):  # type: ignore[union-attr]
        assert said in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'xlink:href="#([^"]+)"', text))
    assert used <= set(ids)
    assert "#1f2933" not in text.partition("</style>")[2]  # colours are variables


def test_text_is_never_markup(study: Study) -> None:
    hostile = replace(study, setup=replace(study.setup, target='<img src="x">'))
    text = report_html(hostile)
    assert "<script" not in text
    assert "<img" not in text
    assert "<b>late" not in text
    assert "&lt;script&gt;" in text


def test_the_same_study_is_the_same_page(study: Study) -> None:
    assert report_html(study) == report_html(study)
