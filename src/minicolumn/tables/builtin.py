"""Built-in data sets: small tables that come with the package, under free licences.

data/LICENSES.md names the source and the licence of each. Nothing is downloaded.

Differs     scikit-learn's `fetch_openml` and seaborn's `load_dataset` read from the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from minicolumn.errors import DataError, did_you_mean


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in data set: its file, and the column that is usually the target.

    file        name in the package's folder ``data``
    target      name of a column, as it is spelt in the file
    origin      where it is published; licence: under which it may be used
    """

    file: str
    target: str
    origin: str
    licence: str


BUILTINS = {
    "penguins": Builtin(
        "penguins.csv",
        "Species",
        "https://doi.org/10.6073/pasta/98b16d7d563f265cb52372c8ca99e60f and two more",
        "CC0 1.0",
    )
}


def builtin_names() -> tuple[str, ...]:
    """Return the names of the built-in data sets, which `read_table` takes in place of a path.

    Returns     names in the order in which they are listed in messages

    >>> builtin_names()
    ('penguins',)
    """
    return tuple(BUILTINS)


def builtin_target(name: str) -> str:
    """Return the usual target column of a built-in data set.

    Errors      DataError for a name that is not built in, with the nearest one

    >>> builtin_target("penguins")
    'Species'
    """
    if name not in BUILTINS:
        hint = did_you_mean(name, BUILTINS) or f"; there are {', '.join(BUILTINS)}"
        raise DataError(f"no built-in data set is named {name!r}{hint}")
    return BUILTINS[name].target


def builtin_bytes(name: str) -> bytes:
    """Return the file of a built-in data set as it is stored: CSV in UTF-8.

    It is read through `importlib.resources`, so a package in a zip archive has it too.

    >>> builtin_bytes("penguins")[:9]
    b'studyName'
    """
    return resources.files("minicolumn").joinpath("data", BUILTINS[name].file).read_bytes()
