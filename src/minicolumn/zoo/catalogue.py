"""Zoos: a folder of recipes and model files beside each other, the one in the package or one of a user's.

NAME.toml               the recipe, with the sha256 of the model file
NAME.safetensors        the model file
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.files import PathLike, read_whole, shown
from minicolumn.model.model import Model
from minicolumn.zoo.entry import Entry, entry_from_toml


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
        known = self.names
        if name not in known:
            hint = did_you_mean(str(name), known) or f"; there are {', '.join(known)}"
            raise DataError(f"no network of the zoo is named {name!r:.60}{hint}")
        return entry_from_toml(
            name, read_whole(self._place / f"{name}.toml", 1 << 20).decode("utf-8", "replace")
        )

    def path(self, name: str) -> Path:
        """Return where the model file of an entry lies."""
        return self._place / f"{self.entry(name).name}.safetensors"

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
        self.file(name)
        return Model.load(self.path(name))


def entries(folder: PathLike | None = None) -> tuple[Entry, ...]:
    """Return what a zoo holds.

    folder      of a user's zoo; None is the one that comes with the package

    >>> [entry.title for entry in entries() if entry.name == "xor"]
    ['Exclusive or, by a hidden layer of two']
    """
    return zoo_in(folder).entries


def load(name: str, folder: PathLike | None = None) -> Model:
    """Return a pretrained network by its name: a `Model` that takes raw rows, or arrays.

    Errors      DataError for an unknown name, with the nearest one, and for a file that is not the recipe's
    Differs     `torchvision.models` download weights; these come with the package, and are checked by sha256

    >>> import minicolumn as mc
    >>> mc.zoo.load("xor").predict([[0.0, 1.0], [1.0, 1.0]]).round().tolist()
    [1.0, 0.0]
    """
    return zoo_in(folder).load(name)


def zoo_in(folder: PathLike | None) -> Zoo:
    """Return the zoo of a folder, or that of the package."""
    return Zoo() if folder is None else Zoo(Path(shown(folder)))
