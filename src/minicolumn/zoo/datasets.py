"""Data of recipes: files in a folder, checked by sha256, or what comes with a package."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.files import shown
from minicolumn.zoo.entry import Entry

Array = np.ndarray[Any, np.dtype[Any]]
Pixels = tuple[Array, Array, Array, Array]  # images and labels that train, images and labels that test


def file_of(entry: Entry, name: str, folder: Path | None) -> Path:
    """Return a file that a recipe reads, once its sha256 has been found right.

    Errors      DataError that says where the data comes from, and what is missing or differs
    """
    source = entry.source
    if folder is None:
        raise DataError(
            f"zoo: {entry.name} is made of {source.name}, which does not come with minicolumn: get it from "
            f"{source.origin} and say --data FOLDER, with {', '.join(source.files)} in it"
        )
    path = folder / name
    if not path.is_file():
        raise DataError(f"zoo: {shown(path)} is not there; {source.name} is published at {source.origin}")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != source.files[name]:
        raise DataError(
            f"zoo: {shown(path)} is not the file that {entry.name} was made from: its sha256 begins with "
            f"{found[:8]}, not with {source.files[name][:8]}"
        )
    return path


def frame_of(entry: Entry, folder: Path | None) -> Any:
    """Return the rows of a table, as `read_table` gives them."""
    from minicolumn.tables import read_table

    if entry.source.builtin == "scikit-learn":
        return _iris()
    if entry.source.builtin == "minicolumn":
        return read_table(str(entry.settings["table"]))
    return read_table(file_of(entry, next(iter(entry.source.files)), folder))


def _iris() -> Any:
    import polars
    from sklearn.datasets import load_iris

    found: Any = load_iris()
    columns = {name: found.data[:, k] for k, name in enumerate(found.feature_names)}
    return polars.DataFrame({**columns, "species": [str(found.target_names[k]) for k in found.target]})


def pixels_of(entry: Entry, folder: Path | None) -> Pixels:
    """Return images as shares of white, float32, and labels; first those that train, then those that test."""
    if entry.source.builtin == "scikit-learn":
        return _digits()
    from minicolumn.data import read_idx

    read = lambda part, kind: read_idx(file_of(entry, f"{part}-{kind}-ubyte.gz", folder))  # noqa: E731
    parts = [(read(part, "images-idx3"), read(part, "labels-idx1")) for part in ("train", "t10k")]
    (X, y), (tested, right) = parts
    return _shares(X, 255.0), y.astype(np.int32), _shares(tested, 255.0), right.astype(np.int32)


def _digits() -> Pixels:
    """Return scikit-learn's digits: the last quarter tests, written by other people than the rest."""
    from sklearn.datasets import load_digits

    found: Any = load_digits()
    X, y, first = _shares(found.images, 16.0), found.target.astype(np.int32), 1_347
    return X[:first], y[:first], X[first:], y[first:]


def _shares(images: Array, white: float) -> Array:
    return (images.astype(np.float32) / np.float32(white)).astype(np.float32)
