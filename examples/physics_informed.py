"""A physics-informed network: a differential equation is the loss, at fixed collocation points.

    u'' + u = 0,   u(0) = 0,   u'(0) = 1        so that u = sin x

The network's derivatives by its input stand in the loss, whose gradient by the weights is taken: derivatives
of derivatives, compiled as one program. The points are constants of that program.
"""

import numpy as np

import minicolumn as mc

net = mc.nn.Sequential(mc.nn.Dense(24, "tanh"), mc.nn.Dense(24, "tanh"), mc.nn.Dense(1))
optimizer = mc.optim.Adam(0.005)
POINTS = np.linspace(0.0, 2.0 * np.pi, 48)[:, None]


def u(params, x):
    """Return the solution at points [n, 1], which has its first value built in: u(0) = 0."""
    return x * net.apply(params, x / 3.0 - 1.0)


def slope(params, x):
    """Return du/dx, [n, 1]: outputs depend on their own point alone, so the sum's gradient has them."""
    return mc.grad(lambda x: np.sum(u(params, x)))(x)


def objective(params):
    """Return the mean squared residual of the equation, and of the slope at 0."""
    curvature = mc.grad(lambda x: np.sum(slope(params, x)))(POINTS)
    return np.mean((curvature + u(params, POINTS)) ** 2) + (slope(params, np.zeros((1, 1)))[0, 0] - 1.0) ** 2


@mc.compile
def train(params, moments):
    """Return weights, moments and the losses after 1,000 steps."""

    def step(state, _):
        params, moments = state
        loss, grads = mc.value_and_grad(objective)(params)
        updates, moments = optimizer.step(grads, moments, params)
        return (mc.optim.apply_updates(params, updates), moments), loss

    return mc.scan(step, (params, moments), None, length=1_000)


def main() -> float:
    """Solve the equation; print the solution, and return its largest error."""
    params = net.init(seed=0, input_shape=(1,), dtype=np.float64)
    moments = optimizer.start(params)
    for thousands in range(1, 6):
        (params, moments), losses = train(params, moments)
        print(f"step {thousands},000   loss {losses[-1]:.2e}")
    x = np.linspace(0.0, 2.0 * np.pi, 9)[:, None]
    for at, found in zip(x[:, 0], u(params, x)[:, 0], strict=True):
        print(f"u({at:.3f}) = {found:+.4f}   sin {np.sin(at):+.4f}")
    fine = np.linspace(0.0, 2.0 * np.pi, 400)[:, None]
    error = float(np.abs(u(params, fine) - np.sin(fine)).max())
    print(f"largest error {error:.1e}")
    return error


if __name__ == "__main__":
    main()
