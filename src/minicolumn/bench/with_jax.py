"""JAX's side of the benchmarks: a scan over the steps of an epoch, and one jitted step at a time."""

from __future__ import annotations

from typing import Any

import jax  # pyright: ignore[reportMissingImports]  an optional peer
import jax.numpy as jnp  # pyright: ignore[reportMissingImports]  an optional peer
import numpy as np

from minicolumn.bench.sides import Side
from minicolumn.bench.workloads import Problem, Workload

_B1, _B2, _EPS = 0.9, 0.999, 1e-8
_ACTIVATIONS = {"relu": lambda x: jnp.maximum(x, 0), "tanh": jnp.tanh}


def training(problem: Problem) -> list[Side]:
    """Return the sides of JAX on a training: a whole scan a call, and a jitted step a call."""
    return [scan(problem), _one_step(problem)]


def losses(problem: Problem) -> np.ndarray:
    """Return the loss of each step, float32 [steps], from the problem's initial weights."""
    _, found = jax.jit(_epoch(problem.workload))(_start(problem), *_data(problem), jnp.asarray(problem.order))
    return np.asarray(found)


def scan(problem: Problem) -> Side:
    """Return the side of one jitted `lax.scan` over all steps, the state donated."""
    X, Y = _data(problem)
    order = jnp.asarray(problem.order)
    epoch = jax.jit(_epoch(problem.workload), donate_argnums=0)
    held = [_start(problem)]

    def call() -> None:
        held[0], found = epoch(held[0], X, Y, order)
        found.block_until_ready()

    return Side("JAX scan", call, problem.steps, "state donated")


def _one_step(problem: Problem) -> Side:
    """Return the side of a jitted step called from Python's loop."""
    X, Y = _data(problem)
    order = list(jnp.asarray(problem.order[: problem.workload.eager_steps]))
    step = jax.jit(_step(problem.workload), donate_argnums=0)
    held = [_start(problem)]

    def call() -> None:
        found: Any = None
        for rows in order:
            held[0], found = step(held[0], X, Y, rows)
        found.block_until_ready()

    return Side("JAX jit a step", call, len(order), "state donated")


def prediction(problem: Problem, X: np.ndarray, repeat: int) -> list[Side]:
    """Return the side of a jitted forward pass and softmax, from NumPy to NumPy."""
    params = [(jnp.asarray(w), jnp.asarray(b)) for w, b in problem.weights]
    activation = problem.workload.activation
    run = jax.jit(lambda params, x: jax.nn.softmax(forward(activation, params, x)))

    def call() -> np.ndarray:
        for _ in range(repeat - 1):
            np.asarray(run(params, X))
        return np.asarray(run(params, X))

    return [Side("JAX jit", call, repeat)]


def _data(problem: Problem) -> tuple[jax.Array, jax.Array]:
    return jnp.asarray(problem.X), jnp.asarray(problem.Y)


def _start(problem: Problem) -> tuple[Any, Any, jax.Array]:
    """Return the initial state: weights, Adam's moments or None, step count."""
    params = [(jnp.asarray(w), jnp.asarray(b)) for w, b in problem.weights]
    zeros = jax.tree.map(jnp.zeros_like, params)
    moments = (zeros, jax.tree.map(jnp.zeros_like, params)) if problem.workload.optimizer == "adam" else None
    return params, moments, jnp.zeros((), jnp.int32)


def forward(activation: str, params: Any, x: jax.Array) -> jax.Array:
    """Return the network's outputs without dropout."""
    for weight, bias in params[:-1]:
        x = _ACTIVATIONS[activation](x @ weight + bias)
    weight, bias = params[-1]
    return x @ weight + bias


def _training_forward(workload: Workload, params: Any, x: jax.Array, key: jax.Array) -> jax.Array:
    """Return the outputs with dropout behind the first layer; its mask is drawn by JAX's Bernoulli."""
    if not workload.dropout:
        return forward(workload.activation, params, x)
    weight, bias = params[0]
    x = _ACTIVATIONS[workload.activation](x @ weight + bias)
    keep = 1 - workload.dropout
    x = jnp.where(jax.random.bernoulli(key, keep, x.shape), x / keep, 0)
    return forward(workload.activation, params[1:], x)


def _loss(workload: Workload, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Return the mean loss, of logits or of numbers."""
    if workload.loss == "squared_error":
        return jnp.mean((outputs - targets) ** 2)
    logs = jax.nn.log_softmax(outputs)
    return -jnp.mean(jnp.take_along_axis(logs, targets[:, None], axis=1))


def _step(workload: Workload) -> Any:
    """Return the function that does one step: (state, X, Y, rows) -> (state, loss).

    Rows are gathered inside the step, as ours does; dropout's key is folded with the step count.
    """
    key = jax.random.key(0)

    def step(state: Any, X: jax.Array, Y: jax.Array, rows: jax.Array) -> Any:
        params, moments, count = state

        def objective(params: Any) -> jax.Array:
            outputs = _training_forward(workload, params, X[rows], jax.random.fold_in(key, count))
            return _loss(workload, outputs, Y[rows])

        loss, grads = jax.value_and_grad(objective)(params)
        update = _adam if workload.optimizer == "adam" else _sgd
        params, moments = update(workload.learning_rate, params, grads, moments, count + 1)
        return (params, moments, count + 1), loss

    return step


def _epoch(workload: Workload) -> Any:
    """Return the scan over the steps: (state, X, Y, order) -> (state, losses)."""
    step = _step(workload)

    def epoch(state: Any, X: jax.Array, Y: jax.Array, order: jax.Array) -> Any:
        return jax.lax.scan(lambda state, rows: step(state, X, Y, rows), state, order)

    return epoch


def _sgd(rate: float, params: Any, grads: Any, moments: Any, count: jax.Array) -> Any:
    return jax.tree.map(lambda p, g: p - rate * g, params, grads), moments


def _adam(rate: float, params: Any, grads: Any, moments: Any, count: jax.Array) -> Any:
    """Return weights and moments after a step of Adam (Kingma & Ba 2015, Algorithm 1)."""
    first = jax.tree.map(lambda m, g: _B1 * m + (1 - _B1) * g, moments[0], grads)
    second = jax.tree.map(lambda v, g: _B2 * v + (1 - _B2) * g * g, moments[1], grads)
    one, two = 1 - _B1**count, 1 - _B2**count
    params = jax.tree.map(
        lambda p, m, v: p - rate * (m / one) / (jnp.sqrt(v / two) + _EPS), params, first, second
    )
    return params, (first, second)
