"""Lowering to ONNX: each operation of a graph as nodes of opset 18, by one table.

    Nodes(...).graph(graph, [names of what its inputs are]) -> names of what its outputs are

The package `onnx` is an extra; it is imported by whoever asks for this module's work.

Source      the operators' specification, opset 18 of ai.onnx and 3 of ai.onnx.ml
Differs     tf2onnx and torch.onnx translate a framework's operations; here there are some sixty, a line each
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops import elementwise as e
from minicolumn.ir.ops import logic as b
from minicolumn.ir.ops import reductions as r
from minicolumn.ir.ops import shaping as s
from minicolumn.ir.ops import special
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.ops.order import CUMSUM
from minicolumn.ir.ops.products import MATMUL
from minicolumn.ir.shapes import Dim, Shape
from minicolumn.lower.onnx_gemm import GEMM, with_gemms
from minicolumn.passes.pipeline import EXPAND, OUTLINE

Array = np.ndarray[Any, np.dtype[Any]]
_END = np.iinfo(np.int64).max  # where a slice of an axis of unknown length stops


class Nodes:
    """Nodes and initializers of an ONNX graph that grows.

    batch       the name of an input whose first axis is the symbolic dimension
    functions   operations of one array that ONNX has as well, with their lines: wherever a graph computes
                their expansion, they are written
    taken       names that are the inputs': no value that is computed is called so
    """

    def __init__(
        self, batch: str, functions: Mapping[Op, Writer] | None = None, taken: Collection[str] = ()
    ) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._functions = functions or {}
        self._batch, self._lengths = batch, ""
        self._taken = frozenset(taken)
        self._known: dict[tuple[str, bytes, tuple[int, ...]], str] = {}

    def free(self, name: str) -> str:
        """Return a name with as many underscores at its end as make it none of the inputs'."""
        while name in self._taken:
            name += "_"
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node of one output, and return its name."""
        return self.add_several(operator, inputs, 1, domain, **attributes)[0]

    def add_several(
        self, operator: str, inputs: Sequence[str], outputs: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node, and return the names of its outputs."""
        from onnx import helper

        names = [self.free(f"{operator.lower()}_{len(self.nodes)}_{k}") for k in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, domain=domain, **attributes))
        return names

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Return the name of a constant; equal ones are one."""
        from onnx import numpy_helper

        array = np.asarray(value, dtype)
        key = array.dtype.str, array.tobytes() if array.dtype.kind != "O" else repr(array.tolist()).encode()
        if (*key, array.shape) not in self._known:
            name = self.free(f"c{len(self.initializers)}")
            self.initializers.append(numpy_helper.from_array(array, name))
            self._known[(*key, array.shape)] = name
        return self._known[(*key, array.shape)]

    def shape(self, shape: Shape) -> str:
        """Return a vector of lengths, of which one may be symbolic."""
        if not any(isinstance(n, Dim) for n in shape):
            return self.constant(shape, np.int64)
        if not self._lengths:
            whole = self.add("Shape", self._batch)
            self._lengths = self.add("Slice", whole, self.constant([0]), self.constant([1]))
        parts = [self._lengths if isinstance(n, Dim) else self.constant([n], np.int64) for n in shape]
        return self.add("Concat", *parts, axis=0)

    def cast(self, name: str, dtype: Any) -> str:
        """Return values in another dtype."""
        from onnx import helper

        return self.add("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def graph(self, graph: Graph, inputs: Sequence[str]) -> list[str]:
        """Add a whole graph, and return the names of its outputs.

        inputs      the names of what its inputs are
        Errors      DataError, naming all of them, for operations that have no line here
        """
        graph = with_gemms(OUTLINE(EXPAND(graph), tuple(self._functions)))
        writers = {**WRITERS, **self._functions}
        missing = {n.op.name for n in graph.nodes if n.op.kind != "leaf" and n.op not in writers}
        if missing:
            raise DataError(f"export: ONNX has no line here for {', '.join(sorted(missing))}")
        names = dict(zip(graph.inputs, inputs, strict=True))
        for node in graph.nodes:
            if node in names:
                continue
            if node.op is CONST:
                names[node] = self.constant(node.attrs["value"])
            else:
                names[node] = writers[node.op](self, node, [names[operand] for operand in node.inputs])
        return [names[node] for node in graph.outputs]


Writer = Callable[[Nodes, Node, list[str]], str]


def plain(operator: str, **attributes: Any) -> Writer:
    """Return how an operation is written that is one operator, of the same operands."""
    return lambda to, node, names: to.add(operator, *names, **attributes)


def _of_floats(operator: str) -> Writer:
    """Return how a rounding is written, which leaves integers as they are."""
    return lambda to, node, names: to.add(operator, *names) if node.array_type.is_float else names[0]


def _bits(of_truth: str, of_numbers: str) -> Writer:
    return lambda to, node, names: to.add(
        of_truth if node.array_type.dtype.kind == "b" else of_numbers, *names
    )


def _reduced(operator: str) -> Writer:
    return lambda to, node, names: to.add(
        operator, names[0], to.constant(node.attrs["axes"], np.int64), keepdims=0
    )


def _found(operator: str) -> Writer:
    """Return how the place of an extreme is written."""

    def write(to: Nodes, node: Node, names: list[str]) -> str:
        found = to.add(operator, names[0], axis=node.attrs["axis"], keepdims=0)
        return found if node.array_type.dtype == np.int64 else to.cast(found, node.array_type.dtype)

    return write


def _truth(inner: str) -> Writer:
    """Return how all and any are written: the least and the greatest of 0 and 1."""

    def write(to: Nodes, node: Node, names: list[str]) -> str:
        numbers = to.cast(to.cast(names[0], np.bool_), np.int32)
        axes = to.constant(node.attrs["axes"], np.int64)
        return to.cast(to.add(inner, numbers, axes, keepdims=0), np.bool_)

    return write


def _not_equal(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Not", to.add("Equal", *names))


def _test(operator: str) -> Writer:
    """Return how NaN and infinities are looked for; no integer is one."""

    def write(to: Nodes, node: Node, names: list[str]) -> str:
        is_float = node.inputs[0].array_type.is_float
        return to.add(operator, names[0]) if is_float else to.add("Less", names[0], names[0])

    return write


def _finite(to: Nodes, node: Node, names: list[str]) -> str:
    if not node.inputs[0].array_type.is_float:
        return to.add("Equal", names[0], names[0])
    odd = to.add("Or", to.add("IsNaN", names[0]), to.add("IsInf", names[0]))
    return to.add("Not", odd)


def _log1p(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Log", to.add("Add", names[0], _one(to, node)))


def _expm1(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Sub", to.add("Exp", names[0]), _one(to, node))


def _one(to: Nodes, node: Node) -> str:
    return to.constant(1, node.array_type.dtype)


def _softplus(to: Nodes, node: Node, names: list[str]) -> str:
    """Return max(x, 0) + log(1 + e^-|x|) of float64: runtimes' own Softplus takes float32 alone."""
    if node.array_type.dtype == np.float32:
        return to.add("Softplus", names[0])
    zero = to.constant(0, node.array_type.dtype)
    small = to.add("Exp", to.add("Neg", to.add("Abs", names[0])))
    return to.add("Add", to.add("Max", names[0], zero), to.add("Log", to.add("Add", small, _one(to, node))))


def _half_of_powers(operator: str, sign: str) -> Writer:
    """Return how sinh and cosh are written: runtimes' own take float32 alone."""

    def write(to: Nodes, node: Node, names: list[str]) -> str:
        if node.array_type.dtype == np.float32:
            return to.add(operator, names[0])
        both = to.add(sign, to.add("Exp", names[0]), to.add("Exp", to.add("Neg", names[0])))
        return to.add("Mul", both, to.constant(0.5, node.array_type.dtype))

    return write


def _scaled_log(base: float) -> Writer:
    return lambda to, node, names: to.add(
        "Div", to.add("Log", names[0]), to.constant(np.log(base), node.array_type.dtype)
    )


def _sign_of(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Less", names[0], to.constant(0, node.inputs[0].array_type.dtype))


def _erf(to: Nodes, node: Node, names: list[str]) -> str:
    """Return the error function in float32, which is all that runtimes have."""
    found = to.add("Erf", to.cast(names[0], np.float32))
    return to.cast(found, node.array_type.dtype)


def _erfc(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Sub", _one(to, node), _erf(to, node, names))


def _tan(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Div", to.add("Sin", names[0]), to.add("Cos", names[0]))


def _transposed(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Transpose", names[0], perm=[int(a) for a in node.attrs["axes"]])


def _reshaped(to: Nodes, node: Node, names: list[str]) -> str:
    shape = node.attrs["shape"]
    symbolic = [isinstance(n, Dim) for n in shape]
    if sum(symbolic) == 1 and 0 not in shape:  # the one length that is not known follows from the others
        lengths = [-1 if unknown else n for n, unknown in zip(shape, symbolic, strict=True)]
        return to.add("Reshape", names[0], to.constant(lengths, np.int64))
    return to.add("Reshape", names[0], to.shape(shape))


def _gemm(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Gemm", *names, alpha=float(node.attrs["alpha"]))


def _stretched(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Expand", names[0], to.shape(node.attrs["shape"]))


def _joined(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("Concat", *names, axis=node.attrs["axis"])


def _chosen(to: Nodes, node: Node, names: list[str]) -> str:
    attrs = node.attrs
    ends = [_END if isinstance(stop, Dim) else stop for stop in attrs["stop"]]
    bounds = (attrs["start"], ends, range(len(ends)), attrs["step"])
    return to.add("Slice", names[0], *(to.constant(list(each), np.int64) for each in bounds))


def _padded(to: Nodes, node: Node, names: list[str]) -> str:
    if any(node.attrs["gap"]):
        raise DataError("export: ONNX has no line here for pad between elements")
    pads = to.constant([*node.attrs["low"], *node.attrs["high"]], np.int64)
    return to.add("Pad", names[0], pads)


def _looked_up(to: Nodes, node: Node, names: list[str]) -> str:
    if len(names) == 2:
        return to.add("Gather", *names, axis=0)
    shape = to.shape(node.array_type.shape[: len(node.array_type.shape) - _trailing(node)])
    whole = [to.add("Expand", to.cast(name, np.int64), shape) for name in names[1:]]
    last = to.constant([-1])
    return to.add(
        "GatherND", names[0], to.add("Concat", *(to.add("Unsqueeze", n, last) for n in whole), axis=-1)
    )


def _trailing(node: Node) -> int:
    """Return how many axes of a gather's array are not looked up."""
    return len(node.inputs[0].array_type.shape) - (len(node.inputs) - 1)


def _summed_along(to: Nodes, node: Node, names: list[str]) -> str:
    return to.add("CumSum", names[0], to.constant(node.attrs["axis"], np.int64))


def _where(to: Nodes, node: Node, names: list[str]) -> str:
    """Return one of two values; runtimes have no choice between truth values."""
    if node.array_type.dtype.kind != "b":
        return to.add("Where", *names)
    yes = to.add("And", names[0], names[1])
    return to.add("Or", yes, to.add("And", to.add("Not", names[0]), names[2]))


def _cast(to: Nodes, node: Node, names: list[str]) -> str:
    return to.cast(names[0], node.array_type.dtype)


def _same(to: Nodes, node: Node, names: list[str]) -> str:
    return names[0]


WRITERS: Mapping[Op, Writer] = {
    e.ADD: plain("Add"),
    e.SUBTRACT: plain("Sub"),
    e.MULTIPLY: plain("Mul"),
    e.DIVIDE: plain("Div"),
    e.NEGATIVE: plain("Neg"),
    e.ABSOLUTE: plain("Abs"),
    e.SIGN: plain("Sign"),
    e.FLOOR: _of_floats("Floor"),
    e.CEIL: _of_floats("Ceil"),
    e.RINT: _of_floats("Round"),
    e.SQRT: plain("Sqrt"),
    e.POWER: plain("Pow"),
    e.MAXIMUM: plain("Max"),
    e.MINIMUM: plain("Min"),
    e.WHERE: _where,
    e.CAST: _cast,
    e.STOP_GRADIENT: _same,
    e.COPY: _same,
    e.SOFTPLUS: _softplus,
    e.LOGISTIC: plain("Sigmoid"),
    special.ERF: _erf,
    special.ERFC: _erfc,
    b.EQUAL: plain("Equal"),
    b.NOT_EQUAL: _not_equal,
    b.LESS: plain("Less"),
    b.LESS_EQUAL: plain("LessOrEqual"),
    b.GREATER: plain("Greater"),
    b.GREATER_EQUAL: plain("GreaterOrEqual"),
    b.ISNAN: _test("IsNaN"),
    b.ISINF: _test("IsInf"),
    b.ISFINITE: _finite,
    b.SIGNBIT: _sign_of,
    b.INVERT: _bits("Not", "BitwiseNot"),
    b.BITWISE_AND: _bits("And", "BitwiseAnd"),
    b.BITWISE_OR: _bits("Or", "BitwiseOr"),
    b.BITWISE_XOR: _bits("Xor", "BitwiseXor"),
    r.SUM: _reduced("ReduceSum"),
    r.PROD: _reduced("ReduceProd"),
    r.MAX: _reduced("ReduceMax"),
    r.MIN: _reduced("ReduceMin"),
    r.ALL: _truth("ReduceMin"),
    r.ANY: _truth("ReduceMax"),
    r.ARGMAX: _found("ArgMax"),
    r.ARGMIN: _found("ArgMin"),
    s.RESHAPE: _reshaped,
    s.TRANSPOSE: _transposed,
    s.BROADCAST: _stretched,
    s.CONCATENATE: _joined,
    s.SLICE: _chosen,
    s.PAD: _padded,
    GATHER: _looked_up,
    CUMSUM: _summed_along,
    MATMUL: plain("MatMul"),
    GEMM: _gemm,
    e.LOG1P: _log1p,
    e.EXPM1: _expm1,
    e.LOG2: _scaled_log(2.0),
    e.LOG10: _scaled_log(10.0),
    e.TAN: _tan,
    e.SINH: _half_of_powers("Sinh", "Sub"),
    e.COSH: _half_of_powers("Cosh", "Add"),
    e.EXP: plain("Exp"),
    e.LOG: plain("Log"),
    e.SIN: plain("Sin"),
    e.COS: plain("Cos"),
    e.TANH: plain("Tanh"),
}
