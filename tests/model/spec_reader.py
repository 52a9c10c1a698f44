"""A reader of model files in Python and NumPy alone, written from docs/file-format.md and from nothing else.

It imports nothing of minicolumn: it shows that the page is enough. What it does not know it refuses.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Cells = Mapping[str, Sequence[Any]]  # texts, numbers or None, by the name of the column
DTYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U32": "<u4", "U8": "|u1", "BOOL": "|b1"}
LONG = ("network", "table", "schema", "training", "metrics", "history")
SHORT = ("input_shape", "loss", "package", "data_hash")
MISSING = {"", "?", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "-", "--", "."}
YES, NO = {"true", "yes", "y", "t", "1", "on"}, {"false", "no", "n", "f", "0", "off"}


class Refused(Exception):
    """A file that this reader cannot read."""


@dataclass
class File:
    """What is in a file: its documents, its weights, the version of its format."""

    documents: dict[str, Any]
    weights: dict[str, Array]
    version: int


# The container ----------------------------------------------------------------------------------------------


def read(path: Path) -> File:
    """Read a file: its sizes and its checksum are checked."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    if length > 2**20 or 8 + length > len(data):
        raise Refused("the header is longer than it may be")
    header = json.loads(data[8 : 8 + length].decode("ascii"))
    metadata = header.pop("__metadata__")
    if metadata.get("format") != "minicolumn":
        raise Refused("another format")
    version = int(metadata["format_version"])
    if version > 2:
        raise Refused("written by a newer minicolumn")
    told = metadata["sha256"].encode()
    if data.count(told) != 1 or hashlib.sha256(data.replace(told, b"0" * 64)).hexdigest().encode() != told:
        raise Refused("the checksum does not fit")
    tensors, place = {}, 0
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[8 + length + begin : 8 + length + end], DTYPES[entry["dtype"]])
        if begin != place or array.size != math.prod(entry["shape"]):
            raise Refused(f"{name} is not where it should be")
        tensors[name], place = array.reshape(entry["shape"]), end
    if 8 + length + place != len(data):
        raise Refused("the data does not end with the file")
    texts = {name: metadata[name] for name in SHORT}
    for name in LONG:
        texts[name] = (
            metadata[name] if version == 1 else tensors.pop(f"json:{name}").tobytes().decode("utf-8")
        )
    weights = {name: array for name, array in tensors.items() if not name.startswith("checkpoint:")}
    return File({name: json.loads(text) for name, text in texts.items()}, weights, version)


# The network ------------------------------------------------------------------------------------------------


def activation(told: Any) -> Callable[[Array], Array]:
    """Return an activation by its name."""
    known: dict[str, Callable[[Array], Array]] = {
        "linear": lambda x: x,
        "relu": lambda x: np.maximum(x, 0),
        "logistic": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "step": lambda x: np.where(x >= 0, 1.0, 0.0),
        "softmax": softmax,
        "exponential": np.exp,
        "selu": lambda x: np.where(
            x > 0, 1.0507009873554805 * x, 1.7580993408473766 * np.expm1(np.minimum(x, 0))
        ),
        "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    }
    if not isinstance(told, str) or told not in known:
        raise Refused(f"unknown activation {told}")
    return known[told]


def softmax(x: Array) -> Array:
    """Return shares that add up to 1 along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layer(told: dict[str, Any], path: str, weights: dict[str, Array], x: Array) -> Array:
    """Return what a layer makes of rows [rows, ...]; its weights are taken out of `weights`."""
    take = lambda name: np.asarray(weights.pop(path + name), np.float64)  # noqa: E731
    kind = told["kind"]
    if kind == "sequential":
        for place, inner in enumerate(told["layers"]):
            x = layer(inner, f"{path}{place}.", weights, x)
        return x
    if kind == "ensemble":
        outputs = [layer(m, f"{path}{k}.", weights, x) for k, m in enumerate(told["members"])]
        return average(told.get("average", "numbers"), np.stack(outputs))
    if kind in ("dropout", "alpha_dropout", "gaussian_dropout", "gaussian_noise"):
        return x
    if kind == "flatten":
        return x.reshape(len(x), -1)
    if kind == "scale":
        return x * (1 + told.get("rate", 6.0) * take("scale"))
    if kind == "monotone_quantiles":
        return np.cumsum(np.concatenate([x[:, :1], np.logaddexp(0, x[:, 1:])], axis=1), axis=1)
    if kind == "activation":
        return activation(told["function"])(x)
    if kind == "dense":
        w = take("weight")
        if told.get("parametrization") == "ntk":
            w = w / math.sqrt(len(w))
        bias = told.get("bias_rate", 1.0) * take("bias") if told.get("bias", True) else 0.0
        return activation(told.get("activation", "linear"))(x @ w + bias)
    if kind == "piecewise_dense":
        x = with_ramps(told["knots"], x)
        factor = (1 + 6 * take("scale")) / math.sqrt(x.shape[1])
        z = x @ (factor[:, None] * take("weight")) + told.get("bias_rate", 1.0) * take("bias")
        return activation(told.get("activation", "linear"))(z)
    if kind == "column_embedding" and not told.get("shared"):
        codes = [column for column, _ in told["embeddings"]]
        rest = [k for k in range(x.shape[1]) if k not in codes]
        return np.concatenate([x[:, rest], *(take(str(c))[x[:, c].astype(int)] for c in codes)], axis=1)
    raise Refused(f"unknown layer {kind}")


def with_ramps(knots: list[Any], x: Array) -> Array:
    """Return columns with, beside them, how much of each stretch between two knots they have passed."""
    ramps = [
        np.clip((x[:, column] - low) / (high - low), 0, 1)
        for column, listed in knots
        for low, high in itertools.pairwise(listed)
    ]
    return np.column_stack([x, *ramps])


def average(how: str, z: Array) -> Array:
    """Return the average of members' outputs [members, rows, outputs]."""
    if how == "numbers":
        return z.mean(axis=0)
    if how == "softmax":
        return np.log(softmax(z).mean(axis=0))
    raise Refused(f"unknown average {how}")


def outputs(file: File, X: Array) -> Array:
    """Return predictions for input rows: raw outputs after the function of the loss."""
    weights = dict(file.weights)
    raw = layer(file.documents["network"], "", weights, X.astype(np.float64))
    if weights:
        raise Refused(f"a weight too many: {next(iter(weights))}")
    loss = file.documents["loss"]
    name = loss if isinstance(loss, str) else loss["name"]
    ends = {
        "softmax": ("softmax_cross_entropy", "softmax_focal", "kl_divergence"),
        "logistic": ("binary_cross_entropy", "binary_focal"),
        "exponential": ("squared_log_error", "poisson", "gamma", "tweedie"),
    }
    end = next((end for end, losses in ends.items() if name in losses), "linear")
    return activation(end)(raw)


# The table --------------------------------------------------------------------------------------------------


def scaled(scale: dict[str, Any], x: Array) -> Array:
    """Return scaled numbers; those that are missing become 0."""
    x = np.where(np.isfinite(x), x, scale["center"])
    x = np.clip((x - scale["center"]) * scale["factor"], -1e9, 1e9)
    return x / np.sqrt(1 + (x / 3) ** 2) if scale["smooth"] else x


def column(told: dict[str, Any], cells: Sequence[Any], missing: set[str]) -> Array:
    """Return the features of one column, [rows, features]."""
    words = [
        None if cell is None or str(cell).strip().lower() in missing else str(cell).strip() for cell in cells
    ]
    gaps = np.array([[word is None] for word in words], float)
    if told["kind"] == "number":
        x = np.array([math.nan if word is None else float(word) for word in words])
        parts = [scaled(told["scale"], x)[:, None]]
    elif told["kind"] == "datetime":
        parts = [
            scaled(
                part["scale"], np.array([math.nan if w is None else moment(part["part"], w) for w in words])
            )[:, None]
            for part in told["parts"]
        ]
    elif told["kind"] == "boolean":
        signs = [0 if w is None else (w.lower() in YES) - (w.lower() in NO) for w in words]
        parts, gaps = [np.array(signs, float)[:, None]], np.array([[sign == 0] for sign in signs], float)
    else:
        return category(told, words)
    return np.concatenate([*parts, gaps] if told["indicator"] else parts, axis=1)


def category(told: dict[str, Any], words: list[str | None]) -> Array:
    """Return the features of a category."""
    levels, many = told["levels"], len(told["levels"]) + told["missing"] > 9
    place = {level: k for k, level in enumerate(levels)}
    if many:
        codes = [1 if word is None else place.get(word, -2) + 2 for word in words]
        return np.array(codes, float)[:, None]
    if len(levels) == 2 and not told["missing"]:
        return np.array([[{0: -1, 1: 1}.get(place.get(str(word), 9), 0)] for word in words], float)
    found = np.array([[word == level for level in levels] for word in words], float)
    gaps = np.array([[word is None] for word in words], float)
    return np.concatenate([found, gaps], axis=1) if told["missing"] else found


def moment(part: str, word: str) -> float:
    """Return one part of a date."""
    day = datetime.fromisoformat(word)
    elapsed = (day - datetime(1970, 1, 1)).total_seconds() / 86_400
    parts = {"weekday": day.isoweekday(), "day of year": day.timetuple().tm_yday, "elapsed days": elapsed}
    return parts[part] if part in parts else getattr(day, part)


def matrix(file: File, rows: Cells) -> Array:
    """Return the features of raw rows."""
    table = file.documents["table"]
    missing = MISSING | set(table["missing"])
    coded = lambda told: (  # noqa: E731
        told["kind"] == "category" and len(told["levels"]) + told["missing"] > 9
    )
    parts = [column(told, rows[told["name"]], missing) for told in sorted(table["inputs"], key=coded)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def predict_rows(file: File, rows: Cells) -> list[Any]:
    """Return labels, or numbers in the target's unit, for raw rows."""
    table = file.documents["table"]
    found = outputs(file, matrix(file, rows))
    if table["classes"] is not None:
        if found.shape[1] == 1:
            found = np.concatenate([1 - found, found], axis=1)
        chosen = np.argmax(found, axis=1)
        if table["threshold"] != 0.5 and found.shape[1] == 2:
            chosen = (found[:, 1] >= table["threshold"]).astype(int)
        return [table["classes"][k] for k in chosen]
    loss = file.documents["loss"]
    levels = loss.get("levels", [0.5]) if isinstance(loss, dict) else [0.5]
    place = min(range(len(levels)), key=lambda k: abs(levels[k] - 0.5))
    t = found[:, place] * table["target_scale"] + table["target_mean"]
    if table["target_unit"]:
        t = table["target_unit"] * np.sinh(t)
    return np.clip(t, table["target_low"], table["target_high"]).tolist()
