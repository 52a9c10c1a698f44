"""Functions that programs share: the same bits as of a program alone, compiled once, found again on disk."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower import native
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.codegen import content_addressed
from minicolumn.lower.llvm.codegen.content_addressed import CONTENT_NAME, divided
from minicolumn.lower.llvm.codegen.emit import Module
from minicolumn.lower.llvm.runtime import function_packs, jit
from minicolumn.lower.llvm.runtime.cache import ObjectCache
from minicolumn.lower.llvm.runtime.function_packs import Packs
from minicolumn.lower.native import NativeProgram

pytestmark = pytest.mark.skipif(not jit.available(), reason="needs llvmlite")

ROWS, FEATURES, UNITS = 40, 6, 24


def _network(layers: int) -> tuple[Any, list[np.ndarray]]:
    """Return the gradients of a network of so many hidden layers, and its arguments."""

    def loss(weights: Sequence[Any], x: Any) -> Any:
        for weight in weights[:-1]:
            x = np.tanh(x @ weight)
        return np.mean((x @ weights[-1]) ** 2)

    sizes = [FEATURES, *[UNITS] * layers, 2]
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape).astype(np.float32) for shape in pairwise(sizes)]
    x = rng.standard_normal((ROWS, FEATURES)).astype(np.float32)
    return graph_of(lambda x, *w: mc.grad(loss)(list(w), x), x, *weights), [x, *weights]


def _bits(program: NativeProgram, given: Sequence[np.ndarray]) -> list[bytes]:
    return [out.tobytes() for out in program(*given)]


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "native")


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch) -> Packs:
    """As in a process that has loaded nothing yet."""
    fresh = Packs()
    monkeypatch.setattr(native, "PACKS", fresh)
    monkeypatch.setattr(content_addressed, "WORTHWHILE", 1 << 10)
    return fresh


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are compiled."""
    texts: list[str] = []

    def noted(text: str, *how: Any) -> bytes:
        texts.append(text)
        return jit.compile_object(text, *how)

    monkeypatch.setattr(function_packs, "compile_object", noted)
    monkeypatch.setattr(native, "compile_object", noted)
    return texts


def _defined(text: str) -> set[str]:
    return {
        name for name in re.findall(r"^define [^@]*@([\w.]+)", text, re.M) if CONTENT_NAME.fullmatch(name)
    }


def test_a_program_of_shared_functions_has_the_bits_of_one_alone(
    packs: Packs, cache: ObjectCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, given = _network(2)
    shared = NativeProgram(graph, cache=cache)
    assert len(packs._by_key) == 1
    monkeypatch.setattr(content_addressed, "WORTHWHILE", 1 << 40)
    alone = NativeProgram(graph, cache=ObjectCache(None))
    assert len(packs._by_key) == 1
    assert _bits(shared, given) == _bits(alone, given)


def test_what_another_program_has_compiled_is_not_compiled_again(
    packs: Packs, cache: ObjectCache, compiled: list[str]
) -> None:
    """A network of a layer more is of the kernels of the smaller one, and of few others."""
    held = NativeProgram(_network(2)[0], cache=cache)
    before = set().union(*map(_defined, compiled))
    size = sum(map(len, compiled))
    compiled.clear()
    graph, given = _network(3)
    larger = NativeProgram(graph, cache=cache)
    again = set().union(*map(_defined, compiled))
    assert before
    assert not before & again
    assert sum(map(len, compiled)) < size / 2
    assert len(_bits(larger, given)) == 4
    assert held.address != larger.address


def test_a_program_is_found_on_disk_with_its_functions_and_made_anew_without(
    packs: Packs, cache: ObjectCache, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = [_network(layers) for layers in (2, 3)]
    made = [
        NativeProgram(graph, cache=cache) for graph, _ in programs
    ]  # the second calls the first one's pack
    bits = [_bits(program, given) for program, (_, given) in zip(made, programs, strict=True)]
    compiled.clear()
    monkeypatch.setattr(native, "PACKS", Packs())
    graph, given = programs[1]
    assert _bits(NativeProgram(graph, cache=cache), given) == bits[1]
    assert not compiled
    assert cache.folder is not None
    for path in cache.folder.iterdir():  # all but the program itself
        if "functions" in (cache.get(path.stem) or ({},))[0]:
            path.unlink()
    monkeypatch.setattr(native, "PACKS", Packs())
    assert _bits(NativeProgram(graph, cache=cache), given) == bits[1]
    assert compiled


def test_functions_go_with_the_last_program_that_calls_them(packs: Packs, compiled: list[str]) -> None:
    graph, given = _network(2)
    first = NativeProgram(graph, cache=ObjectCache(None))
    second = NativeProgram(_network(3)[0], cache=ObjectCache(None))
    bits, number = _bits(first, given), len(packs._by_key)
    del first
    gc.collect()
    assert len(packs._by_key) == number  # the larger network calls them still
    again = NativeProgram(graph, cache=ObjectCache(None))
    assert _bits(again, given) == bits
    del again, second
    gc.collect()
    assert not len(packs._by_key)
    assert not len(packs._by_function)


# Names ------------------------------------------------------------------------------------------------------


def _module(constant: int, name: str = "inner") -> Module:
    module = Module()
    module.functions[name] = f"define internal i64 @{name}(i64 %x) nounwind {{\n  ret i64 {constant}\n}}"
    module.functions["outer"] = (
        f"define internal i64 @outer(i64 %x) nounwind {{\n  %r = call i64 @{name}(i64 %x)\n  ret i64 %r\n}}"
    )
    module.functions["run"] = (
        "define i64 @run(i64 %x) nounwind {\n  %r = call i64 @outer(i64 %x)\n  ret i64 %r\n}"
    )
    return module


def _names(module: Module, monkeypatch: pytest.MonkeyPatch, salt: str = "here") -> list[str]:
    monkeypatch.setattr(content_addressed, "WORTHWHILE", 0)
    found = divided(module, ("run",), salt)
    assert found is not None
    assert found.all_needed == tuple(found.functions)
    return list(found.functions)


def test_a_name_tells_of_the_text_and_of_all_that_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    inner, outer = _names(_module(1), monkeypatch)
    assert [inner, outer] == _names(_module(1, "other"), monkeypatch)  # its name in the module does not count
    changed = _names(_module(2), monkeypatch)
    assert inner != changed[0]
    assert outer != changed[1]  # whose own text is the same
    assert outer not in _names(_module(1), monkeypatch, "another processor")


def test_what_reads_data_of_its_module_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    module = _module(1)
    module.globals["table"] = "@table = private constant [1 x i64] [i64 7], align 64"
    module.functions["inner"] = (
        "define internal i64 @inner(i64 %x) nounwind {\n  %r = load i64, ptr @table, align 8\n  ret i64 %r\n}"
    )
    monkeypatch.setattr(content_addressed, "WORTHWHILE", 0)
    found = divided(module, ("run",), "here")
    assert found is not None
    assert not found.functions  # nor who calls it
    assert len(found.own) == 4
