"""Artifacts for the tests and the long scripts of this folder."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import numpy as np
import polars

from minicolumn.model.artifact import Artifact
from minicolumn.nn import (
    Activation,
    AlphaDropout,
    BatchEnsemble,
    BatchNorm,
    ColumnEmbedding,
    ColumnSplines,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Ensemble,
    Flatten,
    Formulas,
    Frozen,
    GaussianDropout,
    GaussianNoise,
    Heads,
    LayerNorm,
    Loss,
    MeanOfMembers,
    MemberDense,
    Members,
    MonotoneQuantiles,
    NoisyReLU,
    PiecewiseDense,
    PiecewiseLinear,
    PReLU,
    Reshape,
    Residual,
    RMSNorm,
    Scale,
    Sequential,
    Standardize,
    VarianceScaling,
)
from minicolumn.nn.serialize import to_json
from minicolumn.tables import infer_schema
from minicolumn.tables.encode import Encoder
from minicolumn.tree import map_leaves


def artifact_of(
    net: Any, input_shape: tuple[int, ...], loss: Any = "squared_error", **fields: Any
) -> Artifact:
    """Return the artifact of a network with fresh weights."""
    params = net.init(0, input_shape)
    settings = {
        "optimizer": {"name": "adam", "learning_rate": 0.001},
        "epochs": 3,
        "seed": 0,
        "batch_size": 32,
    }
    history = [{"epoch": i, "loss": 1.0 / (i + 1), "val_loss": None} for i in range(3)]
    given = {"training": settings, "history": history, "metrics": {"rmse": 0.5, "validation": {"r2": 0.25}}}
    given |= {"package": "0.1.0", "data_hash": "sha256:" + "0" * 64, **fields}
    return Artifact(to_json(net), input_shape, params, loss, **given)


def small() -> Artifact:
    """Return a network of 13 weights."""
    return artifact_of(Sequential(Dense(3, activation="tanh"), Dropout(0.25), Dense(1)), (2,))


def tabular() -> Artifact:
    """Return a classifier over a table with every kind of column, one of them embedded."""
    rows = range(120)
    frame = polars.DataFrame(
        {
            "size": [f"{i % 7}.5" for i in rows],
            "mood": ["good" if i % 3 else "bad" for i in rows],
            "town": [f"town {i % 40}" for i in rows],
            "day": [f"2024-0{1 + i % 9}-1{i % 8}" for i in rows],
            "kind": ["abc"[i % 3] for i in rows],
        }
    )
    schema = infer_schema(frame, "kind")
    encoder = Encoder.fit(frame, schema)
    net = Sequential(ColumnEmbedding(encoder.embeddings, 2), Dense(4, activation="relu"), Dense(3))
    return artifact_of(
        net,
        (len(encoder.features),),
        "softmax_cross_entropy",
        table=encoder.to_json(),
        schema=schema.to_json(),
    )


def samples() -> dict[str, Artifact]:
    """Return artifacts of many shapes, by name."""
    double = small()
    return {
        "small": double,
        "float64": Artifact(
            **{**vars(double), "params": map_leaves(np.float64, double.params), "history": []}
        ),
        "nested": artifact_of(
            Sequential(Sequential(Dense(3, activation="relu")), Residual(Dense(3)), Dense(2, bias=False)),
            (3,),
        ),
        "wide": artifact_of(
            Sequential(Dense(40, activation="gelu"), Dense(10)), (20,), "softmax_cross_entropy"
        ),
        "ntk": artifact_of(Sequential(Scale(), Dense(4, activation="selu", parametrization="ntk")), (2,)),
        "ramps": artifact_of(
            Sequential(PiecewiseLinear(((1, (-1.0, 0.0, 2.5)),)), Scale(), Dense(2, parametrization="ntk")),
            (2,),
            "softmax_cross_entropy",
        ),
        "formulas": artifact_of(Sequential(Formulas(("x1", "x2^2", "sin(x1)")), Dense(1)), (2,)),
        "stays": artifact_of(Sequential(Standardize(), Frozen(Dense(3, "relu")), Dense(1)), (2,)),
        "image": artifact_of(Sequential(Flatten(), Dense(2)), (3, 4), data_hash=None, metrics={}),
        "words": artifact_of(Sequential(Embedding(5, 2), Flatten(), Dense(1)), (3,)),
        "norms": artifact_of(
            Sequential(Dense(4, "glu"), BatchNorm(), LayerNorm(affine=False), RMSNorm(), PReLU(), Dense(1)),
            (3,),
        ),
        "noise": artifact_of(
            Sequential(GaussianNoise(0.1), NoisyReLU(), AlphaDropout(0.1), GaussianDropout(0.2), Dense(1)),
            (3,),
        ),
        "branches": artifact_of(
            Sequential(
                Concatenate(Sequential(), Dense(2, initializer=VarianceScaling(2.0, "fan_avg"))),
                Heads(size=Dense(1), kind=Sequential(Activation("tanh"), Dense(2))),
            ),
            (3,),
        ),
        "quantiles": artifact_of(
            Sequential(Dense(3), MonotoneQuantiles()),
            (2,),
            Loss("quantile", levels=(0.1, 0.5, 0.9)).to_json(),
        ),
        "running sums": artifact_of(
            Sequential(PiecewiseDense(3, ((1, (-1.0, 0.0, 2.5)),), "selu"), Dense(1)), (2,)
        ),
        "ensemble": artifact_of(
            Ensemble(
                Sequential(PiecewiseDense(4, ((1, (-1.0, 0.0, 2.5)),), "selu", 0.1), Dense(2)),
                Sequential(
                    ColumnSplines(4, ((0, (0.0, 1.0)),), ((2, 5),)), Reshape((2, 2)), Flatten(), Dense(2)
                ),
                average="softmax",
            ),
            (3,),
            "softmax_cross_entropy",
        ),
        "members": artifact_of(
            Sequential(
                Members(3, "normal", blocks=(2, 1)),
                BatchEnsemble(4, "relu", inputs=False),
                MemberDense(2),
                MeanOfMembers("probabilities"),
            ),
            (3,),
            "softmax_cross_entropy",
        ),
        "tabular": tabular(),
        "table without schema": Artifact(**{**vars(tabular()), "schema": None}),
    }


def numbered(artifact: Artifact, number: int) -> Artifact:
    """Return the artifact with every weight equal to a number."""
    params = map_leaves(lambda leaf: np.full(leaf.shape, number, np.float64), artifact.params)
    return Artifact(**{**vars(artifact), "params": params})


def number_of(artifact: Artifact) -> int:
    """Return the number that `numbered` put in; -1 if the weights are not all equal."""
    found: set[float] = set()
    map_leaves(lambda leaf: found.update(np.unique(leaf).tolist()), artifact.params)
    return int(found.pop()) if len(found) == 1 else -1


def header_of(data: bytes) -> dict[str, Any]:
    """Return the header of a model file as it stands."""
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def body_of(data: bytes) -> bytes:
    """Return the bytes of a model file's tensors."""
    return data[8 + int.from_bytes(data[:8], "little") :]


def framed(text: str, body: bytes) -> bytes:
    """Return a file of any header text: the length is right, the digest is what the text says."""
    raw = text.encode("utf-8", "replace")
    raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw)) + raw + body


def sealed(header: dict[str, Any], body: bytes) -> bytes:
    """Return a file of any header with the length and digest it should have: an attacker can do so too."""
    header = dict(header)
    header["__metadata__"] = {**header["__metadata__"], "sha256": "0" * 64}
    blank = framed(json.dumps(header, separators=(",", ":")), body)
    header["__metadata__"]["sha256"] = hashlib.sha256(blank).hexdigest()
    return framed(json.dumps(header, separators=(",", ":")), body)
