"""ONNX import: multilayer perceptrons as PyTorch, Keras (tf2onnx) and scikit-learn (skl2onnx) write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn.errors import ModelFileError, one_line
from minicolumn.model.export.onnx_file import ARRAY_INPUT, CORE_SUFFIX, PRODUCER
from minicolumn.model.file_sniffing import sniff_format
from minicolumn.model.files import PathLike, read_whole, shown
from minicolumn.model.imports.chain import LONGEST_LINE, Chain
from minicolumn.model.imports.onnx_graph import Graph, Node, Port, read_graph
from minicolumn.model.imports.onnx_operators import OPERATORS
from minicolumn.model.imports.onnx_values import Batch, Rows, Values, integer_of, settle
from minicolumn.model.model import Model
from minicolumn.nn.ending import ending
from minicolumn.nn.losses import Loss
from minicolumn.nn.losses import as_loss as check_loss

Array = np.ndarray
MAX_BYTES = 2 * 1024**3
_OWN = "the model file that it was exported from"


def from_onnx(path: PathLike, *, loss: str | Loss | None = None, output: str | None = None) -> Model:
    """Return the network of an ONNX file as a model; nothing in the file is run, no other file is opened.

    path        of a .onnx file, at most 2 GiB
    loss        says what the outputs mean; by default softmax or logistic at the end make probabilities, and
                anything else numbers. Of a network that ends in raw scores of classes it is
                "softmax_cross_entropy", and predictions are their softmax then
    output      name of the output that is wanted; by default the last one that is no label
    Returns     a `Model` that predicts what the file does, to rounding; a `ClassifierModel` where the file
                holds labels, as those of scikit-learn's classifiers do
    Errors      ModelFileError, in one line: every operator without a layer here is named, with its node;
                DataError for an unknown loss
    Source      github.com/onnx/onnx, Operators.md and onnx-ml
    Differs     ONNX Runtime computes any graph; this makes a network of layers, which can be trained on
    """
    found = check_loss(loss) if loss is not None else None
    data = read_whole(path, MAX_BYTES)
    own = ""
    try:
        with np.errstate(all="ignore"):
            graph = read_graph(data)
            _check_no_table(graph, Path(os.fsdecode(path)))
            own = f"; open {_OWN}" if graph.producer == PRODUCER else ""
            return model_of(graph, found, output)
    except ModelFileError as error:
        raise ModelFileError(
            f"{shown(path)} {_foreign(data) or one_line(error, LONGEST_LINE)}{own}"
        ) from None


def _check_no_table(graph: Graph, path: Path) -> None:
    """Refuse the whole pipeline of a table as we export it: of its two files the other one is a network's."""
    if graph.producer == PRODUCER and [port.name for port in graph.inputs] != [ARRAY_INPUT]:
        core = path.with_suffix(CORE_SUFFIX).name
        raise ModelFileError(
            "is the whole pipeline of an export, from a table's cells to answers; "
            f"import its numeric core, {core}, or open {_OWN}"
        )


def _foreign(data: bytes | bytearray) -> str:
    """Return what else a file is that could not be read as ONNX, "" where that is not known."""
    said = sniff_format(bytes(data[:65536]), bytes(data[-65536:]), "an ONNX network")
    return "" if said.startswith(("is an ONNX", "is unknown")) else said


def model_of(graph: Graph, loss: Loss | None = None, output: str | None = None) -> Model:
    """Return the model of a graph; ModelFileError, whose text begins with a verb."""
    wanted = _output(graph, output)
    needed = _needed(graph, wanted)
    if missing := [node.where for node in needed if _key(node) not in OPERATORS]:
        listed = ", ".join(missing[:20]) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        raise ModelFileError(f"has operators that no layer here computes: {listed}")
    end = _walked(graph, needed, wanted)
    binary = isinstance(end, Rows) and end.both
    rows = settle(end.of_second()) if binary else settle(end)
    classes = _classes(graph)
    shape = rows.chain.shape
    outputs = shape[-1] if shape else 1
    if classes is not None and len(classes) != (2 if outputs == 1 else outputs):
        classes = None
    if binary and classes is None:
        classes = np.array([0, 1])
    source = {"format": "onnx", "producer": graph.producer[:60] if graph.producer.isprintable() else ""}
    double = any(array.dtype == np.float64 and array.size > 1 for array in graph.constants.values())
    return rows.chain.model(
        source, loss, classes, _multilabel(graph, rows, classes), np.float64 if double else np.float32
    )


def _key(node: Node) -> str:
    return node.op if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op}"


def _output(graph: Graph, name: str | None) -> str:
    """Return the name of the value to import: behind what only labels or packs probabilities."""
    names = [port.name for port in graph.outputs]
    if name is not None:
        if name not in names:
            raise ModelFileError(f"has no output {name[:60]!a}; there are {', '.join(names[:8])}")
        return name
    makers = {out: node for node in graph.nodes for out in node.outputs}
    plain = [own for own in names if not _labels(makers, own)]
    if not plain:
        raise ModelFileError("has no output of numbers")
    last = plain[-1]
    while (node := makers.get(last)) is not None and node.op == "ZipMap" and node.inputs:
        makers.pop(last)
        last = node.inputs[0]
    return last


def _labels(makers: dict[str, Node], name: str) -> bool:
    """Return whether an output is made of labels: an ArgMax lies behind it, by a short way."""
    seen: set[str] = set()
    while name in makers and name not in seen:
        seen.add(name)
        node = makers[name]
        if node.op in ("ArgMax", "ArrayFeatureExtractor", "LabelEncoder"):
            return True
        if node.op == "Gather" and len(node.inputs) == 2:  # of a list of labels, by what an ArgMax found
            name = node.inputs[1]
            continue
        if node.op not in ("Cast", "Reshape", "Identity", "Squeeze") or not node.inputs:
            return False
        name = node.inputs[0]
    return False


def _needed(graph: Graph, wanted: str) -> list[Node]:
    """Return the nodes that a value depends on, in the order of the file."""
    makers = {out: place for place, node in enumerate(graph.nodes) for out in node.outputs}
    places: set[int] = set()
    waiting = [wanted]
    while waiting:
        name = waiting.pop()
        if name in makers and makers[name] not in places:
            places.add(makers[name])
            waiting += graph.nodes[makers[name]].inputs
    return [graph.nodes[place] for place in sorted(places)]


def _walked(graph: Graph, needed: list[Node], wanted: str) -> Any:
    """Return the value of a name, by applying the nodes in order."""
    inputs = [port for port in graph.inputs if port.name not in graph.constants]
    read = {name for node in needed for name in node.inputs} | {wanted}
    used = [port for port in inputs if port.name in read]
    if len(used) != 1:
        names = ", ".join(port.name[:60] for port in used[:8]) or "none"
        raise ModelFileError(f"has {len(used)} inputs ({names}); expected one, of rows of numbers")
    values: Values = dict(graph.constants)
    values[used[0].name] = Rows(Chain(_input_shape(used[0], needed, graph)))
    batch = used[0].shape[0] if used[0].shape else None
    for node in needed:
        if any(name and name not in values for name in node.inputs):
            raise ModelFileError(f"reads a value before it is made, in {node.where}")
        if not node.outputs or not (node.inputs or node.op == "Constant"):
            raise ModelFileError(f"has a node without operands or results, {node.where}")
        try:
            made = OPERATORS[_key(node)](
                node, [values.get(n) for n in node.inputs], Batch(graph.opset, batch)
            )
        except ModelFileError as error:
            raise ModelFileError(f"{error}, in {node.where}") from None
        values[node.outputs[0]] = made
    if wanted not in values:
        raise ModelFileError(f"does not make its output {wanted[:60]!a}")
    if isinstance(values[wanted], np.ndarray):
        raise ModelFileError("has an output that is constant")
    return values[wanted]


def _input_shape(port: Port, needed: list[Node], graph: Graph) -> tuple[int, ...]:
    """Return the shape of one row: as the file says, else by the first weight."""
    if port.shape and len(port.shape) > 1 and None not in port.shape[1:]:
        return tuple(n for n in port.shape[1:] if n is not None)
    for node in needed:
        weight = graph.constants.get(node.inputs[1]) if len(node.inputs) > 1 else None
        if node.op in ("MatMul", "Gemm") and weight is not None and weight.ndim == 2:
            turned = node.op == "Gemm" and integer_of(node, "transB", 0) != 0
            return (weight.shape[1 if turned else 0],)
    raise ModelFileError("does not say how many features its input has")


def _classes(graph: Graph) -> Array | None:
    """Return the labels that the nodes behind the probabilities hold; None where there are none."""
    for node in graph.nodes:
        for name in ("classlabels_strings", "classlabels_int64s"):
            listed = node.attributes.get(name)
            if node.op == "ZipMap" and isinstance(listed, list) and listed:
                return np.array(listed)
    for node in graph.nodes:
        found = graph.constants.get(node.inputs[0]) if node.inputs else None
        listing = node.op == "Gather" and found is not None and found.dtype == object
        if (node.op == "ArrayFeatureExtractor" or listing) and found is not None and found.size:
            flat = found.reshape(-1)
            return flat.astype(str) if flat.dtype == object else flat
    return None


def _multilabel(graph: Graph, rows: Rows, classes: Array | None) -> bool:
    """Return whether several logistic outputs answer by themselves."""
    several = bool(rows.chain.shape) and rows.chain.shape[-1] > 1
    return classes is not None and several and ending(rows.chain.network) == "logistic"
