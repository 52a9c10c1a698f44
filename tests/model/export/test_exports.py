"""Models as C, JavaScript and ONNX answer what they answer themselves: every layer, kind of column, loss."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from model_samples import samples
from tables import frame, model, models
from written import CHECKED, NODE, QUICK, STRICT, needs_c, needs_node

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.model.export import checks
from minicolumn.model.export.c_source import c_files
from minicolumn.model.export.export import TARGETS
from minicolumn.model.export.js_source import js_module
from minicolumn.model.export.numpy_module import numpy_module
from minicolumn.model.export.onnx_file import onnx_files
from minicolumn.model.export.pipeline import Pipeline, distinct_identifiers
from minicolumn.model.model import Model

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]


@pytest.fixture(scope="module")
def pipelines() -> Mapping[str, Pipeline]:
    made = {name: Model.from_artifact(found, name) for name, found in samples().items()}
    made |= {f"table {name}": model for name, model in models().items()}
    names = distinct_identifiers(tuple(made))
    found = {name: Pipeline(model, name) for name, model in zip(names, made.values(), strict=True)}
    assert len(found) > 25
    assert all(len(p.samples.cells) > 10 for p in found.values())
    return found


@pytest.fixture(scope="module")
def written_c(pipelines: Mapping[str, Pipeline], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all models, and a program that says of each which row its self-test stops at."""
    folder = tmp_path_factory.mktemp("c")
    for pipeline in pipelines.values():
        for name, text in c_files(pipeline).items():
            folder.joinpath(name).write_text(str(text))
    heads = "".join(f'#include "{name}.h"\n' for name in pipelines)
    calls = "".join(f'  printf("{name} %d\\n", {name}_self_test());\n' for name in pipelines)
    folder.joinpath("all.c").write_text(
        f"{heads}#include <stdio.h>\nint main(void) {{\n{calls}  return 0;\n}}\n"
    )
    return folder


@needs_c
@pytest.mark.parametrize("options", [CHECKED, QUICK], ids=["sanitized", "O3"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_models_in_c(
    written_c: Path, pipelines: Mapping[str, Pipeline], compiler: str, options: list[str]
) -> None:
    files = [f"{name}.c" for name in pipelines]
    built = [compiler, *STRICT, *options, *files, "all.c", "-lm", "-o", "all"]
    made = subprocess.run(built, cwd=written_c, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[:3000]
    ran = subprocess.run([str(written_c / "all")], capture_output=True, text=True)
    assert ran.stderr == ""
    assert ran.stdout.split() == [word for name in pipelines for word in (name, "0")]


@needs_node
def test_models_in_javascript(pipelines: Mapping[str, Pipeline], tmp_path: Path) -> None:
    for name, pipeline in pipelines.items():
        tmp_path.joinpath(f"{name}.mjs").write_text(js_module(pipeline))
    lines = [f'import {{ selfTest as {name}_ }} from "./{name}.mjs";' for name in pipelines]
    lines += [f'console.log("{name}", {name}_());' for name in pipelines]
    tmp_path.joinpath("all.mjs").write_text("\n".join(lines))
    assert NODE is not None
    ran = subprocess.run([NODE, "all.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stderr == ""
    assert ran.stdout.split() == [word for name in pipelines for word in (name, "0")]


@needs_node
def test_what_every_object_inherits_is_no_cell_in_javascript(tmp_path: Path) -> None:
    names = {"size": "constructor", "flag": "toString", "town": "__proto__", "day": "valueOf"}
    made = model(frame("number", 0.1, names))
    tmp_path.joinpath("m.mjs").write_text(js_module(Pipeline(made, "m")))
    lines = [
        'import { predict } from "./m.mjs";',
        f"const all = Object.fromEntries({json.dumps(list(names.values()))}.map((name) => [name, null]));",
        "console.log(predict({}).prediction, predict(all).prediction);",
        'console.log(predict({ constructor: "9" }).prediction === predict({}).prediction);',
    ]
    tmp_path.joinpath("all.mjs").write_text("\n".join(lines))
    assert NODE is not None
    ran = subprocess.run([NODE, "all.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stderr == ""
    without, told, same = ran.stdout.split()
    assert without == told
    assert same == "false"


def test_models_in_numpy(pipelines: Mapping[str, Pipeline]) -> None:
    for name, pipeline in pipelines.items():
        names = {"__name__": name}
        exec(numpy_module(pipeline), names)
        assert names["self_test"]() == 0, name  # type: ignore[operator]


def test_models_in_onnx(pipelines: Mapping[str, Pipeline]) -> None:
    pytest.importorskip("onnx", reason="needs onnx: pip install 'minicolumn[onnx]'")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")
    for name, pipeline in pipelines.items():
        assert checks.by_runtime(pipeline, onnx_files(pipeline)) == "ONNX Runtime", name


def test_the_numeric_core_in_onnx(pipelines: Mapping[str, Pipeline]) -> None:
    pytest.importorskip("onnx", reason="needs onnx: pip install 'minicolumn[onnx]'")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")
    for name in ("table_classes", "table_gaps"):
        pipeline = pipelines[name]
        X = np.zeros((3, *pipeline.model.input_shape), np.float32)
        session = runtime.InferenceSession(onnx_files(pipeline)[f"{name}.core.onnx"])
        (found,) = session.run(None, {"x": X})
        assert np.allclose(found, pipeline.model.predict(X), atol=1e-5)


# Self-tests can fail ----------------------------------------------------------------------------------------


class Wrong(Pipeline):
    """A pipeline whose graph is not that of its model: every answer is off by a thousandth."""

    def answer(self, x):
        return super().answer(x) * np.float32(1.001)


@pytest.mark.parametrize("to", ["c", "js", "onnx", "numpy", "object"])
def test_a_self_test_sees_answers_that_are_off(to: str) -> None:
    if to == "onnx":
        pytest.importorskip("onnx", reason="needs onnx: pip install 'minicolumn[onnx]'")
    net = mc.nn.Dense(2)
    wrong = Wrong(mc.Model(net, net.init(0, (3,)), (3,), "squared_error"), "wrong")
    files = TARGETS[to].files(wrong)
    needs = {"c": needs_c, "object": needs_c, "js": needs_node}.get(to)
    if needs is not None and needs.args[0]:
        pytest.skip(needs.kwargs["reason"])
    with pytest.raises(DataError, match="answers row 1"):
        TARGETS[to].check(wrong, files)
