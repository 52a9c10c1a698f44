"""What the columns of a table mean and which one is predicted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from minicolumn.errors import DataError, did_you_mean
from minicolumn.tables import state
from minicolumn.tables.kinds import USED, Kind, find_kind
from minicolumn.tables.target import MOST_CLASSES, TASKS, Target, Task, class_labels, find_target
from minicolumn.tables.values import DATE_FORMS, NUMBER_FORMS, not_numbers, numbers, plain

if TYPE_CHECKING:
    import polars

MOST_COLUMNS = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column beside the target: what it means, and what was seen or why it is dropped.

    form        how its text is written: of numbers "", "thousands", "decimal comma", "percent";
                of a datetime its strptime format
    """

    name: str
    kind: Kind
    note: str = ""
    form: str = ""

    @property
    def used(self) -> bool:
        """Whether the column becomes part of the matrix."""
        return self.kind in USED

    def to_json(self) -> dict[str, Any]:
        """Return the column as JSON values."""
        return {"name": self.name, "kind": self.kind, "note": self.note, "form": self.form}

    @classmethod
    def from_json(cls, value: object, where: str = "column") -> Column:
        """Return a column from JSON values; ModelFileError for anything else."""
        have = state.fields(value, where, ("name", "kind", "note", "form"))
        kind = state.choice(have["kind"], f"{where}.kind", get_args(Kind))
        forms = {"number": NUMBER_FORMS, "datetime": DATE_FORMS}.get(kind, ("",))
        return cls(
            state.name(have["name"], f"{where}.name"),
            kind,
            state.text(have["note"], f"{where}.note"),
            state.choice(have["form"], f"{where}.form", forms),
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table and its target.

    columns     in the order of the table, without the target and without those the user dropped
    classes     labels by value (numbers) or spelling; empty for regression
    rows        of the whole table, those without a target among them
    """

    columns: tuple[Column, ...]
    target: str
    task: Task
    classes: tuple[str, ...]
    target_form: str
    rows: int
    rows_without_target: int
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns that become part of the matrix."""
        return tuple(column for column in self.columns if column.used)

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON values."""
        return {
            "columns": [column.to_json() for column in self.columns],
            "target": self.target,
            "task": self.task,
            "classes": list(self.classes),
            "target_form": self.target_form,
            "rows": self.rows,
            "rows_without_target": self.rows_without_target,
            "dropped": list(self.dropped),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: object) -> Schema:
        """Return a schema from JSON values; ModelFileError, one line, for anything else."""
        have = state.fields(value, "schema", cls.__dataclass_fields__)
        schema = cls(
            columns=state.items(have["columns"], "schema.columns", Column.from_json, MOST_COLUMNS),
            target=state.name(have["target"], "schema.target"),
            task=state.choice(have["task"], "schema.task", TASKS),
            classes=state.items(have["classes"], "schema.classes", state.text, MOST_CLASSES),
            target_form=state.choice(have["target_form"], "schema.target_form", NUMBER_FORMS),
            rows=state.count(have["rows"], "schema.rows"),
            rows_without_target=state.count(have["rows_without_target"], "schema.rows_without_target"),
            dropped=state.items(have["dropped"], "schema.dropped", state.text, MOST_COLUMNS),
            notes=state.items(have["notes"], "schema.notes", state.text, MOST_COLUMNS),
        )
        state.distinct((*(column.name for column in schema.columns), schema.target), "schema.columns")
        state.classes_of(schema.task, schema.classes, "schema.classes")
        return schema


def infer_schema(
    frame: polars.DataFrame,
    target: str,
    *,
    task: Task | str | None = None,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
) -> Schema:
    """Find what every column means, by its values and its name.

    frame       rows as read_table returns them
    target      name of the column to predict
    task        binary, multiclass or regression; by default words, truths and at most 20 distinct
                integers are classes, other numbers are regression
    drop        names of columns to leave out
    categorical names of columns of integers to treat as codes
    Errors      DataError: unknown names, a target without values or with one value only, a label that
                differs in every row, more than 1,000 classes, nothing left to learn from

    >>> import polars
    >>> frame = polars.DataFrame({"size": ["1.5", "2", "?", "4"], "kind": ["a", "b", "a", "b"]})
    >>> infer_schema(frame, "kind").columns
    (Column(name='size', kind='number', note='1 missing', form=''),)
    """
    _check_names(frame, target, drop, categorical)
    found = find_target(plain(frame[target]), task)
    rows = with_rows(frame, target, found)
    names = [name for name in frame.columns if name != target and name not in drop]
    columns = tuple(_column(rows[name], name in categorical) for name in names)
    if not any(column.used for column in columns):
        raise DataError(f"no column is left to learn from{_why(columns)}")
    return Schema(
        columns=columns,
        target=target,
        task=found.task,
        classes=found.classes,
        target_form=found.form,
        rows=frame.height,
        rows_without_target=found.gaps,
        dropped=tuple(drop),
        notes=found.notes,
    )


def with_target(frame: polars.DataFrame, schema: Schema) -> polars.DataFrame:
    """Return the rows that have a target.

    >>> import polars
    >>> frame = polars.DataFrame({"size": ["1", "2", "3", "4"], "kind": ["a", "b", "?", "a"]})
    >>> with_target(frame, infer_schema(frame, "kind")).height
    3
    """
    require(frame, [schema.target], "the table")
    found = Target(schema.task, schema.target_form, schema.classes, 0, ())
    return with_rows(frame, schema.target, found)


def with_rows(frame: polars.DataFrame, target: str, found: Target) -> polars.DataFrame:
    """Return the rows whose target is there, a finite number or a label; refuse words in place of numbers."""
    series = plain(frame[target])
    if found.task == "regression":
        values = numbers(series, found.form)
        for word in not_numbers(series, values):
            row = (series.str.strip_chars() == word).arg_true()[0] + 1
            raise DataError(f"target {target!r}, row {row}: {word[:60]!r} is no number")
        keep = values.is_finite().fill_null(False)
    else:
        keep = class_labels(series, found.classes).is_not_null()
    return frame if keep.all() else frame.filter(keep)


def require(frame: polars.DataFrame, names: Iterable[str], where: str) -> None:
    """Raise DataError for the first of these columns that the frame lacks."""
    have = set(frame.columns)
    for name in names:
        if name not in have:
            hint = did_you_mean(name, frame.columns) or f"; it has {_listed(frame.columns)}"
            raise DataError(f"{where} has no column {name!r}{hint}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"


def _check_names(
    frame: polars.DataFrame, target: str, drop: Sequence[str], categorical: Sequence[str]
) -> None:
    for option, given in (("drop", drop), ("categorical", categorical)):
        if isinstance(given, str):
            raise DataError(f"{option}: expected a list of names, found the single text {given!r}")
    if frame.height == 0:
        raise DataError("the table has no rows")
    require(frame, [target], "target: the table")
    require(frame, drop, "drop: the table")
    require(frame, categorical, "categorical: the table")
    if target in drop:
        raise DataError(f"drop: {target!r} is the target; it cannot be left out")


def _column(series: polars.Series, categorical: bool) -> Column:
    found = find_kind(plain(series), categorical)
    return Column(series.name, found.kind, found.note, found.form)


def _why(columns: tuple[Column, ...]) -> str:
    if not columns:
        return "; the table needs a column beside the target"
    shown = "; ".join(f"{column.name!r} is {column.kind}: {column.note}" for column in columns[:3])
    return f" ({shown}{'; ...' if len(columns) > 3 else ''})"
