"""ONNX Runtime's side of the inference benchmark."""

from __future__ import annotations

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingImports]  an optional peer
from onnx import TensorProto, checker, helper, numpy_helper  # pyright: ignore[reportMissingImports]  an optional peer

from minicolumn.bench.sides import Side
from minicolumn.bench.workloads import Problem

_OPSET = 17
_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh"}


def prediction(problem: Problem, X: np.ndarray, repeat: int) -> list[Side]:
    """Return the side of an ONNX Runtime session on the CPU: the probabilities of some rows.

    X           float32 [rows, features]; repeat: predictions in one call
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(network(problem), options, providers=["CPUExecutionProvider"])

    def call() -> np.ndarray:
        for _ in range(repeat - 1):
            session.run(None, {"x": X})
        return np.asarray(session.run(None, {"x": X})[0])

    return [Side("ONNX Runtime", call, repeat)]


def network(problem: Problem) -> bytes:
    """Return the problem's network and a softmax as a serialized ONNX model, opset 17.

    Layers are Gemm nodes with the weights as initializers; the number of rows is symbolic.
    """
    nodes, constants, before = [], [], "x"
    for number, pair in enumerate(problem.weights):
        names = [f"weight{number}", f"bias{number}"]
        constants += [numpy_helper.from_array(a, n) for a, n in zip(pair, names, strict=True)]
        nodes.append(helper.make_node("Gemm", [before, *names], [f"sum{number}"]))
        last = number == len(problem.weights) - 1
        kind = "Softmax" if last else _ACTIVATIONS[problem.workload.activation]
        before = "y" if last else f"out{number}"
        nodes.append(helper.make_node(kind, [f"sum{number}"], [before]))
    ends = [("x", problem.workload.features), ("y", problem.workload.widths[-1])]
    given, wanted = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["rows", size]) for n, size in ends)
    graph = helper.make_graph(nodes, "network", [given], [wanted], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    checker.check_model(model)
    return model.SerializeToString()
