"""Import by content: which of the importers a file is for, by its first bytes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.file_sniffing import sniff_format
from minicolumn.model.files import PathLike, read_whole, shown
from minicolumn.model.imports.hdf5 import MAGIC
from minicolumn.model.imports.keras_file import from_keras
from minicolumn.model.imports.onnx_file import from_onnx
from minicolumn.model.imports.torch_state import from_torch
from minicolumn.model.model import Model

MAX_BYTES = 2 * 1024**3


def import_file(
    path: PathLike, *, activation: str | None = None, layers: Sequence[str] | None = None,
    loss: str | None = None,
) -> Model:  # fmt: skip
    """Return the network of an ONNX, PyTorch (safetensors) or Keras file as a model: its bytes say which.

    activation, layers, loss    as for `from_torch`; the first also for `from_keras` of weights alone
    Errors      ModelFileError, in one line, for another file; DataError for an option that the file's own
                content settles
    """
    data = read_whole(path, MAX_BYTES)
    head, tail = bytes(data[:65536]), bytes(data[-65536:])
    del data
    if head[8:9] == b"{" or os.fsdecode(path).endswith(".safetensors"):
        return from_torch(path, activation=activation, layers=layers, loss=loss)
    unused: dict[str, Any] = {"layers": layers}
    if head[:8] == MAGIC or (head[:2] == b"PK" and b"model.weights.h5" in head + tail):
        _refuse(path, unused)
        return from_keras(path, activation=activation, loss=loss)
    if head[:1] == b"\x08" or os.fsdecode(path).endswith(".onnx"):
        _refuse(path, unused | {"activation": activation})
        return from_onnx(path, loss=loss)
    said = sniff_format(head, tail).removesuffix(", not a minicolumn model")
    raise ModelFileError(
        f"{shown(path)} {said}; imported are ONNX, PyTorch as safetensors, and Keras 3 (.keras, .weights.h5)"
    )


def _refuse(path: PathLike, options: dict[str, Any]) -> None:
    if said := [name for name, value in options.items() if value is not None]:
        raise DataError(f"import: {said[0]} is not for {shown(path)}, which says it itself")
