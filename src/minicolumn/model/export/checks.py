"""Tests of exports by what would use them: a C compiler, Node.js, ONNX Runtime, where they are installed.

Each returns what the export was run by, "" where nothing here can run it; one that answers otherwise is an
error.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.tables.inputs.numbers import NumberInput

Files = Mapping[str, str | bytes]
_SECONDS = 120  # that a compiler or an interpreter may take


def by_compiler(pipeline: Pipeline, files: Files) -> str:
    """Compile C with the machine's own compiler, and run its self-test."""
    return _compiled(pipeline, files, f"{pipeline.name}.c")


def by_linker(pipeline: Pipeline, files: Files) -> str:
    """Link object code for this machine's kind of processor with its test, and run that."""
    machine = platform.machine().lower().replace("amd64", "x86_64").replace("arm64", "aarch64")
    if (pipeline.target and pipeline.target.split("-")[0] != machine) or platform.system() != "Linux":
        return ""
    return _compiled(pipeline, files, f"{pipeline.name}_test.c", f"{pipeline.name}.o")


def _compiled(pipeline: Pipeline, files: Files, *sources: str) -> str:
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        return ""
    name = pipeline.name
    main = f'#include "{name}.h"\nint main(void) {{ return {name}_self_test(); }}\n'
    with tempfile.TemporaryDirectory() as folder:
        _write({**files, "main_.c": main}, folder)
        built = [compiler, "-std=c99", "-O1", *sources, "main_.c", "-lm", "-o", "test"]
        made = _run(built, folder)
        if made.returncode:
            raise DataError(f"export: {Path(compiler).name} refuses the source: {made.stderr.strip()[:300]}")
        _refuse_failure(_run([str(Path(folder, "test"))], folder), "C")
    return Path(compiler).name


def by_node(pipeline: Pipeline, files: Files) -> str:
    """Run the self-test of JavaScript, or of that within a page, by Node.js."""
    from minicolumn.model.export.js_source import js_module

    node = shutil.which("node")
    if node is None:
        return ""
    module = f"{js_module(pipeline)}\nprocess.exitCode = selfTest();\n"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test.mjs").write_text(module, encoding="utf-8")
        _refuse_failure(_run([node, "test.mjs"], folder), "JavaScript")
    return "Node.js"


def by_python(pipeline: Pipeline, files: Files) -> str:
    """Run the self-test of a module of Python in a process of its own."""
    _run_module(pipeline, files, "NumPy")
    return "Python"


def by_torch(pipeline: Pipeline, files: Files) -> str:
    """Run the self-test of a module of PyTorch in a process of its own."""
    return _by_package(pipeline, files, "torch", "PyTorch")


def by_sklearn(pipeline: Pipeline, files: Files) -> str:
    """Run the self-test of a module of scikit-learn in a process of its own."""
    return _by_package(pipeline, files, "sklearn", "scikit-learn")


def _by_package(pipeline: Pipeline, files: Files, package: str, what: str) -> str:
    if not all(importlib.util.find_spec(name) for name in (package, "safetensors")):
        return ""
    _run_module(pipeline, files, what)
    return what


def _run_module(pipeline: Pipeline, files: Files, what: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _write(files, folder)
        _refuse_failure(_run([sys.executable, f"{pipeline.name}.py"], folder), what)


def _write(files: Files, folder: str) -> None:
    for name, content in files.items():
        Path(folder, name).write_bytes(content if isinstance(content, bytes) else content.encode())


def by_runtime(pipeline: Pipeline, files: Files) -> str:
    """Predict the rows of the self-test by ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError:
        return ""
    session = onnxruntime.InferenceSession(files[f"{pipeline.name}.onnx"])
    found = [np.asarray(each) for each in session.run(None, fed(pipeline))]
    samples = pipeline.samples
    answers = found[1] if pipeline.labels is not None else np.concatenate(found, axis=1)
    off = np.abs(answers - samples.answers) > samples.tolerance * (
        1 + np.abs(samples.answers) / samples.scale
    )
    if off.any():
        raise DataError(f"export: ONNX Runtime answers row {int(off.any(axis=1).argmax()) + 1} otherwise")
    return "ONNX Runtime"


def fed(pipeline: Pipeline) -> dict[str, Any]:
    """Return the rows of the self-test as ONNX takes them."""
    cells = pipeline.samples.cells
    if not pipeline.columns:
        return {"x": np.array(cells, pipeline.model.dtype)}
    columns = {}
    for part, column in zip(pipeline.columns, zip(*cells, strict=True), strict=True):
        empty, dtype = (np.nan, np.float32) if isinstance(part, NumberInput) else ("", object)
        columns[part.name] = np.array([empty if cell is None else cell for cell in column], dtype)[:, None]
    return columns


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"export: {Path(command[0]).name} took more than {_SECONDS} seconds") from None


def _refuse_failure(ran: subprocess.CompletedProcess[str], language: str) -> None:
    if ran.returncode:
        what = ran.stderr.strip()[:300]
        raise DataError(
            f"export: the {language} answers row {ran.returncode} of its self-test otherwise than the model"
            + f": {what}" * bool(what)
        )
