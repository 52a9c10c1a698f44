"""Lines for the reader: each a key with values, which the page says in its own language, and English text.

    line("noColumn", name="'speceis'", hint=meant("speceis", names))    ->  {"key", "values", "text"}

The English texts are those of the page, lang/en.json, under "said". What settings and formulas refuse is said
by their errors' own values, to the letter in English; what other deeper stages say has no key and stays
English text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from minicolumn.errors import DataError, DivergenceError, nearest
from minicolumn.registry import Boolean, Choice, Integer, Number, Text
from minicolumn.registry.setting import Setting

LONGEST_VALUE = 300  # letters
_PLACES = re.compile(r"\{(\w+)\}")


class Line(str):
    """A line as English text that knows its key and its values; as JSON it is an object of all three.

    key     under "said" in the page's languages
    values  what stands in its places: texts, numbers, further lines
    """

    key: str
    values: Mapping[str, Any]

    def __new__(cls, text: str, key: str, values: Mapping[str, Any]) -> Line:
        made = super().__new__(cls, text)
        made.key, made.values = key, values
        return made

    @property
    def plain(self) -> dict[str, Any]:
        """The line as JSON holds it."""
        return {"key": self.key, "values": dict(self.values), "text": str(self)}


def read_line(plain: dict[str, Any]) -> Any:
    """Return the line that an object of a frame is; any other as it is."""
    return Line(plain["text"], plain["key"], plain["values"]) if set(plain) == _FIELDS else plain


_FIELDS = {"key", "values", "text"}


def line(key: str, **values: Any) -> Line:
    """Return a line by its key.

    >>> line("tooLarge", name="'a.csv'", most=32)
    "'a.csv' has more than 32 MiB; take fewer rows"
    """
    kept = {name: _kept(value) for name, value in values.items()}
    return Line(_english()[key].format_map({name: _shown(v) for name, v in kept.items()}), key, kept)


def meant(word: str, known: Iterable[str], *, listed: bool = False) -> str:
    """Return a hint to the nearest known word; nothing, or the list of all, where none is near.

    >>> meant("specis", ["species", "island"])
    "; did you mean 'species'?"
    """
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return line("hint.meant", name=repr(near))
    return line("hint.thereAre", names=names) if listed else ""


def line_of(error: Exception) -> str:
    """Return what an error says: its line, or the English text of a deeper stage, in one line."""
    if error.args and isinstance(error.args[0], Line):
        return error.args[0]
    if isinstance(error, DivergenceError) and f"diverged.{error.cause}" in _english():
        return _diverged(error)
    if isinstance(error, DataError) and f"refused.{error.reason}" in _english():
        return _refused(error)
    return " ".join(str(error).split())


def _refused(error: DataError) -> Line:
    """Return what settings and formulas refuse, by the error's values; a `got` of None is a text's end."""
    values = dict(error.values)
    near, known, own = (values.pop(name, None) for name in ("near", "known", "own"))
    if near is not None:
        values["hint"] = line("hint.meant", name=repr(near))
    elif own:
        values["hint"] = line("hint.own")
    elif known is not None:
        values["hint"] = line("hint.thereAre", names=known) if known else line("hint.none")
    else:
        values["hint"] = ""
    if "expected" in values:
        values["expected"] = expected(values["expected"])
    if "noun" in values and f"noun.{values['noun']}" in _english():
        values["noun"] = line(f"noun.{values['noun']}")
    if values.get("got", "") is None:
        values["got"] = line("refused.end")
    places = set(_PLACES.findall(_english()[f"refused.{error.reason}"]))
    return line(f"refused.{error.reason}", **{name: v for name, v in values.items() if name in places})


def expected(what: Setting | str) -> str:
    """Return what a setting expects, as a line; in English it is `Setting.expected`."""
    if isinstance(what, str):
        key = _words().get(what)
        return line(f"words.{key}") if key else what
    known = line("expected.optional", what=_wanted(what)) if what.optional else _wanted(what)
    return known if str(known) == what.expected else what.expected


def _wanted(setting: Setting) -> str:
    """Return what a setting expects but for None."""
    if isinstance(setting, Number | Integer):
        if setting.noun == "a finite number":
            return line("expected.finite")
        if not setting.bounds:
            return line(f"expected.{setting.kind}")
        where = "Between" if setting.is_between else "Beyond"
        return line(f"expected.{setting.kind}{where}", bounds=setting.bounds)
    if isinstance(setting, Boolean):
        return line("expected.boolean")
    if isinstance(setting, Choice):
        return line("expected.choice", names=setting.choices)
    if isinstance(setting, Text):
        return line("expected.text", longest=setting.longest)
    return expected(setting.wanted)


@cache
def _words() -> dict[str, str]:
    """Return the key of each text that says in words what a setting expects."""
    return {text: key.partition(".")[2] for key, text in _english().items() if key.startswith("words.")}


def _diverged(error: DivergenceError) -> Line:
    """Return why a training diverged, by the error's fields."""
    better = error.suggestion.get(error.cause)
    return line(
        f"diverged.{error.cause}",
        step=error.step, epoch=error.epoch, what=line(f"quantity.{error.quantity.split()[-1]}"),
        rate=error.learning_rate, better=getattr(better, "rate", better),
    )  # fmt: skip


@cache
def _english() -> dict[str, str]:
    text = (files("minicolumn.playground") / "static/lang/en.json").read_text("utf-8")
    return dict(_flat(json.loads(text)["said"], ""))


def _flat(tree: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, str):
            yield prefix + key, value
        else:
            yield from _flat(value, f"{prefix}{key}.")


def _kept(value: Any) -> Any:
    """Return a value as a frame holds it: a line, a number, or a text that is not too long."""
    if value is None or isinstance(value, Line | int | float):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)
