"""JSON documents in a model file: short ones in the metadata, those that grow with a table in uint8 tensors.

    metadata            {"loss": "\\"huber\\"", "input_shape": "[3]", ...}
    tensor json:table   the UTF-8 bytes of the document "table", one dimension

So the header stays small whatever the table holds, and the checksum of the file covers every document.
Files of format 1 have all documents in their metadata; they are read as before.

Bounds      128 MiB a document; see `strict_json` for what it may hold
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minicolumn.errors import ModelFileError, did_you_mean
from minicolumn.model.container import Container

# What grows with columns, categories, classes or layers.
LONG = ("network", "table", "schema", "training", "metrics", "history")
PREFIX = "json:"
MAX_BYTES = 128 * 1024**2


def pack(
    documents: Mapping[str, str], tensors: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the tensors and the metadata of a file with these documents beside other tensors.

    >>> tensors, texts = pack({"history": "[]", "loss": '"huber"'}, {})
    >>> tensors["json:history"].tobytes(), texts
    (b'[]', {'loss': '"huber"'})
    """
    held = {f"{PREFIX}{name}": _bytes(name, documents[name]) for name in LONG if name in documents}
    return {**tensors, **held}, {name: text for name, text in documents.items() if name not in LONG}


def unpack(container: Container) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Return the documents by name, as texts, and the tensors that are none.

    Errors      ModelFileError: a document of an unknown name, in the wrong place, too long or not UTF-8
    """
    if container.format_version == 1:
        return dict(container.texts), dict(container.tensors)
    if misplaced := [name for name in LONG if name in container.texts]:
        raise ModelFileError(f"is damaged: its field {misplaced[0]!r} stands in the metadata")
    held = {name for name in container.tensors if name.startswith(PREFIX)}
    documents = {name.removeprefix(PREFIX): _text(name, container.tensors[name]) for name in sorted(held)}
    others = {name: array for name, array in container.tensors.items() if name not in held}
    return {**container.texts, **documents}, others


def _bytes(name: str, text: str) -> np.ndarray:
    """Return a document as uint8."""
    data = text.encode()
    if len(data) > MAX_BYTES:
        size = f"{len(data):,} bytes; at most {MAX_BYTES:,} are allowed"
        raise ModelFileError(f"has a description of {size} in its field {name!r}")
    return np.frombuffer(data, np.uint8)


def _text(name: str, array: np.ndarray) -> str:
    """Return a document as text."""
    known = name.removeprefix(PREFIX)
    if known not in LONG:
        raise ModelFileError(f"has an unknown field {known[:60]!a}{did_you_mean(known, LONG)}")
    if array.dtype != np.uint8 or array.ndim != 1 or array.size > MAX_BYTES:
        raise ModelFileError(f"is damaged: its field {known!r} is not a text of at most {MAX_BYTES:,} bytes")
    try:
        return array.tobytes().decode()
    except UnicodeDecodeError:
        raise ModelFileError(f"is damaged: its field {known!r} is not UTF-8") from None
