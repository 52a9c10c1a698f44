"""An optimizer of one's own: a step by the gradient's sign, longer where the sign stays the same (Rprop).

    rate = rate * 1.2 where the sign stays, rate * 0.5 where it turns
    p -= learning_rate * rate * sign(g)

An optimizer is a frozen dataclass whose `transform` has two pure functions over one array; see
`minicolumn.optim.Optimizer`.

Source      Riedmiller & Braun 1993
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

import minicolumn as mc
from minicolumn.optim.transform import Transform
from minicolumn.registry import Number


@dataclass(frozen=True)
class Rprop(mc.optim.Optimizer):
    """Resilient backpropagation, for batches that are all of the rows."""

    up: Annotated[float, Number(help="On the rate where the sign stays.", gt=1)] = 1.2
    down: Annotated[float, Number(help="On the rate where it turns.", gt=0, lt=1)] = 0.5

    def transform(self, penalized=True):
        def start(param):
            return {"rate": np.ones_like(param), "sign": np.zeros_like(param)}

        def step(direction, moments, param, time):
            sign = np.sign(direction)
            same = sign * moments["sign"]
            factor = np.where(same > 0, self.up, np.where(same < 0, self.down, 1.0))
            rate = np.clip(moments["rate"] * factor, 1e-6, 50.0).astype(param.dtype)
            return rate * sign, {"rate": rate, "sign": sign}

        return Transform(("rate", "sign"), start, step)


def main() -> dict[str, float]:
    """Fit a curve by Rprop and by plain gradient descent; return the last loss of each."""
    x = np.linspace(-1.0, 1.0, 128, dtype=np.float32)[:, None]
    y = np.sin(3.0 * x) + 0.3 * x
    net = mc.nn.Sequential(mc.nn.Dense(16, "tanh"), mc.nn.Dense(1))
    losses = {}
    for rule in (Rprop(0.01), mc.optim.SGD(0.1)):
        run = mc.fit(net, x, y, loss="squared_error", optimizer=rule, epochs=300, batch_size=128)
        losses[type(rule).__name__] = float(run.history["loss"][-1])
        print(f"{rule!r:60} loss {losses[type(rule).__name__]:.2e}")
    return losses


if __name__ == "__main__":
    main()
