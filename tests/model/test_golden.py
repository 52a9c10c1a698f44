"""A file written by a release opens in every later one and predicts the same; golden files never change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.model.artifact import load_artifact
from minicolumn.nn.serialize import from_json
from minicolumn.tables.drift import drift
from minicolumn.tables.encode import Encoder
from minicolumn.tables.schema import Schema
from minicolumn.tree import named_leaves

GOLDEN = Path(__file__).parent / "golden"
# What each kind of model answered when its file was written, see make_golden.py.
ANSWERS: dict[str, dict[str, Any]] = json.loads((GOLDEN / "format_2.json").read_text())


def test_format_1_opens_and_predicts() -> None:
    artifact = load_artifact(GOLDEN / "format_1.safetensors")
    weights = np.concatenate([array.ravel() for _, array in named_leaves(artifact.params)])
    np.testing.assert_array_equal(weights * 8, (np.arange(1, 14) % 7) - 3)  # how the file was filled
    outputs = from_json(artifact.network).apply(artifact.params, np.array([[1, 2], [-0.5, 0.25]], np.float32))
    # float32 sums of a handful of terms near 1, tanh to a few ulp
    np.testing.assert_allclose(outputs, [[0.52919406], [0.35164592]], rtol=1e-6)
    assert (artifact.format_version, artifact.package, artifact.loss) == (1, "0.1.0", "squared_error")
    assert artifact.input_shape == (2,)
    assert artifact.training["optimizer"] == {"name": "adam", "learning_rate": 0.001}
    assert artifact.metrics == {"rmse": 0.5, "validation": {"r2": 0.25}}
    assert artifact.history[0] == {"epoch": 0, "loss": 1.0, "val_loss": None}
    assert artifact.data_hash == "sha256:" + "0" * 64


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_with_a_table_opens_and_predicts(version: int) -> None:
    artifact = load_artifact(GOLDEN / f"format_{version}_table.safetensors")
    assert artifact.format_version == version
    encoder = Encoder.from_json(artifact.table)
    assert (
        drift(
            encoder,
            encoder.typed(
                polars.DataFrame(
                    {"size": ["9e9"] * 9, "mood": ["-"] * 9, "town": ["?"] * 9, "day": ["1924-03-12"] * 9}
                )
            ).frame,
        )
        == ()
    )  # nothing was kept to tell it from
    row = polars.DataFrame({"size": ["2.5"], "mood": ["good"], "town": ["town 3"], "day": ["2024-03-12"]})
    outputs = from_json(artifact.network).apply(artifact.params, encoder.transform(row))
    np.testing.assert_allclose(
        outputs, [[0.10401157, 0.31407976, 0.26313904]], rtol=1e-5
    )  # 8 features, float32
    assert list(encoder.decode_target(outputs)) == ["b"]
    assert Schema.from_json(artifact.schema).target == "kind"


def test_format_1_with_layers_opens_and_predicts() -> None:
    artifact = load_artifact(GOLDEN / "format_1_layers.safetensors")
    weights = np.concatenate([array.ravel() for _, array in named_leaves(artifact.params)])
    filled = (np.arange(1, 144) % 7) - 3  # how the file was filled, with variances made positive
    np.testing.assert_array_equal(abs(weights * 8), abs(filled))
    assert repr(from_json(artifact.network)) == (
        "Sequential(GaussianNoise(0.1), Dense(4, activation='glu', initializer=Orthogonal(gain=2.0)), "
        "AlphaDropout(0.1), Concatenate(Sequential(), "
        "Residual(Sequential(BatchNorm(momentum=0.5, eps=0.25), "
        "Dense(4, activation='sparsemax'), GaussianDropout(0.2)))), "
        "PReLU(), LayerNorm(eps=0.5), NoisyReLU(), RMSNorm(), "
        "Heads(size=Dense(1), kind=Sequential(BatchNorm(affine=False), "
        "Dense(2, activation='squareplus'))))"
    )
    x = np.array([[1, 2, -1], [-0.5, 0.25, 3]], np.float32)
    outputs = from_json(artifact.network).apply(artifact.params, x)
    expected = [[0.2426288, 0.02170993, 0.04184391], [0.23041825, 0.0205147, 0.03958782]]
    np.testing.assert_allclose(outputs, expected, rtol=1e-4)  # float32 through ten layers


def test_there_is_an_answer_for_each_file() -> None:
    files = {path.stem.removeprefix("format_2_") for path in GOLDEN.glob("format_2_*.safetensors")}
    assert files - {"table"} == set(ANSWERS)
    assert all(path.stat().st_size < 20_000 for path in GOLDEN.glob("*.safetensors"))


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_kind_of_model_opens_and_answers_as_it_did(kind: str) -> None:
    model, told = mc.load(GOLDEN / f"format_2_{kind}.safetensors"), ANSWERS[kind]
    if model.table is None:
        X = np.array(told["X"], np.float32)
        found = {name: getattr(model, name)(X) for name in told if name != "X"}
    else:
        found = model.predict_distribution_table(polars.DataFrame(told["rows"]))
        told = told["predict_distribution_table"]
    assert [*found] == [name for name in told if name != "X"]
    for name, values in found.items():
        if values.dtype.kind in "OU":
            assert values.tolist() == told[name]
        else:  # float32 sums of a few dozen terms, on processors that add them up in other orders
            np.testing.assert_allclose(values, np.array(told[name]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_kind_of_model_is_written_again_as_it_was(kind: str, tmp_path: Path) -> None:
    artifact = load_artifact(GOLDEN / f"format_2_{kind}.safetensors")
    model = mc.load(GOLDEN / f"format_2_{kind}.safetensors")
    model.save(tmp_path / "again.safetensors")
    again = load_artifact(tmp_path / "again.safetensors")
    assert (again.training, again.metrics, again.history) == (
        artifact.training,
        artifact.metrics,
        artifact.history,
    )
    assert model.card.to_json() == artifact.training["card"]
    assert model.card.title


@pytest.mark.parametrize("kind", ["classifier", "classifier_labels", "classifier_ensemble", "regressor"])
def test_estimators_open_as_estimators(kind: str) -> None:
    load = mc.MLPRegressor.load if kind == "regressor" else mc.MLPClassifier.load
    estimator, told = load(GOLDEN / f"format_2_{kind}.safetensors"), ANSWERS[kind]
    found = np.asarray(estimator.predict(np.array(told["X"], np.float32)))
    if found.dtype.kind == "f":
        np.testing.assert_allclose(found, told["predict"], rtol=1e-4, atol=1e-5)  # as above
    else:
        assert found.tolist() == told["predict"]
