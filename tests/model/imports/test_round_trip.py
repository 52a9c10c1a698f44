"""Our own ONNX files read back: equal predictions, or one line that names what no layer here computes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import DataError, ModelFileError
from minicolumn.model import ClassifierModel
from minicolumn.model.export.onnx_file import onnx_core, onnx_pipeline
from minicolumn.model.export.pipeline import Pipeline

pytest.importorskip("onnx", reason="needs onnx: pip install 'minicolumn[onnx]'")
GOLDEN = Path(__file__).parents[1] / "golden"
ZOO = [entry.name for entry in mc.zoo.entries()]
# Scales and biases are combined in float64 and rounded once: some units in the last place of float32.
CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 2e-6}
# What has no layer here that an ONNX file could be read as: look-ups, splines, quantiles, ensembles.
REFUSED = re.compile(
    r"\S+ (has operators that no layer here computes: \w+ \(\w+\)"
    r"|(looks something up|lays two branches|computes a function|goes on|mixes rows|takes ).* in \w+ \(\w+\))"
    r".*; open the model file that it was exported from"
)
# Plain networks of every family of the zoo and of every kind of file: these must come back.
PLAIN = {"digits", "fashion-mnist", "gates-1943", "mnist-dropout", "mnist-mlp", "xor"} | {
    name for name in ZOO if name.startswith("playground/")
}
PLAIN |= {f"format_{x}" for x in ("1", "2_classifier", "2_classifier_labels", "2_gates", "2_images")}
PLAIN |= {f"format_2_{x}" for x in ("imported", "playground", "regressor", "tuned")}


def models() -> list[Any]:
    made = [pytest.param(lambda name=name: mc.zoo.load(name), name, id=name) for name in ZOO]
    files = sorted(GOLDEN.glob("*.safetensors"))
    return made + [pytest.param(lambda f=f: mc.load(f), f.stem, id=f.stem) for f in files]


def rows_of(model: mc.Model) -> np.ndarray:
    dice = np.random.default_rng(0)
    return dice.uniform(-1, 1, (40, *model.input_shape)).astype(model.dtype)


def outputs(model: mc.Model, rows: np.ndarray) -> np.ndarray:
    return np.asarray(mc.Model.predict(model, rows), np.float64)


def came_back(model: mc.Model, path: Path) -> tuple[mc.Model | None, str]:
    """Return what is read of a model's numeric core, or what is said of it."""
    try:
        path.write_bytes(onnx_core(Pipeline(model, "m")))
        return mc.from_onnx(path), ""
    except (DataError, ModelFileError) as error:
        return None, str(error)


@pytest.mark.parametrize(("load", "name"), models())
def test_a_core_comes_back_or_is_refused(load: Callable[[], mc.Model], name: str, tmp_path: Path) -> None:
    model = load()
    back, said = came_back(model, tmp_path / "m.core.onnx")
    if back is None:
        assert name not in PLAIN
        assert REFUSED.fullmatch(said) or said.startswith("export: ONNX has no line here for "), said
        return
    rows = rows_of(model)
    expected = outputs(model, rows)
    np.testing.assert_allclose(outputs(back, rows).reshape(expected.shape), expected, **CLOSE)


@pytest.mark.parametrize("name", ["digits", "xor", "mnist-mlp"])
def test_a_whole_pipeline_of_arrays_comes_back_with_its_labels(name: str, tmp_path: Path) -> None:
    model = mc.zoo.load(name)
    pipeline = Pipeline(model, "m")
    (tmp_path / "m.onnx").write_bytes(onnx_pipeline(pipeline))
    back = mc.from_onnx(tmp_path / "m.onnx")
    assert isinstance(back, ClassifierModel)
    rows = rows_of(model).reshape(40, -1)
    expected = model.outputs.class_scores(mc.Model.predict(model, rows.reshape(40, *model.input_shape)))  # type: ignore[union-attr]
    np.testing.assert_allclose(back.predict_proba(rows), expected, **CLOSE)
    assert pipeline.labels is not None
    assert back.predict(rows).tolist() == np.array(pipeline.labels)[np.argmax(expected, axis=1)].tolist()


@pytest.mark.parametrize("name", ["penguins", "bike-sharing", "playground/xor"])
def test_a_whole_pipeline_of_a_table_says_which_file_to_take(name: str, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx_pipeline(Pipeline(mc.zoo.load(name), "m")))
    with pytest.raises(ModelFileError) as caught:
        mc.from_onnx(bytes(tmp_path / "m.onnx"))  # as any path may be given
    assert str(caught.value) == (
        f"{tmp_path / 'm.onnx'} is the whole pipeline of an export, from a table's cells to answers; "
        "import its numeric core, m.core.onnx, or open the model file that it was exported from"
    )


def test_outputs_one_by_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx_pipeline(Pipeline(mc.zoo.load("gates-1943"), "m")))
    with pytest.raises(ModelFileError, match=r"takes some of its rows or features.*in Slice \(slice_5_0\)"):
        mc.from_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    "activation", ["relu", "softsign", "mish", "selu", "elu", "hard_sigmoid", "softplus"]
)
def test_activations_come_back_by_name(activation: str, tmp_path: Path) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(5, activation), mc.nn.Dense(2))
    model = mc.Model(net, net.init(0, (3,)), (3,), "softmax_cross_entropy")
    (tmp_path / "m.onnx").write_bytes(onnx_core(Pipeline(model, "m")))
    back = mc.from_onnx(tmp_path / "m.onnx")
    assert back.network == net
    assert back.loss == model.loss
