"""Models of tables with every kind of column, for what exports make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars

import minicolumn as mc
from minicolumn.model.model import Model
from minicolumn.tables import infer_schema
from minicolumn.tables.encode import Encoder

HOSTILE = ['say "hi"', "back\\slash", "??/", "*/", "</script>", "서울", "🙂", "--%>", "'; x"]


def frame(
    target: str, gaps: float, names: Mapping[str, str] | None = None, rows: int = 90
) -> polars.DataFrame:
    """Return rows with a column of each kind, a share of whose cells is missing."""
    rng = np.random.default_rng(0)
    kinds = {
        "size": [f"{x:.2f}" for x in rng.normal(3, 2, rows)],
        "count": [str(x) for x in rng.integers(0, 400, rows)],
        "flag": [("yes", "no")[x] for x in rng.integers(0, 2, rows)],
        "town": [f"town {x}" for x in rng.integers(0, 20, rows)],
        "tag": [HOSTILE[x] for x in rng.integers(0, len(HOSTILE), rows)],
        "two": [("a", "b")[x] for x in rng.integers(0, 2, rows)],
        "day": [f"2024-{1 + x % 12:02}-{1 + x % 28:02}" for x in rng.integers(0, 300, rows)],
        "time": [
            f"20{10 + x % 9}-01-02 {x % 24:02}:{x % 60:02}:{x % 50:02}" for x in rng.integers(0, 300, rows)
        ],
    }
    columns = {
        (names or {}).get(name, name): [None if rng.random() < gaps else cell for cell in cells]
        for name, cells in kinds.items()
    }
    goals = {
        "number": [f"{x:.3f}" for x in rng.lognormal(3, 1, rows)],
        "two classes": [("no </b>", "yes */")[x] for x in rng.integers(0, 2, rows)],
        "classes": [HOSTILE[x] for x in rng.integers(0, len(HOSTILE), rows)],
    }
    return polars.DataFrame(columns | {"goal": goals[target]})


def model(
    table: polars.DataFrame, loss: Any = None, settings: dict[str, Any] | None = None, **changed: Any
) -> Model:
    """Return an untrained model of a table, whose weights are random."""
    schema = infer_schema(table, "goal")
    encoder = replace(Encoder.fit(table, schema), **changed)
    classes = len(encoder.classes or ())
    loss = loss or ("softmax_cross_entropy" if classes else "squared_error")
    outputs = {"quantile": 3, "gaussian_nll": 2, "binary_cross_entropy": 1}.get(loss, classes or 1)
    net = mc.nn.Sequential(
        mc.nn.ColumnEmbedding(encoder.embeddings, 2), mc.nn.Dense(9, "selu"), mc.nn.Dense(outputs)
    )
    width = len(encoder.features)
    return Model(net, net.init(3, (width,)), (width,), loss, encoder, loss_settings=settings or {})


def models() -> dict[str, Model]:
    """Return models of both tasks, and of what outputs and targets may mean, by name."""
    renamed = {
        "size": "int",
        "count": "a b",
        "flag": "a-b",
        "town": "__proto__",
        "tag": "row",
        "day": "x",
        "two": "한글",
    }
    return {
        "number": model(frame("number", 0.0)),
        "gaps": model(frame("number", 0.3)),
        "asinh": model(frame("number", 0.1), target_unit=20.0, target_mean=0.5, target_scale=0.7),
        "quantiles": model(frame("number", 0.1), "quantile", {"levels": (0.05, 0.5, 0.95)}),
        "normal": model(frame("number", 0.1), "gaussian_nll"),
        "classes": model(frame("classes", 0.1)),
        "binary": model(frame("two classes", 0.1), "binary_cross_entropy"),
        "threshold": model(frame("two classes", 0.1), threshold=0.3),
        "missing": model(frame("two classes", 0.1), missing=("gone", "-999", "0.0", "ÖDE")),
        "names": model(frame("classes", 0.1, renamed)),
        "names of ONNX": model(frame("classes", 0.1, {"size": "label", "count": "c0", "flag": "concat_0_0"})),
        "names of outputs": model(frame("number", 0.1, {"size": "prediction", "tag": "asm", "two": "linux"})),
    }
