"""Metric report: test metrics beside a trivial baseline's, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from minicolumn.cli.screen import count, heading, short, visible
from minicolumn.model.metric_names import NAMES, NOTES, figure
from minicolumn.model.metrics import higher_is_better

if TYPE_CHECKING:
    from minicolumn.tabular.folds import Folds
    from minicolumn.tabular.importance import Importance

_MOST_CONFUSIONS = 8
_MOST_COLUMNS = 24
_FEW_ROWS, _HANDFUL = 30, 10  # below, a score is more chance than skill
_FEWEST_LETTERS = 8  # of a class name that must be cut


def show_scores(
    console: Console,
    rows: str,
    scores: Mapping[str, float],
    baseline: Mapping[str, float],
    guess: str,
    right: Any,
    *,
    verdict: bool = False,
    held: Mapping[str, float] | None = None,
) -> None:
    """Print each metric beside that of the baseline, and what is to be thought of them.

    rows        of what rows, for the heading
    guess       what the baseline does, in words
    right       the right answers, [rows]: class codes or numbers
    verdict     whether to say so where the model is no better; not where the baseline knows the very rows
    held        the scores on the rows that an ensemble learnt from, each by members that had not seen it
    """
    console.print(heading("Test", rows))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("", no_wrap=True)
    grid.add_column("model", justify="right", style="bold", no_wrap=True)
    grid.add_column("baseline", justify="right", no_wrap=True)
    if held is not None:
        grid.add_column("out of fold", justify="right", no_wrap=True)
    grid.add_column("", style="dim")
    for name, label in NAMES.items():
        if name in scores:
            columns = (scores, baseline) if held is None else (scores, baseline, held)
            shown = [figure(name, column.get(name)) for column in columns]
            grid.add_row(f"  {label}", *shown, NOTES[name])
    console.print(grid)
    console.print(Text(f"  The baseline {guess}.", "dim"))
    if held is not None:
        line = "Out of fold: each row learnt from, by the networks that had not seen it."
        console.print(Text(f"  {line}", "dim"))
    for line in handfuls(right):
        console.print(Text(f"  {line}", "yellow"))
    if verdict and len(right) >= _FEW_ROWS and not beats(scores, baseline):
        console.print(
            Text("  The model is no better than the baseline: it has learnt nothing of use.", "yellow")
        )


def handfuls(right: Any) -> list[str]:
    """Return lines on scores that rest on too few rows to be believed.

    right       the right answers, [rows]: class codes or numbers

    >>> handfuls(np.array([0] * 40 + [1] * 3))
    ['The rarest class has 3 of these rows: scores by class rest on a handful.']
    """
    right = np.asarray(right)
    if len(right) < _FEW_ROWS:
        return [f"These scores rest on {count(len(right), 'row')}: others may give quite other ones."]
    if right.dtype.kind not in "iu":
        return []
    _, rows = np.unique(right, return_counts=True)
    if rows.min() >= _HANDFUL:
        return []
    return [f"The rarest class has {int(rows.min())} of these rows: scores by class rest on a handful."]


def show_folds(console: Console, folds: Folds) -> None:
    """Print the scores of a cross-validation: mean and standard deviation over the folds."""
    console.print(heading("Cross-validation", f"{count(len(folds.metrics), 'fold')}: mean ± deviation"))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("", no_wrap=True)
    grid.add_column("model", justify="right", style="bold", no_wrap=True)
    grid.add_column("", no_wrap=True)
    grid.add_column("baseline", justify="right", no_wrap=True)
    mean, spread, baseline = folds.mean, folds.deviation, folds.baseline_mean
    for name, label in NAMES.items():
        if name in mean:
            other = figure(name, baseline.get(name))
            grid.add_row(f"  {label}", figure(name, mean[name]), f"± {figure(name, spread[name])}", other)
    console.print(grid)


def show_importance(console: Console, importance: Importance) -> None:
    """Print how much worse the score gets where each column is shuffled, as bars."""
    score = NAMES[importance.score]
    console.print(heading("Importance", f"how much worse the {score} gets where a column is shuffled"))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    grid.add_column("", no_wrap=True)
    grid.add_column("", justify="right", style="bold", no_wrap=True)
    grid.add_column("", style="dim", no_wrap=True)
    grid.add_column("", style="cyan", no_wrap=True)
    shown = list(importance.columns.items())[:_MOST_COLUMNS]
    longest = max((value for _, value in shown), default=0.0)
    for name, value in shown:
        bar = "█" * round(24 * max(value, 0.0) / longest) if longest > 0 else ""
        grid.add_row(f"  {short(name, 32)}", f"{value:+.4g}", f"± {importance.spread[name]:.2g}", bar)
    console.print(grid)
    if len(importance.columns) > len(shown):
        console.print(Text(f"  and {len(importance.columns) - len(shown)} columns that matter less", "dim"))


def beats(scores: Mapping[str, float], baseline: Mapping[str, float]) -> bool:
    """Return whether a model is better than the baseline by any metric that both have.

    >>> beats({"r2": -0.1, "rmse": 3.0}, {"r2": 0.0, "rmse": 2.8})
    False
    """
    shared = [name for name in NAMES if name in scores and name in baseline]
    return any(
        scores[name] > baseline[name] if higher_is_better(name) else scores[name] < baseline[name]
        for name in shared
    )


def show_confusion(console: Console, counts: Any, classes: Sequence[str]) -> None:
    """Print the confusion matrix, or the most frequent mistakes where it is too wide for the terminal.

    counts      int [right class, predicted class]
    """
    counts = np.asarray(counts)
    longest = max(len(visible(label)) for label in classes)
    cell = max(3, len(f"{counts.max():,}"))
    names = min(28, longest, console.width - 4 - len(classes) * (cell + 2))
    if names < min(_FEWEST_LETTERS, longest):
        _show_mistakes(console, counts, classes)
        return
    width = min(16, (console.width - 4 - names) // len(classes) - 2)
    console.print(heading("Confusion", "rows: the right class; columns: the predicted one"))
    console.print(_matrix(counts, classes, names, width))


def _matrix(counts: Any, classes: Sequence[str], names: int, width: int) -> Table:
    """Return the confusion matrix as a table; class names that look the same once cut are numbered.

    names, width    letters of a row's and of a column's name
    """
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("", no_wrap=True)
    titles = [short(label, width) for label in classes]
    rows = [short(label, names) for label in classes]
    if len(set(titles)) < len(titles) or len(set(rows)) < len(rows):  # cut names that look the same
        titles = [str(place + 1) for place in range(len(classes))]
        rows = [short(f"{number} {label}", names) for number, label in zip(titles, classes, strict=True)]
    for title in titles:
        grid.add_column(title, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        cells = [_cell(int(n), place == other) for other, n in enumerate(counts[place])]
        grid.add_row(f"  {row}", *cells)
    return grid


def _cell(number: int, right: bool) -> Text:
    """Return a count; right ones in bold, zeros dimmed."""
    style = "bold" if right else "" if number else "dim"
    return Text(f"{number:,}", style)


def _show_mistakes(console: Console, counts: Any, classes: Sequence[str]) -> None:
    """Print the most frequent pairs of right and predicted class."""
    wrong = counts - np.diag(np.diag(counts))
    places = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    found = [(*divmod(int(place), len(classes)), int(wrong.flat[place])) for place in places]
    console.print(
        heading("Mistakes", f"{count(int(wrong.sum()), 'row')} of {int(counts.sum()):,}; the most frequent:")
    )
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title, justify in (("  right class", "left"), ("predicted", "left"), ("rows", "right")):
        grid.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for right, guess, number in found:
        if number:
            grid.add_row(f"  {short(classes[right], 28)}", short(classes[guess], 28), f"{number:,}")
    console.print(grid)
