"""Programs in the code cache: what was made before is found, what is of no such program is made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.ir.parse import parse_graph
from minicolumn.lower import native
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.runtime import jit
from minicolumn.lower.llvm.runtime.abi import CODE_CONSTANT_BYTES
from minicolumn.lower.llvm.runtime.cache import ObjectCache
from minicolumn.lower.llvm.schedule.interrupts import SHORT
from minicolumn.lower.native import NativeProgram

pytestmark = pytest.mark.skipif(not jit.available(), reason="needs llvmlite")


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "native")


def _loop(s: Any) -> Any:
    return mc.scan(lambda s, _: (s * 0.999 + 0.1, ()), s, None, length=SHORT // 4)[0]


WIDE = np.arange(4.0 * CODE_CONSTANT_BYTES).reshape(4, -1)  # no part of the code
# One for each field of what is kept beside the code.
PROGRAMS = {
    "elements": lambda x: np.tanh(x) * x,
    "a constant": lambda x: x @ WIDE,
    "a loop that looks for signals": _loop,
    "an operation of the host": lambda x: np.linalg.cholesky(np.outer(x, x) + np.eye(4) * 9.0),
    "work for several threads": lambda x: np.sum(np.tanh(np.outer(x, np.arange(50_000.0)))),
}
NEEDS = {
    "a constant": lambda program: program._constants,
    "a loop that looks for signals": lambda program: program.watched,
    "an operation of the host": lambda program: program.calls_host,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_was_made_before_is_not_made_again(
    cache: ObjectCache, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    x = np.array([0.25, 0.5, 1.0, 2.0])
    graph = graph_of(PROGRAMS[name], x)
    made = NativeProgram(graph, cache=cache, interruptible=True)
    monkeypatch.setattr(native, "compile_object", None)  # whoever compiles fails
    found = NativeProgram(graph, cache=cache, interruptible=True)
    assert [a.tobytes() for a in found(x)] == [a.tobytes() for a in made(x)]
    for field in ("watched", "calls_host", "arena_bytes", "most_threads"):
        assert getattr(found, field) == getattr(made, field)
    assert len(found._constants) == len(made._constants)
    if name in NEEDS:
        assert NEEDS[name](found)


# Entries that are whole, with a right checksum and key, and yet not of this program.
FORGED = {
    "no object file": lambda header, code: (header, b"\0" * 512),
    "nothing": lambda header, code: (header, b""),
    "cut code": lambda header, code: (header, code[: len(code) // 2]),
    "the code of another program": lambda header, code: (
        header,
        jit.compile_object("define void @f() { ret void }", jit.host_target()),
    ),
    "an empty header": lambda header, code: ({}, code),
    "a field too many": lambda header, code: ({**header, "run": "os.system"}, code),
    "no arena": lambda header, code: ({**header, "arena": None}, code),
    "a negative arena": lambda header, code: ({**header, "arena": [-1, 0]}, code),
    "an arena that no machine has": lambda header, code: ({**header, "arena": [1 << 60, 0]}, code),
    "a text for a number": lambda header, code: ({**header, "timed": "1"}, code),
    "no count of loops": lambda header, code: ({k: header[k] for k in header if k != "watched"}, code),
    "a negative count of loops": lambda header, code: ({**header, "watched": -1}, code),
    "a number for yes or no": lambda header, code: ({**header, "shared": 2}, code),
    "a constant that is not there": lambda header, code: ({**header, "constants": [99]}, code),
    "a constant that is none": lambda header, code: ({**header, "constants": [0]}, code),
    "no links": lambda header, code: ({k: header[k] for k in header if k != "links"}, code),
    "links that are a list": lambda header, code: ({**header, "links": []}, code),
    "links to no file's name": lambda header, code: ({**header, "links": {"../x": []}}, code),
    "links to a function of the process": lambda header, code: (
        {**header, "links": {"0" * 64: ["system"]}},
        code,
    ),
    "links to what is not there": lambda header, code: (
        {**header, "links": {"0" * 64: ["f." + "0" * 32]}},
        code,
    ),
    "a negative node": lambda header, code: ({**header, "hosts": [-1]}, code),
}


@pytest.mark.parametrize("name", FORGED)
def test_an_entry_that_is_whole_but_of_no_such_program_is_made_anew(cache: ObjectCache, name: str) -> None:
    graph = parse_graph("fn(x: f32[4]) { a: f32[4] = multiply(x, x)  b: f32[4] = add(a, x) return b }")
    x = np.arange(4, dtype=np.float32)
    NativeProgram(graph, cache=cache)
    assert cache.folder is not None
    (path,) = cache.folder.iterdir()
    good = path.read_bytes()
    found = cache.get(path.stem)
    assert found is not None
    cache.put(path.stem, *FORGED[name](*found))
    assert path.read_bytes() != good
    assert NativeProgram(graph, cache=cache)(x)[0].tolist() == [0.0, 2.0, 6.0, 12.0]
    assert path.read_bytes() == good  # and the next process finds the right one
