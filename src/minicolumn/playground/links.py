"""Links: a setup as text behind the # of an address, ours and those of TensorFlow Playground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from minicolumn.errors import DataError
from minicolumn.playground.classic_links import CONTROLS, HIDE, TEXT, is_classic, read_classic
from minicolumn.playground.lines import line, meant
from minicolumn.playground.network.setup import DEFAULT, SETTINGS, Setup, changed
from minicolumn.registry import Listed, Setting, show

LONGEST_LINK, MOST_FIELDS = 16_000, 200
# What a link can hide: the fields of the setup, the other controls, features, and the text around all.
HIDEABLE = tuple(dict.fromkeys([*SETTINGS, *CONTROLS.values(), TEXT]))
_SAFE = "!$'()*+,/:;=?@^~-._"  # what needs no percent sign behind a #


@dataclass(frozen=True)
class Link:
    """What a link says.

    fields      of a `Setup`, as JSON holds them: those that the link says; of a classic one, nearly all
    hidden      the names of controls and features that are hidden
    legacy      whether it was written for TensorFlow Playground
    notes       lines on what could not be taken as it was said
    """

    fields: dict[str, Any]
    hidden: tuple[str, ...] = ()
    legacy: bool = False
    notes: tuple[str, ...] = ()


def parse_link(text: str) -> Link:
    """Read a link: what stands behind its #, or the whole where there is none.

        #dataset=spiral&features=x1,x2,sin(x1)&units=8,8&noise_hide=true

    Fields are those of `Setup`, only the ones that differ from the default; lists have commas, and what would
    not be clear is percent-encoded. Classic links are known by their own fields, and taken as they meant it.

    Errors      DataError, one line, for a field of ours that does not exist, with the nearest one, and for a
                value that will not do

    >>> parse_link("https://playground.tensorflow.org/#activation=relu&networkShape=8").fields["units"]
    [8]
    >>> parse_link("#units=8,8&nois=10")
    Traceback (most recent call last):
    minicolumn.errors.DataError: link: unknown field 'nois'; did you mean 'noise'?
    """
    if not isinstance(text, str) or len(text) > LONGEST_LINK:
        raise DataError(line("link.tooLong", most=LONGEST_LINK, given=show(text)))
    address, sign, behind = text.strip().partition("#")
    pairs = _pairs(behind if sign else "" if "://" in address else address)
    if is_classic(dict(pairs)):
        fields, hidden, notes = read_classic(dict(pairs))
        return Link(_checked(fields), hidden, True, notes)
    return _ours(pairs)


def write_link(setup: Setup, hidden: Sequence[str] = ()) -> str:
    """Return the link of a setup: what differs from the default, and what is hidden.

    >>> write_link(Setup(units=(8, 8), features=("x1", "min(x1,x2)"), learning_rate=0.1))
    '#features=x1,min(x1,x2)&units=8,8&learning_rate=0.1'
    """
    said = {}
    for name, setting in SETTINGS.items():
        value = getattr(setup, name)
        if name == "activations" and len(set(value)) == 1:
            value = value[:1]  # one for all
        if value != (setting.default if name == "activations" else getattr(DEFAULT, name)):
            said[name] = _written(setting, value)
    said |= {name + HIDE: "true" for name in hidden}
    return "#" + "&".join(f"{_encoded(name)}={_encoded(text)}" for name, text in said.items())


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return names and values, still percent-encoded; a later value counts, as ever."""
    # Links that were copied from the source of a page have &amp; in place of &.
    pairs = [part.partition("=") for part in text.replace("&amp;", "&").split("&") if part]
    if len(pairs) > MOST_FIELDS:
        raise DataError(line("link.fields", most=MOST_FIELDS))
    return [(name, value) for name, _, value in pairs]


def _ours(pairs: list[tuple[str, str]]) -> Link:
    fields, hidden = {}, []
    for name, value in ((unquote(name), _decoded(value)) for name, value in pairs):
        if name.endswith(HIDE) and name not in SETTINGS:
            if value == "true":
                hidden.append(_hideable(name.removesuffix(HIDE)))
            continue
        if name not in SETTINGS:
            short = name[:60]
            hint = meant(short, SETTINGS, listed=True)
            raise DataError(line("link.unknown", name=repr(short), hint=hint))
        if name in fields:
            raise DataError(line("link.twice", name=name))
        fields[name] = SETTINGS[name].check(_read(SETTINGS[name], value), "link")
    return Link(
        _checked({name: SETTINGS[name].to_json(value) for name, value in fields.items()}), tuple(hidden)
    )


def _encoded(text: str) -> str:
    return quote(text, _SAFE, errors="surrogatepass")


def _decoded(text: str) -> str:
    """Return what was percent-encoded; bytes that are no text become question marks."""
    try:
        return unquote(text, errors="surrogatepass")
    except UnicodeDecodeError:
        return unquote(text)


def _hideable(name: str) -> str:
    if name not in HIDEABLE:
        raise DataError(line("link.noControl", name=show(name), hint=meant(name[:60], HIDEABLE)))
    return name


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields that make a setup together."""
    changed(DEFAULT, fields)
    return fields


def _read(setting: Setting, text: str) -> Any:
    if isinstance(setting, Listed):
        return tuple(map(setting.of.read, _split(text)))
    return setting.read(text)


def _written(setting: Setting, value: Any) -> str:
    if isinstance(setting, Listed):
        return ",".join(map(setting.of.write, value))
    return setting.write(value)


def _split(text: str) -> list[str]:
    """Split at the commas that neither parentheses nor backquotes enclose; nothing has no parts."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "`"
        depth += ((letter == "(") - (letter == ")")) * (not quoted)
        if letter == "," and depth <= 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts if text else []
