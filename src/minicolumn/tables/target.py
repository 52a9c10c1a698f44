"""The column to predict: its task, its classes, its rows without a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from minicolumn.errors import DataError, did_you_mean
from minicolumn.tables.values import (
    MISSING,
    MISSING_LABELS,
    date_form,
    labels,
    not_numbers,
    number_form,
    numbers,
    present,
    text_of,
)

if TYPE_CHECKING:
    import polars

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
MOST_CLASSES = 1000
FEW_VALUES = 20  # a target of at most so many distinct integers is one of classes


@dataclass(frozen=True, slots=True)
class Target:
    """What was found in the target column."""

    task: Task
    form: str  # how its numbers are written
    classes: tuple[str, ...]  # empty for regression
    gaps: int
    notes: tuple[str, ...]


def find_target(series: polars.Series, task: str | None) -> Target:
    """Return the task and the classes of a target column."""
    form = target_form(series)
    known = labels(series, MISSING_LABELS if form is None else MISSING).drop_nulls()
    gaps = len(series) - len(known)
    name = series.name
    if known.is_empty():
        raise DataError(f"the target {name!r} has no value in any row")
    form = target_form(series)
    if task not in (None, "classification", *TASKS):
        raise DataError(
            f"unknown task {task!r}{did_you_mean(str(task), TASKS)}; expected one of {', '.join(TASKS)}"
        )
    if task == "regression" or (task is None and form is not None and _measures(series, form)):
        return _regression(series, form)
    counts = known.value_counts(name="rows")
    notes = _check_classes(name, counts, len(known), task)
    classes = _in_order(counts[name].to_list())
    return Target(
        "binary" if len(classes) == 2 and task != "multiclass" else "multiclass", "", classes, gaps, notes
    )


def class_labels(series: polars.Series, classes: tuple[str, ...]) -> polars.Series:
    """Return a target's labels; null where missing, unless that spelling is a class."""
    text = labels(series, ())
    return text.set(text.str.to_lowercase().is_in(list(MISSING)) & ~text.is_in(list(classes)), None)


def target_form(series: polars.Series) -> str | None:
    """Return how the numbers of a target are written, or None if it holds words or moments."""
    import polars

    if series.dtype in (polars.Boolean, polars.Date, polars.Datetime, polars.Time):
        return None
    if not_numbers(series, numbers(series)).is_empty():
        return ""
    return number_form(present(text_of(series).unique()).drop_nulls())


def _measures(series: polars.Series, form: str) -> bool:
    """Return whether the numbers of a target measure something rather than name classes."""
    values = numbers(series, form)
    known = values.filter(values.is_finite().fill_null(False))
    if known.is_empty():
        return False
    distinct = known.n_unique()
    if distinct <= 2:
        return False
    whole = bool((known == known.floor()).all())
    return not whole or distinct > FEW_VALUES or distinct > len(known) / 2


def _regression(series: polars.Series, form: str | None) -> Target:
    if form is None:
        odd = _first_word(series)
        raise DataError(f"regression needs numbers, but the target {series.name!r} holds {odd}")
    values = numbers(series, form)
    known = values.filter(values.is_finite().fill_null(False))
    if known.is_empty():
        raise DataError(f"the target {series.name!r} has no number in any row")
    if known.n_unique() == 1:
        raise DataError(f"the target {series.name!r} is {known[0]:g} in every row; there is nothing to learn")
    infinite = int(values.is_infinite().sum() or 0)
    rows = f"{infinite:,} row{'s' if infinite > 1 else ''}"
    notes = (f"an infinite target counts as none: {rows}",) if infinite else ()
    return Target("regression", form, (), len(series) - len(known), notes)


def _first_word(series: polars.Series) -> str:
    text = present(text_of(series), MISSING)
    odd = (numbers(series).is_null() & text.is_not_null()).arg_true()
    return f"{text[int(odd[0])]!r} in row {int(odd[0]) + 1}" if len(odd) else f"values of type {series.dtype}"


def _check_classes(name: str, counts: polars.DataFrame, rows: int, task: str | None) -> tuple[str, ...]:
    """Return notes on a target's classes; DataError where nothing can be learnt from them."""
    classes, text = counts.height, counts[name]
    if classes == 1:
        raise DataError(f"the target {name!r} is {text[0]!r} in every row; two classes at least are needed")
    if classes == rows and rows > 2:
        raise DataError(
            f"the target {name!r} has another label in every row; choose a column whose labels repeat"
        )
    if task == "binary" and classes != 2:
        raise DataError(
            f"the target {name!r} has {classes:,} classes, the task binary expects 2; use multiclass"
        )
    if classes > MOST_CLASSES:
        if date_form(text.head(40))[0] is not None:
            raise DataError(f"the target {name!r} holds dates; turn them into numbers or classes first")
        raise DataError(
            f"the target {name!r} has {classes:,} classes, at most {MOST_CLASSES:,} can be learnt"
        )
    lonely = counts.filter(counts["rows"] < 2)[name].sort().to_list()
    return (f"classes of a single row: {', '.join(map(repr, lonely[:10]))}",) if lonely else ()


def _in_order(found: list[str]) -> tuple[str, ...]:
    """Return classes by value where all are numbers, else by spelling."""
    try:
        return tuple(sorted(found, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(found))
