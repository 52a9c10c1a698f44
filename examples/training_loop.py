"""A training loop of one's own: mini-batches, an optimizer's steps and the loss, one native call an epoch.

`mc.fit` is this loop and more; write your own where it does something that `fit` does not.
"""

import numpy as np

import minicolumn as mc

net = mc.nn.Sequential(mc.nn.Dense(16, "tanh"), mc.nn.Dense(2))
optimizer = mc.optim.Adam(0.02)


def objective(params, X, y):
    """Return the mean cross-entropy."""
    rows = np.arange(y.shape[0])
    return -np.mean(mc.nn.log_softmax(net.apply(params, X))[rows, y])


@mc.compile
def epoch(params, moments, X, y, order):
    """Return weights, moments and the mean loss after a step for each row of `order` [steps, batch]."""

    def step(state, rows):
        params, moments = state
        loss, grads = mc.value_and_grad(objective)(params, X[rows], y[rows])
        updates, moments = optimizer.step(grads, moments, params)
        return (mc.optim.apply_updates(params, updates), moments), loss

    (params, moments), losses = mc.scan(step, (params, moments), order)
    return params, moments, np.mean(losses)


def main() -> float:
    """Train on two spirals; print the loss now and then, and return the accuracy."""
    rng = np.random.default_rng(0)
    turn, y = rng.uniform(0.5, 3.0, 400), np.arange(400, dtype=np.int32) % 2
    X = turn[:, None] * np.stack([np.cos(2 * turn + np.pi * y), np.sin(2 * turn + np.pi * y)], axis=1)
    X = (X + 0.05 * rng.standard_normal(X.shape)).astype(np.float32)
    params = net.init(seed=0, input_shape=(2,))
    moments = optimizer.start(params)
    for number in range(1, 201):
        order = rng.permutation(400).astype(np.int32).reshape(20, 20)
        params, moments, loss = epoch(params, moments, X, y, order)
        if number % 40 == 0:
            print(f"epoch {number:3}   loss {loss:.4f}")
    accuracy = float(np.mean(net.apply(params, X).argmax(axis=1) == y))
    print(f"accuracy {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
