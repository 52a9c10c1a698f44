"""Safetensors reader and writer: named arrays and texts, strictly validated and checksummed.

    8 bytes     length of the header, little-endian
    header      JSON: {"__metadata__": {name: text}, tensor: {"dtype", "shape", "data_offsets"}, ...}
    data        the tensors' bytes, little-endian and in C order, one after the other

Every safetensors library reads what is written here. What is read here is stricter than the format: the
header must be, byte for byte, the one that this module would write for its content, and a SHA-256 over the
whole file is part of the metadata. So each file has one reading, and no byte of it can change unnoticed.

Bounds      2 GiB a file, 1 MiB of header, 10,000 tensors of at most 8 dimensions
Source      github.com/huggingface/safetensors, section Format; FIPS 180-4 for SHA-256
Differs     the safetensors package allows 100 MB of header and has no checksum; .npz is a zip archive, whose
            members may be pickles
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model import strict_json
from minicolumn.model.file_sniffing import sniff_format
from minicolumn.model.files import PathLike, read_whole, shown
from minicolumn.model.hub.address import is_hub

FORMAT_VERSION = 2
READABLE = (1, FORMAT_VERSION)
MAX_FILE_BYTES = 2 * 1024**3
MAX_HEADER_BYTES = 1024**2
MAX_TENSORS = 10_000
MAX_RANK = 8
MAX_NAME = 256

DTYPES = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "I32": "<i4", "U32": "<u4", "U8": "|u1", "BOOL": "|b1"}
_CODES = {np.dtype(text): code for code, text in DTYPES.items()}
_FORMAT, _VERSION, _DIGEST = "format", "format_version", "sha256"
_OWN_KEYS = (_FORMAT, _VERSION, _DIGEST)
_NO_DIGEST = "0" * 64
_MAX_SIZE = 2**31


@dataclass(frozen=True)
class Container:
    """The content of a safetensors file: arrays by name, texts by name, and the version of the format."""

    tensors: dict[str, np.ndarray]
    texts: dict[str, str]
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class _Entry:
    """One tensor's line in the header; begin and end count bytes from the start of the data."""

    name: str
    code: str
    shape: tuple[int, ...]
    begin: int
    end: int


def encode(tensors: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> list[bytes | memoryview]:
    """Serialize arrays and texts to a file's bytes, in chunks; arrays in C order are not copied.

    tensors     dtypes float64, float32, int64, int32, uint32, uint8 and bool; floats finite
    texts       any names but "format", "format_version" and "sha256", which this function writes
    Returns     the header, then one chunk a tensor; equal content gives equal bytes
    Errors      DataError for whatever `decode` would refuse: what is written can be read.

    >>> decode(b"".join(encode({"w": np.ones(2)}, {"note": "hi"}))).texts
    {'note': 'hi'}
    """
    try:
        return _encode(tensors, texts)
    except ModelFileError as error:
        raise DataError(f"cannot store this model: it {error}") from None


def check_header(tensors: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> None:
    """Refuse what `encode` would refuse in names, shapes and texts; no value of a tensor is read or copied.

    Errors      ModelFileError; its text begins with a verb
    """
    _render(*_header(tensors, texts))


def decode(data: bytes | bytearray) -> Container:
    """Deserialize a file's bytes: every size, name, number and the digest is checked.

    data        the whole file
    Returns     a `Container` whose arrays are copies, in native byte order
    Errors      ModelFileError; its text begins with a verb, for a file's name to stand before it. What is
                another format is named: "is a GGUF file, not a minicolumn model"
    """
    if data[8:9] != b"{":
        raise ModelFileError(sniff_format(bytes(data[:65536]), bytes(data[-65536:])))
    header, end = _read_header(data)
    metadata = header.pop("__metadata__", None)
    version = _check_origin(metadata)
    entries = [_read_entry(name, fields) for name, fields in header.items()]
    _check_metadata(metadata)
    _check_entries(entries, len(data) - end)
    _check_digest(data, end, entries, metadata)
    tensors = {entry.name: _read_array(data, end, entry) for entry in entries}
    texts = {name: text for name, text in metadata.items() if name not in _OWN_KEYS}
    return Container(tensors, texts, version)


def load(path: PathLike) -> Container:
    """Read a model file's container; the path is opened once and nothing else is.

    path        of the file, or an address of the hub, such as hf://owner/name@revision
    Errors      ModelFileError in one line that begins with the file's name
    """
    if is_hub(path):
        from minicolumn.model.hub.download import hub_path

        path = hub_path(str(path))
    data = read_whole(path, MAX_FILE_BYTES)
    try:
        return decode(data)
    except ModelFileError as error:
        raise ModelFileError(f"{shown(path)} {error}") from None


def _encode(tensors: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> list[bytes | memoryview]:
    """Return header and chunks; the digest is of the file with 64 zeros in its own place."""
    entries, metadata = _header(tensors, texts)
    chunks = [_array_bytes(entry, tensors[entry.name]) for entry in entries]
    metadata[_DIGEST] = _digest([_render(entries, metadata), *chunks])
    return [_render(entries, metadata), *chunks]


def _header(
    tensors: Mapping[str, np.ndarray], texts: Mapping[str, str]
) -> tuple[list[_Entry], dict[str, str]]:
    """Return the lines of the tensors and the metadata, checked; the digest is still to come."""
    if clash := [name for name in texts if name in _OWN_KEYS]:
        raise ModelFileError(f"uses the reserved name {clash[0]!r}")
    entries = _lay_out(tensors)
    metadata = {**texts, _FORMAT: "minicolumn", _VERSION: str(FORMAT_VERSION), _DIGEST: _NO_DIGEST}
    _check_metadata(metadata)
    _check_entries(entries, entries[-1].end if entries else 0)
    return entries, metadata


def _lay_out(tensors: Mapping[str, np.ndarray]) -> list[_Entry]:
    """Assign offsets: tensors of the widest dtype first, so that each is aligned to its own item size."""
    order = sorted(tensors, key=lambda name: (-np.asarray(tensors[name]).itemsize, name))
    entries, begin = [], 0
    for name in order:
        array = np.asarray(tensors[name])
        kind = array.dtype.newbyteorder("<")
        if kind not in _CODES:
            known = "float32, float64, int32, int64, uint32, uint8 or bool"
            raise ModelFileError(f"holds {name!r} of dtype {array.dtype}; expected {known}")
        entries.append(_Entry(name, _CODES[kind], array.shape, begin, begin + array.nbytes))
        begin += array.nbytes
    return entries


def _array_bytes(entry: _Entry, tensor: np.ndarray) -> memoryview:
    """Return an array's bytes, its values checked."""
    array = np.asarray(tensor)
    array = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    _check_values(entry.name, array)
    return array.reshape(-1).view(np.uint8).data


def _render(entries: list[_Entry], metadata: Mapping[str, str]) -> bytes:
    """Return the canonical header: its length, its JSON, spaces up to a multiple of 8."""
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    for entry in entries:
        place = [entry.begin, entry.end]
        header[entry.name] = {"dtype": entry.code, "shape": list(entry.shape), "data_offsets": place}
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER_BYTES:
        size = f"{len(text):,} bytes; at most {MAX_HEADER_BYTES:,} are allowed"
        raise ModelFileError(f"has a description of {size}")
    return len(text).to_bytes(8, "little") + text


def _digest(parts: list[bytes | memoryview]) -> str:
    """Return the SHA-256 of some parts, in hexadecimal digits."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def _read_header(data: bytes | bytearray) -> tuple[dict[str, Any], int]:
    """Return the header and where the data begins."""
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise ModelFileError(f"states a header of {length:,} bytes; at most {MAX_HEADER_BYTES:,} are read")
    if length > len(data) - 8:
        raise ModelFileError(f"is cut off: it states a header of {length:,} bytes and has {len(data) - 8:,}")
    try:
        text = data[8 : 8 + length].decode("ascii")
    except UnicodeDecodeError:
        raise ModelFileError("is damaged: its header is not ASCII") from None
    return strict_json.parse(text, "is damaged: its header"), 8 + length


def _check_origin(metadata: object) -> int:
    """Return the format's version; refuse what others wrote and what later releases write."""
    if not isinstance(metadata, dict) or metadata.get(_FORMAT) != "minicolumn":
        raise ModelFileError("is a safetensors file, but minicolumn did not write it: it holds no network")
    text = metadata.get(_VERSION)
    if not isinstance(text, str) or not text.isdecimal() or not text.isascii() or len(text) > 9:
        raise ModelFileError("is damaged: its format version is not a number")
    if int(text) > FORMAT_VERSION:
        raise ModelFileError(
            f"was written by a newer minicolumn (format {int(text)}; this one reads up to {FORMAT_VERSION});"
            " upgrade with: pip install --upgrade minicolumn"
        )
    if text not in map(str, READABLE):
        raise ModelFileError(f"is damaged: there is no format {text}")
    return int(text)


def _read_entry(name: str, fields: object) -> _Entry:
    """Return a tensor's line, every part of it of the right kind."""
    if not isinstance(fields, dict) or set(fields) != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError(f"is damaged: {_named(name)} needs dtype, shape and data_offsets, nothing else")
    if not isinstance(fields["dtype"], str) or fields["dtype"] not in DTYPES:
        raise ModelFileError(f"is damaged: {_named(name)} has an unknown dtype")
    shape, place = fields["shape"], fields["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(place) or len(place) != 2:
        raise ModelFileError(f"is damaged: {_named(name)} has sizes that are not integers")
    return _Entry(name, fields["dtype"], tuple(shape), place[0], place[1])


def _are_sizes(values: object) -> bool:
    """Return whether this is a list of ints from 0 on; True and 1.0 are not ints."""
    return isinstance(values, list) and all(type(v) is int and v >= 0 for v in values)


def _check_metadata(metadata: Mapping[str, object]) -> None:
    """Check that metadata are texts with printable names."""
    for name, text in metadata.items():
        _check_name(name)
        if not isinstance(text, str):
            raise ModelFileError(f"is damaged: the metadata {_named(name)} is not a text")


def _check_name(name: object) -> None:
    """Check a name: 1 to 256 printable characters."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise ModelFileError(f"has a name that is empty, not printable or over {MAX_NAME} characters long")


def _check_entries(entries: list[_Entry], data_bytes: int) -> None:
    """Check that the tensors fill the data from its first byte to its last, in order and without a gap."""
    if len(entries) > MAX_TENSORS:
        raise ModelFileError(f"has {len(entries):,} tensors; at most {MAX_TENSORS:,} are allowed")
    position = 0
    for entry in entries:
        _check_name(entry.name)
        if entry.name == "__metadata__":
            raise ModelFileError("uses the reserved name '__metadata__'")
        _check_shape(entry)
        if entry.begin != position:
            raise ModelFileError(f"is damaged: {_named(entry.name)} leaves a hole or overlaps another tensor")
        position = entry.end
    if position != data_bytes:
        raise ModelFileError(f"is damaged: it holds {data_bytes:,} bytes of data, expected {position:,}")


def _check_shape(entry: _Entry) -> None:
    """Check a tensor's dimensions, and that its bytes are as many as its shape and dtype need."""
    if len(entry.shape) > MAX_RANK:
        raise ModelFileError(f"has {_named(entry.name)} of {len(entry.shape)} dimensions; at most {MAX_RANK}")
    if math.prod(max(size, 1) for size in entry.shape) > _MAX_SIZE:  # so a 0 cannot hide an enormous size
        raise ModelFileError(f"has {_named(entry.name)}, which is too large for a model file")
    size = math.prod(entry.shape) * np.dtype(DTYPES[entry.code]).itemsize
    if entry.end - entry.begin != size:
        found = f"{entry.end - entry.begin:,} bytes"
        raise ModelFileError(f"is damaged: {_named(entry.name)} has {found}, its shape needs {size:,}")


def _check_digest(data: bytes | bytearray, end: int, entries: list[_Entry], metadata: dict[str, str]) -> None:
    """See that the header is the canonical one and that the digest is the file's."""
    view = memoryview(data)
    if _render(entries, metadata) != view[:end]:
        raise ModelFileError("is damaged: its header is not written the way minicolumn writes it")
    blank = _render(entries, {**metadata, _DIGEST: _NO_DIGEST})
    if metadata.get(_DIGEST) != _digest([blank, view[end:]]):
        raise ModelFileError("is damaged: its content does not match its checksum")


def _read_array(data: bytes | bytearray, start: int, entry: _Entry) -> np.ndarray:
    """Return one tensor as an array of its own, its values checked."""
    raw = np.frombuffer(data, np.uint8, entry.end - entry.begin, start + entry.begin)
    if entry.code == "BOOL" and raw.max(initial=0) > 1:
        raise ModelFileError(f"is damaged: {_named(entry.name)} holds a boolean other than 0 and 1")
    array = raw.copy().view(DTYPES[entry.code]).reshape(entry.shape)
    _check_values(entry.name, array)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _check_values(name: str, array: np.ndarray) -> None:
    """Refuse NaN and infinity: no weight of a usable network is either."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ModelFileError(f"has values in {_named(name)} that are not finite (NaN or infinity)")


def _named(name: str) -> str:
    """Return a name from a file as something that can be shown on one line."""
    return ascii(name if len(name) <= 60 else name[:57] + "...")
