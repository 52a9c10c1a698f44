"""Zoos: a folder of recipes and model files beside each other, the one in the package or one of a user's.

NAME.toml               the recipe, with the sha256 of the model file
NAME.safetensors        the model file
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.artifact import artifact_from_bytes
from minicolumn.model.files import read_whole, shown
from minicolumn.model.model import Model
from minicolumn.zoo.entry import MOST_BYTES, Entry, entry_from_toml


@dataclass(frozen=True)
class Zoo:
    """A zoo in a folder.

    folder      with the recipes and the model files; None is the one that comes with the package

    >>> "penguins" in [entry.name for entry in Zoo().entries]
    True
    """

    folder: Path | None = None

    @cached_property
    def _place(self) -> Path:
        if self.folder is None:
            return Path(str(resources.files("minicolumn").joinpath("zoo", "entries")))
        if not self.folder.is_dir():
            raise DataError(f"zoo: {shown(self.folder)} is no folder")
        return self.folder

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries, by name."""
        return tuple(map(self.entry, self.names))

    @property
    def names(self) -> list[str]:
        """The names of the entries, in order; those of a family as FAMILY/NAME."""
        found = [*self._place.glob("*.toml"), *self._place.glob("*/*.toml")]
        return sorted(path.relative_to(self._place).with_suffix("").as_posix() for path in found)

    def entry(self, name: str) -> Entry:
        """Return an entry by its name.

        Errors      DataError for an unknown one, with the nearest name
        """
        self._known(name, dict.fromkeys(self.names))
        return self._entry(name)

    def _known(self, name: str, known: Mapping[str, Any]) -> Any:
        """Return what stands for a name; DataError for an unknown one."""
        if name not in known:
            hint = did_you_mean(str(name), known) or f"; there are {', '.join(known) or 'none'}"
            raise DataError(f"no network of the zoo is named {name!r:.60}{hint}")
        return known[name]

    def _entry(self, name: str) -> Entry:
        data = read_whole(self._place / f"{name}.toml", MOST_BYTES)
        return entry_from_toml(name, data.decode("utf-8", "replace"))

    def path(self, name: str) -> Path:
        """Return where the model file of an entry lies."""
        return self._place / f"{self.entry(name).name}.safetensors"

    def size(self, name: str) -> int:
        """Return the bytes of the model file of an entry; 0 where it is not built."""
        path = self.path(name)
        return path.stat().st_size if path.exists() else 0

    def file(self, name: str) -> bytes:
        """Return the model file of an entry, once its sha256 has been found right.

        Errors      DataError where it is missing, or is not the file that the recipe names
        """
        entry, path = self.entry(name), self.path(name)
        if not path.exists():
            raise DataError(f"the zoo has no file of {name}; build it: minicolumn zoo train {name}")
        data = bytes(read_whole(path, 1 << 28))
        if entry.sha256 and hashlib.sha256(data).hexdigest() != entry.sha256:
            raise DataError(f"{shown(path)} is not the file that its recipe names: its sha256 differs")
        return data

    def load(self, name: str) -> Model:
        """Return the network of an entry, preprocessing included."""
        data, path = self.file(name), self.path(name)
        return Model.from_artifact(artifact_from_bytes(data, shown(path)), path)
