"""Images in IDX files as the rows of a table: a column a pixel, and their label."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.data.idx import read_idx
from minicolumn.errors import DataError
from minicolumn.model.files import shown

if TYPE_CHECKING:
    import polars

LABEL = "label"
_IMAGES = re.compile(r"images([-.])idx3-ubyte(\.gz)?$")
_MOST_PIXELS = 65_536


def is_image_file(source: Any) -> bool:
    """Return whether a path is one of images, by the usual name: ...images-idx3-ubyte, also with .gz.

    >>> is_image_file("train-images-idx3-ubyte.gz"), is_image_file("train.csv")
    (True, False)
    """
    return isinstance(source, str | os.PathLike) and _IMAGES.search(os.fspath(source)) is not None


def image_table(source: str | os.PathLike[str]) -> polars.DataFrame:
    """Return images as a table: pixels row by row, as shares of white in float32, then their labels.

    source      the file of images; that of labels is beside it, labels-idx1 in place of images-idx3 in its
                name. Where there is none, the table has no column of labels
    Errors      DataError, in one line: no such file, another format, as many labels as there are not images
    """
    import polars

    path = os.fspath(source)
    images = read_idx(path)
    if images.ndim != 3 or images.dtype != np.uint8 or images[:1].size > _MOST_PIXELS:
        raise DataError(f"{shown(path)} holds {images.dtype} {list(images.shape)}, expected images of bytes")
    rows, height, width = images.shape
    shares = images.reshape(rows, height * width).astype(np.float32) / np.float32(255.0)
    names = [f"pixel_{k // width + 1}_{k % width + 1}" for k in range(height * width)]
    table = {name: np.ascontiguousarray(shares[:, k]) for k, name in enumerate(names)}
    beside = _IMAGES.sub(r"labels\1idx1-ubyte\2", path)
    if os.path.exists(beside):
        labels = read_idx(beside)
        if labels.shape != (rows,):
            raise DataError(f"{shown(beside)} holds {list(labels.shape)} labels for {rows:,} images")
        table[LABEL] = labels
    return polars.DataFrame(table)
