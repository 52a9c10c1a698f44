"""Losses and their slopes beside PyTorch's and optax's. Needs the extra `oracles`, and optax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.nn import Loss

pytestmark = pytest.mark.oracles

RNG = np.random.default_rng(1)
OUTPUTS = 3.0 * RNG.standard_normal((8, 4))
NUMBERS = 2.0 * RNG.standard_normal((8, 4))
AMOUNTS = RNG.uniform(0.2, 4.0, (8, 4))
YES = (RNG.random((8, 4)) < 0.5).astype(np.float64)
LABELS = RNG.integers(0, 4, 8)
SHARES = RNG.dirichlet(np.ones(4), 8)
NO = np.zeros((8, 4))

# name -> (ours, outputs, targets, theirs of (torch.nn.functional, outputs, targets))
TORCH: dict[str, tuple[Loss, Any, Any, Callable[[Any, Any, Any], Any]]] = {
    "mse": (Loss("squared_error"), OUTPUTS, NUMBERS, lambda f, y, t: f.mse_loss(y, t)),
    "l1": (Loss("absolute_error"), OUTPUTS, NUMBERS, lambda f, y, t: f.l1_loss(y, t)),
    "huber": (Loss("huber", delta=0.7), OUTPUTS, NUMBERS, lambda f, y, t: f.huber_loss(y, t, delta=0.7)),
    # With the corner at 1 both are the same; elsewhere PyTorch's smooth loss is Huber's divided by it.
    "smooth l1": (Loss("huber"), OUTPUTS, NUMBERS, lambda f, y, t: f.smooth_l1_loss(y, t)),
    "smooth l1 of 2": (
        Loss("huber", delta=2.0),
        OUTPUTS,
        NUMBERS,
        lambda f, y, t: 2.0 * f.smooth_l1_loss(y, t, beta=2.0),
    ),
    "gaussian": (
        Loss("gaussian_nll"),
        OUTPUTS[:, :2],
        NUMBERS[:, 0],
        lambda f, y, t: f.gaussian_nll_loss(y[:, 0], t, y[:, 1].exp(), full=True, eps=1e-30),
    ),
    "bce": (
        Loss("binary_cross_entropy"),
        OUTPUTS,
        YES,
        lambda f, y, t: f.binary_cross_entropy_with_logits(y, t),
    ),
    "bce, smooth": (
        Loss("binary_cross_entropy", label_smoothing=0.2),
        OUTPUTS,
        YES,
        lambda f, y, t: f.binary_cross_entropy_with_logits(y, 0.8 * t + 0.1),
    ),
    "hinge of no": (
        Loss("hinge"),
        OUTPUTS,
        NO,
        lambda f, y, t: f.hinge_embedding_loss(-y, t - 1.0, margin=1.0),
    ),
    # With two classes the sum over the wrong ones is its largest term; PyTorch divides by the classes.
    "multi margin": (
        Loss("categorical_hinge"),
        OUTPUTS[:, :2],
        LABELS % 2,
        lambda f, y, t: 2.0 * f.multi_margin_loss(y, t),
    ),
    "kl": (
        Loss("kl_divergence"),
        OUTPUTS,
        SHARES,
        lambda f, y, t: f.kl_div(f.log_softmax(y, 1), t, reduction="batchmean"),
    ),
    "cosine": (
        Loss("cosine_distance"),
        OUTPUTS,
        NUMBERS,
        lambda f, y, t: (1.0 - f.cosine_similarity(y, t)).mean(),
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_beside_pytorch(name: str) -> None:
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed; pip install 'minicolumn[oracles]' brings it"
    )
    loss, outputs, targets, theirs = TORCH[name]
    tensor = torch.tensor(outputs, requires_grad=True)
    expected = theirs(torch.nn.functional, tensor, torch.tensor(targets))
    expected.backward()
    value, slope = mc.value_and_grad(lambda y: loss(y, targets))(outputs)
    # The same sums in float64, in another order.
    np.testing.assert_allclose(value, expected.item(), 1e-12)
    np.testing.assert_allclose(slope, tensor.grad.numpy(), 1e-11, 1e-15)


def test_poisson_differs_from_pytorch_by_what_the_outputs_do_not_touch() -> None:
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed; pip install 'minicolumn[oracles]' brings it"
    )
    tensor = torch.tensor(OUTPUTS, requires_grad=True)
    expected = torch.nn.functional.poisson_nll_loss(tensor, torch.tensor(AMOUNTS))
    expected.backward()
    value, slope = mc.value_and_grad(lambda y: Loss("poisson")(y, AMOUNTS))(OUTPUTS)
    constant = np.mean(AMOUNTS * np.log(AMOUNTS) - AMOUNTS)
    np.testing.assert_allclose(value, expected.item() + constant, 1e-12)
    np.testing.assert_allclose(slope, tensor.grad.numpy(), 1e-11, 1e-14)


# name -> (ours, outputs, targets, theirs of (optax, outputs, targets), one number a row or an output)
OPTAX: dict[str, tuple[Loss, Any, Any, Callable[[Any, Any, Any], Any]]] = {
    "log_cosh": (Loss("log_cosh"), OUTPUTS, NUMBERS, lambda o, y, t: o.log_cosh(y, t)),
    "focal": (
        Loss("binary_focal", gamma=1.5, alpha=0.3),
        OUTPUTS,
        YES,
        lambda o, y, t: o.sigmoid_focal_loss(y, t, alpha=0.3, gamma=1.5),
    ),
    "focal, unbalanced": (
        Loss("binary_focal"),
        OUTPUTS,
        YES,
        lambda o, y, t: o.sigmoid_focal_loss(y, t, gamma=2.0),
    ),
    "hinge": (Loss("hinge"), OUTPUTS, YES, lambda o, y, t: o.hinge_loss(y, 2.0 * t - 1.0)),
    "multiclass hinge": (
        Loss("categorical_hinge"),
        OUTPUTS,
        LABELS,
        lambda o, y, t: o.losses.multiclass_hinge_loss(y, t),
    ),
    "cosine": (Loss("cosine_distance"), OUTPUTS, NUMBERS, lambda o, y, t: o.cosine_distance(y, t)),
    "cross entropy": (
        Loss("softmax_cross_entropy"),
        OUTPUTS,
        LABELS,
        lambda o, y, t: o.softmax_cross_entropy_with_integer_labels(y, t),
    ),
}


@pytest.mark.parametrize("name", OPTAX)
def test_beside_optax(name: str) -> None:
    optax = pytest.importorskip("optax", reason="optax is not installed; pip install optax brings it")
    jax = pytest.importorskip("jax")
    loss, outputs, targets, theirs = OPTAX[name]
    value, slope = mc.value_and_grad(lambda y: loss(y, targets))(outputs)
    expected, other = jax.value_and_grad(lambda y: theirs(optax, y, jax.numpy.asarray(targets)).mean())(
        jax.numpy.asarray(outputs)
    )
    # The same sums in float64, in another order; optax takes 1 - p, which cancels some digits.
    np.testing.assert_allclose(value, float(expected), 1e-11)
    np.testing.assert_allclose(slope, np.asarray(other), 1e-9, 1e-14)
