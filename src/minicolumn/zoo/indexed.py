"""A zoo whose index is pinned by its sha256: in a folder or by address, kept for use offline.

    index.json -> NAME.toml, NAME.safetensors        each compared with its sha256 before it is opened

What was downloaded is kept by its sha256 in `zoos`, beside the cache of compiled programs.
"""

from __future__ import annotations

import logging
import urllib.parse
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from minicolumn.errors import DataError, ModelFileError
from minicolumn.lower.llvm.runtime.cache import default_folder
from minicolumn.model.files import read_whole, shown, write_atomically
from minicolumn.zoo import index
from minicolumn.zoo.catalogue import Zoo
from minicolumn.zoo.download import check_address, download
from minicolumn.zoo.entry import MOST_BYTES, Entry, entry_from_toml
from minicolumn.zoo.index import INDEX, Listed, index_from_json, sha256

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IndexedZoo(Zoo):
    """A zoo of which the sha256 of the index is known.

    address     where its files lie: https://..., or a folder
    pinned      sha256 of its index
    """

    address: str = ""
    pinned: str = ""

    @cached_property
    def index(self) -> dict[str, Listed]:
        """What the index lists, by name."""
        where = f"{shown(self.address)}: {INDEX}"
        return index_from_json(self._fetched(INDEX, self.pinned, index.MOST_BYTES), where)

    @property
    def names(self) -> list[str]:
        return sorted(self.index)

    def _entry(self, name: str) -> Entry:
        listed = self.index[name]
        text = self._fetched(f"{name}.toml", listed.recipe, MOST_BYTES).decode("utf-8", "replace")
        entry = entry_from_toml(name, text)
        if entry.sha256 not in ("", listed.model):
            raise DataError(
                f"zoo: {shown(self.address)}: {name}: recipe and {INDEX} name different model files"
            )
        return replace(entry, sha256=listed.model)

    def path(self, name: str) -> Path:
        """Return where the model file of an entry lies, or would lie once it is fetched."""
        listed = self._known(name, self.index)
        if is_address(self.address):
            kept = kept_folder()
            return Path(f"{name}.safetensors") if kept is None else kept / listed.model
        return Path(self.address) / f"{name}.safetensors"

    def size(self, name: str) -> int:
        return self._known(name, self.index).bytes

    def file(self, name: str) -> bytes:
        listed = self._known(name, self.index)
        return self._fetched(f"{name}.safetensors", listed.model, listed.bytes)

    def _fetched(self, file: str, wanted: str, limit: int) -> bytes:
        """Return a file whose sha256 is the one wanted: from the folder, what was kept, or the address."""
        if not is_address(self.address):
            return _checked(bytes(read_whole(Path(self.address) / file, limit)), wanted, self.address, file)
        if (data := _kept(wanted, limit)) is not None:
            return data
        data = _checked(download(base_of(self.address) + file, limit), wanted, self.address, file)
        _keep(wanted, data)
        return data


def is_address(text: str) -> bool:
    """Return whether a text is an address rather than a folder."""
    return "://" in text


def base_of(address: str) -> str:
    """Return the address that the names of files are added to.

    >>> base_of("https://example.org/zoo/index.json"), base_of("https://example.org/zoo")
    ('https://example.org/zoo/', 'https://example.org/zoo/')
    """
    parts = urllib.parse.urlsplit(check_address(address))
    if parts.query or parts.fragment:
        raise DataError(f"zoo: {shown(address)}: an address of a zoo has no ? and no #")
    return address.removesuffix(INDEX).rstrip("/") + "/"


def index_at(address: str) -> bytes:
    """Return the index that lies at an address or in a folder now, whatever its sha256 is."""
    if is_address(address):
        return download(base_of(address) + INDEX, index.MOST_BYTES)
    return bytes(read_whole(Path(address) / INDEX, index.MOST_BYTES))


def _checked(data: bytes, wanted: str, address: str, file: str) -> bytes:
    if (found := sha256(data)) != wanted:
        hint = "; if its owner has changed it, add the zoo anew with the new sha256" if file == INDEX else ""
        raise DataError(
            f"zoo: {file} at {shown(address)} is not the file that was pinned: its sha256 begins with "
            f"{found[:8]}, not with {wanted[:8]}{hint}"
        )
    return data


# What was downloaded ----------------------------------------------------------------------------------------


def kept_folder() -> Path | None:
    """Return the folder of what was downloaded; None where MINICOLUMN_CACHE_DIR is off."""
    programs = default_folder()
    return None if programs is None else programs.parent / "zoos"


def _kept(wanted: str, limit: int) -> bytes | None:
    """Return what was kept of a sha256, if it is whole."""
    folder = kept_folder()
    if folder is None or not (folder / wanted).is_file():
        return None
    try:
        data = bytes(read_whole(folder / wanted, limit))
    except ModelFileError:
        return None
    return data if sha256(data) == wanted else None


def keep(data: bytes) -> None:
    """Keep a file that was downloaded, by its sha256."""
    _keep(sha256(data), data)


def _keep(wanted: str, data: bytes) -> None:
    """Keep a file; where the disk is full, or the folder cannot be written, it is fetched again next time."""
    folder = kept_folder()
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(folder / wanted, [data])
    except (DataError, OSError) as error:
        _log.warning("a file of a zoo was not kept: %s", error)
