"""Safetensors files of others: arrays by name.

Source      github.com/huggingface/safetensors, section Format
Bounds      2 GiB a file, 1 MiB of header, 10,000 tensors of at most 8 dimensions
Differs     `model.container` reads our own files, in which not a byte may differ. The package keeps the last
            of two tensors of one name; here both are refused, as are holes and overlaps
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicolumn.errors import ModelFileError
from minicolumn.model import strict_json
from minicolumn.model.container import MAX_HEADER_BYTES, MAX_NAME, MAX_RANK, MAX_TENSORS
from minicolumn.model.file_sniffing import sniff_format
from minicolumn.model.imports.onnx_graph import from_bits

Array = np.ndarray
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "|i1", "U8": "|u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "|u1",
}  # fmt: skip

_WANTED = "a state_dict as safetensors"


def read_tensors(data: bytes | bytearray) -> dict[str, Array]:
    """Return the arrays of a safetensors file's bytes by name; half precision and bfloat16 as float32.

    Errors      ModelFileError; its text begins with a verb
    """
    header, end = _header(data)
    header.pop("__metadata__", None)
    if any(name.startswith("json:") for name in header):
        raise ModelFileError("is a minicolumn model already: mc.load opens it, and so do all commands")
    if len(header) > MAX_TENSORS:
        raise ModelFileError(f"has {len(header):,} tensors; at most {MAX_TENSORS:,} are read")
    body = memoryview(data)[end:]
    places = {name: _place(name, told) for name, told in header.items()}
    _check_whole(places, len(body))
    return {name: _array(name, header[name], body[a:b]) for name, (a, b) in places.items()}


def read_texts(data: bytes | bytearray) -> dict[str, str]:
    """Return the metadata of a safetensors file's bytes: texts by name.

    Errors      ModelFileError; its text begins with a verb
    """
    found = _header(data)[0].get("__metadata__", {})
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ModelFileError("is damaged: its metadata is not texts by name")
    return found


def _header(data: bytes | bytearray) -> tuple[dict[str, Any], int]:
    """Return the header and where the data begins."""
    if data[8:9] != b"{":
        raise ModelFileError(sniff_format(bytes(data[:65536]), bytes(data[-65536:]), _WANTED))
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES or length > len(data) - 8:
        raise ModelFileError(f"is cut off, or states too long a header: {length:,} bytes")
    try:
        text = data[8 : 8 + length].decode()
    except UnicodeDecodeError:
        raise ModelFileError("is damaged: its header is not UTF-8") from None
    return strict_json.parse(text, "is damaged: its header"), 8 + length


def _place(name: str, told: Any) -> tuple[int, int]:
    """Return where a tensor begins and ends in the data, its line checked."""
    if not name.isprintable() or not 0 < len(name) <= MAX_NAME:
        raise ModelFileError(f"has a name that is empty, not printable or over {MAX_NAME} characters long")
    if not isinstance(told, dict) or set(told) != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError(f"is damaged: {name[:60]!a} needs dtype, shape and data_offsets")
    shape, place = told["shape"], told["data_offsets"]
    lists = isinstance(shape, list) and isinstance(place, list) and len(place) == 2
    if not lists or not all(type(n) is int and n >= 0 for n in (*shape, *place)) or len(shape) > MAX_RANK:
        raise ModelFileError(f"is damaged: {name[:60]!a} has sizes that cannot be")
    if not isinstance(told["dtype"], str) or told["dtype"] not in _DTYPES:
        raise ModelFileError(f"has {name[:60]!a} of the dtype {str(told['dtype'])[:20]!a}, which is not read")
    return place[0], place[1]


def _check_whole(places: dict[str, tuple[int, int]], size: int) -> None:
    """Check that the tensors fill the data without holes and overlaps."""
    end = 0
    for begin, after in sorted(places.values()):
        if begin != end or after < begin:
            raise ModelFileError("is damaged: its tensors leave holes or overlap")
        end = after
    if end != size:
        raise ModelFileError(f"is damaged: it holds {size:,} bytes of data, its tensors {end:,}")


def _array(name: str, told: dict[str, Any], data: memoryview) -> Array:
    shape = told["shape"]
    if math.prod(max(n, 1) for n in shape) > 2**31:
        raise ModelFileError(f"has {name[:60]!a}, which is too large")
    flat = from_bits(name, data, _DTYPES[told["dtype"]])
    if flat.size != math.prod(shape):
        raise ModelFileError(f"is damaged: {name[:60]!a} has {flat.size:,} values, its shape needs others")
    return flat.reshape(shape)
