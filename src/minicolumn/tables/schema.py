"""Schema inference: the kind of every column, the target, the task and its classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from minicolumn.errors import DataError
from minicolumn.tables import state
from minicolumn.tables.identifiers import COUNTS
from minicolumn.tables.kinds import USED, ColumnKind, find_kind
from minicolumn.tables.older import schema_of_today
from minicolumn.tables.overrides import Overrides
from minicolumn.tables.target import MOST_CLASSES, TASKS, Task, find_target, labeled
from minicolumn.tables.typed import Expected, Typed, expected_target, typed_columns, typed_target
from minicolumn.tables.values import require

if TYPE_CHECKING:
    import polars

MOST_COLUMNS = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """The schema of one column beside the target: its kind, and what was seen or why it is dropped.

    name        as in the table
    kind        "number", "category", "boolean", "datetime", which become features; or "identifier", "text",
                "nested", "constant", "empty", which are dropped
    note        for people: gaps, levels, why it is dropped
    form        how its text is written: of numbers "" for plainly or an example, such as "1.234,5 €"; of a
                datetime its strptime format
    may_be_codes        whether its integers may well be codes rather than amounts

    >>> Column("price", "number").used, Column("id", "identifier").used
    (True, False)
    """

    name: str
    kind: ColumnKind
    note: str = ""
    form: str = ""
    may_be_codes: bool = False

    @property
    def used(self) -> bool:
        """Whether the column becomes part of the feature matrix."""
        return self.kind in USED

    def to_json(self) -> dict[str, Any]:
        """Return the column as JSON values: its fields by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, value: object, where: str = "column") -> Column:
        """Return a column from JSON values; ModelFileError for anything else."""
        have = state.fields(value, where, cls.__dataclass_fields__)
        kind = state.choice(have["kind"], f"{where}.kind", get_args(ColumnKind))
        return cls(
            state.name(have["name"], f"{where}.name"),
            kind,
            state.text(have["note"], f"{where}.note"),
            state.form(have["form"], f"{where}.form", kind),
            state.flag(have["may_be_codes"], f"{where}.may_be_codes"),
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a table: its columns, its target and the task.

    columns     in the order of the table, without the target and those that the user dropped or gave a part
    target      name of the column to predict
    task        "binary", "multiclass" or "regression"
    classes     labels by value (numbers) or spelling; empty for regression
    target_form how numbers of the target are written, see `Column`
    rows        of the whole table, those without a target among them
    rows_without_target     which `with_target` leaves out
    dropped     names that the user dropped; notes: on the target, for people
    ids         columns carried into the predictions; weight: the column of the rows' weights
    groups, time_order      by which rows are split; "" for none
    missing     spellings of missing beyond the usual ones, in lower case; not_missing: usual ones that are
                values here
    strict      whether words among numbers or dates are refused

    Differs     a polars or Arrow schema holds storage types; this holds what the values mean for learning.

    >>> import polars
    >>> frame = polars.DataFrame({"size": ["1.5", "2", "3", "4"], "kind": ["a", "b", "a", "b"]})
    >>> schema = infer_schema(frame, "kind")
    >>> schema.task, schema.classes, Schema.from_json(schema.to_json()) == schema
    ('binary', ('a', 'b'), True)
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
    ids: tuple[str, ...] = ()
    weight: str = ""
    groups: str = ""
    time_order: str = ""
    missing: tuple[str, ...] = ()
    not_missing: tuple[str, ...] = ()
    strict: bool = False

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns that become part of the feature matrix, in the order of the table."""
        return tuple(column for column in self.columns if column.used)

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON values; `from_json` gives an equal one back."""
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
            "ids": list(self.ids),
            "weight": self.weight,
            "groups": self.groups,
            "time_order": self.time_order,
            "missing": list(self.missing),
            "not_missing": list(self.not_missing),
            "strict": self.strict,
        }

    def typed(self, frame: polars.DataFrame) -> Typed:
        """Return the used columns and the target of raw rows, its numbers and dates read in their forms.

        Errors      DataError, with column, row and form
        """
        expected = [Expected(column.name, column.kind, column.form) for column in self.used]
        if self.target in frame.columns:
            expected.append(expected_target(self.target, self.task, self.target_form))
        require(frame.columns, (column.name for column in expected), "the table")
        return typed_columns(frame, expected, self.missing, strict=self.strict)

    @classmethod
    def from_json(cls, value: object) -> Schema:
        """Return the schema that `to_json` described; ModelFileError, one line, for anything else."""
        have = state.fields(schema_of_today(value), "schema", cls.__dataclass_fields__)
        schema = cls(
            columns=state.items(have["columns"], "schema.columns", Column.from_json, MOST_COLUMNS),
            target=state.name(have["target"], "schema.target"),
            task=state.choice(have["task"], "schema.task", TASKS),
            classes=state.items(have["classes"], "schema.classes", state.text, MOST_CLASSES),
            target_form=state.form(have["target_form"], "schema.target_form", "number"),
            rows=state.count(have["rows"], "schema.rows"),
            rows_without_target=state.count(have["rows_without_target"], "schema.rows_without_target"),
            dropped=state.items(have["dropped"], "schema.dropped", state.text, MOST_COLUMNS),
            notes=state.items(have["notes"], "schema.notes", state.text, MOST_COLUMNS),
            ids=state.items(have["ids"], "schema.ids", state.text, MOST_COLUMNS),
            weight=state.text(have["weight"], "schema.weight"),
            groups=state.text(have["groups"], "schema.groups"),
            time_order=state.text(have["time_order"], "schema.time_order"),
            missing=state.items(have["missing"], "schema.missing", state.text, MOST_COLUMNS),
            not_missing=state.items(have["not_missing"], "schema.not_missing", state.text, MOST_COLUMNS),
            strict=state.flag(have["strict"], "schema.strict"),
        )
        state.distinct((*(column.name for column in schema.columns), schema.target), "schema.columns")
        state.classes_of(schema.task, schema.classes, "schema.classes")
        return schema


def infer_schema(
    frame: polars.DataFrame,
    target: str,
    overrides: Overrides | None = None,
    *,
    task: Task | str | None = None,
) -> Schema:
    """Infer the schema of a table: what every column means, by its values and its name.

    frame       rows as read_table returns them
    target      name of the column to predict
    overrides   what the user says of columns; `Overrides`
    task        binary, multiclass or regression; by default words, booleans and at most 20 distinct
                integers are classes, other numbers are regression
    Returns     a `Schema`; only rows with a target are looked at
    Errors      DataError: unknown names, a target without values or with one value only, a label that
                differs in every row, more than 1,000 classes, nothing left to learn from, cells that are not
                what the user said they are

    >>> import polars
    >>> frame = polars.DataFrame({"size": ["1.5", "2", "?", "4"], "kind": ["a", "b", "a", "b"]})
    >>> infer_schema(frame, "kind").columns
    (Column(name='size', kind='number', note='1 missing', form='', may_be_codes=False),)
    """
    said = overrides or Overrides()
    if frame.height == 0:
        raise DataError("the table has no rows")
    require(frame.columns, [target], "target: the table")
    said.check(frame.columns, target)
    found = find_target(frame[target], task, said.hint(target), strict=said.strict)
    schema = Schema(
        columns=(),
        target=target,
        task=found.task,
        classes=found.classes,
        target_form=found.form,
        rows=frame.height,
        rows_without_target=found.gaps,
        dropped=tuple(said.drop),
        notes=found.notes,
        ids=tuple(said.id),
        weight=said.weight or "",
        groups=said.groups or "",
        time_order=said.time_order or "",
        missing=tuple(said.missing),
        not_missing=tuple(said.not_missing),
        strict=said.strict,
    )
    return replace(schema, columns=_columns(with_target(frame, schema), target, said))


def _columns(rows: polars.DataFrame, target: str, said: Overrides) -> tuple[Column, ...]:
    """Return the schema of every column that is there to be learnt from."""
    # Weights and groups are parts of the training; the time of a row may well be learnt from, too.
    apart = {target, *said.drop, *said.id, said.weight, said.groups}
    columns = [_column(rows[name], said) for name in rows.columns if name not in apart]
    if not any(column.used for column in columns):
        columns = [_counted(column) for column in columns]
    if not any(column.used for column in columns):
        raise DataError(f"no column is left to learn from{_why(tuple(columns), said)}")
    return tuple(columns)


def _counted(column: Column) -> Column:
    """Return a column that counts the rows as one of numbers: nothing else is left to learn from."""
    if column.kind != "identifier" or column.note != COUNTS:
        return column
    return replace(column, kind="number", note=f"{COUNTS}; nothing else is left to learn from")


def with_target(frame: polars.DataFrame, schema: Schema) -> polars.DataFrame:
    """Return the labeled rows: those whose target is a finite number or a label.

    frame       raw, or of `Schema.typed`; the frame itself comes back where no row is left out
    Errors      DataError for a missing target column, and for many words where the target holds numbers

    >>> import polars
    >>> frame = polars.DataFrame({"size": ["1", "2", "3", "4"], "kind": ["a", "b", "?", "a"]})
    >>> with_target(frame, infer_schema(frame, "kind")).height
    3
    """
    require(frame.columns, [schema.target], "the table")
    target = typed_target(
        frame, schema.target, schema.task, schema.target_form, schema.missing, strict=schema.strict
    )
    keep = labeled(target, schema.task, schema.classes)
    return frame if keep.all() else frame.filter(keep)


def _column(series: polars.Series, said: Overrides) -> Column:
    """Return the schema of one column."""
    found = find_kind(series, said.hint(series.name))
    return Column(series.name, found.kind, found.note, found.form, found.may_be_codes)


def _why(columns: tuple[Column, ...], said: Overrides) -> str:
    """Return why no column is left to learn from, as the end of a sentence."""
    roles = ("drop", "id", "weight", "groups")
    shown = [f"{name!r} is given as {role}" for role in roles for name in said.columns[role]]
    shown += [f"{column.name!r} is {column.kind}: {column.note}" for column in columns]
    if not shown:
        return "; the table needs a column beside the target"
    kept = any(column.kind == "identifier" for column in columns)
    hint = "; keep learns from an identifier all the same" if kept else ""
    return f" ({'; '.join(shown[:3])}{'; ...' if len(shown) > 3 else ''}){hint}"
