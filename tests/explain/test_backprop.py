"""One step of backpropagation: by hand, by autodiff, by differences, and as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import DataError, ShapeError
from minicolumn.explain import BackpropReport
from minicolumn.nn.classic import STEP_HAS_NO_SLOPE

Array = np.ndarray
LOSSES = {
    "squared_error": np.array([[0.3, -0.2], [1.0, 0.5], [0.0, 0.0]]),
    "absolute_error": np.array([[0.3, -0.2], [1.0, 0.5], [0.0, 0.0]]),
    "huber": np.array([[0.3, -0.2], [3.0, 0.5], [0.0, 0.0]]),
    "poisson": np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]]),
    "binary_cross_entropy": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]),
    "softmax_cross_entropy": np.array([1, 0, 1]),
}
X = np.array([[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]])


def report_of(net: mc.nn.Layer, y: Any, loss: Any, **settings: Any) -> BackpropReport:
    return mc.backprop_report(net, net.init(1, (2,), np.float64), X, y, loss=loss, **settings)


@pytest.fixture(scope="module")
def by_hand() -> BackpropReport:
    """Return the example that many courses work out: two inputs, two hidden neurons, two outputs."""
    params = {
        "0": {"weight": np.array([[0.15, 0.25], [0.20, 0.30]]), "bias": np.array([0.35, 0.35])},
        "1": {"weight": np.array([[0.40, 0.50], [0.45, 0.55]]), "bias": np.array([0.60, 0.60])},
    }
    net = mc.nn.Sequential(mc.nn.Dense(2, "logistic"), mc.nn.Dense(2, "logistic"))
    return mc.backprop_report(net, params, [[0.05, 0.10]], [[0.01, 0.99]], learning_rate=0.5)


def test_the_famous_example_to_every_digit_that_is_printed(by_hand: BackpropReport) -> None:
    # Mazur 2015, "A step by step backpropagation example", printed to nine places. Half the sum of two
    # squares is their mean, so it is our squared_error.
    hidden, output = by_hand.layers
    assert by_hand.loss == pytest.approx(0.298371109, abs=5e-10)
    assert hidden.pre_activations is not None
    np.testing.assert_allclose(hidden.pre_activations, [[0.3775, 0.3925]], rtol=1e-15)
    np.testing.assert_allclose(hidden.outputs, [[0.593269992, 0.596884378]], atol=5e-10)
    np.testing.assert_allclose(output.outputs, [[0.75136507, 0.772928465]], atol=5e-9)
    np.testing.assert_allclose(output.deltas, [[0.138498562, -0.038098236]], atol=1e-9)
    after = {w.name: w.after for w in by_hand.weights}
    expected_output = [[0.35891648, 0.511301270], [0.408666186, 0.561370121]]
    expected_hidden = [[0.149780716, 0.24975114], [0.19956143, 0.29950229]]
    np.testing.assert_allclose(after["1.weight"], expected_output, atol=5e-9)
    np.testing.assert_allclose(after["0.weight"], expected_hidden, atol=5e-9)


def test_two_two_one_worked_out_in_full() -> None:
    # All numbers are short: z1 = (1, -1), relu, z2 = 2, L = (2 - 1)^2.
    params = {
        "0": {"weight": np.array([[1.0, -1.0], [0.5, 0.5]]), "bias": np.array([0.0, 0.0])},
        "1": {"weight": np.array([[2.0], [4.0]]), "bias": np.array([0.0])},
    }
    net = mc.nn.Sequential(mc.nn.Dense(2, "relu"), mc.nn.Dense(1))
    report = mc.backprop_report(net, params, [[1.0, 0.0]], [1.0], learning_rate=0.25)
    hidden, output = report.layers
    assert output.outputs.tolist() == [[2.0]]
    assert report.loss == 1.0
    assert output.upstream.tolist() == [[2.0]]
    assert hidden.upstream.tolist() == [[4.0, 8.0]]
    assert hidden.deltas.tolist() == [[4.0, 0.0]]  # the second neuron is shut
    after = {w.name: w.after.tolist() for w in report.weights}
    assert after["1.weight"] == [[1.5], [4.0]]
    assert after["1.bias"] == [-0.5]
    assert after["0.weight"] == [[0.0, -1.0], [0.5, 0.5]]
    assert after["0.bias"] == [-1.0, 0.0]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "relu", "softmax", "log_softmax", "sparsemax", "glu"])
def test_gradients_are_those_of_autodiff_and_of_differences(loss: str, activation: str) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(3, activation), mc.nn.Dense(2))
    report = report_of(net, LOSSES[loss], loss)
    rule = mc.nn.LOSSES[loss].function
    params = net.init(1, (2,), np.float64)
    gradient = mc.grad(lambda p: rule(net.apply(p, X), LOSSES[loss]))(params)
    for w in report.weights:
        layer, name = w.name.split(".")
        np.testing.assert_array_equal(w.gradient, gradient[layer][name])
        np.testing.assert_array_equal(w.after, w.before - 0.5 * w.gradient)
    # Central differences with the best step are right to about 2^-53 to the power of 2/3, 2e-11, times what
    # the third derivative adds; no kink is that near.
    assert report.largest_difference < 1e-8
    for step in report.layers:  # the law of move 4
        np.testing.assert_allclose(
            step.inputs.T @ step.deltas, gradient[step.path[:-1]]["weight"], rtol=1e-12, atol=1e-15
        )
    hidden, output = report.layers  # the law of move 3
    np.testing.assert_allclose(
        hidden.upstream, output.deltas @ params["1"]["weight"].T, rtol=1e-12, atol=1e-15
    )
    by_row = mc.nn.ACTIVATIONS[activation].by_row
    assert (hidden.derivatives is None) == by_row
    assert ("derivative" in str(report).partition("3  Backward")[2].partition("4  Weight")[0]) == (not by_row)
    if hidden.derivatives is not None:
        np.testing.assert_allclose(
            hidden.deltas, hidden.upstream * hidden.derivatives, rtol=1e-12, atol=1e-15
        )


def test_a_small_step_lowers_the_loss_by_the_squared_gradient() -> None:
    rate = 1e-6
    report = report_of(mc.nn.Dense(2, "tanh"), LOSSES["squared_error"], "squared_error", learning_rate=rate)
    square = sum(float((w.gradient**2).sum()) for w in report.weights)
    # Up to the curvature's term, rate^2 |H| |g|^2 / 2.
    assert (report.loss - report.loss_after) / rate == pytest.approx(square, rel=1e-4)


def test_layers_of_every_kind_are_walked_through() -> None:
    net = mc.nn.Sequential(
        mc.nn.Scale(),
        mc.nn.Sequential(mc.nn.Dense(4, np.tanh), mc.nn.Activation("relu")),
        mc.nn.Dropout(0.5),
        mc.nn.Residual(mc.nn.Dense(4)),
        mc.nn.Dense(2, bias=False, parametrization="ntk"),
    )
    report = report_of(net, LOSSES["squared_error"], "squared_error")
    assert [step.path for step in report.layers] == ["0.", "1.0.", "1.1.", "2.", "3.", "4."]
    assert report.largest_difference < 1e-8
    text = str(report)
    for name in ("h2.1: ", "weighted sum", "bias of h2.4", "0.scale[0]", "Residual(Dense(4)) gives"):
        assert name in text


def test_the_text_is_what_one_would_write(by_hand: BackpropReport) -> None:
    text = str(by_hand)
    for line in (
        "   h1: 0.05 x 0.15 + 0.1 x 0.2 + 0.35 = 0.3775, logistic 0.5933",
        "   o1: got 0.7514, wanted 0.01   dL/do1 = 0.7414",
        "   o1: 0.7414 x derivative 0.1868 = 0.1385",
        "   h1: (0.1385 x 0.4 + (-0.0381) x 0.5) x derivative 0.2413 = 0.008771",
        "   x1 -> h1                      0.15   0.000438568   0.000438568  -0.000219284    0.149781",
    ):
        assert line in text.splitlines()
    assert "L goes from 0.298371 to 0.280471" in text
    assert max(map(len, text.splitlines())) <= 100
    assert repr(by_hand).endswith("12 weights, squared_error 0.298371 -> 0.280471)")


def test_classes_and_several_rows_are_told() -> None:
    text = str(report_of(mc.nn.Dense(2), LOSSES["softmax_cross_entropy"], "softmax_cross_entropy"))
    assert "wanted: class 1, o2" in text
    assert "row 2 of 3" in text
    assert "row 3 of 3" not in text
    assert "and so on for 1 more row" in text
    assert "summed over the rows" in text


def test_a_large_network_is_summed_up_in_few_lines() -> None:
    net = mc.nn.Sequential(
        mc.nn.Dense(64, "relu"), mc.nn.Dropout(0.5), mc.nn.Dense(64, "relu"), mc.nn.Dense(2)
    )
    report = report_of(net, LOSSES["softmax_cross_entropy"], "softmax_cross_entropy")
    text = str(report)
    lines = text.splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= 100
    assert "of 4482 weights" in text  # differences are taken for some
    taken = sum(int((~np.isnan(w.difference)).sum()) for w in report.weights)
    assert 200 <= taken <= 500
    assert report.largest_difference < 1e-8


def test_a_step_is_explained_where_nothing_moves() -> None:
    report = report_of(
        mc.nn.Sequential(mc.nn.Dense(3, "step"), mc.nn.Dense(2)), LOSSES["squared_error"], "squared_error"
    )
    assert not report.weights[0].gradient.any()
    assert STEP_HAS_NO_SLOPE in " ".join(str(report).split())


def test_an_own_loss_has_its_name() -> None:
    def cubed(outputs: Array, targets: Array, weight: Array | None) -> Any:
        return np.mean(np.abs(outputs - targets) ** 3)

    report = report_of(mc.nn.Dense(2), LOSSES["squared_error"], cubed)
    assert report.loss_name == "cubed"
    assert report.largest_difference < 1e-7  # |.|^3 has a third derivative that jumps


def test_what_cannot_be_worked_out_is_refused() -> None:
    net = mc.nn.Dense(2)
    params, y = net.init(0, (2,), np.float64), LOSSES["squared_error"]
    for arguments, error, message in (
        ({"network": "net"}, DataError, "expected a layer"),
        ({"loss": "squared_eror"}, DataError, "did you mean 'squared_error'"),
        ({"loss": 3}, DataError, "expected a name or a function"),
        (
            {"params": {"weight": np.zeros((3, 2)), "bias": np.zeros(2)}},
            ShapeError,
            r"expected weight \[2, 2\]",
        ),
        ({"learning_rate": np.inf}, DataError, "finite number"),
        ({"y": y[:2]}, ShapeError, "y 2"),
    ):
        given: Any = {"network": net, "params": params, "X": X, "y": y, **arguments}
        with pytest.raises(error, match=message):
            mc.backprop_report(**given)


def test_rows_that_are_tied_together_have_no_report() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(2), mc.nn.BatchNorm(), mc.nn.Dense(1))
    with pytest.raises(DataError, match="BatchNorm ties the rows"):
        mc.backprop_report(net, net.init(0, (2,), np.float64), np.ones((2, 2)), np.ones(2))


CORNERED = mc.nn.Sequential(mc.nn.Dense(2, "leaky_relu:slope=0.3"), mc.nn.Dense(1))
LAYERS = [
    {"weight": [[0.5, -0.4], [0.3, 0.8]], "bias": [0.0, 0.0]},
    {"weight": [[1.0], [-1.0]], "bias": [0.1]},
]


def test_it_says_the_formulas_a_corner_and_a_step_too_far() -> None:
    text = str(mc.backprop_report(CORNERED, LAYERS, [[1.0, 2.0], [0.0, 0.0]], [1.0, 0.0], learning_rate=3.0))
    assert text.count("leaky_relu(x) = x if x > 0 else slope x, slope = 0.3") == 1
    assert text.count("squared_error: (y - t)^2") == 1
    # In the second row both pre-activations are 0, the leaky ReLU's kink: the biases' gradients show it.
    assert "differ at 2 weights" in " ".join(text.split())
    assert "L rises: " in text
    calm = str(mc.backprop_report(CORNERED, LAYERS, [[1.0, 2.0]], [1.0], learning_rate=0.01))
    assert "agree to" in calm
    assert "L rises" not in calm


def test_weights_may_be_a_list_of_layers() -> None:
    named = {str(place): layer for place, layer in enumerate(LAYERS)}
    one, two = (mc.backprop_report(CORNERED, p, [[1.0, 2.0]], [1.0]) for p in (LAYERS, named))
    assert str(one) == str(two)
    for wrong in ([[0.5], [[0.4, 1]]], [np.ones((2, 2)), np.ones(2)]):
        with pytest.raises(mc.DataError, match="a list that is no array of numbers; give them as"):
            mc.backprop_report(CORNERED, wrong, [[1.0, 2.0]], [1.0])
