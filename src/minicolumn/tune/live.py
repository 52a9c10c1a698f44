"""A search on a terminal: a live table of its best and running trials, or a line for each that ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from minicolumn.tabular.ensemble_progress import members_bar, members_lines
from minicolumn.train.progress import duration
from minicolumn.train.side_by_side import Progress as RefitProgress
from minicolumn.tune.evaluate import Standing
from minicolumn.tune.score import Score
from minicolumn.tune.search import Progress
from minicolumn.tune.session import SearchPlan, Shown
from minicolumn.tune.trial import Trial, ranked, with_error

_TOP = 5  # of the ranking, while it goes on


def shown_on(console: Console) -> Shown:
    """Return what shows a search on a console: live where lines can be redrawn, else line by line."""
    live = console.is_terminal and not console.is_dumb_terminal
    return Shown(
        lambda plan: live_table(console, plan) if live else plain_lines(console, plan),
        lambda trial: _refitting(console, trial, live),
    )


@contextmanager
def live_table(console: Console, plan: SearchPlan) -> Iterator[Callable[[Progress], None]]:
    """Draw the best and the running trials while the block lasts; sentences of the story stand above."""
    told = 0
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def watch(progress: Progress) -> None:
            nonlocal told
            for sentence in progress.story[told:]:
                console.print(Padding(Text(sentence), (0, 0, 0, 2)))
            told = len(progress.story)
            live.update(drawn(progress, plan), refresh=True)

        yield watch


@contextmanager
def plain_lines(console: Console, plan: SearchPlan) -> Iterator[Callable[[Progress], None]]:
    """Print a line for each trial that ended, and the sentences of the story, while the block lasts."""
    told, shown = 0, 0

    def watch(progress: Progress) -> None:
        nonlocal told, shown
        for trial in progress.trials[shown:]:
            console.print(Text(f"  {line_of(trial, plan.setup.score)}"), soft_wrap=True)
        shown = len(progress.trials)
        for sentence in progress.story[told:]:
            console.print(Text(sentence), soft_wrap=True)
        told = len(progress.story)

    yield watch


@contextmanager
def _refitting(console: Console, trial: Trial, live: bool) -> Iterator[Callable[[RefitProgress], None]]:
    """Show how far the winner's last training is."""
    line = f"  The winner, {trial.candidate.words}, learns from all training rows."
    console.print(Text(line), soft_wrap=True)
    with members_bar(console, "loss") if live else members_lines(console, "loss") as watch:
        yield watch


def line_of(trial: Trial, score: Score) -> str:
    """Return a trial in one line."""
    head = f"trial {trial.number + 1}  {trial.candidate.words}"
    if trial.state == "failed":
        return f"{head}  failed: {trial.reason}"
    end = "  pruned" if trial.state == "pruned" else ""
    scored = f"{score.name} {with_error(trial.score, trial.error)}"
    return f"{head}  {scored}  {trial.parameters:,} weights  {trial.seconds:.2g} s{end}"


def drawn(progress: Progress, plan: SearchPlan) -> RenderableType:
    """Return the live table: a line on how far it is, the best so far, and what runs."""
    score, table = plan.setup.score, Table.grid(padding=(0, 2))
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    best = ranked(progress.trials, score)[:_TOP]
    for place, trial in enumerate(best, 1):
        table.add_row(
            f"{place}",
            trial.candidate.words,
            with_error(trial.score, trial.error),
            f"{trial.parameters:,} weights",
        )
    for standing in progress.standings:
        table.add_row(*(Text(text, "dim") for text in _running(standing, plan)))
    return Group(Text(f"  {_how_far(progress)}", "bold", no_wrap=True), Padding(table, (0, 0, 0, 2)))


def _running(standing: Standing, plan: SearchPlan) -> tuple[str, str, str, str]:
    """Return the row of a trial that runs."""
    value = "" if math.isnan(standing.value) else f"{standing.value:.4g}"
    epochs = standing.candidate.epochs(plan.setup.epochs)
    where = f"fold {standing.fold + 1} of {plan.setup.folds}, epoch {standing.epoch} of {epochs}"
    return "-", standing.candidate.words, value, where


def _how_far(progress: Progress) -> str:
    """Return how many trials ended, and how much of the budget is used."""
    states = [trial.state for trial in progress.trials]
    parts = [f"{len(states)} trials", f"{states.count('finished')} finished"]
    parts += [f"{n} {state}" for state in ("pruned", "failed") if (n := states.count(state))]
    of = "" if progress.budget.seconds is None else f" of {duration(progress.budget.seconds)}"
    return "  ".join([", ".join(parts), f"{duration(progress.seconds)}{of}"])
