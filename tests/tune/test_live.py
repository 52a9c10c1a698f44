"""What is shown of a search while it runs: a live table on a terminal, else a line for each trial."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from minicolumn.tune.evaluate import Standing
from minicolumn.tune.live import drawn, line_of, shown_on
from minicolumn.tune.search import Budget, Progress
from minicolumn.tune.session import SearchPlan, run_search
from minicolumn.tune.trial import Trial

Plan = Callable[..., SearchPlan]


@pytest.mark.parametrize("live", [True, False], ids=["terminal", "file"])
def test_a_search_is_shown(live: bool, plan: Plan) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=live, width=100, _environ={"TERM": "xterm"})
    study = run_search(plan(strategy="course", trials=2, threads=1), shown_on(console))
    said = stream.getvalue()
    assert "Few neurons first" in re.sub(r"\s+", " ", said)
    assert f"The winner, {study.ranked[0].candidate.words}" in said or study.winner is not study.best
    assert ("\x1b[" in said) == live
    lines = [line_of(trial, study.score) for trial in study.records]
    assert live or all(line in said for line in lines)
    assert not live or "2 trials, 2 finished" in said


def test_the_table_has_the_best_and_what_runs(plan: Plan) -> None:
    made = plan(folds=3, epochs=7)
    candidate = made.setup.space.draw(lambda name, part: getattr(part, "values", (0.05,))[0])
    good = Trial(0, candidate, "finished", 33, score=0.8125, error=0.03, by_fold=(0.8, 0.825))
    bad = Trial(1, candidate, "failed", 33, reason="training diverged")
    progress = Progress(Budget(seconds=90.0), [good, bad], [Standing(candidate, 1, 4, 0.5)], [], 31.0)
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(drawn(progress, made))
    said = console.export_text()
    assert "2 trials, 1 finished, 1 failed  0:31 of 1:30" in said
    assert "0.812 ± 0.030" in said
    assert "33 weights" in said
    assert "fold 2 of 3, epoch 4 of 7" in said
    assert line_of(bad, made.setup.score) == "trial 2  4 relu  failed: training diverged"
