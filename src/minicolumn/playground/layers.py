"""The layers of any network, for people: path, kind, shapes, parameters, and how large these are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.ensemble import Ensemble
from minicolumn.train.backward import layer_params
from minicolumn.tree import leaves

Array = np.ndarray
LONGEST = 160  # letters of a layer's own words
BARS = 20  # of a histogram


def layer_rows(network: Layer, input_shape: tuple[int, ...], params: Params) -> list[dict[str, Any]]:
    """Return each layer as plain values: `path`, `kind`, `text`, `shape` of its output, `parameters`.

    >>> from minicolumn.nn import Dense, Sequential
    >>> net = Sequential(Dense(4, activation="tanh"), Dense(1))
    >>> [(row["path"], row["kind"], row["shape"], row["parameters"])
    ...  for row in layer_rows(net, (2,), net.init(0, (2,)))]
    [('0', 'Dense', [4], 12), ('1', 'Dense', [1], 5)]
    """
    return [
        {
            "path": path, "kind": type(layer).__name__, "text": shortened(repr(layer)), "shape": list(shape),
            "parameters": sum(int(np.size(leaf)) for leaf in leaves(own)),
        }
        for path, layer, shape, own in layers_of(network, input_shape, params)
    ]  # fmt: skip


def layers_of(
    network: Layer, input_shape: tuple[int, ...], params: Params
) -> Iterator[tuple[str, Layer, tuple[int, ...], Params]]:
    """Go through the layers as `layer_params` does: path, record, shape of what comes out, parameters.

    Those of an ensemble come member by member.
    """
    if isinstance(network, Ensemble):
        for name, member in network.inside:
            for path, *rest in layers_of(member, input_shape, params[name]):
                yield f"{name}.{path}".strip("."), *rest  # type: ignore[misc]
        return
    shape = tuple(input_shape)
    for path, layer, own in layer_params(network, params):
        shape = tuple(layer.output_shape(shape))
        yield path, layer, shape, own


def shortened(text: str, most: int = LONGEST) -> str:
    """Return a text in one line of so many letters at most.

    >>> shortened("Dense(units=10)", 8)
    'Dense(u…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def histogram(params: Params) -> dict[str, Any] | None:
    """Return how numbers of a tree are spread: counts of `BARS` equal bins from `low` to `high`.

    What is no finite number is counted by itself, in `odd`. None where there are no numbers.

    >>> found = histogram({"weight": np.array([0.0, 1.0, np.nan])})
    >>> found["low"], found["high"], found["counts"][0], found["counts"][-1], found["odd"]
    (0.0, 1.0, 1, 1, 1)
    """
    parts = [np.asarray(leaf, np.float64).ravel() for leaf in leaves(params)]
    values = np.concatenate(parts) if parts else np.zeros(0)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    low, high = float(finite.min()), float(finite.max())
    # Of the halves, so that the width of numbers near the largest ones is finite.
    share = (finite / 2 - low / 2) / (high / 2 - low / 2) if high > low else np.full(len(finite), 0.5)
    counts = np.bincount(np.minimum((share * BARS).astype(np.int64), BARS - 1), minlength=BARS)
    return {"low": low, "high": high, "counts": counts.tolist(), "odd": len(values) - len(finite)}
