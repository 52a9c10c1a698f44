"""A network as NumPy source: its graph, one line an operation, with the weights in it.

    print(numpy_source(network, params, (2,)))      a module with a function predict(x)

What is written needs NumPy alone, and can be read from top to bottom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.shapes import Dim
from minicolumn.lower.inspect import inspect
from minicolumn.nn.layer import Layer, Params
from minicolumn.passes.pipeline import EXPAND
from minicolumn.tree import named_leaves

Array = np.ndarray
# Stands for any number of rows: a prime that no layer is as wide as.
ROWS = 10_007
INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@", "greater": ">",
    "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==",
}  # fmt: skip
# How operations that are no function of NumPy's own are written, by operands and attributes.
WRITTEN: Mapping[str, Callable[..., str]] = {
    "logistic": lambda x: f"np.exp(-np.logaddexp(0, -{x}))",
    "softplus": lambda x: f"np.logaddexp(0, {x})",
    "erfc": lambda x: f"np.vectorize(math.erfc, otypes=[np.float32])({x})",
    "erf": lambda x: f"np.vectorize(math.erf, otypes=[np.float32])({x})",
    "floor": lambda x: f"np.floor({x})",
    "ceil": lambda x: f"np.ceil({x})",
    "trunc": lambda x: f"np.trunc({x})",
    "where": lambda test, yes, no: f"np.where({test}, {yes}, {no})",
    "cast": lambda x, dtype: f"{x}.astype(np.{np.dtype(dtype).name})",
    "sum": lambda x, axes: f"np.sum({x}, axis={_axes(axes)})",
    "max": lambda x, axes: f"np.max({x}, axis={_axes(axes)})",
    "min": lambda x, axes: f"np.min({x}, axis={_axes(axes)})",
    "prod": lambda x, axes: f"np.prod({x}, axis={_axes(axes)})",
    "any": lambda x, axes: f"np.any({x}, axis={_axes(axes)})",
    "all": lambda x, axes: f"np.all({x}, axis={_axes(axes)})",
    "argmax": lambda x, axis: f"np.argmax({x}, axis={axis})",
    "argmin": lambda x, axis: f"np.argmin({x}, axis={axis})",
    "gather": lambda x, *indices: f"{x}[{', '.join(indices)}]",
    "flip": lambda x, axes: f"np.flip({x}, {tuple(axes)})",
    "stop_gradient": lambda x: x,
    "copy": lambda x: x,
    "sort": lambda x, axis: f"np.sort({x}, axis={axis})",
    "cumsum": lambda x, axis: f"np.cumsum({x}, axis={axis})",
    "reshape": lambda x, shape: f"np.reshape({x}, {_shape(shape)})",
    "broadcast": lambda x, shape: f"np.broadcast_to({x}, {_shape(shape, lengths=True)})",
    "transpose": lambda x, axes: f"np.transpose({x}, {tuple(axes)})",
    "concatenate": lambda *x, axis: f"np.concatenate([{', '.join(x)}], axis={axis})",
    "slice": lambda x, start, stop, step: f"{x}[{_slices(start, stop, step)}]",
}


def numpy_source(network: Layer, params: Params, input_shape: tuple[int, ...], doc: str = "") -> str:
    """Return a module whose function `predict` computes what the network does, in float32.

    input_shape     of one row
    doc             the first line of the module
    Returns         Python source that needs NumPy alone
    Errors          DataError, naming it, for an operation that has no line in NumPy
    Differs         m2cgen and its kin write numbers into nested expressions; this keeps arrays and layers

    >>> from minicolumn.nn import Dense
    >>> params = {"weight": np.array([[1.0], [2.0]], np.float32), "bias": np.zeros(1, np.float32)}
    >>> source = numpy_source(Dense(1, "relu"), params, (2,))
    >>> names = {}
    >>> exec(source, names)
    >>> names["predict"](np.array([[1.0, 1.0], [-1.0, 0.0]]))
    array([[3.],
           [0.]], dtype=float32)
    """
    x = np.zeros((ROWS, *input_shape), np.float32)
    program = inspect(lambda params, x: network.apply(params, x), params, x).graph
    weights = [(name.replace(".", "_"), np.asarray(leaf)) for name, leaf in named_leaves(params)]
    body, uses_math = _body(program, [f"W_{name}" for name, _ in weights])
    head = ["import math\n"] if uses_math else []
    lines = [
        f'"""{doc or repr(network)[:200]}"""\n', *head, "import numpy as np\n",
        *(f"W_{name} = {_literal(leaf)}" for name, leaf in weights),
        "\n\ndef predict(x):",
        f'    """Return the raw outputs of rows x, [rows, {", ".join(map(str, input_shape))}]."""',
        "    x = np.asarray(x, np.float32)", *body,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def graph_source(graph: Graph, name: str) -> str:
    """Return a graph of one input x, any number of rows, as a function of NumPy.

    Errors          DataError, naming it, for an operation that has no line in NumPy
    """
    body, _ = _body(EXPAND(graph), [])
    return "\n".join([f"def {name}(x):", *body]) + "\n"


def _body(graph: Graph, weights: list[str]) -> tuple[list[str], bool]:
    """Return the lines of the function, and whether they need the module math."""
    names: dict[Node, str] = dict(zip(graph.inputs, [*weights, "x"], strict=True))
    lines: list[str] = []
    for node in graph.nodes:
        if node in names:
            continue
        if node.op.name == "const":
            names[node] = _constant(node.attrs["value"])
            continue
        names[node] = f"h{len(lines) + 1}"
        lines.append(f"    {names[node]} = {_line(node, [names[operand] for operand in node.inputs])}")
    lines.append(f"    return {names[graph.outputs[0]]}")
    return lines, any("math." in line for line in lines)


def _line(node: Node, operands: list[str]) -> str:
    op = node.op
    if op.name in INFIX:
        return f" {INFIX[op.name]} ".join(operands)
    if op.name in WRITTEN:
        return WRITTEN[op.name](*operands, **node.attrs)
    if isinstance(op.numpy, np.ufunc) and not node.attrs:
        return f"np.{op.numpy.__name__}({', '.join(operands)})"
    raise DataError(f"numpy_source: {op.name} has no line in NumPy here")


def _constant(value: Array) -> str:
    """Return a constant as source, in float32 where it is one: a Python number leaves float32 as it is."""
    if value.ndim == 0 and value.dtype.kind == "f" and np.isfinite(value):
        digits = _digits(float(value), value.dtype)
        return digits if float(value) >= 0 else f"({digits})"
    return _literal(value)


def _literal(value: Array) -> str:
    """Return an array as source, to the bit."""
    text = np.array2string(
        value, separator=", ", threshold=value.size + 1, max_line_width=100,
        formatter={"float_kind": lambda number: _digits(float(number), value.dtype)},
    )  # fmt: skip
    return f"np.array({text}, np.{value.dtype.name})"


def _digits(number: float, dtype: np.dtype[Any]) -> str:
    if not math.isfinite(number):
        return (
            f"np.{'nan' if math.isnan(number) else 'inf'}" if number > 0 or math.isnan(number) else "-np.inf"
        )
    return np.format_float_positional(dtype.type(number), unique=True, trim="0")


def _axes(axes: tuple[int, ...]) -> str:
    return str(axes[0] if len(axes) == 1 else tuple(axes))


def _shape(shape: tuple[int, ...], *, lengths: bool = False) -> str:
    def length(n: int) -> str:
        if not _counts_rows(n):
            return str(n)
        if isinstance(n, Dim):
            return "len(x)" if lengths else "-1"
        return ("len(x)" if n == ROWS else f"{n // ROWS} * len(x)") if lengths else "-1"

    listed = ", ".join(map(length, shape))
    return f"({listed},)" if len(shape) == 1 else f"({listed})"


def _slices(start: tuple[int, ...], stop: tuple[int, ...], step: tuple[int, ...]) -> str:
    ends = zip(start, stop, step, strict=True)
    return ", ".join(":" if _counts_rows(b) else f"{a}:{b}" + (f":{c}" if c != 1 else "") for a, b, c in ends)


def _counts_rows(n: int) -> bool:
    """Return whether a length is the number of rows, or of the vectors of all rows below each other."""
    return isinstance(n, Dim) or (n > 0 and n % ROWS == 0)
