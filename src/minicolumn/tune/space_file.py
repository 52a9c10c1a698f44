"""Space files: a search space as TOML.

layers = "1-4"
width = [16, 32, 64]
activation = ["relu", "mish"]
learning_rate = "1e-4..1e-1"
"""

from __future__ import annotations

import os
import tomllib

from minicolumn.errors import DataError, reason
from minicolumn.model.files import PathLike
from minicolumn.tune.space import Space, space_of

_LARGEST = 1 << 20  # bytes


def read_space(where: str, path: PathLike) -> Space:
    """Read a space file.

    where       begins each message
    Errors      DataError, one line, for a file that cannot be read, is no TOML, or holds no such space
    """
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{where}: cannot read {os.fspath(path)!r}: {reason(error)}") from None
    if len(content) > _LARGEST:
        raise DataError(f"{where}: {os.fspath(path)!r} is larger than 1 MB; expected a few lines of TOML")
    try:
        said = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataError(f"{where}: {os.fspath(path)!r} is no TOML: {error}") from None
    return space_of(f"{where}: {os.fspath(path)!r}", said)
