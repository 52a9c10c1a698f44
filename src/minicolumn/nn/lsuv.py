"""Layer-sequential unit-variance (LSUV) initialization: weights that fit their data before the first step."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from minicolumn import tree
from minicolumn.errors import DataError
from minicolumn.nn.layer import Array, Composite, Layer, Params
from minicolumn.nn.layers.dense import Dense


def lsuv(network: Layer, params: Any, X: Any) -> Any:
    """Scale the weights of each `Dense`, from the first on, so that its sums have variance 1 on some rows.

        weight = weight / sqrt(variance of x weight)

    x is what the layers in front, scaled already, make of X. The variance is that of all sums of all rows
    together, in front of bias and activation.

    network     the layers; those other than `Dense` are left as they are, noise is off
    params      what to start from, best drawn with ``initializer="orthogonal"``; they are not changed
    X           [rows, *input_shape]: a few hundred rows are enough
    Returns     params of the same structure, for ``fit(..., params=...)``
    Errors      DataError where the sums of a layer do not vary, as with weights of 0
    Source      Mishkin & Matas 2016 (arXiv 1511.06422), Algorithm 1
    Differs     the paper divides until the variance is near 1; without the bias in it, once is exact

    >>> from minicolumn import nn, random
    >>> net, X = nn.Sequential(Dense(8, "tanh"), Dense(2)), random.normal(random.key(0), (100, 3))
    >>> params = lsuv(net, net.init(0, (3,)), X)
    >>> float(np.var(net.apply(params, X)).round(3))
    1.0
    """
    leaves = tree.flatten(params)[0]
    return _scaled(network, params, np.asarray(X, leaves[0].dtype if leaves else None), None)[1]


def _scaled(layer: Layer, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
    """Return a layer's outputs with its weights scaled, and those weights: a visit of `Composite.through`."""
    if isinstance(layer, Composite):
        return layer.through(_scaled, params, x, None)
    if isinstance(layer, Dense):
        sums = dataclasses.replace(layer, bias=False).scores(params, x)
        variance = float(np.var(sums.astype(np.float64))) if sums.size else 0.0
        if not 0 < variance < math.inf:
            raise DataError(
                f"lsuv: the sums of {layer!r} have variance {variance:g}; start from weights that are not 0, "
                "and from rows that differ"
            )
        weight = params["weight"] * (1.0 / math.sqrt(variance))
        params = {**params, "weight": weight.astype(params["weight"].dtype)}
    return layer.apply(params, x), params
