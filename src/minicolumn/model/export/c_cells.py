"""Cells of a row in C: how each kind of column becomes numbers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from minicolumn.tables.encode import Encoder
from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DATE_PARTS, DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.values import MISSING, NO, YES

Lines = list[str]


def _number(part: NumberInput, field: str, place: int, column: int) -> Lines:
    return [f"x[{place}] = row->{field};"]


def _boolean(part: BooleanInput, field: str, place: int, column: int) -> Lines:
    return [f"x[{place}] = sign_of(row->{field});"]


def _category(part: CategoryInput, field: str, place: int, column: int) -> Lines:
    return [f"x[{place}] = code_of(row->{field}, {field}_levels, {len(part.levels)});"]


def _date(part: DatetimeInput, field: str, place: int, column: int) -> Lines:
    found = ["{", "  double parts[8];", f"  if (!date_parts(row->{field}, parts)) return -{column};"]
    found += [
        f"  x[{place + k}] = parts[{DATE_PARTS.index(name)}];" for k, (name, _) in enumerate(part.parts)
    ]
    if part.indicator:
        found.append(f"  x[{place + len(part.parts)}] = isnan(parts[0]) ? 1.0 : 0.0;")
    return [*found, "}"]


CELLS: dict[type, Callable[[Any, str, int, int], Lines]] = {
    NumberInput: _number,
    BooleanInput: _boolean,
    CategoryInput: _category,
    DatetimeInput: _date,
}


def quoted(text: str) -> str:
    r"""Return text as a literal of C, in UTF-8; what is not plain ASCII is written as octal.

    >>> print(quoted('say "na??ve" \\ ' + chr(233)))
    "say \"na\?\?ve\" \\ \303\251"
    """
    shown = []
    for byte in text.encode():
        letter = chr(byte)
        if letter in '"\\?':
            shown.append("\\" + letter)
        else:
            shown.append(letter if 32 <= byte < 127 else f"\\{byte:03o}")
    return f'"{"".join(shown)}"'


def cell_helpers(front: str, encoder: Encoder | None) -> Lines:
    """Return the functions that the lines of cells call."""
    if encoder is None:
        return []
    found = []
    signs, codes, dates = (f"{name}(" in front for name in ("sign_of", "code_of", "date_parts"))
    if signs or codes or dates:
        found.append(_text("trimmed"))
    if codes or dates:
        found.append(_words("is_missing", sorted(MISSING | set(encoder.missing))))
    if signs:
        found += [_words("is_yes", sorted(YES)), _words("is_no", sorted(NO)), _text("sign_of")]
    return found + [_text("code_of")] * codes + [_text("date_parts")] * dates


def _text(name: str) -> str:
    """Return functions that stand in a file of their own, as C."""
    return files("minicolumn.model.export").joinpath("c_text", f"{name}.c").read_text().rstrip()


def _words(name: str, words: list[str]) -> str:
    """Return a function that tells whether a text is one of some words in any case."""
    listed = ", ".join(quoted(word) for word in words)
    return f"""static int {name}(const char *const text, const size_t size) {{
  static const char *const words[] = {{{listed}}};
  for (size_t k = 0; k < sizeof words / sizeof *words; ++k) {{
    size_t i = 0;
    while (i < size && words[k][i] && lower(text[i]) == words[k][i]) ++i;
    if (i == size && !words[k][i]) return 1;
  }}
  return 0;
}}"""
