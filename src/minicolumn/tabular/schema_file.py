"""Schema files: what is said of a table, as TOML that `inspect --write-schema` writes and a person edits.

    target = "price"
    [reading]
    separator = ";"
    [columns."sold on"]
    kind = "datetime"
    form = "%d.%m.%Y"

A column's kind is number, datetime, category, boolean, text, id, weight, groups or drop. Columns that the
file does not name are found out as without one; a column that it names must be there. Where another target is
named beside the file, its task does not hold, and of that column only the kind category does.

Differs     a schema of pandera or Great Expectations checks a table; this says how to read it
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from minicolumn.errors import DataError, did_you_mean, first_line
from minicolumn.model.files import PathLike
from minicolumn.tables import Reading, Schema
from minicolumn.tables.overrides import Overrides
from minicolumn.tables.schema import Column
from minicolumn.tabular.settings import overrides_of

_LARGEST = 64 << 20  # bytes
_TOP = ("target", "task", "missing", "not_missing", "decimal", "strict", "time_order", "reading", "columns")
_KINDS = ("number", "datetime", "category", "boolean", "text", "id", "weight", "groups", "drop")
_COLUMN = ("kind", "form", "keep")


@dataclass(frozen=True)
class SchemaFile:
    """What a schema file says.

    target, task    None where it does not say
    """

    target: str | None
    task: str | None
    overrides: Overrides
    reading: Reading

    def of_target(self, target: str | None) -> SchemaFile:
        """Return what the file says for this target; None for its own."""
        if target is None or target == self.target:
            return self
        said = self.overrides.without([target])
        if target in self.overrides.category:
            said = Overrides(category=target).over(said)
        return replace(self, target=target, task=self.task if self.target is None else None, overrides=said)


def with_schema(
    who: str, said: Mapping[str, Any], path: PathLike | None, reading: Reading | None
) -> tuple[dict[str, Any], Reading]:
    """Return what was said, completed by a schema file; what was said by itself goes before the file.

    said        the fields of `Overrides`, target and task by name, others among them
    """
    if path is None:
        return dict(said), reading or Reading()
    file = read_schema(path).of_target(said["target"])
    own = overrides_of(who, said)
    merged = own.over(file.overrides)
    whole = {field.name: getattr(merged, field.name) for field in fields(Overrides)}
    task = said["task"] if said["task"] is not None else file.task
    return {**said, **whole, "target": file.target, "task": task}, (reading or Reading()).over(file.reading)


def read_schema(path: PathLike) -> SchemaFile:
    """Read a schema file.

    Errors      DataError, one line with the file's name, for what is no TOML, and for unknown words
    """
    name = os.path.basename(os.fspath(path))
    try:
        with open(path, "rb") as stream:
            text = stream.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise DataError(f"schema: {name!r} is larger than 64 MiB")
        found = tomllib.loads(text.decode())
    except OSError as error:
        raise DataError(f"schema: {name!r} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"schema: {name!r} is no TOML ({first_line(error)})") from None
    try:
        return _meaning(found)
    except DataError as error:
        raise DataError(f"schema: {name!r}: {error}") from None


def _meaning(found: dict[str, Any]) -> SchemaFile:
    """Return what the fields of a schema file say."""
    _known("the file", found, _TOP)
    for option in ("target", "task", "time_order"):
        if not isinstance(found.get(option), str | None):
            raise DataError(f"{option}: expected text, got {found[option]!r:.60}")
    said: dict[str, Any] = {key: found[key] for key in ("missing", "not_missing", "decimal") if key in found}
    said |= {"strict": _flag("strict", found.get("strict", False)), "time_order": found.get("time_order")}
    columns = found.get("columns", {})
    if not isinstance(columns, dict):
        raise DataError("columns: expected a table a column, [columns.NAME]")
    for column, about in columns.items():
        _add(said, column, about)
    reading = found.get("reading", {})
    if not isinstance(reading, dict):
        raise DataError("reading: expected a table")
    _known("reading", reading, (field.name for field in fields(Reading)))
    return SchemaFile(found.get("target"), found.get("task"), Overrides(**said), Reading(**reading))


def _add(said: dict[str, Any], column: str, about: Any) -> None:
    """Add what is said of one column to the options of `Overrides`."""
    if not isinstance(about, dict):
        raise DataError(f"columns.{column}: expected a table with kind and form")
    _known(f"columns.{column}", about, _COLUMN)
    kind, form = about.get("kind"), about.get("form", "")
    if kind is not None and kind not in _KINDS:
        hint = did_you_mean(str(kind), _KINDS) or f"; expected one of {', '.join(_KINDS)}"
        raise DataError(f"columns.{column}: unknown kind {kind!r:.40}{hint}")
    if not isinstance(form, str) or (form and kind not in ("number", "datetime")):
        raise DataError(f"columns.{column}: a form is text, of a number or a datetime")
    if _flag(f"columns.{column}.keep", about.get("keep", False)):
        said.setdefault("keep", []).append(column)
    if kind in ("number", "datetime"):
        said.setdefault(kind, {})[column] = form
    elif kind in ("weight", "groups"):
        if kind in said:
            raise DataError(f"{kind}: {said[kind]!r} and {column!r}; only one column can be that")
        said[kind] = column
    elif kind is not None and kind != "boolean":  # which is found by itself
        said.setdefault(kind, []).append(column)


def _flag(where: str, value: Any) -> bool:
    """Return a boolean; DataError for anything else."""
    if not isinstance(value, bool):
        raise DataError(f"{where}: expected true or false, got {value!r:.40}")
    return value


def _known(where: str, found: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse words that a schema file does not have."""
    known = tuple(names)
    for name in found:
        if name not in known:
            hint = did_you_mean(name, known) or f"; expected {', '.join(known)}"
            raise DataError(f"{where}: unknown word {name!r:.60}{hint}")


def write_schema(
    columns: Iterable[Column],
    reading: Reading | None = None,
    overrides: Overrides | None = None,
    schema: Schema | None = None,
) -> str:
    """Return the text of a schema file that says what was found.

    columns     of the table; schema: what was inferred for its target, if that is known
    reading, overrides      what was said when it was found

    >>> print(write_schema([Column("price", "number", "3 missing", "1.234,5")]))
    # What minicolumn found in a table: edit it, and train with --schema.
    <BLANKLINE>
    [columns."price"]  # 3 missing
    kind = "number"
    form = "1.234,5"
    <BLANKLINE>
    """
    said = overrides or Overrides()
    lines = ["# What minicolumn found in a table: edit it, and train with --schema."]
    if schema is not None:
        lines += ["", f"target = {_quoted(schema.target)}", f"task = {_quoted(schema.task)}"]
    lines += [
        f"{name} = {_list(words)}" for name in ("missing", "not_missing") if (words := getattr(said, name))
    ]
    lines += [f"decimal = {_quoted(said.decimal)}"] if said.decimal else []
    lines += ["strict = true"] if said.strict else []
    lines += [f"time_order = {_quoted(said.time_order)}"] if said.time_order else []
    lines += _reading_lines(reading or Reading())
    for column in columns:
        lines += _column_lines(column, column.name in said.keep)
    parts = {"id": said.id, "drop": said.drop, "weight": [said.weight], "groups": [said.groups]}
    for kind, names in parts.items():
        for name in names:
            lines += _table_of(name, "", [f"kind = {_quoted(kind)}"]) if name else []
    return "\n".join(lines).removesuffix("\n") + "\n"


def _reading_lines(reading: Reading) -> list[str]:
    """Return the lines on how a file is read, as far as they were said."""
    usual, lines = Reading(), []
    for field in fields(Reading):
        value = getattr(reading, field.name)
        if value != getattr(usual, field.name):
            lines.append(f"{field.name} = {json.dumps(value, ensure_ascii=False)}")
    return ["", "[reading]", *lines] if lines else []


def _column_lines(column: Column, keep: bool) -> list[str]:
    """Return the lines on one column."""
    left_out = "text" if column.kind == "text" else "drop"
    kind = column.kind if column.used else left_out
    note = column.note if column.used or column.kind == "text" else f"{column.kind}: {column.note}"
    lines = [f"kind = {_quoted(kind)}"]
    lines += [f"form = {_quoted(column.form)}"] if column.used and column.form else []
    lines += ["keep = true"] if keep else []
    return _table_of(column.name, note, lines)


def _table_of(name: str, note: str, lines: list[str]) -> list[str]:
    """Return a TOML table of a column, its note as a comment."""
    shown = "".join(mark if mark.isprintable() else " " for mark in note)
    return ["", f"[columns.{_quoted(name)}]" + (f"  # {shown}" if shown else ""), *lines]


def _quoted(text: str) -> str:
    """Return a TOML basic string: the escapes of JSON are among its own."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(words: Iterable[str]) -> str:
    """Return a TOML array of strings."""
    return f"[{', '.join(map(_quoted, words))}]"
