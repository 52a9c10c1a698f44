"""Optimizers and losses beside PyTorch's. Needs the extra `oracles`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc

pytestmark = pytest.mark.oracles
torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed; pip install 'minicolumn[oracles]' brings it"
)

START = np.array([[1.5, -0.7], [0.3, 2.0]])
SLOPES = np.array([[3.0, 0.2], [1.0, 5.0]])

OPTIMIZERS: dict[str, tuple[mc.optim.Optimizer, Callable[[Any], Any]]] = {
    "sgd": (mc.optim.SGD(0.05), lambda p: torch.optim.SGD(p, 0.05)),
    "momentum": (
        mc.optim.SGD(0.05, momentum=0.9, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=0.01),
    ),
    "nesterov": (
        mc.optim.SGD(0.05, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
    ),
    "rmsprop": (mc.optim.RMSProp(0.01, decay=0.9), lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9)),
    "adam": (mc.optim.Adam(0.1), lambda p: torch.optim.Adam(p, 0.1)),
    "adamw": (
        mc.optim.AdamW(0.1, b2=0.95, weight_decay=0.02),
        lambda p: torch.optim.AdamW(p, 0.1, betas=(0.9, 0.95), weight_decay=0.02),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_trajectory(name: str) -> None:
    ours, theirs = OPTIMIZERS[name]
    params, tensor = START.copy(), torch.tensor(START, requires_grad=True)
    moments, other = ours.start(params), theirs([tensor])
    slope = mc.grad(lambda p: np.sum(SLOPES * p**2) + np.sum(np.sin(p)))
    for _ in range(50):
        updates, moments = ours.step(slope(params), moments, params)
        params = mc.optim.apply_updates(params, updates)
        other.zero_grad()
        (torch.sum(torch.tensor(SLOPES) * tensor**2) + torch.sum(torch.sin(tensor))).backward()
        other.step()
        # Fifty steps of roundings in another order; a steep valley may double them now and then.
        np.testing.assert_allclose(params, tensor.detach().numpy(), 1e-9, 1e-11)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_and_its_slope(smoothing: float) -> None:
    rng = np.random.default_rng(0)
    logits, labels = 5.0 * rng.standard_normal((8, 4)), rng.integers(0, 4, 8)
    from minicolumn.nn.losses import softmax_cross_entropy

    def ours(z: Any) -> Any:
        return softmax_cross_entropy(z, labels, label_smoothing=smoothing)

    tensor = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(tensor, torch.tensor(labels), label_smoothing=smoothing)
    loss.backward()
    value, slope = mc.value_and_grad(ours)(logits)
    # The same sums in float64, in another order.
    np.testing.assert_allclose(value, loss.item(), 1e-12)
    np.testing.assert_allclose(slope, tensor.grad.numpy(), 1e-11, 1e-15)


@pytest.mark.parametrize("name", ["relu", "elu", "selu", "mish", "softplus", "silu", "gelu", "leaky_relu"])
def test_activation_and_its_slope(name: str) -> None:
    x = np.linspace(-6.0, 6.0, 40)
    tensor = torch.tensor(x, requires_grad=True)
    out = getattr(torch.nn.functional, name)(tensor)
    out.sum().backward()
    f = mc.nn.ACTIVATIONS[name].function
    np.testing.assert_allclose(f(x), out.detach().numpy(), 1e-12, 1e-14)
    np.testing.assert_allclose(mc.grad(lambda z: np.sum(f(z)))(x), tensor.grad.numpy(), 1e-12, 1e-14)
