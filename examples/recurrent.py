"""A recurrent network by `mc.scan`: does the running sum of a sequence ever pass 2?

    h[t+1] = tanh(x[t] W + h[t] U + b),      logit = h[T] w + c

The loop over time is one operation of the compiled program; its gradient is backpropagation through time.
"""

import numpy as np

import minicolumn as mc

UNITS, LENGTH = 32, 8
optimizer = mc.optim.Adam(0.005)


def first_params(rng):
    """Return random weights; U begins orthogonal, so that what was seen is neither lost nor blown up."""
    U, _ = np.linalg.qr(rng.standard_normal((UNITS, UNITS)))
    params = {
        "W": rng.standard_normal((1, UNITS)), "U": U, "b": np.zeros(UNITS),
        "w": rng.standard_normal(UNITS) / UNITS, "c": np.zeros(()),
    }  # fmt: skip
    return {name: np.asarray(value, np.float32) for name, value in params.items()}


def logits(params, X):
    """Return a logit for each sequence of X, [batch, time, 1]."""

    def step(h, x):
        return np.tanh(x @ params["W"] + h @ params["U"] + params["b"]), None

    h = np.zeros((X.shape[0], UNITS), np.float32)
    h, _ = mc.scan(step, h, np.swapaxes(X, 0, 1))
    return h @ params["w"] + params["c"]


def objective(params, X, y):
    """Return the mean binary cross-entropy of targets 0 and 1."""
    z = logits(params, X)
    return np.mean(np.logaddexp(0.0, z) - y * z)


@mc.compile
def epoch(params, moments, X, y, order):
    """Return weights, moments and the mean loss after a step for each row of `order`."""

    def step(state, rows):
        params, moments = state
        loss, grads = mc.value_and_grad(objective)(params, X[rows], y[rows])
        updates, moments = optimizer.step(grads, moments, params)
        return (mc.optim.apply_updates(params, updates), moments), loss

    (params, moments), losses = mc.scan(step, (params, moments), order)
    return params, moments, np.mean(losses)


def main() -> float:
    """Tell whether the running sum of a sequence ever passes 2; return the held-out accuracy."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, LENGTH, 1)).astype(np.float32)
    y = (np.cumsum(X[..., 0], axis=1).max(axis=1) > 2.0).astype(np.float32)
    params = first_params(rng)
    moments = optimizer.start(params)
    for number in range(1, 61):
        order = rng.permutation(2000).astype(np.int32).reshape(40, 50)
        params, moments, loss = epoch(params, moments, X[:2000], y[:2000], order)
        if number % 15 == 0:
            print(f"epoch {number:2}   loss {loss:.4f}")
    accuracy = float(np.mean((mc.compile(logits)(params, X[2000:]) > 0) == y[2000:]))
    print(f"held-out accuracy {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
