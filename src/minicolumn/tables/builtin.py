"""The data sets that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from minicolumn.errors import DataError, did_you_mean


@dataclass(frozen=True, slots=True)
class Builtin:
    """A data set of the package: its file and the column that is usually predicted."""

    file: str
    target: str


BUILTINS = {"penguins": Builtin("penguins.csv", "Species")}


def builtin_names() -> tuple[str, ...]:
    """Return the names of the built-in data sets.

    >>> builtin_names()
    ('penguins',)
    """
    return tuple(BUILTINS)


def builtin_target(name: str) -> str:
    """Return the column that is usually predicted in a built-in data set.

    Errors      DataError for a name that is not built in

    >>> builtin_target("penguins")
    'Species'
    """
    if name not in BUILTINS:
        hint = did_you_mean(name, BUILTINS) or f"; there are {', '.join(BUILTINS)}"
        raise DataError(f"no built-in data set is named {name!r}{hint}")
    return BUILTINS[name].target


def builtin_bytes(name: str) -> bytes:
    """Return the file of a built-in data set as it is stored."""
    return resources.files("minicolumn").joinpath("data", BUILTINS[name].file).read_bytes()
