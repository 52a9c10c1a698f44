"""The zoos that a user has added, by name: one file in the folder where settings are kept.

~/.config/minicolumn/zoos.json                        Linux; $XDG_CONFIG_HOME where that is set
~/Library/Application Support/minicolumn/zoos.json    macOS
%APPDATA%/minicolumn/zoos.json                        Windows
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from minicolumn.errors import DataError, ModelFileError, did_you_mean
from minicolumn.model.files import PathLike, read_whole, shown, write_atomically
from minicolumn.model.strict_json import parse
from minicolumn.zoo.catalogue import Zoo
from minicolumn.zoo.entry import is_sha256
from minicolumn.zoo.index import INDEX, index_from_json, sha256
from minicolumn.zoo.indexed import IndexedZoo, base_of, index_at, is_address, keep

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RESERVED = ("hf", "minicolumn")
_LONGEST = 1 << 20


@dataclass(frozen=True)
class AddedZoo:
    """A zoo that a user has added.

    name        a word, which stands before its entries: NAME:ENTRY
    address     https://..., or a folder
    sha256      of its index; "" for a folder that is taken as it is
    """

    name: str
    address: str
    sha256: str = ""

    def open(self) -> Zoo:
        """Return the zoo."""
        if not self.sha256:
            return Zoo(Path(self.address))
        return IndexedZoo(address=self.address, pinned=self.sha256)


def settings_folder(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Return the folder of a user's settings on this platform.

    >>> settings_folder({"XDG_CONFIG_HOME": "/settings"}, "linux").as_posix()
    '/settings/minicolumn'
    """
    home = home or Path.home()
    if platform == "darwin":
        return home / "Library" / "Application Support" / "minicolumn"
    said = Path(environment.get("APPDATA" if platform == "win32" else "XDG_CONFIG_HOME", ""))
    usual = home / "AppData" / "Roaming" if platform == "win32" else home / ".config"
    return (said if said.is_absolute() else usual) / "minicolumn"


def zoos_file() -> Path:
    """Return the file in which the zoos are listed."""
    return settings_folder() / "zoos.json"


def zoos() -> tuple[AddedZoo, ...]:
    """Return the zoos that were added, by name.

    Errors      DataError where the file that lists them was changed by hand and cannot be read
    """
    path = zoos_file()
    if not path.exists():
        return ()
    try:
        said = parse(bytes(read_whole(path, _LONGEST)).decode(), shown(path))
    except (ModelFileError, UnicodeDecodeError) as error:
        raise DataError(f"zoo: {error}; mend or remove {shown(path)}") from None
    listed = said.get("zoos") if isinstance(said, dict) else None
    if not isinstance(listed, list) or not all(map(_is_record, listed)):
        raise DataError(f"zoo: {shown(path)} is no list of zoos; mend or remove it")
    found = [AddedZoo(**record) for record in listed]
    if len({each.name for each in found}) < len(found):
        raise DataError(f"zoo: {shown(path)} has two zoos of one name; mend it")
    return tuple(sorted(found, key=lambda each: each.name))


def add(name: str, address: PathLike, sha256: str | None = None) -> AddedZoo:
    """Add a zoo, so that its entries are found as NAME:ENTRY; nothing of it is opened before it is checked.

    name        a word of lower-case letters, digits and hyphens
    address     https://... of its index.json or of the folder with it, or a folder of this machine
    sha256      of index.json, as its owner tells it. Left out, that of the index that is there now is pinned;
                a folder without an index is taken as it is
    Returns     the zoo, with the sha256 that is pinned from now on
    Errors      DataError for a name that is taken, an address that cannot be read, an index that is another
    """
    if not _NAME.fullmatch(name) or len(name) > 40 or name in _RESERVED:
        raise DataError(f"zoo add: {name!r:.60}: expected a name of lower-case letters, digits and hyphens")
    if name in (known := {each.name for each in zoos()}):
        raise DataError(f"zoo add: there is a zoo {name!r} already; remove it first: zoo remove {name}")
    if sha256 is not None and not is_sha256(sha256):
        raise DataError("zoo add: sha256: expected 64 hexadecimal digits in lower case")
    found = AddedZoo(name, *_pinned(os.fsdecode(address), sha256))
    _ = found.open().names
    _write((*(each for each in zoos() if each.name in known), found))
    return found


def remove(name: str) -> AddedZoo:
    """Forget a zoo that was added; what was downloaded of it stays in the cache."""
    found = added(name)
    _write(tuple(each for each in zoos() if each != found))
    return found


def added(name: str) -> AddedZoo:
    """Return a zoo that was added, by its name; DataError for another name, with the nearest."""
    known = {each.name: each for each in zoos()}
    if name not in known:
        hint = did_you_mean(name, known) or (
            f"; there are {', '.join(known)}"
            if known
            else "; none was added: minicolumn zoo add NAME ADDRESS"
        )
        raise DataError(f"no zoo is named {name!r:.60}{hint}")
    return known[name]


def _pinned(address: str, wanted: str | None) -> tuple[str, str]:
    """Return the address and the sha256 of the index, which has been read and checked."""
    if is_address(address):
        address = base_of(address)
    else:
        folder = Path(address).expanduser().absolute()
        if not folder.is_dir():
            raise DataError(
                f"zoo add: {shown(folder)} is no folder, and no address that begins with https://"
            )
        address = str(folder)
        if wanted is None and not (folder / INDEX).exists():
            return address, ""
    data = index_at(address)
    if wanted not in (None, sha256(data)):
        raise DataError(
            f"zoo add: the index at {shown(address)} is not the one that was expected: its sha256 begins "
            f"with {sha256(data)[:8]}, not with {str(wanted)[:8]}"
        )
    index_from_json(data, f"{shown(address)}: {INDEX}")
    if is_address(address):
        keep(data)
    return address, sha256(data)


def _write(listed: tuple[AddedZoo, ...]) -> None:
    path = zoos_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"zoo: cannot make the folder {shown(path.parent)}: {error.strerror}") from None
    text = json.dumps({"zoos": [asdict(each) for each in listed]}, indent=2) + "\n"
    write_atomically(path, [text.encode()])


def _is_record(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"name", "address", "sha256"}:
        return False
    texts = all(isinstance(text, str) for text in value.values())
    pinned = texts and (value["sha256"] == "" or is_sha256(value["sha256"]))
    return pinned and _NAME.fullmatch(value["name"]) is not None
