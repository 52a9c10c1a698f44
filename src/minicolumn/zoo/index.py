"""The index of a zoo: which entries it has, with the sha256 of every file. Who pins the index pins all of it.

    {"minicolumn_zoo": 1, "entries": {"digits": {"recipe": SHA256, "model": SHA256, "bytes": 76156}}}

It lies beside NAME.toml and NAME.safetensors as `index.json`. Files are found by the names of entries alone:
no index can name a path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.strict_json import canonical, parse
from minicolumn.zoo.entry import is_name, is_sha256

INDEX, FORMAT = "index.json", 1
MOST_BYTES, MOST_ENTRIES = 1 << 20, 5_000
LARGEST_MODEL = 1 << 28


@dataclass(frozen=True)
class Listed:
    """An entry as an index lists it.

    recipe      sha256 of NAME.toml; model: of NAME.safetensors
    bytes       of the model file
    """

    recipe: str
    model: str
    bytes: int


def index_from_json(data: bytes, where: str) -> dict[str, Listed]:
    """Read an index strictly.

    where       what begins the message
    Errors      DataError, in one line: no JSON, two entries of one name, a name or a sha256 that is none,
                another version

    >>> index_from_json(b'{"minicolumn_zoo": 1, "entries": {}}', "index.json")
    {}
    """
    try:
        said = parse(data.decode("utf-8"), where)
    except (ModelFileError, UnicodeDecodeError) as error:
        raise DataError(f"zoo: {where}: {error}") from None
    if not isinstance(said, dict) or set(said) != {"minicolumn_zoo", "entries"}:
        raise DataError(f"zoo: {where} is no index of a zoo: expected minicolumn_zoo and entries")
    if said["minicolumn_zoo"] != FORMAT:
        raise DataError(f"zoo: {where} is of version {said['minicolumn_zoo']!r:.20}; this minicolumn reads 1")
    entries = said["entries"]
    if not isinstance(entries, dict) or len(entries) > MOST_ENTRIES:
        raise DataError(f"zoo: {where}: entries: expected at most {MOST_ENTRIES:,} entries by name")
    return {name: _listed(name, entry, where) for name, entry in entries.items()}


def _listed(name: str, entry: Any, where: str) -> Listed:
    if not is_name(name):
        raise DataError(f"zoo: {where}: {name!r:.60} is no name of an entry")
    if not isinstance(entry, dict) or set(entry) != {"recipe", "model", "bytes"}:
        raise DataError(f"zoo: {where}: {name}: expected recipe, model and bytes")
    if not is_sha256(entry["recipe"]) or not is_sha256(entry["model"]):
        raise DataError(f"zoo: {where}: {name}: expected 64 hexadecimal digits as sha256")
    size = entry["bytes"]
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= LARGEST_MODEL:
        raise DataError(f"zoo: {where}: {name}: bytes: expected a number from 1 to {LARGEST_MODEL:,}")
    return Listed(entry["recipe"], entry["model"], size)


def index_to_json(files: Mapping[str, tuple[bytes, bytes]]) -> bytes:
    """Return the index of entries, from the recipe and the model file of each."""
    entries = {
        name: {"recipe": sha256(recipe), "model": sha256(model), "bytes": len(model)}
        for name, (recipe, model) in files.items()
    }
    return (canonical({"minicolumn_zoo": FORMAT, "entries": entries}) + "\n").encode()


def sha256(data: bytes | bytearray) -> str:
    """Return the sha256 of some bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
