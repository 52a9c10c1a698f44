"""Layers and activations beside PyTorch's. Needs the extra `oracles`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn, random
from minicolumn.train.step import loss_of

pytestmark = pytest.mark.oracles
torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed; pip install 'minicolumn[oracles]' brings it"
)

F: Any = torch.nn.functional
# Ours -> PyTorch's, on arrays of float64.
ACTIVATIONS = {
    "celu": F.celu,
    "elu": F.elu,
    "exponential": torch.exp,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "glu": F.glu,
    "hard_shrink": F.hardshrink,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_tanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "linear": lambda x: 1.0 * x,
    "log_sigmoid": F.logsigmoid,
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "logistic": torch.sigmoid,
    "mish": F.mish,
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "silu": F.silu,
    "sine": torch.sin,
    "soft_shrink": F.softshrink,
    "softmax": lambda x: F.softmax(x, -1),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "tanh": torch.tanh,
    "tanh_shrink": F.tanhshrink,
    "threshold": lambda x: F.threshold(x, 1.0, 0.0),
}
MISSING = {"sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "step"}  # in PyTorch
# Ties at which both are meant to agree.
TIES = {
    "hard_shrink": [-0.5, 0.5],
    "hard_sigmoid": [-3.0, 3.0],
    "hard_tanh": [-1.0, 1.0],
    "relu": [0.0],
    "relu6": [0.0, 6.0],
    "soft_shrink": [-0.5, 0.5],
    "threshold": [1.0],
}


def close(found: Any, expected: Any, rtol: float = 1e-12, atol: float = 1e-14) -> None:
    """Compare: some roundings in float64, and sums in another order, unless told otherwise."""
    np.testing.assert_allclose(found, expected, rtol, atol)


def test_every_activation_that_pytorch_has_is_compared() -> None:
    assert set(ACTIVATIONS) | MISSING == set(nn.ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_and_its_slope(name: str) -> None:
    x = np.concatenate([np.linspace(-7.0, 7.0, 40), TIES.get(name, []), [-40.0, 40.0]])
    x = x[: len(x) // 2 * 2].reshape(-1, 2)
    tensor = torch.tensor(x, requires_grad=True)
    out = ACTIVATIONS[name](tensor)
    # Weights of the places, not sines of the outputs: of e^40 the last bit decides what its sine is.
    weights = np.sin(np.arange(x.size)).reshape(x.shape)
    torch.sum(torch.tensor(weights) * out).backward()
    f = nn.ACTIVATIONS[name].function
    close(f(x), out.detach().numpy())
    # The slope of their hard_sigmoid is 1 / 6 as a float32, in float64 too.
    rtol = 4e-8 if name == "hard_sigmoid" else 1e-12
    close(mc.grad(lambda z: np.sum(weights * f(z)))(x), tensor.grad.numpy(), rtol)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(16, 5), (7, 3, 5)])
def test_batch_norm_trains_and_predicts_as_theirs(affine: bool, shape: tuple[int, ...]) -> None:
    layer = nn.BatchNorm(momentum=0.8, eps=1e-3, affine=affine)
    theirs = torch.nn.BatchNorm1d(5, eps=1e-3, momentum=0.2, affine=affine, dtype=torch.float64)
    params = layer.init(0, shape[1:], np.float64)
    optimizer, target = mc.optim.SGD(0.5), random.normal(random.key(9), shape, np.float64)
    other = torch.optim.SGD(theirs.parameters(), 0.5) if affine else None
    rows = int(np.prod(shape[:-1]))

    def step(params: Any, x: Any) -> Any:
        def objective(params: Any) -> Any:
            y, after = layer.apply_training(params, x)
            return np.mean((y - target) ** 2), after

        (value, after), slopes = mc.value_and_grad(objective, has_aux=True)(params)
        updates, _ = optimizer.step(slopes, optimizer.start(params), params)
        return value, mc.optim.apply_updates(after, updates)

    def as_theirs(x: Any) -> Any:
        """Features are the second axis in PyTorch."""
        return torch.tensor(np.moveaxis(x, -1, 1).copy())

    variance = np.ones(5)
    for number in range(6):
        x = random.normal(random.key(number), shape, np.float64) * 3 + number
        value, params = step(params, x)
        loss = torch.mean((theirs(as_theirs(x)) - as_theirs(target)) ** 2)
        if other is not None:
            other.zero_grad()
            loss.backward()
            other.step()
        close(value, loss.item())
        # Theirs divides by rows - 1, ours by rows.
        variance = 0.8 * variance + 0.2 * x.reshape(-1, 5).var(axis=0, ddof=1)
        close(variance, theirs.running_var.numpy())
    close(params["mean"], theirs.running_mean.numpy())
    start = 0.8**6
    unbiased = start + (params["variance"] - start) * rows / (rows - 1)
    close(unbiased, theirs.running_var.numpy())
    if affine:
        close(params["scale"], theirs.weight.detach().numpy())
        close(params["bias"], theirs.bias.detach().numpy())
    theirs.eval()
    theirs.running_var = torch.tensor(params["variance"])
    x = random.normal(random.key(99), shape, np.float64)
    expected = np.moveaxis(theirs(as_theirs(x)).detach().numpy(), 1, -1)
    close(layer.apply(params, x), expected)


@pytest.mark.parametrize("shape", [(6, 5), (3, 2, 5)])
@pytest.mark.parametrize("kind", ["layer", "rms"])
def test_row_norms_and_their_slopes(kind: str, shape: tuple[int, ...]) -> None:
    x = random.normal(random.key(1), shape, np.float64) * 4 + 1
    layer = nn.LayerNorm(1e-4) if kind == "layer" else nn.RMSNorm(1e-4)
    params = {"scale": np.linspace(0.5, 2, 5)} | ({"bias": np.linspace(-1, 1, 5)} if kind == "layer" else {})
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    tensor = torch.tensor(x, requires_grad=True)
    if kind == "layer":
        out = F.layer_norm(tensor, (5,), tensors["scale"], tensors["bias"], 1e-4)
    else:
        out = F.rms_norm(tensor, (5,), tensors["scale"], 1e-4)
    torch.sum(torch.sin(out)).backward()
    close(layer.apply(params, x), out.detach().numpy())
    slopes, slope = mc.grad(lambda p, x: np.sum(np.sin(layer.apply(p, x))), argnums=(0, 1))(params, x)
    np.testing.assert_allclose(slope, tensor.grad.numpy(), rtol=1e-11, atol=1e-13)  # sums that nearly cancel
    for name, value in slopes.items():
        close(value, tensors[name].grad.numpy())


@pytest.mark.parametrize("shared", [True, False])
def test_prelu_and_its_slopes(shared: bool) -> None:
    x = random.normal(random.key(1), (6, 5), np.float64)
    slope = np.array([0.3]) if shared else np.linspace(-1, 1, 5)
    layer, tensor = nn.PReLU(shared=shared), torch.tensor(x, requires_grad=True)
    weight = torch.tensor(slope, requires_grad=True)
    out = F.prelu(tensor, weight)
    torch.sum(torch.sin(out)).backward()
    close(layer.apply({"slope": slope}, x), out.detach().numpy())
    found = mc.grad(lambda s, x: np.sum(np.sin(layer.apply({"slope": s}, x))), argnums=(0, 1))(slope, x)
    close(found[0], weight.grad.numpy())
    close(found[1], tensor.grad.numpy())


def test_alpha_dropout_has_their_two_branches() -> None:
    x, rate = np.full((1, 4000), 0.7), 0.3
    ours = nn.AlphaDropout(rate).apply({}, x, key=random.key(0), training=True)
    torch.manual_seed(0)
    theirs = F.alpha_dropout(torch.tensor(x), rate, training=True).numpy()
    np.testing.assert_allclose(np.unique(ours.round(9)), np.unique(theirs.round(9)), atol=2e-9)  # as rounded


@pytest.mark.parametrize("mini", [True, False])
def test_tabm_and_its_slopes(mini: bool) -> None:
    """TabM and TabM-mini as their authors write them (arXiv 2410.24210), on the same weights."""
    k, hidden = 4, nn.Dense(5, "relu") if mini else nn.BatchEnsemble(5, "relu")
    first = nn.Dense(6, "relu") if mini else nn.BatchEnsemble(6, "relu", inputs=False)
    net = nn.Sequential(nn.Members(k), first, hidden, nn.MemberDense(3), nn.MeanOfMembers("probabilities"))
    params = mc.tree.map_leaves(
        lambda leaf: leaf + 0.3 * random.normal(random.key(leaf.size), leaf.shape, np.float64),
        net.init(0, (3,), np.float64),
    )
    x, y = random.normal(random.key(1), (7, 3), np.float64), np.arange(7) % 3
    tensors = mc.tree.map_leaves(lambda leaf: torch.tensor(leaf, requires_grad=True), params)

    def layer(h: Any, own: Any) -> Any:
        h = h * own["inputs"]["scale"] if "inputs" in own else h
        h = F.linear(h, own["weight"].T)
        return F.relu((h * own["outputs"]["scale"] if "outputs" in own else h) + own["bias"])

    h = torch.tensor(x).unsqueeze(1).expand(-1, k, -1) * tensors["0"]["scale"]
    h = layer(layer(h, tensors["1"]), tensors["2"])
    h = torch.einsum("bki,kio->bko", h, tensors["3"]["weight"]) + tensors["3"]["bias"]
    loss = F.cross_entropy(h.flatten(0, 1), torch.tensor(y).repeat_interleave(k))
    loss.backward()

    def objective(params: Any) -> Any:
        rule = nn.LOSSES["softmax_cross_entropy"].function
        return loss_of(net, rule, None, params, x, y.astype(np.int32), None)[0]

    value, slopes = mc.value_and_grad(objective)(params)
    close(value, loss.item())
    for (path, found), tensor in zip(mc.tree.named_leaves(slopes), mc.tree.leaves(tensors), strict=True):
        # Sums that nearly cancel.
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-10, atol=1e-14, err_msg=path)
    mean = F.softmax(h, dim=-1).mean(dim=1).detach().numpy()
    close(nn.activation_by_name("softmax").function(net.apply(params, x)), mean)
