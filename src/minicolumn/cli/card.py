"""Model cards on the command line: how one is shown, and what commands add to those they write."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from minicolumn.cli.declared import CommandOptions, Option, option_name
from minicolumn.errors import DataError
from minicolumn.model.card.record import LONGEST, Card, CardData, clipped

if TYPE_CHECKING:
    from rich.console import Console

    from minicolumn.cli.train import TrainOptions
    from minicolumn.model import Model

_MOST_HASHED = 2**30  # bytes; of a larger file the name alone is told
# What says where things lie or how they are shown, and nothing of what is learnt.
_ASIDE = ("checkpoint", "every", "resume", "monitor", "storage", "cluster", "threads", "out", "plot", "html",
          "as_json", "quiet", "about", "limits", "licence")  # fmt: skip
_FILES = ("data", "file", "test", "schema", "space")


def show_card(console: Console, card: Card, more: Mapping[str, str] | None = None) -> None:
    """Print what a model is for, its data and how it is made again; what nobody said is left out.

    more        further lines, by what stands before each
    """
    from rich.text import Text

    from minicolumn.cli.screen import heading, labelled, visible

    told = {
        "name": card.name,
        "for": card.about,
        "not for": card.limits,
        "data": card.data.name,
        "published": card.data.origin,
        "licence": card.data.licence,
        "sha256": ", ".join(f"{name} {sha256}" for name, sha256 in card.data.sha256.items()),
        "rows": ", ".join(f"{name} {number:,}" for name, number in card.rows.items() if number),
        "split": card.split,
        "made by": card.rebuild,
        **(more or {}),
    }
    console.print(heading("Card", visible(card.title)))
    console.print(
        labelled([(Text(f"  {k}", "dim"), Text(visible(text))) for k, text in told.items() if text])
    )


def check_words(options: TrainOptions) -> None:
    """Refuse what a card cannot hold, before anything is trained."""
    for name in ("about", "limits", "licence"):
        text = getattr(options, name)
        if text is not None and not (text.strip() and len(text) <= LONGEST and _is_unicode(text)):
            raise DataError(f"{option_name(name)}: expected a text of 1 to {LONGEST:,} characters, in UTF-8")


def _is_unicode(text: str) -> bool:
    """Return whether a text of the command line was one: other bytes arrive as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def with_words(card: Card, options: TrainOptions) -> Card:
    """Return a card with what was said of it in place of what was found."""
    said = {name: text for name in ("about", "limits") if (text := getattr(options, name)) is not None}
    licence = card.data.licence if options.licence is None else options.licence
    return replace(card, data=replace(card.data, licence=licence), **said)


def data_of(source: str) -> CardData:
    """Return what a card tells of a table or a file: its name, sha256 and, of a built-in one, its licence.

    Folders are left out: they say something of the machine, and nothing of the data.
    """
    from minicolumn.tables import builtin_names
    from minicolumn.tables.builtin import BUILTINS

    if source in builtin_names() and not os.path.exists(source):
        return CardData(source, BUILTINS[source].origin, BUILTINS[source].licence)
    name = os.path.basename(source)
    try:
        if not os.path.isfile(source) or os.path.getsize(source) > _MOST_HASHED:
            return CardData(name)
        with open(source, "rb") as stream:
            return CardData(name, sha256={name: hashlib.file_digest(stream, "sha256").hexdigest()})
    except OSError:
        return CardData(name)


def with_command(model: Model, command: str, options: CommandOptions, data: CardData) -> Model:
    """Return a model whose card tells the data, and the command that makes it again."""
    return model.with_card(replace(model.card, data=data, rebuild=clipped(written(command, options))))


def written(command: str, options: CommandOptions) -> str:
    """Return a command as it would be typed: what is at its default is left out, files without their folders.

    >>> from minicolumn.cli.train import TrainOptions
    >>> written("train", TrainOptions(data="a/houses.csv", target="price", members=4, quiet=True))
    'minicolumn train houses.csv --target price --members 4'
    """
    hints = get_type_hints(type(options), include_extras=True)
    words: list[str] = []
    for part in fields(options):  # type: ignore[arg-type]
        value = getattr(options, part.name)
        if part.name in _ASIDE or value is None or value == part.default:
            continue
        # A network to start from may be one of a zoo or of the hub: only files have folders.
        is_file = part.name in _FILES or (part.name == "init_from" and os.path.isfile(value))
        told = os.path.basename(value) if is_file else value
        option = next(about for about in get_args(hints[part.name]) if isinstance(about, Option))
        first = part.name in ("data", "file") and not option.flags
        words = [told, *words] if first else words + _flag(part.name, option, told)
    return shlex.join(["minicolumn", command, *words])


def _flag(name: str, option: Option, value: Any) -> list[str]:
    """Return an option with its value, or with each of its values."""
    flag = option.flags[0].split("/")[0] if option.flags else option_name(name)
    if value is True:
        return [flag]
    values = value if isinstance(value, list | tuple) else [value]
    return [word for each in values for word in (flag, str(each))]
