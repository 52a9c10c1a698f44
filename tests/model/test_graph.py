"""The prediction as a graph: for any number of rows it is `predict`, and its text is the whole of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars
import pytest
from model_samples import samples

import minicolumn as mc
from minicolumn.ir.graph import CONST, Graph
from minicolumn.ir.interpret import interpret
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import Dim
from minicolumn.ir.text import print_graph
from minicolumn.ir.verify import verify
from minicolumn.lower.native import NativeProgram
from minicolumn.nn.activations import ACTIVATIONS
from minicolumn.nn.losses import LOSSES, Loss
from minicolumn.nn.serialize import from_json
from minicolumn.tables import Encoder, infer_schema

SAMPLES = samples()
BATCHES = (0, 1, 2, 7, 300)


def _model(name: str) -> mc.Model:
    artifact = SAMPLES[name]
    loss = Loss.from_json(artifact.loss)
    table = None if artifact.table is None else Encoder.from_json(artifact.table)
    return mc.Model(
        from_json(artifact.network), artifact.params, artifact.input_shape, loss.name, table,
        loss_settings=dict(loss.changed),
    )  # fmt: skip


def _read_back(graph: Graph) -> Graph:
    verify(graph)
    text = print_graph(graph, constants=None)
    again = parse_graph(text)
    assert print_graph(again, constants=None) == text
    return again


def _agrees(graph: Graph, x: Any, expected: Any) -> None:
    with np.errstate(invalid="ignore"):  # OpenBLAS may flag numbers beside the arrays, which it does not use
        (found,) = interpret(_read_back(graph))(x)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    # Sums of some dozen products in another order, in float32, through two or three layers.
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", [name for name in SAMPLES if SAMPLES[name].table is None])
def test_every_kind_of_layer_for_any_number_of_rows(name: str) -> None:
    model = _model(name)
    graph = model.graph()
    assert [*graph.dims] == [Dim("batch")]
    (x,) = graph.inputs
    assert (x.array_type.shape, x.array_type.dtype) == ((Dim("batch"), *model.input_shape), model.dtype)
    rng = np.random.default_rng(0)
    for batch in BATCHES:
        rows = rng.integers(0, 5, (batch, *model.input_shape)).astype(model.dtype)  # "words" looks them up
        _agrees(graph, rows, model.predict(rows))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation(name: str) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(4, name), mc.nn.Dense(2))
    model = mc.Model(net, net.init(0, (3,)), (3,), "squared_error")
    rows = np.random.default_rng(0).standard_normal((5, 3), np.float32)
    _agrees(model.graph(), rows, model.predict(rows))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_output_activation_of_every_loss(name: str) -> None:
    width = getattr(Loss(name).outputs, "width", 1)
    net = mc.nn.Sequential(mc.nn.Dense(width if width > 1 else 3))
    model = mc.Model(net, net.init(0, (3,)), (3,), name)
    rows = np.random.default_rng(0).standard_normal((5, 3), np.float32)
    _agrees(model.graph(), rows, model.predict(rows))


def _frame(rows: int) -> polars.DataFrame:
    """Return a table with every kind of column, and with what was never seen in training."""
    words = ["good", "bad", None, "odd"]
    return polars.DataFrame(
        {
            "size": [None if i % 11 == 0 else f"{i % 7}.5" for i in range(rows)],
            "mood": [words[i % 4] for i in range(rows)],
            "town": [f"town {i % 45}" for i in range(rows)],
            "day": [None if i % 13 == 0 else f"2024-0{1 + i % 9}-1{i % 8}" for i in range(rows)],
            "tame": [("yes", "no", "")[i % 3] for i in range(rows)],
            "kind": ["abc"[i % 3] for i in range(rows)],
        }
    )


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_of_a_table_the_scaling_is_in_the_graph(scaling: Any) -> None:
    frame = _frame(200)
    encoder = Encoder.fit(frame.head(120), infer_schema(frame.head(120), "kind"), scaling)
    embedding = mc.nn.ColumnEmbedding(encoder.embeddings, 2)
    net = mc.nn.Sequential(embedding, mc.nn.Dense(4, "relu"), mc.nn.Dense(3))
    features = (len(encoder.features),)
    model = mc.Model(net, net.init(0, features), features, "softmax_cross_entropy", encoder)
    graph = model.graph()
    assert graph.inputs[0].array_type.shape == (Dim("batch"), len(encoder.columns))
    for rows in (0, 1, 200):
        some = frame.head(rows)
        _agrees(graph, encoder.read(some), model.predict(encoder.transform(some)))
        _agrees(graph, encoder.read(some), model.predict_proba_table(some))


@pytest.mark.parametrize("name", [name for name in SAMPLES if SAMPLES[name].table is not None])
def test_of_a_table_in_a_file(name: str) -> None:
    model = _model(name)
    some = _frame(50).with_columns(polars.lit("good").alias("mood"))
    assert model.table is not None
    _agrees(model.graph(), model.table.read(some), model.predict_proba_table(some))


def test_reading_and_scaling_are_the_whole_of_encoding() -> None:
    frame = _frame(200)
    for scaling in ("robust", "standard"):
        encoder = Encoder.fit(frame.head(120), infer_schema(frame.head(120), "kind"), scaling)
        values = encoder.read(frame)
        assert values.shape == (200, len(encoder.columns))
        assert encoder.encoded(values).tobytes() == encoder.transform(frame).tobytes()


def test_the_weights_of_then_are_in_the_graph() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(2))
    params = net.init(0, (3,))
    model = mc.Model(net, params, (3,), "squared_error")
    rows = np.ones((2, 3), np.float32)
    graph, before = model.graph(), model.predict(rows)
    params["0"]["weight"] += 1
    np.testing.assert_allclose(interpret(graph)(rows)[0], before, rtol=1e-6)  # three products, in float32
    held = [n.attrs["value"] for n in graph.nodes if n.op is CONST]
    assert not any(value.flags.writeable for value in held)


def test_machine_code_of_it_is_refused_in_one_line() -> None:
    for name in ("small", "wide", "tabular"):
        with pytest.raises(mc.TraceError, match="needs the length 'batch' of f") as caught:
            NativeProgram(_model(name).graph())
        assert "\n" not in str(caught.value)


def test_a_predictor_of_embedded_words() -> None:
    model = _model("words")
    rows = np.array([[0, 4, 2], [1, 1, 3]], np.float32)
    predict = model.predictor()
    found = np.concatenate([predict(row) for row in rows])
    np.testing.assert_allclose(found, model.predict(rows), rtol=1e-6)  # six products, in float32
