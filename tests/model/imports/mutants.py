"""Damaged and edited files of other libraries, made from golden ones."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"
# What the importer of a golden file has to be told, since the file does not say it.
OPTIONS: dict[str, dict[str, Any]] = {
    "torch_half": {"activation": "tanh"},
    "torch_plain": {"activation": "relu"},
    "torch_sequential": {"layers": ["0", "1", "relu", "4", "5", "elu", "7"]},
    "keras_dense": {"activation": "tanh"},
}
CHUNKS = (
    b"",
    b"\0",
    b"\xff" * 8,
    b"{",
    b'"',
    b"[" * 64,
    b"\x80\x80\x80\x80\x08",
    b"PK\3\4",
    b"NaN",
    b"\x7f" * 4,
)
VALUES: tuple[Any, ...] = (
    0, -1, 1, 2, 2**31, 2**53, 2**64, 0.0, 1e308, True, None, "", "relu", "Dense", "Lambda", "../x", "\0",
    "x" * 300, [], {}, [[]], [None] * 20, {"class_name": "Lambda", "module": "os", "config": {}},
    float("nan"),
)  # fmt: skip


def golden() -> list[Path]:
    """Return the golden files, without the answers beside them."""
    return sorted(path for path in GOLDEN.iterdir() if path.suffix not in (".json", ".py"))


def name_of(path: Path) -> str:
    """Return the name of a golden file without its suffixes."""
    return path.name.split(".")[0]


def mutants(path: Path, seed: int) -> Iterator[bytes]:
    """Yield mutants of a golden file without end."""
    dice, data = random.Random(f"{path.name} {seed}"), path.read_bytes()
    while True:
        if path.suffix == ".keras" and dice.random() < 0.8:
            yield _edited_archive(dice, data)
        elif path.suffix == ".safetensors" and dice.random() < 0.6:
            yield _edited_header(dice, data)
        else:
            yield _raw(dice, data)


def _raw(dice: random.Random, data: bytes) -> bytes:
    """Change bytes, cut or repeat pieces."""
    out = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(out) + 1)
        end = min(len(out), start + dice.choice((0, 1, 1, 1, 2, 8, 64)))
        kind = dice.randrange(4)
        if kind == 0:
            out[start:end] = dice.choice(CHUNKS)
        elif kind == 1:
            out[start:end] = dice.randbytes(end - start)  # of the same length, so that sizes still fit
        elif kind == 2 and end > start:
            out[start] = (out[start] + dice.choice((1, -1, 128))) % 256
        else:
            other = dice.randrange(len(out) + 1)
            out[start:end] = out[other : other + dice.randrange(64)]
    return bytes(out[: dice.randrange(len(out) + 1)] if dice.random() < 0.05 else out)


def _edited_archive(dice: random.Random, data: bytes) -> bytes:
    """Change the config of a Keras file as a tree, or its weights, in an archive that is whole."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if dice.random() < 0.6:
        config = json.loads(members["config.json"])
        for _ in range(dice.randint(1, 3)):
            _change(dice, config)
        members["config.json"] = json.dumps(config).encode()
    else:
        members["model.weights.h5"] = _raw(dice, members["model.weights.h5"])
    stream = io.BytesIO()
    with zipfile.ZipFile(
        stream, "w", dice.choice((zipfile.ZIP_STORED,) * 9 + (zipfile.ZIP_DEFLATED,))
    ) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _edited_header(dice: random.Random, data: bytes) -> bytes:
    """Change the header of a safetensors file as a tree, its length right."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    for _ in range(dice.randint(1, 3)):
        _change(dice, header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[end:]


def _change(dice: random.Random, tree: Any) -> None:
    """Change one place of a tree of JSON values."""
    node = tree
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = dice.choice(keys)
        if not isinstance(node[key], dict | list) or dice.random() < 0.1:
            break
        node = node[key]
    kind = dice.randrange(3)
    if kind == 0:
        del node[key]
    elif kind == 1 and isinstance(node, list):
        node.insert(key, node[dice.randrange(len(node))])
    elif kind == 1:
        node[f"{key}_"] = node.pop(key)
    else:
        node[key] = copy.deepcopy(dice.choice(VALUES))  # never the list that an earlier mutant has changed
