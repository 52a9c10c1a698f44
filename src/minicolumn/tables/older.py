"""Older documents: what files of format 1 say of tables, in the words of today.

Then forms of numbers had names, and nothing was kept of ranges and shares: they are unknown, -1, so that no
drift is told from them.
"""

from __future__ import annotations

from typing import Any

_FORMS = {"thousands": "1,234.5", "decimal comma": "1.234,5", "percent": "1234.5%"}
_UNKNOWN = -1.0
_BY_KIND: dict[str, dict[str, Any]] = {
    "number": {"seen": {"low": 0.0, "high": 0.0, "missing": _UNKNOWN}},
    "datetime": {"seen": {"low": 0.0, "high": 0.0, "missing": _UNKNOWN}},
    "boolean": {"gaps": _UNKNOWN},
    "category": {"gaps": _UNKNOWN, "others": _UNKNOWN, "found": 0},
}


def encoder_of_today(value: object) -> object:
    """Return an encoder's JSON with what a file of format 1 lacks; anything else as it is, for its reader."""
    if type(value) is not dict or "target_unit" in value or type(value.get("inputs")) is not list:
        return value
    inputs = [_input_of_today(part) for part in value["inputs"]]
    added = {"target_unit": 0.0, "missing": [], "strict": False, "threshold": 0.5}
    return {**value, **added, "inputs": inputs, "target_form": _form(value.get("target_form"))}


def schema_of_today(value: object) -> object:
    """Return a schema's JSON with what a file of format 1 lacks; anything else as it is, for its reader."""
    if type(value) is not dict or "strict" in value or type(value.get("columns")) is not list:
        return value
    columns = [
        {**column, "form": _form(column.get("form")), "may_be_codes": False}
        if type(column) is dict
        else column
        for column in value["columns"]
    ]
    parts = {"ids": [], "weight": "", "groups": "", "time_order": ""}
    words = {"missing": [], "not_missing": [], "strict": False}
    return {**value, **parts, **words, "columns": columns, "target_form": _form(value.get("target_form"))}


def _input_of_today(part: object) -> object:
    """Return the JSON of one input with what it lacks."""
    if type(part) is not dict or type(part.get("kind")) is not str:
        return part
    added = _BY_KIND.get(part["kind"], {})
    form = {"form": _form(part["form"])} if part["kind"] == "number" and "form" in part else {}
    return {**part, **form, **added}


def _form(name: Any) -> Any:
    """Return a form of numbers as an example, of its name."""
    return _FORMS.get(name, name) if type(name) is str else name
