"""A layer of one's own: radial basis functions, whose centres and widths are learnt.

    y[k] = exp(-sum over i of (x[i] - centre[k, i])^2 / width[k]^2)

A layer is a frozen dataclass: `output_shape` and `declare` say what it needs, `apply` is plain NumPy.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

import minicolumn as mc
from minicolumn.registry import Integer


@dataclass(frozen=True, repr=False)
class RadialBasis(mc.nn.Layer):
    """Outputs that are large near their centres."""

    units: Annotated[int, Integer(help="Centres.", ge=1, le=10_000)]

    def output_shape(self, input_shape):
        return (self.units,)

    def declare(self, input_shape):
        return {
            "centre": mc.nn.Param((self.units, *input_shape), "normal"),
            "width": mc.nn.Param((self.units,), mc.nn.Constant(1.0), role="scale"),
        }

    def apply(self, params, x, *, key=None, training=False):
        squares = np.sum((x[:, None, :] - params["centre"]) ** 2, axis=-1)
        return np.exp(-squares / params["width"] ** 2)


def main() -> float:
    """Learn a ring among points of the plane; return the accuracy on the rows that are held out."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, (600, 2)).astype(np.float32)
    y = (np.abs(np.hypot(*X.T) - 1.2) < 0.4).astype(np.int32)
    net = mc.nn.Sequential(RadialBasis(24), mc.nn.Dense(2))
    run = mc.fit(
        net, X[:450], y[:450], optimizer=mc.optim.Adam(0.02), epochs=200, batch_size=50,
        validation_data=(X[450:], y[450:]), callbacks=[mc.EarlyStopping(patience=40)],
    )  # fmt: skip
    print(net)
    print(f"{run.stopped} after {len(run.history)} epochs")
    accuracy = run.evaluate(X[450:], y[450:])["accuracy"]
    print(f"held-out accuracy {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
