"""The 1943 neuron, circuits, threshold units and their learning rules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn import classic

Array = np.ndarray
# Functions of n inputs that one threshold unit can answer: Muroga 1971, table 2.3.2.1.
SEPARABLE_TABLES = {1: 4, 2: 14, 3: 104}


def tables(inputs: int) -> list[str]:
    return ["".join(bits) for bits in itertools.product("01", repeat=2**inputs)]


# Neurons and circuits ---------------------------------------------------------------------------------------


def test_and_or_not() -> None:
    assert classic.and_neuron("a", "b").truth_table() == classic.truth_table("0001")
    assert classic.or_neuron("a", "b", "c").truth_table() == classic.truth_table("01111111")
    assert classic.not_neuron("a").truth_table() == classic.truth_table("10")


def test_inhibition_is_absolute() -> None:
    neuron = classic.Neuron(("a", "b", "c"), ("stop",), threshold=1)
    assert neuron({"a": True, "b": True, "c": True, "stop": False})
    assert not neuron({"a": True, "b": True, "c": True, "stop": True})


@pytest.mark.parametrize("inputs", [0, 1, 2, 3])
def test_every_table_of_up_to_three_inputs_is_a_circuit_of_two_layers(inputs: int) -> None:
    for answers in tables(inputs):
        circuit = classic.circuit_of_table(answers)
        assert circuit.truth_table() == classic.truth_table(answers)
        assert len(circuit.layers()) <= 2
        assert len(circuit.neurons) == answers.count("1") + 1


@given(number=st.integers(0, 2**16 - 1))
@settings(max_examples=60, deadline=None)
def test_tables_of_four_inputs_are_circuits_too(number: int) -> None:
    answers = f"{number:016b}"
    assert classic.circuit_of_table(answers).truth_table() == classic.truth_table(answers)


@given(excite=st.integers(0, 4), inhibit=st.integers(0, 3), threshold=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_every_neuron_is_a_threshold_unit(excite: int, inhibit: int, threshold: int) -> None:
    names = "abcdefg"
    neuron = classic.Neuron(tuple(names[:excite]), tuple(names[excite : excite + inhibit]), threshold)
    answers = neuron.to_ltu()(classic.all_rows(excite + inhibit).astype(float))
    np.testing.assert_array_equal(answers, neuron.truth_table().values)


def test_a_function_and_its_listed_answers_are_one_table() -> None:
    majority = classic.truth_table(lambda a, b, c: a + b + c >= 2, ["red", "green", "blue"])
    assert majority == classic.truth_table([0, 0, 0, 1, 0, 1, 1, 1])
    assert hash(majority) == hash(classic.truth_table("00010111"))
    assert str(majority).splitlines()[:3] == [
        "red green blue | out",
        "---------------+----",
        " 0    0    0   |  0",
    ]


def test_the_half_adder_adds() -> None:
    x = classic.all_rows(2)
    total, carry = classic.half_adder()(x).T.astype(int)
    np.testing.assert_array_equal(total + 2 * carry, x.sum(axis=1))


def test_names_of_wires_never_meet() -> None:
    circuit = classic.circuit_of_table("0110", inputs=["row_01", "row_10"])
    assert circuit.truth_table() == classic.truth_table("0110")


def test_circuits_refuse_what_is_not_wired() -> None:
    with pytest.raises(DataError, match="did you mean 'left'"):
        classic.Circuit(("left",), {"out": classic.Neuron(("lefd",))}, ("out",))
    with pytest.raises(DataError, match="two wires called 'a'"):
        classic.Circuit(("a",), {"a": classic.Neuron(("a",))}, ("a",))
    with pytest.raises(DataError, match="no wire is called"):
        classic.Circuit(("a",), {}, ("z",))
    with pytest.raises(ShapeError, match=r"expected \[rows, 2\]"):
        classic.half_adder()([[1, 0, 1]])
    with pytest.raises(DataError, match="excite and inhibit"):
        classic.Neuron(("a",), ("a",))
    with pytest.raises(DataError, match="threshold: expected an integer >= 0, got"):
        classic.Neuron(("a",), threshold=-1)


def test_a_function_names_its_inputs() -> None:
    table = classic.truth_table(lambda rain, sun: rain and sun, output="rainbow")
    assert repr(table) == "TruthTable(rain sun -> rainbow: '0001')"
    assert str(classic.circuit_of_table(lambda p, q: p != q)).startswith("inputs   p q")
    with pytest.raises(DataError, match=r"a \+ b >= 2 is not told b"):
        classic.and_neuron("a", "b")({"a": True})


def test_tables_refuse_what_is_none() -> None:
    with pytest.raises(ShapeError, match="3 answers"):
        classic.truth_table("011")
    with pytest.raises(DataError, match="a list of 0 and 1"):
        classic.truth_table("01x1")
    with pytest.raises(DataError, match="does not tell its inputs"):
        classic.truth_table(lambda *bits: any(bits))
    with pytest.raises(DataError, match="between 0 and 16"):
        classic.all_rows(17)
    with pytest.raises(DataError, match="one answer"):
        classic.circuit_of_table(classic.half_adder().truth_table())


# Threshold units --------------------------------------------------------------------------------------------


def test_a_threshold_unit_is_a_dense_layer_with_a_step() -> None:
    rng = np.random.default_rng(0)
    unit = classic.LTU(rng.standard_normal((3, 2)), rng.standard_normal(2))
    x = rng.standard_normal((20, 3))
    np.testing.assert_array_equal(unit(x), mc.nn.Dense(2, activation="step").apply(unit.params, x))
    with pytest.raises(ShapeError, match=r"expected \[batch, 3\]"):
        unit(x[:, :2])
    with pytest.raises(ShapeError, match="weight"):
        classic.LTU(np.zeros(3), np.zeros(1))


def test_the_gradient_through_a_step_is_nothing_as_the_sentence_says() -> None:
    layer, x = mc.nn.Dense(1, activation="step"), np.array([[1.0, -2.0]])
    params = {"weight": np.array([[0.3], [0.4]]), "bias": np.zeros(1)}
    gradient = mc.grad(lambda p: np.sum((layer.apply(p, x) - 1.0) ** 2))(params)
    assert not gradient["weight"].any()
    assert "gradient is 0" in classic.STEP_HAS_NO_SLOPE


# Rules ------------------------------------------------------------------------------------------------------


def test_the_delta_rule_is_gradient_descent_on_half_the_squared_error() -> None:
    rng = np.random.default_rng(1)
    params = {"weight": rng.standard_normal((3, 2)), "bias": rng.standard_normal(2)}
    x, target = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))

    def half(p: dict) -> float:
        return np.sum((x @ p["weight"] + p["bias"] - target) ** 2) / (2 * 7)

    gradient = mc.grad(half)(params)
    weight, bias = classic.delta_rule(params["weight"], params["bias"], x, target, 0.3)
    # Two orders of one sum of seven products: a few roundings of 2^-53.
    np.testing.assert_allclose(weight, params["weight"] - 0.3 * gradient["weight"], rtol=1e-14)
    np.testing.assert_allclose(bias, params["bias"] - 0.3 * gradient["bias"], rtol=1e-14)


def test_the_perceptron_rule_by_hand() -> None:
    weight, bias = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([0.0, 0.0])
    # Unit 0 says +2 and should: nothing. Unit 1 says 0, which counts as wrong.
    weight, bias = classic.perceptron_rule(weight, bias, np.array([2.0, -1.0]), np.array([1.0, 1.0]), 0.5)
    assert weight.tolist() == [[1.0, 1.0], [0.0, -0.5]]
    assert bias.tolist() == [0.0, 0.5]


def test_hebbs_rule_stores_a_pattern() -> None:
    pattern = np.array([[1.0, -1.0, 1.0, -1.0]])
    weight = classic.hebb_rule(np.zeros((4, 4)), pattern, pattern, 0.25)
    np.testing.assert_array_equal(pattern @ weight, pattern)


# Training ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_the_rule_learns_exactly_the_tables_that_a_plane_divides(inputs: int) -> None:
    X = classic.all_rows(inputs).astype(float)
    answers = np.array([[int(bit) for bit in table] for table in tables(inputs)])
    run = classic.train_perceptron(X, answers.T, epochs=200)
    right = (run.ltu(X) == answers.T).all(axis=0)
    assert right.sum() == SEPARABLE_TABLES[inputs]
    np.testing.assert_array_equal(right, run.separation.margin > 0)
    assert (run.updates[right] <= run.separation.bound[right]).all()
    planes = [classic.find_separator(X, 2 * column - 1) is not None for column in answers]
    np.testing.assert_array_equal(planes, right)


@given(seed=st.integers(0, 2**32 - 1), gap=st.floats(0.05, 1.0))
@settings(max_examples=15, deadline=None)
def test_corrections_stay_below_novikoffs_bound(seed: int, gap: float) -> None:
    rng = np.random.default_rng(seed)
    X, normal = rng.standard_normal((40, 3)), rng.standard_normal(3)
    normal /= np.linalg.norm(normal)
    sign = np.where(X @ normal >= 0, 1.0, -1.0)
    X = X + gap * sign[:, None] * normal
    run = classic.train_perceptron(X, sign, epochs=5000)
    assert run.converged
    assert run.updates[0] <= run.separation.bound[0]
    # The plane that made the rows keeps `gap`, so the widest one keeps no less, up to rounding.
    assert run.separation.margin[0] >= gap * (1 - 1e-9)


def test_the_widest_margin_of_and() -> None:
    # By hand: w = (2, 2), b = -3 touches 01, 10 and 11 at 1, so the margin is 1 / sqrt(4 + 4 + 9).
    X = classic.all_rows(2).astype(float)
    assert classic.largest_margin(X, [-1, -1, -1, 1]) == pytest.approx(17**-0.5, rel=1e-12)
    assert classic.largest_margin(X, [-1, 1, 1, -1]) == 0.0
    assert classic.largest_margin(np.zeros((2, 1)), [1, -1], bias=False) == 0.0


def test_xor_is_called_by_its_name_and_seen_to_go_round() -> None:
    X = classic.all_rows(2)
    run = classic.train_perceptron(X, [[0, 0], [1, 0], [1, 0], [0, 1]])
    assert run.separation.verdicts == ("no plane divides the rows: this is XOR", "divides all rows")
    assert not run.converged
    assert run.cycle is not None
    assert "go round" in str(run)
    assert np.isinf(run.separation.bound[0])
    negated = classic.train_perceptron(3.0 - 2.0 * X, [-1, 1, 1, -1])
    assert negated.separation.verdicts[0].endswith("this is XOR")


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ("0110", "XOR"),
        ("1001", "XNOR"),
        ("01101001", "parity of 3 inputs"),
        ("10010110", "parity of 3 inputs, negated"),
        ("00000110", "XOR of inputs 1 and 2 where the others stand still"),
        ("0001", None),
    ],
)
def test_names_of_tables(answers: str, name: str | None) -> None:
    table = classic.truth_table(answers)
    assert classic.name_of_table(table.rows, np.where(table.values[:, 0], 1, -1)) == name


def test_rows_without_a_name_have_none() -> None:
    sign = np.array([1, -1, 1, -1])
    assert classic.name_of_table(np.arange(4.0)[:, None], sign) is None
    contradictory = np.array([[0, 0], [0, 0], [1, 1], [1, 1]])
    assert classic.name_of_table(contradictory, sign) is None
    run = classic.train_perceptron(contradictory, sign)
    assert run.separation.verdicts == ("no plane divides the rows",)


def test_a_training_cut_short_says_so() -> None:
    run = classic.train_perceptron(classic.all_rows(2), [0, 0, 0, 1], epochs=1)
    assert "train longer" in run.separation.verdicts[0]
    assert repr(run) == "PerceptronRun(inputs: 2, units: 1, epochs: 1, not all right)"


def test_without_bias_planes_pass_through_the_origin() -> None:
    X = np.array([[1.0], [2.0]])
    assert classic.find_separator(X, [-1, 1], bias=False) is None
    run = classic.train_perceptron(X, [1, 1], bias=False)
    assert run.converged
    assert run.ltu.bias.tolist() == [0.0]


def test_training_refuses_what_it_cannot_use() -> None:
    X = classic.all_rows(2)
    with pytest.raises(ShapeError, match=r"expected X \[rows, fan_in\]"):
        classic.train_perceptron(X, [0, 1])
    with pytest.raises(DataError, match="y must hold 0 and 1"):
        classic.train_perceptron(X, [0, 1, 2, 3])
    with pytest.raises(DataError, match="finite numbers"):
        classic.train_perceptron([[np.nan]], [0])
    with pytest.raises(DataError, match="epochs"):
        classic.train_perceptron(X, [0, 1, 1, 1], epochs=0)
    with pytest.raises(DataError, match="learning_rate"):
        classic.train_perceptron(X, [0, 1, 1, 1], learning_rate=-1)
    with pytest.raises(ShapeError, match=r"sign \[rows\]"):
        classic.find_separator(X, [1, -1])


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_verdicts_do_not_depend_on_the_scale(scale: float) -> None:
    X = scale * np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    plane = classic.find_separator(X, np.array([-1, -1, -1, 1]))
    assert plane is not None
    assert ((X @ plane[:2] + plane[2] > 0) == [False, False, False, True]).all()
    assert classic.find_separator(X, np.array([-1, 1, 1, -1])) is None


@given(st.lists(st.booleans(), min_size=3, max_size=3))
def test_one_row_is_a_row_of_many_in_whatever_form(bits: list[bool]) -> None:
    neuron = classic.Neuron(("a", "b"), ("c",), 2)
    named = dict(zip("abc", bits, strict=True))
    assert neuron(*bits) == neuron(named) == neuron(*map(int, bits))
    unit = neuron.to_ltu()
    np.testing.assert_array_equal(unit(bits), unit([bits])[0])
    assert bool(unit(bits)[0]) == neuron(*bits)
    circuit = classic.circuit_of_table([0, 1, 1, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(circuit(*bits), circuit([bits])[0])
    np.testing.assert_array_equal(circuit(bits), circuit([bits])[0])


def test_a_neuron_wants_all_its_inputs() -> None:
    with pytest.raises(DataError, match=r"has the inputs a, b; got 1 for 2"):
        classic.and_neuron("a", "b")([[0, 1]])
