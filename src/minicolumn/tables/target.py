"""Target inference: regression or classification, the class labels, and the rows without a target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from minicolumn.errors import DataError, did_you_mean
from minicolumn.tables.forms.date_forms import infer_date_form
from minicolumn.tables.forms.number_forms import NUMBER_MISSING, NumberForm
from minicolumn.tables.identifiers import words_of
from minicolumn.tables.kinds import number_form
from minicolumn.tables.overrides import Hint
from minicolumn.tables.values import (
    CLASS_WORDS,
    MISSING,
    Shape,
    count_words,
    plain,
    present,
    shape_of,
    text_of,
    without_point_zero,
    without_spellings,
)

if TYPE_CHECKING:
    import polars

_NAMED_RATING = re.compile(
    r"(^|.* )(rating|ratings|stars?|score|grade|quality|rank|level|severity|satisfaction)$"
)

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
MOST_CLASSES = 1000
FEW_VALUES = 20  # a target of at most so many distinct integers is one of classes


@dataclass(frozen=True, slots=True)
class Target:
    """What was found in the target column.

    task        "binary", "multiclass" or "regression"
    form        how its numbers are written, see `Column`; "" for classes
    classes     labels in the order of their codes; empty for regression
    gaps        rows without a target: missing, and for regression infinite too
    notes       for people
    """

    task: Task
    form: str  # how its numbers are written
    classes: tuple[str, ...]  # empty for regression
    gaps: int
    notes: tuple[str, ...]


def find_target(
    series: polars.Series, task: str | None, hint: Hint | None = None, *, strict: bool = False
) -> Target:
    """Infer the task and the classes of a target column.

    series      the column
    task        a task, "classification", or None to choose: more than 20 distinct integers, or any number
                that is not an integer, is regression
    hint        what the user said of it
    Errors      DataError: no value, one value only, another label in every row, more than 1,000 classes,
                words for regression, an unknown task

    >>> import polars
    >>> find_target(polars.Series("grade", [1, 2, 2, 3, 1, 3]), None).classes
    ('1', '2', '3')
    >>> find_target(polars.Series("price", ["9.5", "12", "7.25"]), None).task
    'regression'
    """
    hint, name = hint or Hint(), series.name
    series = without_spellings(plain(series), hint.said_missing)
    if shape_of(series) is Shape.NESTED:
        raise DataError(f"the target {name!r} holds {series.dtype} values; expected one plain value a row")
    if task not in (None, "classification", *TASKS):
        hint_of_task = did_you_mean(str(task), TASKS) or f"; expected one of {', '.join(TASKS)}"
        raise DataError(f"unknown task {task!r}{hint_of_task}")
    form = None if hint.kind == "category" else _number_form(series, hint)
    if hint.kind == "number" and form is not None and task is None:
        task = "regression"
    missing = hint.missing if form is not None else hint.missing - CLASS_WORDS
    known = present(text_of(series), missing).drop_nulls()
    if known.is_empty():
        raise DataError(f"the target {name!r} has no value in any row")
    if task == "regression" or (task is None and form is not None and _measures(series, form)):
        return _regression(series, form, hint, strict)
    return _classification(series, known, task)


def _classification(series: polars.Series, known: polars.Series, task: str | None) -> Target:
    """Return a target of classes.

    known       its labels as they are written, without those that are missing
    """
    counts = _as_labels(known).alias(series.name).value_counts(name="rows")
    notes = _check_classes(series.name, counts, len(known), task)
    classes = _in_order(counts[series.name].to_list())
    gaps = len(series) - len(known)
    return Target(
        "binary" if len(classes) == 2 and task != "multiclass" else "multiclass",
        "",
        classes,
        gaps,
        (*_missing_labels(text_of(series), gaps), *_ratings(series.name, classes), *notes),
    )


def _ratings(name: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return a note where classes are numbers of a name that says they have an order: stars, quality."""
    import polars

    numbers = NumberForm().read(polars.Series(classes))
    if len(classes) < 3 or numbers.null_count() or not _NAMED_RATING.match(words_of(name)):
        return ()
    return (f"{len(classes)} classes that are numbers in order; to learn the amount: --task regression",)


def _as_labels(known: polars.Series) -> polars.Series:
    """Return labels as they are written; of numbers that are spelt in several ways, 1 and 1.0, the shortest.

    Where a word stands among them they are no numbers, and 1.0 and 1.00 are two labels.
    """
    if NumberForm().read(known).null_count():
        return known
    short = known.str.replace(r"^([+-]?[0-9]+)\.0+$", "$1")
    return short if short.n_unique() < known.n_unique() else known


def _missing_labels(text: polars.Series, gaps: int) -> tuple[str, ...]:
    """Return a note where a spelling of missing may well be a label: NA is a country, too."""
    words = text.filter(text.str.to_lowercase().is_in(list(MISSING - {""})))
    if not gaps or words.is_empty():
        return ()
    word = words.alias("word").value_counts(name="rows", sort=True).row(0)
    shown = (
        f"{word[1]:,} row{'s' if word[1] > 1 else ''} whose target reads {word[0]!r} are left out as missing"
    )
    return (f"{shown}; if it is a label: --not-missing {word[0]}",)


def labeled(series: polars.Series, task: Task, classes: tuple[str, ...]) -> polars.Series:
    """Return which rows have a target, bool [rows].

    series      the target, of `typed_columns`: numbers, or labels
    """
    if task == "regression":
        return series.is_finite().fill_null(False)
    return class_labels(series, classes).is_not_null()


def class_labels(series: polars.Series, classes: tuple[str, ...]) -> polars.Series:
    """Return the target's labels, String [rows]; null where missing.

    A spelling of missing ("None", "-") is a label if the training had it as a class; "1.0" is the class "1"
    where there is no class "1.0".
    """
    text = text_of(series)
    places = label_places(classes)
    distinct = text.unique().drop_nulls()
    known = [
        classes[places[short]] if (short := _short(word, places)) in places else word for word in distinct
    ]
    named = text.replace(distinct.to_list(), known) if len(distinct) else text
    return named.set(named.str.to_lowercase().is_in(list(MISSING)) & ~named.is_in(list(classes)), None)


def label_places(classes: tuple[str, ...]) -> dict[str, int]:
    """Return the code of every label, by each spelling that means it: "1.0" for the class "1", and back.

    >>> label_places(("1.0", "2"))
    {'1.0': 0, '2': 1, '1': 0}
    """
    places = {label: code for code, label in enumerate(classes)}
    for code, label in enumerate(classes):
        places.setdefault(without_point_zero(label), code)
    return places


def _short(word: str, places: dict[str, int]) -> str:
    """Return a label as it is known: as it is written, else without ".0"."""
    return word if word in places else without_point_zero(word)


def label_code(word: str, places: dict[str, int]) -> int:
    """Return the code of a label in any of its spellings; -1 for none."""
    return places.get(_short(word, places), -1)


def _number_form(series: polars.Series, hint: Hint) -> str | None:
    """Return how the numbers of a target are written, "" for plainly; None for words and date-times."""
    shape = shape_of(series)
    if shape in (Shape.BOOLEANS, Shape.DATES):
        return None
    if shape is Shape.NUMBERS:
        return ""
    if hint.form:
        return hint.form
    text = present(text_of(series), hint.missing | NUMBER_MISSING).drop_nulls()
    if text.is_empty():
        return None
    found = number_form(text, hint)
    if found.form is None:
        return None
    # A few distinct numbers beside words that repeat are labels, all of them.
    values = found.form.read(text)
    if found.odd and values.n_unique() <= FEW_VALUES:
        return None
    return str(found.form)


def _measures(series: polars.Series, form: str) -> bool:
    """Return whether the numbers of a target measure something rather than name classes."""
    values = NumberForm.parse(form).read(series)
    known = values.filter(values.is_finite().fill_null(False))
    if known.is_empty():
        return False
    distinct = known.n_unique()
    if distinct <= 2:
        return False
    whole = bool((known == known.floor()).all())
    return not whole or distinct > FEW_VALUES or distinct > len(known) / 2


def _regression(series: polars.Series, form: str | None, hint: Hint, strict: bool) -> Target:
    """Return a numeric target; DataError where it holds words, no number, or always the same."""
    if form is None:
        odd = _first_word(series)
        raise DataError(f"regression needs numbers, but the target {series.name!r} holds {odd}")
    values = NumberForm.parse(form).read(series)
    known = values.filter(values.is_finite().fill_null(False))
    if known.is_empty():
        raise DataError(f"the target {series.name!r} has no number in any row")
    if known.n_unique() == 1:
        raise DataError(f"the target {series.name!r} is {known[0]:g} in every row; there is nothing to learn")
    infinite = int(values.is_infinite().sum() or 0)
    rows = f"{infinite:,} row{'s' if infinite > 1 else ''}"
    notes = [f"an infinite target counts as none: {rows}"] if infinite else []
    text = present(text_of(series), hint.missing)
    words = count_words(text.filter(values.is_null() & text.is_not_null()))
    if words and strict:
        raise DataError(f"the target {series.name!r}: {words}; they are no numbers (--strict)")
    return Target("regression", form, (), len(series) - len(known), (*notes, *([words] if words else [])))


def _first_word(series: polars.Series) -> str:
    """Return the first value that is no number, and its row, for a message."""
    text = present(text_of(series), MISSING)
    odd = (NumberForm().read(series).is_null() & text.is_not_null()).arg_true()
    return f"{text[int(odd[0])]!r} in row {int(odd[0]) + 1}" if len(odd) else f"values of type {series.dtype}"


def _check_classes(name: str, counts: polars.DataFrame, rows: int, task: str | None) -> tuple[str, ...]:
    """Return notes on a target's classes; DataError where nothing can be learnt from them."""
    classes, text = counts.height, counts[name]
    if classes == 1:
        raise DataError(f"the target {name!r} is {text[0]!r} in every row; two classes at least are needed")
    dates = classes == rows > 2 or classes > MOST_CLASSES
    if dates and infer_date_form(text.head(40), 0.0).form is not None:
        raise DataError(f"the target {name!r} holds dates; turn them into numbers or classes first")
    if classes == rows and rows > 2:
        raise DataError(
            f"the target {name!r} has another label in every row; choose a column whose labels repeat"
        )
    if task == "binary" and classes != 2:
        raise DataError(
            f"the target {name!r} has {classes:,} classes, the task binary expects 2; use multiclass"
        )
    if classes > MOST_CLASSES:
        raise DataError(
            f"the target {name!r} has {classes:,} classes, at most {MOST_CLASSES:,} can be learnt"
        )
    lonely = counts.filter(counts["rows"] < 2)[name].sort().to_list()
    return (f"classes of a single row: {', '.join(map(repr, lonely[:10]))}",) if lonely else ()


def _in_order(found: list[str]) -> tuple[str, ...]:
    """Return classes by value where all are numbers, else by spelling.

    >>> _in_order(["10", "9", "1"]), _in_order(["b", "10", "a"])
    (('1', '9', '10'), ('10', 'a', 'b'))
    """
    try:
        return tuple(sorted(found, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(found))
