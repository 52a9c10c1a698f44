"""ONNX files as records: nodes, constants, inputs and outputs of the main graph, read from the protobuf.

Source      github.com/onnx/onnx, onnx.proto (IR version 3 to 14)
Bounds      2 GiB a file, 10,000 nodes and constants, constants of 8 dimensions, a million integers in a list
Differs     `onnx.load` also reads the files that a tensor names as its data. Here no other file is opened;
            subgraphs, functions of one's own, sparse tensors and quantized dtypes are refused
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import ModelFileError
from minicolumn.model.imports.protobuf import (
    BYTES,
    FIXED32,
    VARINT,
    Value,
    chunk,
    fields,
    numbers,
    signed,
    text,
)

Array = np.ndarray
MAX_NODES = 10_000
MAX_RANK = 8
MAX_INTEGERS = 1_000_000
MAX_ELEMENTS = 2**29
# TensorProto.DataType, of which a network of ours can be made.
_DTYPES = {
    1: "<f4", 2: "|u1", 3: "|i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "|b1", 10: "<f2", 11: "<f8",
    12: "<u4", 13: "<u8", 16: "bfloat16",
}  # fmt: skip
_STRING = 8
# AttributeProto: what may hold an attribute, by field number.
_FLOAT, _INT, _STR, _TENSOR, _FLOATS, _INTS, _STRS = 2, 3, 4, 5, 7, 8, 9
_BEYOND = {6: "a graph", 10: "tensors", 11: "graphs", 22: "a sparse tensor", 23: "sparse tensors"}


@dataclass(frozen=True, eq=False)
class Node:
    """One operation: its name and domain, the values that it reads and makes, its attributes.

    where       the node's own name, or its first output's, for messages
    """

    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    name: str

    @property
    def where(self) -> str:
        """The operation and the node, for messages."""
        name = self.name or (self.outputs[0] if self.outputs else "")
        full = self.op if self.domain in ("", "ai.onnx") else f"{self.domain}.{self.op}"
        return f"{full[:60]} ({name[:60]})" if name else full[:60]


@dataclass(frozen=True)
class Port:
    """An input or output of the graph: its name, and its shape with None where a length is not said."""

    name: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, eq=False)
class Graph:
    """The main graph of an ONNX file.

    constants   by name; opset: version of the operators of ONNX itself
    """

    nodes: tuple[Node, ...]
    constants: dict[str, Array]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    opset: int = 1
    producer: str = ""


def read_graph(data: bytes | bytearray) -> Graph:
    """Return the graph of an ONNX file's bytes.

    Errors      ModelFileError; its text begins with a verb
    """
    graph, opset, producer = None, 1, ""
    wanted = {2: BYTES, 7: BYTES, 8: BYTES, 20: BYTES, 25: BYTES}
    for number, value in fields(memoryview(data), wanted):
        if number == 7 and graph is not None:
            raise ModelFileError("is damaged: it has two main graphs")
        if number == 7:
            graph = chunk(value)
        elif number == 8:
            domain, version = _opset(value)
            opset = version if domain in ("", "ai.onnx") else opset
        elif number == 2:
            producer = text(value)
        elif number == 25:
            raise ModelFileError("has functions of its own, which are not read; export it without them")
    if graph is None:
        raise ModelFileError("is no ONNX model: it has no graph")
    return _graph(graph, opset, producer)


def _opset(value: Value) -> tuple[str, int]:
    domain, version = "", 0
    for number, part in fields(chunk(value), {1: BYTES, 2: VARINT}):
        if number == 1:
            domain = text(part)
        else:
            version = signed(part)
    return domain, version


def _graph(data: memoryview, opset: int, producer: str) -> Graph:
    nodes: list[Node] = []
    constants: dict[str, Array] = {}
    ports: dict[int, list[Port]] = {11: [], 12: []}
    for number, value in fields(data, {1: BYTES, 5: BYTES, 11: BYTES, 12: BYTES, 15: BYTES}):
        if len(nodes) > MAX_NODES or len(constants) > MAX_NODES:
            raise ModelFileError(f"has more than {MAX_NODES:,} nodes or constants")
        if number == 1:
            nodes.append(_node(chunk(value)))
        elif number == 5:
            name, array = read_tensor(chunk(value))
            if name in constants:
                raise ModelFileError(f"is damaged: it has two constants {name[:60]!a}")
            constants[name] = array
        elif number == 15:
            raise ModelFileError("has sparse constants, which are not read")
        else:
            ports[number].append(_port(chunk(value)))
    return Graph(tuple(nodes), constants, tuple(ports[11]), tuple(ports[12]), opset, producer)


def _node(data: memoryview) -> Node:
    names: dict[int, list[str]] = {1: [], 2: []}
    words = {3: "", 4: "", 7: ""}
    attributes: dict[str, Any] = {}
    for number, value in fields(data, {1: BYTES, 2: BYTES, 3: BYTES, 4: BYTES, 5: BYTES, 7: BYTES}):
        if number in names:
            names[number].append(text(value))
        elif number == 5:
            name, found = _attribute(chunk(value))
            attributes[name] = found
        else:
            words[number] = text(value)
    return Node(words[4], words[7], tuple(names[1]), tuple(names[2]), attributes, words[3])


def _attribute(data: memoryview) -> tuple[str, Any]:
    """Return an attribute's name and value: a number, a text, a tensor or a list; subgraphs are refused."""
    wanted = {1: BYTES, _FLOAT: FIXED32, _INT: VARINT, _STR: BYTES, _TENSOR: BYTES, _FLOATS: FIXED32}
    wanted |= {_INTS: VARINT, _STRS: BYTES, **dict.fromkeys(_BEYOND, BYTES)}
    name, found = "", None
    lists: dict[int, list[Any]] = {_FLOATS: [], _INTS: [], _STRS: []}
    for number, value in fields(data, wanted):
        if number == 1:
            name = text(value)
        elif number in lists:
            lists[number] += _several(number, value)
            if len(lists[number]) > MAX_INTEGERS:
                raise ModelFileError(f"has a list of more than {MAX_INTEGERS:,} values")
        elif number in _BEYOND:
            raise ModelFileError(f"has {_BEYOND[number]} as the attribute {name[:60]!a}, which is not read")
        else:
            found = _one(number, value)
    listed = next((values for values in lists.values() if values), None)
    return name, listed if found is None else found


def _one(number: int, value: Value) -> Any:
    if number == _FLOAT:
        return _floats(value)[0]
    if number == _INT:
        return signed(value)
    return read_tensor(chunk(value))[1] if number == _TENSOR else text(value, 1 << 16)


def _several(number: int, value: Value) -> list[Any]:
    if number == _FLOATS:
        return _floats(value)
    return numbers(value, MAX_INTEGERS) if number == _INTS else [text(value, 1 << 16)]


def _floats(value: Value) -> list[float]:
    data = chunk(value)
    if not data or len(data) % 4:
        raise ModelFileError("is damaged: it has a float of another size than 4 bytes")
    return [float(str(number)) for number in np.frombuffer(data, "<f4")]  # 0.1 is 0.1, not 0.10000000149


def _port(data: memoryview) -> Port:
    """Return a ValueInfoProto: name, and through type and tensor type the shape."""
    name, shape = "", None
    for number, value in fields(data, {1: BYTES, 2: BYTES}):
        if number == 1:
            name = text(value)
            continue
        for _, tensor in fields(chunk(value), {1: BYTES}):
            for _, dims in fields(chunk(tensor), {2: BYTES}):
                shape = _shape(chunk(dims))
    return Port(name, shape)


def _shape(data: memoryview) -> tuple[int | None, ...]:
    lengths: list[int | None] = []
    for _, dim in fields(data, {1: BYTES}):
        said = [signed(value) for _, value in fields(chunk(dim), {1: VARINT})]
        lengths.append(said[-1] if said and said[-1] > 0 else None)
        if len(lengths) > MAX_RANK:
            raise ModelFileError(f"has arrays of more than {MAX_RANK} dimensions")
    return tuple(lengths)


def read_tensor(data: memoryview) -> tuple[str, Array]:
    """Return a TensorProto's name and array; texts as an array of objects.

    Errors      ModelFileError: data in another file, an unknown dtype, or another size than the shape says
    """
    name, code, raw, dims = "", 0, None, []
    typed: dict[int, list[Array]] = {4: [], 5: [], 6: [], 7: [], 10: [], 11: []}
    wanted = {1: VARINT, 2: VARINT, 4: FIXED32, 5: VARINT, 6: BYTES, 7: VARINT, 8: BYTES, 9: BYTES}
    wanted |= {10: 1, 11: VARINT, 13: BYTES, 14: VARINT}
    for number, value in fields(data, wanted):
        if number == 1:
            dims += numbers(value, MAX_RANK)
        elif number == 2:
            code = signed(value)
        elif number == 8:
            name = text(value)
        elif number == 9:
            raw = chunk(value)
        elif number == 13 or (number == 14 and value != 0):
            raise ModelFileError(
                f"keeps the constant {name[:60]!a} in another file, which is not opened; "
                "save the model as one file"
            )
        elif number in typed:
            typed[number].append(_typed(number, value))
            if len(typed[number]) > MAX_INTEGERS:
                raise ModelFileError("has a constant in too many pieces; save it as raw data")
    return name, _array(name, code, dims, raw, typed)


def _typed(number: int, value: Value) -> Array:
    """Return some values of a typed field: float, int32, string, int64, double or uint64."""
    if number == 6:
        return np.array([text(value, 1 << 16)], object)
    if number in (5, 7, 11):
        return np.array(numbers(value, MAX_INTEGERS), np.int64)
    data, size = chunk(value), 4 if number == 4 else 8
    if len(data) % size:
        raise ModelFileError("is damaged: it has floats of another size than they say")
    return np.frombuffer(data, "<f4" if size == 4 else "<f8")


def _array(
    name: str, code: int, dims: list[int], raw: memoryview | None, typed: dict[int, list[Array]]
) -> Array:
    """Return the array of a tensor."""
    if len(dims) > MAX_RANK or any(n < 0 for n in dims) or math.prod(max(n, 1) for n in dims) > MAX_ELEMENTS:
        raise ModelFileError(f"has the constant {name[:60]!a} of an impossible shape")
    if code != _STRING and code not in _DTYPES:
        raise ModelFileError(f"has the constant {name[:60]!a} of dtype {code}, which is not read")
    if raw is None or code == _STRING:
        place = {_STRING: 6, 1: 4, 11: 10, 7: 7, 12: 11, 13: 11}.get(code, 5)
        flat = np.concatenate(typed[place] or [np.zeros(0, np.float32)])
        return _filled(name, flat if code == _STRING else from_bits(name, flat, _DTYPES[code]), dims)
    return _filled(name, from_bits(name, raw, _DTYPES[code]), dims)


def from_bits(name: str, flat: Array | memoryview, dtype: str) -> Array:
    """Return numbers of a dtype, in native byte order; half precision and bfloat16 as float32.

    flat        bytes, or numbers that stand for them, such as the bits of halves as integers
    """
    half = dtype in ("bfloat16", "<f2")
    kind = np.dtype("<u2" if half else dtype)
    if isinstance(flat, memoryview):
        if len(flat) % kind.itemsize:
            raise ModelFileError(f"is damaged: {name[:60]!a} is not a whole number of values")
        flat = np.frombuffer(flat, kind)
    flat = flat.astype(kind.newbyteorder("="))
    if dtype == "bfloat16":
        return (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.view(np.float16).astype(np.float32) if half else flat


def _filled(name: str, flat: Array, dims: list[int]) -> Array:
    if flat.size != math.prod(dims):
        said = f"has {flat.size:,} values, its shape {dims} needs {math.prod(dims):,}"
        raise ModelFileError(f"is damaged: the constant {name[:60]!a} {said}")
    return flat.reshape(dims)
