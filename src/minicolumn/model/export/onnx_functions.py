"""Activations that ONNX has as operators of its own, opset 18: written by name instead of step by step.

Readers of a graph see them as such, and runtimes have kernels of their own for them. Where they lie in a
graph is found by `passes.outline`, against the definition of the activation itself.

Differs     Gelu comes with opset 20, and no opset to 22 has silu: they are written out
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op
from minicolumn.lower.onnx_nodes import Nodes, Writer, plain
from minicolumn.nn.activations import activation_by_name


def _between(low: float, high: float) -> Writer:
    def write(to: Nodes, node: Node, names: list[str]) -> str:
        return to.add("Clip", names[0], *(to.constant(end, node.array_type.dtype) for end in (low, high)))

    return write


_IN_FLOATS: Mapping[str, Writer] = {
    "relu": plain("Relu"),
    "softmax": plain("Softmax", axis=-1),
    "log_softmax": plain("LogSoftmax", axis=-1),
    "relu6": _between(0.0, 6.0),
    "hard_tanh": _between(-1.0, 1.0),
}
# Which runtimes compute in float32 alone.
_IN_FLOAT32: Mapping[str, Writer] = {
    "selu": plain("Selu"),
    "elu": plain("Elu"),
    "celu": plain("Celu"),
    "leaky_relu": plain("LeakyRelu"),
    "threshold": plain("ThresholdedRelu"),
    "mish": plain("Mish"),
    "softsign": plain("Softsign"),
    "hard_sigmoid": plain("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": plain("HardSwish"),
    "hard_shrink": plain("Shrink"),
    "soft_shrink": plain("Shrink", bias=0.5),
}


def functions(dtype: np.typing.DTypeLike) -> dict[Op, Writer]:
    """Return the activations that networks of a dtype may have, each with how it is written.

    Those with settings are at their defaults, which are ONNX's too.
    """
    known = {**_IN_FLOATS, **(_IN_FLOAT32 if np.dtype(dtype) == np.float32 else {})}
    return {_operation(name): writer for name, writer in known.items()}


def _operation(name: str) -> Op:
    """Return an activation as an operation of a graph: its function is what it means, and its expansion."""
    function = activation_by_name(name).function
    return Op(name, "map", lambda x: x, function, expansion=function)
