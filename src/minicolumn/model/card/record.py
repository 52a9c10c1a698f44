"""Model cards as records: what a network is for and not for, its data and their licence, how it is rebuilt.

    training["card"] = {"title": "...", "about": "...", "data": {"name": "...", "licence": "..."}, ...}

Scores, classes, columns and hyperparameters have fields of their own in a model file; a card is what these
cannot tell. It holds no time of day, so the same training still gives the same bytes.

Source      Mitchell et al. 2019, "Model cards for model reporting" (arXiv 1810.03993)
Differs     Hugging Face keeps cards as Markdown beside the weights, where the two can part
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from minicolumn.errors import ModelFileError

LONGEST = 10_000  # characters of one text
MOST_FILES = 1_000
_SHA = re.compile(r"[0-9a-f]{64}")
_SPLITS = ("train", "validation", "calibration", "test")


@dataclass(frozen=True)
class CardData:
    """Where the data of a network comes from; "" and {} stand for what is not known.

    name        of the data set, as people know it, or of its file
    origin      where it is published
    licence     under which it may be used
    sha256      of each file, by its name
    """

    name: str = ""
    origin: str = ""
    licence: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON values."""
        return {
            "name": self.name,
            "origin": self.origin,
            "licence": self.licence,
            "sha256": dict(self.sha256),
        }

    @classmethod
    def from_json(cls, told: object) -> CardData:
        """Return what `to_json` gave; ModelFileError, whose text begins with a verb, for anything else."""
        have = _object(told, "data")
        hashes = _object(have.get("sha256", {}), "data.sha256")
        if len(hashes) > MOST_FILES or not all(_SHA.fullmatch(str(value)) for value in hashes.values()):
            raise ModelFileError("is damaged: its card's data.sha256 is not 64 hexadecimal digits a file")
        texts = {name: _text(have, name, "data.") for name in ("name", "origin", "licence")}
        return cls(**texts, sha256={str(name): str(value) for name, value in hashes.items()})


@dataclass(frozen=True)
class Card:
    """What a model file tells people; empty fields are left out of the file.

    name        of a zoo's entry
    title       one line
    about       what it is for; limits: what it is not for
    data        where its data comes from
    rows        how many rows were for what, by "train", "validation", "calibration", "test"
    split       how these rows were told apart
    rebuild     a command, or a call in Python, that makes it again

    >>> card = Card(title="Exclusive or", rebuild="minicolumn zoo train xor")
    >>> Card.from_json(card.to_json()) == card
    True
    """

    name: str = ""
    title: str = ""
    about: str = ""
    limits: str = ""
    data: CardData = field(default_factory=CardData)
    rows: Mapping[str, int] = field(default_factory=dict)
    split: str = ""
    rebuild: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields that say something, as JSON values."""
        texts = {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}
        data = {} if self.data == CardData() else {"data": self.data.to_json()}
        return {**texts, **data, **({"rows": dict(self.rows)} if self.rows else {})}

    @classmethod
    def from_json(cls, told: object) -> Card:
        """Return the card that a file holds. Entries of other names are no error: a card is for people.

        Errors      ModelFileError, whose text begins with a verb, for a field of another type
        """
        have = _object(told, "")
        rows = _object(have.get("rows", {}), "rows")
        if not all(name in _SPLITS and type(n) is int and 0 <= n < 2**63 for name, n in rows.items()):
            raise ModelFileError(
                "is damaged: its card's rows are not numbers of train, validation, calibration, test"
            )
        texts = {name: _text(have, name, "") for name in _TEXTS}
        ordered = {name: rows[name] for name in _SPLITS if name in rows}
        return cls(**texts, data=CardData.from_json(have.get("data", {})), rows=ordered)


def clipped(text: str, most: int = LONGEST) -> str:
    """Return a text that a card may hold: cut, with an ellipsis, where it is too long.

    >>> clipped("a long story", 8)
    'a lon...'
    """
    return text if len(text) <= most else text[: most - 3] + "..."


_TEXTS = tuple(part.name for part in fields(Card) if part.name not in ("data", "rows"))


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelFileError(f"is damaged: its card{f' has no object {name!r}' if name else ' is no object'}")
    return value


def _text(have: dict[str, Any], name: str, within: str) -> str:
    value = have.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ModelFileError(f"is damaged: its card's {within}{name} is no text of {LONGEST:,} characters")
    return value
