"""Cells of a row in C: how each kind of column becomes numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from itertools import product
from math import prod
from typing import Any

from minicolumn.model.export.pipeline import missing_words, no_values
from minicolumn.tables.encode import Encoder
from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DATE_PARTS, DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.values import NO, YES

Lines = list[str]
_MOST_SPELLINGS = 64  # of one word; more are left to those all small and all capital


def comment(text: str, most: int = 200) -> str:
    """Return text that cannot end a comment, and that any editor shows as it is.

    >>> comment("size */ int x;"), comment("\u202eezis")
    ('size * / int x;', 'U+202Eezis')
    """
    for sign, instead in (("*/", "* /"), ("/*", "/ *"), ("??", "? ?")):
        text = text.replace(sign, instead)
    shown = (sign if sign.isprintable() else f"U+{ord(sign):04X}" for sign in " ".join(text.split()))
    return "".join(shown)[:most].rstrip("\\")


def _number(part: NumberInput, field: str, place: int, column: int) -> Lines:
    return [f"x[{place}] = row->{field};"]


def _boolean(part: BooleanInput, field: str, place: int, column: int) -> Lines:
    return [f"x[{place}] = sign_of(row->{field});"]


def _category(part: CategoryInput, field: str, place: int, column: int) -> Lines:
    return [f"x[{place}] = code_of(row->{field}, {field}_levels, {len(known_levels(part))});"]


def _date(part: DatetimeInput, field: str, place: int, column: int) -> Lines:
    found = ["{", "  double parts[8];", f"  if (!date_parts(row->{field}, parts)) return -{column};"]
    found += [
        f"  x[{place + k}] = parts[{DATE_PARTS.index(name)}];" for k, (name, _) in enumerate(part.parts)
    ]
    if part.indicator:
        found.append(f"  x[{place + len(part.parts)}] = isnan(parts[0]) ? 1.0 : 0.0;")
    return [*found, "}"]


def known_levels(part: CategoryInput) -> list[tuple[bytes, int]]:
    """Return the levels that a text of C can hold, with their codes, in the order of their bytes."""
    coded = enumerate(part.levels, 2)
    return sorted((level.encode(), code) for code, level in coded if "\0" not in level)


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
    words = {
        "is_missing": missing_words(encoder),
        "is_no_value": missing_words(encoder) | no_values(encoder),
        "is_yes": YES,
        "is_no": NO,
    }
    found: dict[str, str] = {}
    for reader, called in _CALLED.items():
        if f"{reader}(" in front:
            found |= {"trimmed": _text("trimmed")}
            found |= {name: _words(name, words[name]) for name in called}
            found[reader] = _text(reader)
    return list(found.values())


# What reads the cells of each kind of column, and which words it knows.
_CALLED = {
    "sign_of": ("is_missing", "is_yes", "is_no"),
    "code_of": ("is_missing",),
    "date_parts": ("is_no_value",),
}


def _text(name: str) -> str:
    """Return functions that stand in a file of their own, as C."""
    return files("minicolumn.model.export").joinpath("c_text", f"{name}.c").read_text().rstrip()


def _words(name: str, words: Iterable[str]) -> str:
    """Return a function that tells whether a text is one of some words in any case."""
    spelled = sorted({spelling for word in words for spelling in _spellings(word) if "\0" not in word})
    listed = ", ".join(map(quoted, spelled))
    return f"""static int {name}(const char *const text, const size_t size) {{
  static const char *const words[] = {{{listed}}};
  for (size_t k = 0; k < sizeof words / sizeof *words; ++k) {{
    size_t i = 0;
    while (i < size && words[k][i] && lower(text[i]) == words[k][i]) ++i;
    if (i == size && !words[k][i]) return 1;
  }}
  return 0;
}}"""


def _spellings(word: str) -> Iterator[str]:
    """Yield a word with its letters beyond ASCII in either case: the function made of them folds the others.

    >>> sorted(_spellings("n/é"))
    ['n/É', 'n/é']
    """
    either = [sorted({c, c.upper()}) if c.upper().lower() == c and not c.isascii() else [c] for c in word]
    if prod(map(len, either)) > _MOST_SPELLINGS:
        yield from (word, word.upper())
    else:
        yield from map("".join, product(*either))
