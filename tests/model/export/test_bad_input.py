"""What cannot be exported is said in one line, and nothing is half-written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.model.export import checks
from minicolumn.model.export.c_cells import comment
from minicolumn.model.export.pipeline import distinct_identifiers, identifier


@pytest.fixture
def model() -> mc.Model:
    net = mc.nn.Sequential(mc.nn.Dense(2, "tanh"), mc.nn.Dense(1))
    return mc.Model(net, net.init(0, (3,)), (3,), "squared_error")


def test_an_unknown_format_is_told_with_the_nearest(model: mc.Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown format 'onx'; did you mean 'onnx'\?"):
        model.export("onx", tmp_path)


def test_formats_and_processors_are_names(model: mc.Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown format \['c'\]; expected c, onnx"):
        model.export(["c"], tmp_path)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="target: expected the name of a processor, got 3"):
        model.export("object", tmp_path, target=3)  # type: ignore[arg-type]


def test_a_path_has_the_suffix_of_its_format_or_is_a_folder(model: mc.Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is neither a folder nor a file whose name ends in \.c$"):
        model.export("c", tmp_path / "model.cpp")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("to", ["c", "js", "html", "onnx"])
def test_an_operation_without_a_line_is_named(tmp_path: Path, to: str) -> None:
    if to == "onnx":
        pytest.importorskip("onnx", reason="needs onnx: pip install 'minicolumn[onnx]'")
    from scipy.special import gammaln

    net = mc.nn.Sequential(mc.nn.Dense(2), mc.nn.Activation(gammaln), mc.nn.Dense(1))
    odd = mc.Model(net, net.init(0, (3,)), (3,), "squared_error")
    with pytest.raises(DataError, match="gammaln"):
        odd.export(to, tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_onnx_it_is_said_what_to_install(
    model: mc.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(DataError, match=r"needs the package onnx; pip install 'minicolumn\[onnx\]'"):
        model.export("onnx", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_compiler_that_refuses_is_heard_and_nothing_is_written(
    model: mc.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'no room left' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setattr(checks.shutil, "which", lambda name: str(compiler))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DataError, match="cc refuses the source: no room left"):
        model.export("c", out)
    assert not list(out.iterdir())


def test_without_a_compiler_the_export_says_that_it_was_not_run(
    model: mc.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks.shutil, "which", lambda name: None)
    exported = model.export("c", tmp_path)
    assert exported.checked == ""
    assert "not run here" in str(exported)
    assert sorted(path.name for path in exported.paths) == ["model.c", "model.h"]


def test_a_folder_that_is_not_there_is_told(model: mc.Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone"):
        model.export("js", tmp_path / "gone" / "model.mjs")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("row", "row_"), ("x", "x_"), ("T1", "t1"), ("", "x_"), ("_Bool", "bool_"), ("a" * 99, None)],
)
def test_identifiers_are_no_words_of_the_languages(text: str, expected: str | None) -> None:
    found = identifier(text)
    assert found == (expected or found)
    assert found.isidentifier()


def test_identifiers_differ_whatever_the_names() -> None:
    names = ("a", "A", "a!", "a_2", "a 2", "int", "int_", "INT")
    found = distinct_identifiers(names)
    assert len(set(found)) == len(names)


def test_a_model_file_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(2, "tanh"), mc.nn.Dense(1))
    model = mc.Model(net, net.init(0, (3,)), (3,), "squared_error")
    model.save(tmp_path / "model.safetensors")
    before = (tmp_path / "model.safetensors").read_bytes()
    monkeypatch.chdir(tmp_path)
    for to in ("torch", "sklearn"):
        with pytest.raises(DataError, match=r"model\.safetensors is a model file, which stays as it is"):
            model.export(to)
        assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_an_export_takes_the_place_of_the_one_before(model: mc.Model, tmp_path: Path) -> None:
    first = model.export("torch", tmp_path).paths
    assert model.export("torch", tmp_path).paths == first


@pytest.mark.parametrize("broken", ["Path.write_bytes", "tempfile.TemporaryDirectory", "subprocess.run"])
def test_a_self_test_without_room_is_one_line(
    model: mc.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    owner, name = broken.split(".")
    monkeypatch.setattr(getattr(checks, owner), name, full)
    with pytest.raises(DataError, match="cannot be run: No space left on device; nothing was written"):
        model.export("numpy", tmp_path)
    assert not list(tmp_path.iterdir())


def test_of_several_files_none_is_written_when_one_cannot_be(model: mc.Model, tmp_path: Path) -> None:
    (tmp_path / "model.h").write_text("old")
    (tmp_path / "model.c").mkdir()
    with pytest.raises(DataError, match=r"cannot write .*model\.c: it is a folder"):
        model.export("c", tmp_path)
    assert (tmp_path / "model.h").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.c", "model.h"]


@pytest.mark.parametrize(("to", "name"), [("numpy", "numpy"), ("numpy", "types"), ("c", "math")])
def test_no_file_hides_one_of_the_language(model: mc.Model, tmp_path: Path, to: str, name: str) -> None:
    suffix = {"numpy": ".py", "c": ".c"}[to]
    exported = model.export(to, tmp_path / f"{name}{suffix}")
    assert {path.stem for path in exported.paths} == {f"{name}_"}


def test_an_identifier_is_short_enough_for_a_file_and_for_c99() -> None:
    assert len(identifier("t" * 300)) < 64
    assert distinct_identifiers(("t" * 300, "t" * 301)) == ("t" * 60, "t" * 60 + "_2")


@pytest.mark.parametrize(
    "word", ["asm", "linux", "unix", "typeof", "alignas", "nullptr", "static_assert", "typename", "wchar_t"]
)
def test_words_of_later_c_and_of_cpp_are_no_fields(word: str) -> None:
    assert identifier(word) == f"{word}_"


def test_a_comment_shows_what_steers_no_editor() -> None:
    assert comment("a\u202eb*/ c") == "aU+202Eb* / c"
    assert comment("back\\") == "back"


def test_a_file_is_called_as_was_asked_for(model: mc.Model, tmp_path: Path) -> None:
    names = {"js": "My net.v2.mjs", "html": "서울.html", "numpy": "my-net.py", "c": "my-net.c"}
    found = {
        to: {path.name for path in model.export(to, tmp_path / name).paths} for to, name in names.items()
    }
    assert found == {
        "js": {"My net.v2.mjs"}, "html": {"서울.html"}, "numpy": {"my-net.py"}, "c": {"my_net.c", "my_net.h"},
    }  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {name for each in found.values() for name in each}
