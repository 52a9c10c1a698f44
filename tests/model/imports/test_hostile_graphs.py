"""ONNX graphs made to break a reader: attributes of a wrong kind, functions that grow, what training left."""

from __future__ import annotations

import itertools
import struct
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from mutants import GOLDEN

from minicolumn.errors import ModelFileError
from minicolumn.model import Model
from minicolumn.model.imports.hdf5 import read_arrays
from minicolumn.model.imports.onnx_file import model_of
from minicolumn.model.imports.onnx_graph import Graph, Node, Port
from minicolumn.model.imports.onnx_operators import OPERATORS
from minicolumn.model.imports.terms import MAX_PARTS, Term, X, call, total
from minicolumn.model.imports.torch_state import MAX_TO_ORDER, _orders, modules_of

CONSTANTS = {
    "w": np.eye(2), "column": np.ones((2, 1)), "two": np.full(2, 2.0), "one": np.array(1.0),
    "three": np.array(3.0), "zeros": np.zeros(2), "least": np.array([-(2**63)]), "lengths": np.array([-1, 2]),
}  # fmt: skip


def node(op: str, inputs: str, output: str = "y", domain: str = "", **attributes: Any) -> Node:
    return Node(op, domain, tuple(inputs.split()), (output,), attributes, "it")


def model(*nodes: Node) -> Model:
    """Return the model of a graph whose input x has two features, and whose output is y."""
    return model_of(Graph(nodes, CONSTANTS, (Port("x", (None, 2)),), (Port("y", None),), 17))


def refusal(*nodes: Node) -> str:
    with pytest.raises(ModelFileError) as caught:
        model(*nodes)
    return str(caught.value)


WRONG: list[Any] = [[1], "last", np.zeros(2), 0.5, None]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize(
    ("op", "inputs", "name"),
    [
        ("Gemm", "x w", "transA"),
        ("Gemm", "x w", "transB"),
        ("Softmax", "x", "axis"),
        ("LogSoftmax", "x", "axis"),
        ("LayerNormalization", "x two", "axis"),
        ("RMSNormalization", "x two", "axis"),
        ("Flatten", "x", "axis"),
        ("Cast", "x", "to"),
        ("BatchNormalization", "x two zeros zeros two", "training_mode"),
    ],
)
def test_an_attribute_of_another_kind_is_named(op: str, inputs: str, name: str, value: Any) -> None:
    assert refusal(node(op, inputs, **{name: value})) == (
        f"has an attribute {name} that is no integer, in {op} (it)"
    )


@pytest.mark.parametrize("value", [["a", "b"], "last", np.zeros(2), 0.5, None], ids=repr)
@pytest.mark.parametrize("name", ["offset", "scale"])
def test_a_scaler_takes_lists_of_numbers(name: str, value: Any) -> None:
    values = {"offset": [0.0, 0.0], "scale": [1.0, 1.0], name: value}
    said = refusal(node("Scaler", "x", domain="ai.onnx.ml", **values))
    assert said.startswith("has no numbers as offset and scale")


def test_a_scaler_scales() -> None:
    made = model(node("Scaler", "x", domain="ai.onnx.ml", offset=[1.0, 0.0], scale=[2.0, 4.0]))
    np.testing.assert_array_equal(made.predict([[3.0, 3.0]]), [[4.0, 12.0]])


@pytest.mark.parametrize("value", [[1], np.zeros(2), 1, "fast"], ids=repr)
def test_a_gelu_of_another_kind_is_refused(value: Any) -> None:
    assert refusal(node("Gelu", "x", approximate=value)) == "is a GELU of an unknown kind, in Gelu (it)"


def test_an_index_that_has_no_absolute_value_is_out_of_range() -> None:
    steps = node("Gather", "lengths least", "shape"), node("Reshape", "x shape")
    assert refusal(*steps) == "looks something up that is no list of lengths, in Gather (it)"


# Each step makes the function three times as large, twice, or deeper: it outgrows memory, time or the stack.
GROWING = {
    "powers": lambda name, before: [node("Pow", f"{before} three", name)],
    "sums": lambda name, before: [
        node("Add", f"{before} {before}", f"{name}s"), node("Sin", f"{name}s", name)
    ],
    "depth": lambda name, before: [node("Sin", before, name)],
}  # fmt: skip


@pytest.mark.parametrize("kind", GROWING)
def test_a_function_that_grows_with_each_node_is_bounded(kind: str) -> None:
    steps: list[Node] = []
    for branch in "ab":  # two of the same form, which are compared
        names = ["x", *(f"{branch}{step}" for step in range(3000))]
        for before, name in itertools.pairwise(names):
            steps += GROWING[kind](name, before)
    said = refusal(*steps, node("Mul", "a2999 b2999"))
    assert said.startswith(f"computes a function of its rows of more than {MAX_PARTS} parts")


def test_a_term_counts_its_parts_as_a_tree() -> None:
    term: Term = X
    for _ in range(3):
        term = call("sine", total(term, term))
    assert term.parts == 22  # 1, then twice as many and two more: 4, 10, 22


# The probabilities of two classes side by side, of which nothing can be computed further.
BOTH = (
    node("MatMul", "x column", "logit"), node("Sigmoid", "logit", "p"), node("Sub", "one p", "q"),
    Node("Concat", "", ("q", "p"), ("both",), {"axis": 1}, "it"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("op", "inputs"),
    [("Pow", "both three"), ("Neg", "both"), ("Relu", "both"), ("Add", "both one"), ("Greater", "both one")],
)
def test_nothing_is_computed_of_the_probabilities_of_two_classes(op: str, inputs: str) -> None:
    assert model(*BOTH, node("Identity", "both")).predict([[0.0, 0.0]]).tolist() == [0]
    assert refusal(*BOTH, node(op, inputs)) == f"takes something that is not rows, in {op} (it)"


def test_a_batch_norm_of_a_network_that_trains_is_refused() -> None:
    norm = node("BatchNormalization", "x two zeros zeros two", training_mode=1)
    assert refusal(norm) == (
        "normalizes by each batch, since it was exported while training, in BatchNormalization (it)"
    )


NAMES = ("axis", "axes", "alpha", "beta", "bias", "lambd", "min", "max", "to", "perm", "shape", "value")
OPERANDS = ("x", "w", "x x", "x w", "w w", "x lengths", "lengths least", "x two zeros zeros two")


@pytest.mark.parametrize("op", OPERATORS)
def test_no_operator_trips_over_operands_and_attributes_that_are_none_of_its(op: str) -> None:
    """Whatever operands are left out or of another kind: a model or a ModelFileError, and nothing else."""
    domain, _, name = op.rpartition(".")
    for inputs, value in itertools.product(OPERANDS, WRONG):
        with suppress(ModelFileError):
            model(node(name, inputs, domain=domain, **dict.fromkeys(NAMES, value)))


# Other formats: what is small on disk and large in memory or time -------------------------------------------


def test_many_modules_whose_order_nobody_says_are_refused_at_once() -> None:
    arrays = {f"n{i}x.weight": np.ones((2, 2)) for i in range(MAX_TO_ORDER + 1)}
    with pytest.raises(ModelFileError, match="has 201 modules, too many to find their order; say it as"):
        list(_orders(list(modules_of(arrays).values())))


def test_arrays_over_the_same_bytes_of_an_hdf5_file_are_refused() -> None:
    data = (GOLDEN / "keras_dense.weights.h5").read_bytes()
    first, second = (read_arrays(data)[f"layers/{name}/vars/0"] for name in ("dense", "dense_1"))
    once = _over_the_whole_file(data, first)
    assert read_arrays(once)["layers/dense/vars/0"].nbytes > 0.9 * len(data)
    with pytest.raises(ModelFileError, match="is damaged: its arrays are larger than the file"):
        read_arrays(_over_the_whole_file(once, second))


def _over_the_whole_file(data: bytes, array: np.ndarray) -> bytes:
    """Return an HDF5 file in which one of its arrays is all of the file's bytes but a few."""
    place, count = data.index(array.tobytes()), len(data) // 4 - 64
    told = struct.pack("<QQ", place, array.nbytes)
    assert told in data
    wide = data.replace(struct.pack("<QQ", *array.shape), struct.pack("<QQ", 1, count))
    return wide.replace(told, struct.pack("<QQ", 0, 4 * count))
