"""A model as ONNX: the whole pipeline, from cells to labels, and the numeric core by itself.

    NAME.onnx           an input a column, by its name, [rows, 1]: float32 for numbers (NaN is missing),
                        strings for all else ("" is missing); outputs `label` and `probabilities`, or
                        `prediction`; an underscore behind it where a column is called so
    NAME.core.onnx      features -> the network's outputs, float32

Strings are taken as they are: levels are compared letter by letter, blanks around them included; dates are
written 2026-11-30 or 2026-11-30T23:59:59.

Differs     skl2onnx scales in float32 by factors; here scaling is in float64, as in training. Runtimes before
            ONNX Runtime 1.18 have no operator that splits strings, which dates need (opset 20)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.lower.compile import graph_with_dims
from minicolumn.lower.onnx_nodes import Nodes
from minicolumn.model.export.onnx_functions import functions
from minicolumn.model.export.pipeline import Pipeline, missing_words
from minicolumn.tables.inputs.categories import GAP, OTHER, BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DATE_PARTS, DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.values import NO, YES, without_point_zero

Array = np.ndarray[Any, np.dtype[Any]]
PRODUCER, ARRAY_INPUT, CORE_SUFFIX = "minicolumn", "x", ".core.onnx"
_OPSET, _OPSET_OF_DATES, _ML_OPSET, _IR = 18, 20, 3, 8
_CLOCK = 7  # numbers of a date: year, month, day, hour, minute, second, and whether it is there


def onnx_files(pipeline: Pipeline) -> dict[str, bytes]:
    """Return the files of a model by name.

    Errors      DataError: the extra `onnx` is not installed, or an operation has no line
    """
    _check_installed()
    found = {f"{pipeline.name}.onnx": onnx_pipeline(pipeline)}
    if pipeline.columns:
        found[f"{pipeline.name}{CORE_SUFFIX}"] = onnx_core(pipeline)
    return found


def _check_installed() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise DataError("export: ONNX needs the package onnx; pip install 'minicolumn[onnx]'") from None


def onnx_core(pipeline: Pipeline) -> bytes:
    """Return the numeric core: what the network makes of features, f32[batch, ...] -> f32[batch, outputs]."""
    model = pipeline.model
    x = np.zeros((1, *model.input_shape), model.dtype)
    graph = graph_with_dims(lambda X: pipeline.activated(pipeline.network(X)), {0: "batch"}, x)
    nodes = Nodes(ARRAY_INPUT, functions(model.dtype))
    (out,) = nodes.graph(graph, [ARRAY_INPUT])
    shape = graph.outputs[0].array_type.shape[1:]
    inputs = [(ARRAY_INPUT, model.dtype, ["batch", *model.input_shape])]
    return _bytes(pipeline, nodes, inputs, [("outputs", out, model.dtype, ["batch", *shape])], _OPSET)


def onnx_pipeline(pipeline: Pipeline) -> bytes:
    """Return the whole pipeline."""
    if not pipeline.columns:
        return _of_arrays(pipeline)
    assert pipeline.encoder is not None
    names = [part.name for part in pipeline.columns]
    nodes, parts = Nodes(names[0], functions(pipeline.model.dtype), names), []
    for part in pipeline.ordered:
        parts.append(CELLS[type(part)](nodes, part, missing_words(pipeline.encoder)))
    joined = nodes.add("Concat", *parts, axis=1)
    (answers,) = nodes.graph(_graph(pipeline), [joined])
    dated = any(isinstance(part, DatetimeInput) for part in pipeline.columns)
    inputs = [
        (part.name, np.float32 if isinstance(part, NumberInput) else str, ["batch", 1])
        for part in pipeline.columns
    ]
    outputs = [
        (nodes.free(name), value, dtype, shape)
        for name, value, dtype, shape in _outputs(nodes, pipeline, answers)
    ]
    return _bytes(pipeline, nodes, inputs, outputs, _OPSET_OF_DATES if dated else _OPSET)


def _of_arrays(pipeline: Pipeline) -> bytes:
    dtype = pipeline.model.dtype
    nodes = Nodes(ARRAY_INPUT, functions(dtype))
    (answers,) = nodes.graph(pipeline.batch_graph, [ARRAY_INPUT])
    inputs = [(ARRAY_INPUT, dtype, ["batch", pipeline.width])]
    return _bytes(pipeline, nodes, inputs, _outputs(nodes, pipeline, answers), _OPSET)


def _outputs(nodes: Nodes, pipeline: Pipeline, answers: str) -> list[tuple[str, str, Any, list[Any]]]:
    """Return the outputs: name, the value behind it, dtype and shape."""
    if pipeline.labels is None:
        found = []
        for k, name in enumerate(pipeline.answers):
            one = nodes.add("Slice", answers, *(nodes.constant([n], np.int64) for n in (k, k + 1, 1)))
            found.append((name.replace(" ", "_"), one, np.float32, ["batch", 1]))
        return found
    if pipeline.threshold is None:
        code = nodes.add("ArgMax", answers, axis=1, keepdims=0)
    else:
        second = nodes.add("Gather", answers, nodes.constant(1, np.int64), axis=1)
        least = nodes.constant(pipeline.threshold, np.float32)
        code = nodes.cast(nodes.add("GreaterOrEqual", second, least), np.int64)
    label = nodes.add("Gather", nodes.constant(np.array(pipeline.labels, object)), code)
    return [
        ("label", label, str, ["batch"]),
        ("probabilities", answers, np.float32, ["batch", len(pipeline.labels)]),
    ]


def _bytes(
    pipeline: Pipeline,
    nodes: Nodes,
    inputs: list[tuple[str, Any, list[Any]]],
    outputs: list[tuple[str, str, Any, list[Any]]],
    opset: int,
) -> bytes:
    """Return the file, once ONNX's own checker has gone through it."""
    import onnx
    from onnx import TensorProto, helper

    def kind(dtype: Any) -> int:
        return TensorProto.STRING if dtype is str else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    for name, source, _, _ in outputs:
        nodes.nodes.append(helper.make_node("Identity", [source], [name]))
    graph = helper.make_graph(
        nodes.nodes,
        pipeline.name,
        [helper.make_tensor_value_info(name, kind(dtype), shape) for name, dtype, shape in inputs],
        [helper.make_tensor_value_info(name, kind(dtype), shape) for name, _, dtype, shape in outputs],
        nodes.initializers,
    )
    versions = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    made = helper.make_model(graph, opset_imports=versions, producer_name=PRODUCER, ir_version=_IR)
    told = {"answers": json.dumps(pipeline.answers), "classes": json.dumps(pipeline.labels)}
    helper.set_model_props(made, told)
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


# Cells ------------------------------------------------------------------------------------------------------


def _number(nodes: Nodes, part: NumberInput, missing: frozenset[str]) -> str:
    return nodes.cast(part.name, np.float64)


def _in_any_case(words: set[str] | frozenset[str]) -> list[str]:
    """Return words in lower and upper case, and with a capital."""
    return sorted({form for word in words for form in (word, word.upper(), word.capitalize())})


def _boolean(nodes: Nodes, part: BooleanInput, missing: frozenset[str]) -> str:
    signs = dict.fromkeys(_in_any_case(NO), -1.0) | dict.fromkeys(_in_any_case(YES), 1.0)
    signs |= {"1.0": 1.0, "0.0": -1.0}
    signs = {word: sign for word, sign in signs.items() if without_point_zero(word.lower()) not in missing}
    found = nodes.add(
        "LabelEncoder", part.name, domain="ai.onnx.ml", keys_strings=list(signs),
        values_floats=list(signs.values()), default_float=0.0,
    )  # fmt: skip
    return nodes.cast(found, np.float64)


def _category(nodes: Nodes, part: CategoryInput, missing: frozenset[str]) -> str:
    codes = dict.fromkeys(_in_any_case(missing), GAP)
    for code, level in enumerate(part.levels, 2):
        codes[level] = code
        if level.lstrip("+-").isdigit():
            codes.setdefault(f"{level}.0", code)
    found = nodes.add(
        "LabelEncoder", part.name, domain="ai.onnx.ml", keys_strings=list(codes),
        values_int64s=list(codes.values()), default_int64=OTHER,
    )  # fmt: skip
    return nodes.cast(found, np.float64)


def _date(nodes: Nodes, part: DatetimeInput, missing: frozenset[str]) -> str:
    """Return year, month, day, hour, minute, second of dates, and 1 where there is one, [rows, 7].

    A text is given the end that it may lack before it is cut: "T0:0:0" behind a date, ":0" behind a clock.
    """
    flat = nodes.add("Reshape", part.name, nodes.constant([-1], np.int64))
    known = nodes.add("Not", nodes.add("Equal", flat, nodes.constant(np.array("", object))))
    filled = nodes.add("Where", known, flat, nodes.constant(np.array("2000-01-01", object)))
    day, clock = _pieces(nodes, filled, "T", "T0:0:0", 2)
    numbers = [*_pieces(nodes, day, "-", "", 3), *_pieces(nodes, clock, ":", ":0", 3)]
    columns = [nodes.cast(piece, np.float64) for piece in numbers] + [nodes.cast(known, np.float64)]
    last = nodes.constant([1], np.int64)
    return nodes.add("Concat", *(nodes.add("Unsqueeze", column, last) for column in columns), axis=1)


def _pieces(nodes: Nodes, text: str, delimiter: str, end: str, count: int) -> list[str]:
    """Return the first pieces of texts [rows], each [rows]."""
    whole = nodes.add("StringConcat", text, nodes.constant(np.array(end, object))) if end else text
    cut, _ = nodes.add_several("StringSplit", [whole], 2, delimiter=delimiter)
    return [nodes.add("Gather", cut, nodes.constant(k, np.int64), axis=1) for k in range(count)]


CELLS: dict[type, Callable[[Nodes, Any, frozenset[str]], str]] = {
    NumberInput: _number,
    BooleanInput: _boolean,
    CategoryInput: _category,
    DatetimeInput: _date,
}


def _graph(pipeline: Pipeline) -> Any:
    """Return the graph from what the nodes of cells give to the answers."""
    widths = [_CLOCK if isinstance(p, DatetimeInput) else len(p.columns) for p in pipeline.ordered]

    def answer(x: Array) -> Any:
        parts, start = [], 0
        for part, width in zip(pipeline.ordered, widths, strict=True):
            cells = x[:, start : start + width]
            parts.append(_parts_of_dates(part, cells) if isinstance(part, DatetimeInput) else cells)
            start += width
        return pipeline.answer(np.concatenate(parts, axis=1))

    return graph_with_dims(answer, {0: "batch"}, np.zeros((1, sum(widths))))


def _parts_of_dates(part: DatetimeInput, clock: Array) -> Any:
    """Return what `DatetimeInput.read` gives, of dates as numbers [rows, 7]; traceable."""
    year, month, day, hour, minute, second, known = (clock[:, k : k + 1] for k in range(_CLOCK))
    days = _days(year, month, day)
    seconds = hour * 3600.0 + minute * 60.0 + second
    weekday = (days + 3.0) - 7.0 * np.floor((days + 3.0) / 7.0) + 1.0
    ordinal = days - _days(year, 1.0 + 0.0 * month, 1.0 + 0.0 * day) + 1.0
    found = (year, month, day, weekday, ordinal, hour, minute, days + seconds / 86_400.0)
    missing = np.where(known > 0, 0.0, np.nan)
    parts = [found[DATE_PARTS.index(name)] + missing for name, _ in part.parts]
    return np.concatenate([*parts, *([1.0 - known] if part.indicator else [])], axis=1)


def _days(year: Array, month: Any, day: Any) -> Any:
    """Return days since 1970-01-01 of civil dates.

    Source      Hinnant, "chrono-compatible low-level date algorithms"
    """
    before = np.where(month <= 2.0, 1.0, 0.0)
    year = year - before
    era = np.floor(year / 400.0)
    of_era = year - era * 400.0
    of_year = np.floor((153.0 * (month + 12.0 * before - 3.0) + 2.0) / 5.0) + day - 1.0
    leap = np.floor(of_era / 4.0) - np.floor(of_era / 100.0)
    return era * 146_097.0 + of_era * 365.0 + leap + of_year - 719_468.0
