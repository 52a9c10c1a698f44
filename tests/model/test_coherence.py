"""What a sealed model file means is checked as it is opened: what does not fit together is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars
import pytest
from model_samples import artifact_of, samples, tabular

from minicolumn.errors import DataError, ModelFileError, ShapeError
from minicolumn.model.artifact import Artifact, artifact_from_bytes, artifact_to_bytes
from minicolumn.model.container import decode, encode
from minicolumn.model.documents import pack, unpack
from minicolumn.model.model import Model
from minicolumn.nn import ColumnEmbedding, Dense, Embedding, Loss, PiecewiseLinear, Scale, Sequential
from minicolumn.nn.serialize import from_json, to_json
from minicolumn.tables import infer_schema
from minicolumn.tables.encode import Encoder

ENCODER = Encoder.from_json(tabular().table)
FEATURES = (len(ENCODER.features),)
((COLUMN, LEVELS),) = ENCODER.embeddings


def sealed_as(artifact: Artifact, network: Any = None, **documents: Any) -> bytes:
    """Return the bytes of an artifact with other documents, and fresh weights for another network."""
    texts, weights = unpack(decode(artifact_to_bytes(artifact)))
    texts |= {name: json.dumps(value) for name, value in documents.items()}
    if network is not None:
        from minicolumn.tree import named_leaves

        texts["network"] = json.dumps(to_json(network))
        weights = dict(named_leaves(network.init(0, artifact.input_shape)))
    return b"".join(encode(*pack(texts, weights)))


RAMPS = PiecewiseLinear(((0, (0.0, 1.0, 2.0)),))
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "codes behind ramps": (
        {"network": Sequential(RAMPS, ColumnEmbedding(((COLUMN, LEVELS - 1),), 2), Dense(3))},
        f"differ on the codes of column {COLUMN}",
    ),
    "a column without codes": (
        {"network": Sequential(RAMPS, ColumnEmbedding(((0, LEVELS),), 2), Dense(3))},
        "differ on the codes of column 0",
    ),
    "a ramp as code": (
        {"network": Sequential(RAMPS, ColumnEmbedding(((FEATURES[0], 5),), 2), Dense(3))},
        "looks up what it computes",
    ),
    "a scaled code": (
        {"network": Sequential(Scale(), ColumnEmbedding(((COLUMN, LEVELS),), 2), Dense(3))},
        "looks up what it computes",
    ),
    "too few outputs": ({"network": Dense(2)}, r"3 classes to predict, its network and loss give \[2\]"),
    "one output": ({"network": Dense(1)}, r"chooses among classes, its network gives \[1\]"),
    "numbers for classes": ({"loss": "squared_error"}, "3 classes to predict, .* give .* point"),
    "quantiles for classes": (
        {"loss": Loss("quantile", levels=(0.1, 0.9)).to_json()},
        r"by 2 outputs, its network gives \[3\]",
    ),
    "labels that are none": ({"training": {"classes": [["a"], "b", "c"]}}, "is no label"),
}


@pytest.mark.parametrize("name", WRONG)
def test_parts_that_do_not_fit_each_other_are_refused_at_load(name: str) -> None:
    changes, message = WRONG[name]
    with pytest.raises(ModelFileError, match=message):
        artifact_from_bytes(sealed_as(tabular(), **changes))


def test_the_recipes_own_form_loads() -> None:
    network = Sequential(RAMPS, ColumnEmbedding(((COLUMN, LEVELS),), 2), Scale(), Dense(3))
    assert artifact_from_bytes(sealed_as(tabular(), network)).input_shape == FEATURES


def test_small_files_of_huge_networks_are_refused() -> None:
    texts, weights = unpack(decode(artifact_to_bytes(artifact_of(Dense(1), (2,)))))
    twice = {"kind": "concatenate", "layers": [{"kind": "sequential", "layers": []}] * 2}
    texts["network"] = json.dumps({"kind": "sequential", "layers": [twice] * 24})
    data = b"".join(encode(*pack(texts, weights)))
    with pytest.raises(ModelFileError, match="more than 4,194,304 numbers of one row"):
        artifact_from_bytes(data)


def _model(artifact: Artifact) -> Model:
    loss = Loss.from_json(artifact.loss)
    network = from_json(artifact.network)
    settings = dict(loss.changed)
    return Model(network, artifact.params, artifact.input_shape, loss.name, loss_settings=settings)


def _rows(model: Model) -> np.ndarray:
    x = np.abs(np.random.default_rng(0).normal(size=(5, *model.input_shape)))
    return np.floor(x).astype(model.dtype)  # codes are integers, and so may all numbers be


@pytest.mark.parametrize("name", samples())
def test_predictor_agrees_with_predict_for_every_layer(name: str) -> None:
    model = _model(samples()[name])
    predict, X = model.predictor(), _rows(model)
    # A row alone is summed in another order than among eight: some ulp of numbers around 1.
    tolerance = 32 * float(np.finfo(model.dtype).eps)
    for x in X:
        row = np.atleast_1d(model.predict(x[None])[0])
        np.testing.assert_allclose(predict(x), row, rtol=tolerance, atol=tolerance)


LOOKS_UP: dict[str, Callable[[], Model]] = {
    "columns": lambda: _model(
        artifact_of(Sequential(RAMPS, ColumnEmbedding(((1, 3),), 2), Dense(2)), (2,), "squared_error")
    ),
    "all": lambda: _model(artifact_of(Sequential(Embedding(3, 2)), (2,))),
}


@pytest.mark.parametrize("name", LOOKS_UP)
@pytest.mark.parametrize("code", [3.0, -1.0, np.nan, np.inf, 1e30])
def test_a_bad_code_is_refused_by_name(name: str, code: float) -> None:
    model = LOOKS_UP[name]()
    X = np.zeros((300, 2), np.float32)
    X[270, 1] = code
    message = r"row 270, column 1: \S+ is no code of its embedding; the codes go from 0 to 2"
    with pytest.raises(DataError, match=message):
        model.predict(X)
    with pytest.raises(DataError, match=r"row 0, column 1"):
        model.predict(X[270:271])
    predict = model.predictor()
    predict(X[0])
    for given in (X[270], X[270].tolist(), X[270].astype(np.float64)):
        with pytest.raises(DataError, match=r"predict: X, column 1: \S+ is no code"):
            predict(given)
    assert np.isfinite(predict(X[0])).all()  # a failure is not remembered
    if np.isfinite(code):
        with pytest.raises(DataError, match="row 270, column 1"):
            model.evaluate(X, model.predict(np.zeros((300, 2), np.float32)))


@pytest.mark.parametrize("embedded", [True, False])
def test_rows_that_are_no_real_numbers_are_refused(embedded: bool) -> None:
    model = LOOKS_UP["columns"]() if embedded else _model(artifact_of(Dense(1), (2,)))
    predict = model.predictor()
    for given in (
        np.array([1 + 2j, 0]),
        np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"),
        np.array([1, 2], "timedelta64[s]"),
        np.array([(1.0, 2.0)], [("a", "f4"), ("b", "f4")]),
        np.array(["1", "2"]),
        np.array([1 + 2j, 0], object),
        np.array([1e300, 0.0]),
    ):
        with pytest.raises((DataError, ShapeError)):
            predict(given)


def test_long_documents_do_not_count_for_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    big = tabular()
    training = {**big.training, "note": "x" * 3_000_000}
    wide = dataclasses.replace(big, training=training)
    again = artifact_from_bytes(artifact_to_bytes(wide))
    assert again.training == training
    assert again.table == big.table
    assert again.format_version == 2
    header = int.from_bytes(artifact_to_bytes(wide)[:8], "little")
    assert header < 10_000
    monkeypatch.setattr("minicolumn.model.documents.MAX_BYTES", 1_000_000)
    with pytest.raises(DataError, match=r"description of 3,000,\d+ bytes; at most 1,000,000 are allowed"):
        artifact_to_bytes(wide)


def _numbers() -> polars.DataFrame:
    rng = np.random.default_rng(0)
    return polars.DataFrame({f"column {k}": rng.normal(size=40) for k in range(5_000)})


def _categories() -> polars.DataFrame:
    levels = [f"level {k}" for k in range(5_000)] * 2
    return polars.DataFrame({f"column {k}": levels for k in range(30)})


@pytest.mark.parametrize("make", [_numbers, _categories])
def test_wide_tables_are_saved_and_loaded(make: Callable[[], polars.DataFrame]) -> None:
    frame = make()
    frame = frame.with_columns(polars.Series("target", np.arange(frame.height) * 1.5))
    schema = infer_schema(frame, "target")
    encoder = Encoder.fit(frame, schema)
    front = [ColumnEmbedding(encoder.embeddings, 2)] if encoder.embeddings else []
    table, shape = {"table": encoder.to_json(), "schema": schema.to_json()}, (len(encoder.features),)
    wide = artifact_of(Sequential(*front, Dense(1)), shape, **table)
    again = artifact_from_bytes(artifact_to_bytes(wide))
    assert again.table == wide.table
    assert again.schema == wide.schema
