"""What `minicolumn tune` says: the search before it, the ranking and the winner after it."""

from __future__ import annotations

import math

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from minicolumn.cli.save import file_size
from minicolumn.cli.screen import count, heading, labelled, visible
from minicolumn.cli.table_report import show_remarks, show_table
from minicolumn.cli.train_report import show_results
from minicolumn.train.progress import duration
from minicolumn.tune.session import SearchPlan
from minicolumn.tune.storage import without_password
from minicolumn.tune.study import Study
from minicolumn.tune.trial import Trial, gain, with_error

_ROWS = 10  # of the ranking


def announce_search(console: Console, name: str, plan: SearchPlan) -> None:
    """Print the schema, the space and how it is searched."""
    table, setup = plan.workshop.table, plan.setup
    show_table(console, name, table.schema)
    show_remarks(console, table.remarks)
    size = "" if math.isinf(setup.space.size) else f", {setup.space.size:,.0f} candidates"
    console.print()
    parts = [
        (Text(name.replace("_", " "), "dim"), Text(str(part))) for name, part in setup.space.said().items()
    ]
    console.print(Text.assemble(("Space", "bold"), (size, "dim")))
    console.print(Padding(labelled(parts), (0, 0, 0, 2)))
    learnt = count(setup.rows - math.ceil(setup.rows / setup.folds), "row")
    how = (
        f"{setup.strategy}, by {setup.score.name} over {setup.folds} folds; each candidate learns from "
        f"{learnt} for {count(setup.epochs, 'epoch')} at most; {plan.ground.threads} at once{_budget(plan)}"
    )
    console.print()
    console.print(labelled([(Text("Search", "bold"), Text(how, "dim"))]))


def _budget(plan: SearchPlan) -> str:
    """Return what ends the search, in words."""
    budget = plan.asked.budget
    parts = [] if budget.seconds is None else [duration(budget.seconds)]
    parts += [] if budget.trials is None else [count(budget.trials, "trial")]
    parts += [] if budget.target is None else [f"a {plan.setup.score.name} of {budget.target:g}"]
    return f"; until {' or '.join(parts)}" if parts else ""


def show_ranking(console: Console, study: Study) -> None:
    """Print the best trials: network, score with its error, by how much each is behind, weights, time.

    The winner has a star.
    """
    states = [trial.state for trial in study.records]
    others = [f"{n:,} {state}" for state in ("pruned", "failed") if (n := states.count(state))]
    line = ", ".join([count(states.count("finished"), "candidate") + " finished", *others])
    console.print(heading("Ranking", f"{line}, in {duration(study.seconds)} ({study.stopped})"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    headings = ("", "network", study.score.name, "behind", "weights", "seconds")
    for title in headings:
        grid.add_column(no_wrap=True, justify="left" if title in ("", "network") else "right")
    grid.add_row(*(Text(title, "dim") for title in headings))
    shown = study.ranked[:_ROWS]
    winner = study.winner
    if winner is not None and winner not in shown:
        shown = [*shown, winner]
    for trial in shown:
        grid.add_row(*_row(trial, study), style="bold" if trial is winner else "")
    console.print(Padding(grid, (0, 0, 0, 2)))
    failed = [trial for trial in study.records if trial.state == "failed"]
    for trial in failed[:3]:
        console.print(Text(f"  failed: {trial.candidate.words}: {visible(trial.reason)}", "yellow"))


def _row(trial: Trial, study: Study) -> list[Text]:
    """Return a line of the ranking."""
    best = study.ranked[0]
    behind, error = gain(best, trial, study.score)
    texts = (
        "*" if trial is study.winner else f"{study.ranked.index(trial) + 1}",
        trial.candidate.words,
        with_error(trial.score, trial.error),
        "" if trial is best else with_error(behind, error),
        f"{trial.parameters:,}",
        f"{trial.seconds:.2g}",
    )
    return [Text(text) for text in texts]


def show_winner(console: Console, study: Study) -> None:
    """Print the winner and its scores on the test rows, beside what the search held of it."""
    winner, done = study.winner, study.refit
    assert winner is not None
    assert done is not None
    c = winner.candidate
    why = {"smallest": "the smallest within one standard error of the best", "best": "the best"}[study.rule]
    console.print(heading("Winner", why))
    rates = [
        f"dropout {c.dropout:.3g}",
        f"{c.optimizer}, learning rate {c.learning_rate:.3g}, weight decay {c.weight_decay:.3g}",
        f"{c.schedule}, batches of {c.batch_size}",
        f"to epoch {winner.epoch} of {c.epochs(study.setup.epochs)}",
    ]
    console.print(Padding(Text(f"{c.words}; {'; '.join(rates)}"), (0, 0, 0, 2)))
    show_results(console, done)


def say_where(console: Console, place: str, storage: str, replaced: bool) -> None:
    """Print where the winner and the trials are."""
    size = file_size(place) + (", in place of an older file" if replaced else "")
    console.print(heading("Saved", f"{visible(place)} ({size})"), soft_wrap=True)
    kept = visible(without_password(storage))
    console.print(Text(f"  trials in {kept}; --resume goes on with them", "dim"), soft_wrap=True)
    console.print(Text(f"\n  minicolumn predict {visible(place)} NEW_ROWS", "dim"), soft_wrap=True)
