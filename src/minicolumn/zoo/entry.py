"""Entries of a zoo: the recipe of a network, read strictly from TOML, never run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.card.record import Card, CardData

Kind = Literal["table", "images", "points", "bits"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_BYTES = 1 << 16  # of a recipe
_WORDS = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_NAME = re.compile(rf"(?:{_WORDS}/)?{_WORDS}")
_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Source:
    """Where the data of an entry comes from.

    name        of the data set, as people know it
    origin      where it is published
    licence     under which it may be used
    files       the sha256 of each file that the recipe reads, by its name; none where the data comes with a
                package
    builtin     what brings it: "minicolumn", "scikit-learn" or ""
    """

    name: str
    origin: str
    licence: str
    files: Mapping[str, str] = field(default_factory=dict)
    builtin: str = ""


@dataclass(frozen=True)
class Entry:
    """A network of a zoo: what it is for, its data, and how it is trained.

    name        lower-case words with hyphens; FAMILY/NAME where several belong together
    title       one line
    kind        "table": `fit_table` on a file; "images": a network on arrays of pixels; "points": in a plane,
                drawn from a seed; "bits": truth tables
    about       what it is for; limits: what it is not for
    source      of the data
    settings    of the training, by keyword
    sha256      of the model file that comes with the zoo

    >>> entry = entry_from_toml("xor", '''
    ... title = "Exclusive or"
    ... kind = "bits"
    ... about = "The smallest problem that needs a hidden layer."
    ... limits = "It knows four rows."
    ... [source]
    ... name = "truth table"
    ... origin = "Minsky & Papert 1969"
    ... licence = "none needed"
    ... [settings]
    ... function = "xor"
    ... ''')
    >>> entry.kind, entry.settings
    ('bits', {'function': 'xor'})
    """

    name: str
    title: str
    kind: Kind
    about: str
    limits: str
    source: Source
    settings: Mapping[str, Any]
    sha256: str = ""

    @property
    def card(self) -> Card:
        """What the model file tells of the entry."""
        source = self.source
        return Card(
            self.name, self.title, self.about, self.limits,
            CardData(source.name, source.origin, source.licence, source.files),
            rebuild=f"minicolumn zoo train {self.name}",
        )  # fmt: skip


def entry_from_toml(name: str, text: str) -> Entry:
    """Read a recipe: every field is known and of its type, or the recipe is refused.

    name        of the entry, from the name of its file
    Errors      DataError, in one line, with the field
    """
    where = f"zoo entry {name!r:.60}"
    if not is_name(name):
        raise DataError(
            f"{where}: a name is lower-case words with hyphens between them, FAMILY/NAME at the most"
        )
    if len(text) > MOST_BYTES:
        raise DataError(f"{where}: the recipe is longer than {MOST_BYTES:,} letters")
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataError(f"{where}: no TOML: {error}") from None
    words = _fields(where, said, ("title", "kind", "about", "limits"), ("source", "settings", "sha256"))
    source = said.get("source")
    if not isinstance(source, dict) or not isinstance(said.get("settings"), dict):
        raise DataError(f"{where}: the tables [source] and [settings] are needed")
    if words["kind"] not in KINDS:
        raise DataError(f"{where}: kind: {words['kind']!r:.60} is none of {', '.join(KINDS)}")
    sha256 = said.get("sha256", "")
    if sha256 != "" and not is_sha256(sha256):
        raise DataError(f"{where}: sha256: expected 64 hexadecimal digits")
    return Entry(
        name,
        words["title"],
        words["kind"],  # type: ignore[arg-type]
        words["about"],
        words["limits"],
        _source(where, source),
        said["settings"],
        sha256,
    )


def _source(where: str, said: dict[str, Any]) -> Source:
    words = _fields(f"{where}: source", said, ("name", "origin", "licence"), ("files", "builtin"))
    files, builtin = said.get("files", {}), said.get("builtin", "")
    if builtin not in ("", "minicolumn", "scikit-learn"):
        raise DataError(f"{where}: source.builtin: expected minicolumn or scikit-learn")
    if not isinstance(files, dict) or not all(map(is_sha256, files.values())):
        raise DataError(f"{where}: source.files: expected the sha256 of each file by its name")
    if odd := [name for name in files if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) or ".." in name]:
        raise DataError(f"{where}: source.files: {odd[0]!r:.60} is no plain name of a file")
    return Source(**words, files=files, builtin=builtin)


def is_sha256(value: object) -> bool:
    """Return whether a value is a sha256 as it is written: 64 hexadecimal digits in lower case."""
    return isinstance(value, str) and _SHA.fullmatch(value) is not None


def is_name(value: str) -> bool:
    """Return whether a text can be the name of an entry.

    >>> is_name("playground/circle"), is_name("../circle")
    (True, False)
    """
    return len(value) <= 60 and _NAME.fullmatch(value) is not None


def _fields(
    where: str, said: dict[str, Any], needed: tuple[str, ...], further: tuple[str, ...]
) -> dict[str, str]:
    """Return the texts that are needed; refuse what is missing or unknown."""
    for name in said:
        if name not in (*needed, *further):
            raise DataError(f"{where}: unknown field {name!r:.60}{did_you_mean(name, (*needed, *further))}")
    for name in needed:
        if not isinstance(said.get(name), str) or not said[name].strip():
            raise DataError(f"{where}: the field {name!r} is needed, a text")
    return {name: said[name].strip() for name in needed}
