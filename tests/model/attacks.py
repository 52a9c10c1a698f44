"""Public attacks on model files, re-cast against this loader: each is loaded under an audit hook.

    python tests/model/attacks.py        one JSON object: attack -> {"answer", "events"}

Where the attack lives in a format of its own, that file is built (harmless: its payload would print). Where
it is an idea, it is written into a model file of ours that is right in every other way, checksum included.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import watch
from model_samples import body_of, framed, header_of, sealed, small, tabular

from minicolumn.errors import ModelFileError
from minicolumn.model.artifact import artifact_to_bytes, load_artifact
from minicolumn.model.container import decode, encode
from minicolumn.model.documents import pack, unpack

# Pickle opcodes by hand: "call print('ran')" in four protocols.
PICKLE_0 = b"cbuiltins\nprint\n(S'ran'\ntR."
PICKLE_2 = b"\x80\x02cbuiltins\nprint\nX\x03\x00\x00\x00ran\x85R."
PICKLE_4 = b"\x80\x04\x8c\x08builtins\x8c\x05print\x93\x8c\x03ran\x85R."
TORCH_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + b"\x80\x02M\xe9\x03." + PICKLE_2
LAMBDA = base64.b64encode(marshal.dumps(compile("print('ran')", "x", "eval"))).decode()

PLAIN, TABLE = artifact_to_bytes(small()), artifact_to_bytes(tabular())
Build = Callable[[], bytes]


def zipped(**members: bytes) -> bytes:
    """Return a zip archive; two underscores in a name stand for a slash, one for a dot."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream.getvalue()


def tarred(kind: bytes, link: str) -> bytes:
    """Return a tar archive with one link that leaves it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("weights")
        member.type, member.linkname = kind, link
        archive.addfile(member)
    return stream.getvalue()


def npy() -> bytes:
    """Return a NumPy file whose objects are a pickle."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + PICKLE_4


def field(name: str, change: Callable[[Any], Any], data: bytes = PLAIN) -> Build:
    """Return a model file with one JSON document changed."""

    def build() -> bytes:
        container = decode(data)
        documents, tensors = unpack(container)
        documents[name] = json.dumps(change(json.loads(documents[name])))
        return b"".join(encode(*pack(documents, tensors)))

    return build


def first_layer(**changes: Any) -> Build:
    """Return a model file with fields of its first layer changed."""

    def change(network: dict[str, Any]) -> dict[str, Any]:
        network["layers"][0] |= changes
        return network

    return field("network", change)


def layer(value: Any) -> Build:
    """Return a model file with another layer put in front."""
    return field("network", lambda network: {**network, "layers": [value, *network["layers"]]})


def encoder(**changes: Any) -> Build:
    """Return a model file with fields of its encoder changed."""
    return field("table", lambda table: {**table, **changes}, TABLE)


def head(change: Callable[[dict[str, Any]], Any], behind: bytes = b"") -> Build:
    """Return a model file with its header changed, its checksum right, and perhaps bytes behind it."""

    def build() -> bytes:
        header = header_of(PLAIN)
        change(header)
        return sealed(header, body_of(PLAIN) + behind)

    return build


def tensor(**changes: Any) -> Build:
    """Return a model file with one tensor's line changed."""
    return head(lambda header: header[next(reversed(header))].update(changes))


def metadata(**changes: Any) -> Build:
    """Return a model file with other metadata."""

    def change(header: dict[str, Any]) -> None:
        header["__metadata__"] = dict(sorted({**header["__metadata__"], **changes}.items()))

    return head(change)


def text(value: str) -> Build:
    """Return a file with a header written by hand."""
    return lambda: framed(value, b"")


def weights(change: Callable[[dict[str, np.ndarray]], dict[str, Any]]) -> Build:
    """Return a model file with other tensors."""

    def build() -> bytes:
        container = decode(PLAIN)
        return b"".join(encode(change(container.tensors), container.texts))

    return build


def gaps(header: dict[str, Any]) -> None:
    """Move the last tensor back, so that bytes nobody names lie before it."""
    place = header[next(reversed(header))]["data_offsets"]
    place[:] = [place[0] + 8, place[1] + 8]


def overlap(header: dict[str, Any]) -> None:
    """Let every tensor name the same bytes."""
    for name in list(header)[1:]:
        header[name]["data_offsets"] = [0, 4]
        header[name]["shape"] = [1]


ATTACKS: dict[str, Build] = {
    # pickles and what carries them
    "pickle protocol 0": lambda: PICKLE_0,
    "pickle protocol 2": lambda: PICKLE_2,
    "pickle protocol 4 (CVE-2020-13092)": lambda: PICKLE_4,
    "joblib": lambda: PICKLE_4.replace(b"ran", b"joblib"),
    "joblib, compressed": lambda: zlib.compress(PICKLE_4),
    "PyTorch before 1.6": lambda: TORCH_LEGACY,
    "PyTorch zip (CVE-2025-32434)": lambda: zipped(archive__data_pkl=PICKLE_2, archive__version=b"3"),
    "NumPy object array (CVE-2019-6446)": npy,
    "NumPy archive with objects": lambda: zipped(arr_npy=npy()),
    "skops type list (CVE-2025-54412)": lambda: zipped(
        schema_json=b'{"__module__":"os","__class__":"system"}'
    ),
    "pickle behind a model": lambda: PLAIN + PICKLE_4,
    "pickle in the gap of a model": head(gaps, PICKLE_4[:8]),
    # Keras
    "Keras zip with a Lambda (CVE-2024-3660)": lambda: zipped(config_json=b"{}", model_weights_h5=b""),
    "Keras HDF5 (CVE-2025-9905)": lambda: b"\x89HDF\r\n\x1a\n" + LAMBDA.encode(),
    "Keras zip bomb (CVE-2026-0897)": lambda: zipped(model_weights_h5=bytes(10**6)),
    "Lambda layer": layer({"kind": "lambda", "function": LAMBDA}),
    "Lambda as class_name": layer({"class_name": "Lambda", "config": {"function": [LAMBDA, None, None]}}),
    "module in the config (CVE-2025-1550)": layer({"kind": "dense", "module": "os", "class_name": "system"}),
    "get_file as a layer (CVE-2025-8747)": layer(
        {"kind": "keras.utils.get_file", "origin": "file:///etc/passwd"}
    ),
    "unsafe mode from the config (CVE-2025-9906)": layer({"kind": "enable_unsafe_deserialization"}),
    "TFSMLayer": layer({"kind": "TFSMLayer", "filepath": "/tmp/model"}),
    "vocabulary from a file (CVE-2025-12058)": encoder(classes="/etc/passwd"),
    "YAML object (CVE-2021-37678)": lambda: b"!!python/object/apply:builtins.print ['ran']\n",
    "HDF5 external link": head(lambda header: header["0.bias"].update(external="/etc/passwd")),
    "tar with a hard link": lambda: tarred(tarfile.LNKTYPE, "../../etc/passwd"),
    "tar with a symbolic link": lambda: tarred(tarfile.SYMTYPE, "/etc/passwd"),
    # names that become code
    "activation names a function": first_layer(activation="os.system"),
    "activation is an expression": first_layer(activation="__import__('os').getpid()"),
    "activation is an attribute": first_layer(activation="__class__"),
    "initializer names a class": first_layer(initializer="subprocess.Popen"),
    "hydra target": first_layer(_target_="builtins.print"),
    "__reduce__ as a field": first_layer(__reduce__=["os.system", ["id"]]),
    "__class__ as a kind": layer({"kind": "__class__"}),
    "a kind spelt in another alphabet": layer({"kind": "d\u0435nse", "units": 3}),
    "a kind that is a list": layer({"kind": ["dense"]}),
    "loss names an attribute": field("loss", lambda _: "__init__.__globals__"),
    "loss is an object": field("loss", lambda _: {"class_name": "Lambda"}),
    "template in the metadata (CVE-2024-34359)": metadata(chat_template="{{ ''.__class__.__mro__ }}"),
    "expression in the encoder": encoder(scaling="eval:print('ran')"),
    "time form in the encoder": encoder(target_form="%(os.system)s"),
    "shell in the version": field("package", lambda _: "0.1 $(id)"),
    "optimizer that is code, as a data set digest": field("data_hash", lambda _: "../../../etc/passwd"),
    "prototype pollution": field("metrics", lambda _: {"__proto__": {"polluted": "yes"}}),
    # ONNX
    "ONNX model": lambda: b"\x08\x08\x12\x07pytorch" + bytes(20),
    "ONNX external data (CVE-2022-25882)": tensor(data_location="EXTERNAL", location="../../../etc/passwd"),
    "ONNX nested path (CVE-2024-27318)": weights(lambda w: {**w, "../../etc/passwd": np.ones(1, np.float32)}),
    "ONNX attribute injection (CVE-2026-34445)": head(lambda header: header.update(ir_version=8)),
    "absolute path as a weight": weights(lambda w: {**w, "/dev/mem": np.ones(1, np.float32)}),
    # lengths, sizes, depths
    "GGUF length (CVE-2025-62609)": lambda: b"GGUF\x03\0\0\0" + b"\xff" * 16,
    "header of 2^63 bytes": lambda: struct.pack("<Q", 2**63) + PLAIN[8:],
    "header of 100 MB": lambda: struct.pack("<Q", 10**8) + PLAIN[8:],
    "header past the end": lambda: struct.pack("<Q", len(PLAIN)) + PLAIN[8:],
    "100,000 brackets": text('{"a":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "number of 300,000 digits": text('{"a":' + "9" * 300_000 + "}"),
    "backslashes without end": text('{"a":"' + '\\"' * 400_000),
    "shape that overflows 64 bits": tensor(shape=[2**32, 2**32, 2**32]),
    "shape hidden behind a zero": tensor(shape=[0, 2**62]),
    "rank 65": tensor(shape=[1] * 65),
    "negative size": tensor(shape=[-1]),
    "offsets reversed": tensor(data_offsets=[8, 0]),
    "dtype the loader lacks (BF16)": tensor(dtype="BF16"),
    "overlapping tensors": head(overlap),
    "duplicate tensor": lambda: framed('{"__metadata__":{},"w":1,"w":2}', b""),
    "zip behind a model": lambda: PLAIN + zipped(a=b"b"),
    "NaN weights": lambda: sealed(header_of(PLAIN), b"\xff" * len(body_of(PLAIN))),
    "NaN in a document": metadata(training='{"learning_rate":NaN}'),
    "duplicate key in a document": metadata(loss='"huber"', training='{"a":1,"a":2}'),
    "deep document": metadata(training="[" * 1000 + "]" * 1000),
    "layer of 10^14 weights": first_layer(units=10**7),
    "layer of 10^300 units": first_layer(units=10**300),
    "20,000 layers": field("network", lambda n: {**n, "layers": [{"kind": "flatten"}] * 20_000}),
    "embedding of 10^14 numbers": layer({"kind": "embedding", "levels": 10**7, "dim": 10**7}),
    "input of 2^248 numbers": field("input_shape", lambda _: [2**31] * 8),
    "codes past the embedding": encoder(inputs=[]),
    "history of 20,000 rows": field("history", lambda _: [{}] * 20_000),
    "format from the future": metadata(format_version="999"),
    # other files under our name
    "a program": lambda: b"\x7fELF" + bytes(60),
    "a shell script": lambda: b"#!/bin/sh\necho ran\n",
    "a gzip bomb": lambda: b"\x1f\x8b" + bytes(100),
    "an HTML page": lambda: b"<script>alert(1)</script>",
    "a list of files": lambda: b"/etc/passwd\n/etc/shadow\n",
    "somebody's safetensors": lambda: framed(
        '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)
    ),
    "nothing": lambda: b"",
}

# Paths instead of files: what is opened must be the path itself, if anything.
PATHS = (
    "http://127.0.0.1:9/m.safetensors",
    "file:///etc/hostname",
    "\\\\host\\share\\m",
    "a\0b",
    "/dev/zero",
    ".",
)


def answer(path: str) -> tuple[str, list[str]]:
    """Load a file under watch; return the refusal, or "loaded", and the events."""
    with watch.watching(path) as events:
        try:
            load_artifact(path)
        except ModelFileError as error:
            return str(error), events
    return "loaded", events


def _answers() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "m.safetensors"))
        valid: dict[str, Build] = {"valid": lambda: PLAIN, "valid with a table": lambda: TABLE}
        for name, build in {**ATTACKS, **valid}.items():
            Path(path).write_bytes(build())
            found[name] = dict(zip(("answer", "events"), answer(path), strict=True))
        os.chdir(folder)
        os.mkfifo("pipe")
        for odd in (*PATHS, "pipe"):
            found[f"path {odd!r}"] = dict(zip(("answer", "events"), answer(odd), strict=True))
    with watch.watching() as events, suppress(ImportError):  # a control: the hook sees what it should
        __import__("no_such_module")
    found["control"] = {"answer": "control", "events": events}
    return found


def main() -> int:
    watch.install()
    json.dump(_answers(), sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
