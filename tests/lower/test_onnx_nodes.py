"""Operations as nodes of ONNX: in ONNX Runtime they give what they mean, for each dtype that it computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicolumn.errors import DataError, MinicolumnError
from minicolumn.ir.graph import Graph, Node, input_node
from minicolumn.ir.interpret import Table, interpret
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import DTYPES, ArrayType
from minicolumn.ir.verify import infer_type
from minicolumn.lower.compile import graph_of
from minicolumn.lower.onnx_gemm import GEMM, with_gemms
from minicolumn.lower.onnx_nodes import WRITERS, Nodes
from minicolumn.model.export.onnx_functions import functions
from minicolumn.nn.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx", reason="needs onnx: pip install 'minicolumn[onnx]'")
runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")
RNG = np.random.default_rng(0)


def run(graph: Graph, args: list[np.ndarray], operators: list[str] | None = None) -> list[Any]:
    """Return what ONNX Runtime makes of a graph; the names of its operators are appended to a list."""
    helper = onnx.helper

    def info(name: str, node: Node) -> Any:
        kind = helper.np_dtype_to_tensor_dtype(node.array_type.dtype)
        return helper.make_tensor_value_info(name, kind, node.array_type.shape)

    names = [f"x{k}" for k in range(len(args))]
    nodes = Nodes(names[0], functions(args[0].dtype))
    outputs = nodes.graph(graph, names)
    if operators is not None:
        operators += [node.op_type for node in nodes.nodes]
    made = helper.make_graph(
        [*nodes.nodes, *(helper.make_node("Identity", [n], [f"y{k}"]) for k, n in enumerate(outputs))],
        "graph",
        [info(n, node) for n, node in zip(names, graph.inputs, strict=True)],
        [info(f"y{k}", node) for k, node in enumerate(graph.outputs)],
        nodes.initializers,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = runtime.InferenceSession(model.SerializeToString())
    return session.run(None, dict(zip(names, args, strict=True)))


def applied(op: Op, dtype: str) -> Graph | None:
    """Return a graph of an operation alone on arrays of a dtype, if it takes them."""
    type = ArrayType(DTYPES[dtype], (3, 4))
    attempts: list[tuple[list[ArrayType], dict[str, Any]]] = [([type] * n, {}) for n in (1, 2)]
    attempts += [([type], {"axes": (1,)}), ([type], {"axis": 1})]
    if op.name == "where":
        attempts = [([type.with_dtype(np.dtype(bool)), type, type], {})]
    if op.name == "matmul":
        attempts = [([type, type.with_shape((4, 2))], {})]
    for types, attrs in attempts:
        try:
            result = infer_type(op, tuple(types), attrs)
        except (MinicolumnError, TypeError, KeyError):
            continue
        inputs = tuple(map(input_node, types))
        return Graph(inputs, (Node(op, inputs, attrs, result),))
    return None


def numbers(type: ArrayType) -> np.ndarray:
    if type.dtype.kind == "b":
        return RNG.random(type.shape) < 0.5
    x = RNG.uniform(0.1 if type.dtype.kind == "u" else -0.95, 0.95, type.shape)
    return (x if type.is_float else x * 9).astype(type.dtype)


OF_TRUTH = ("bitwise_and", "bitwise_or", "bitwise_xor", "invert", "all", "any", "where", "equal", "not_equal")
SKIPPED = ("cast", "reshape", "transpose", "broadcast", "concatenate", "slice", "pad", "gather")


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "bool"])
def test_every_operation(dtype: str) -> None:
    ran, odd = 0, []
    for name in sorted(op.name for op in WRITERS if op.name in OPS and op.name not in SKIPPED):
        if dtype == "bool" and name not in OF_TRUTH:
            continue
        graph = applied(OPS[name], dtype)
        if graph is None:
            continue
        args = [numbers(node.array_type) for node in graph.inputs]
        if name in ("log", "log2", "log10", "sqrt", "power"):
            args = [np.abs(x) for x in args]
        (expected,) = interpret(graph, Table())(*args)
        try:
            (found,) = run(graph, args)
        except Exception as error:
            odd.append((name, str(error)[-150:]))
            continue
        ran += 1
        close = 1e-6 if dtype == "f32" or name in ("erf", "erfc") else 1e-12
        if found.dtype != expected.dtype or not np.allclose(found, expected, rtol=close, atol=close):
            odd.append((name, f"{found.dtype} {np.abs(found - 1.0 * expected).max()}"))
    assert not odd
    assert ran > 7


def test_operations_that_move_elements() -> None:
    text = """fn(x: f32[3,4], i: i64[2]) {
      a: f32[4,3] = transpose(x, axes=[1, 0])
      b: f32[2,6] = reshape(a, shape=[2, 6])
      c: f32[2,2] = slice(b, start=[0, 1], stop=[2, 5], step=[1, 2])
      d: f32[4,2] = concatenate(c, c, axis=0)
      e: f32[5,4] = pad(d, low=[1, 0], high=[0, 2], gap=[0, 0])
      f: f32[2,4] = gather(e, i)
      g: f32[2] = gather(e, i, i)
      h: f32[2,4] = broadcast(f, shape=[2, 4])
      k: f64[2,4] = cast(h, dtype=f64)
      return f, g, k
    }"""
    graph = parse_graph(text)
    args = [RNG.normal(size=(3, 4)).astype(np.float32), np.array([3, 0])]
    for found, expected in zip(run(graph, args), interpret(graph, Table())(*args), strict=True):
        assert np.array_equal(found, expected)


def test_operations_without_a_line_are_all_named() -> None:
    graph = parse_graph("fn(x: f32[3]) { a: f32[3] = gammaln(x) b: f32[3] = erfcx(a) return b }")
    with pytest.raises(DataError, match="ONNX has no line here for erfcx, gammaln"):
        Nodes("x").graph(graph, ["x"])


NAMED = {op.name for op in functions("f4")}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", sorted(name for name, rule in ACTIVATIONS.items() if rule.scores == 1))
def test_an_activation_that_onnx_has_is_one_node(name: str, dtype: str) -> None:
    """Others are several; all of them mean the same there, at their corners too."""
    function = ACTIVATIONS[name].function
    corners = [-30, -6, -3, -1, -0.5, -1e-3, 0, 1e-3, 0.5, 1, 3, 6, 20, 30]
    x = np.stack([np.array(corners), RNG.normal(0, 3, len(corners))]).astype(dtype)
    written: list[str] = []
    graph = graph_of(function, x)
    if name in ("sparsemax", "squareplus"):
        pytest.skip(f"ONNX has no line here for what {name} is made of")
    (found,) = run(graph, [x], written)
    whole = [op.name for op in functions(dtype) if op.name == name]
    assert not whole or len(written) == 1, written
    # Runtimes' own exponentials and error functions are right to a few units of float32.
    assert np.allclose(found, function(x), rtol=3e-6, atol=3e-6)


def test_a_product_with_scale_and_bias_is_one_node() -> None:
    x, w, b = (RNG.normal(size=shape).astype("f4") for shape in [(5, 3), (3, 4), (4,)])
    for function, operators in [
        (lambda x: x @ w + b, ["Gemm"]),
        (lambda x: b + np.float32(0.3) * (x @ w), ["Gemm"]),
        (lambda x: x @ w + b[:1], ["Gemm"]),
        (lambda x: (x @ w) * b + b, ["MatMul", "Mul", "Add"]),
        (lambda x: x @ w + x @ w * 2, ["MatMul", "Mul", "Add"]),
        (lambda x: x[None] @ w + b, ["Reshape", "MatMul", "Add"]),
    ]:
        written: list[str] = []
        (found,) = run(graph_of(function, x), [x], written)
        assert written == operators
        assert np.allclose(found, function(x), rtol=1e-5, atol=1e-6)  # sums of three in another order


def test_a_gemm_means_what_it_is_made_of() -> None:
    x, w, b = (RNG.normal(size=shape) for shape in [(5, 3), (3, 4), (4,)])
    graph = graph_of(lambda x: 0.5 * (x @ w) + b, x)
    made = with_gemms(graph)
    assert [node.op for node in made.nodes if node.op.kind != "leaf"] == [GEMM]
    for one, other in zip(interpret(made, Table())(x), interpret(graph, Table())(x), strict=True):
        assert np.array_equal(one, other)
