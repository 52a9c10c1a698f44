"""Layers of parameter-efficient ensembles: many members inside one network, trained in one pass.

A row is repeated once for each member, [batch, features] -> [batch, members, features]; from there on any
layer that works along the last axis is shared by all members, and those of this module give each its own
factors, biases or weights. The last layer averages, see `minicolumn.nn.layers.ensemble`. TabM-mini, 8
members of one network with a first adapter and a head each:

>>> from minicolumn.nn import Dense, Dropout, MeanOfMembers, Sequential
>>> net = Sequential(
...     Members(8), Dense(64, "relu"), Dropout(0.1), Dense(64, "relu"), Dropout(0.1),
...     MemberDense(3), MeanOfMembers("probabilities"),
... )
>>> net.output_shape((10,)), net.by_member
((3,), True)

Source      Gorishniy, Kotelnikov, Babenko 2024, "TabM" (arXiv 2410.24210)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.init import Initializer, RandomUniform, VarianceScaling, initializer_by_name
from minicolumn.nn.layer import (
    Array,
    Deterministic,
    Function,
    Layer,
    Param,
    Params,
    Shape,
    computed,
)
from minicolumn.nn.layers.dense import ACTIVATION, INITIALIZER, LARGEST_SIZE, activated, by_rows, rule_of
from minicolumn.nn.layers.embeddings import MOST_COLUMNS
from minicolumn.registry import Boolean, Choice, Integer, Listed, Search

MOST_MEMBERS = 10_000
SCALES = {"sign": "plus or minus 1", "normal": "N(0, 1)", "none": "no factor"}
COUNT = Integer(help="Members.", ge=1, le=MOST_MEMBERS, search=Search(4, 64, log=True))
BLOCKS = Listed(
    help="Lengths of groups of features that share one factor; None gives each its own.",
    of=Integer(help="Features of a group.", ge=1, le=LARGEST_SIZE),
    words="integers > 0",
    longest=MOST_COLUMNS,
    least=1,
    optional=True,
)
UNITS = Integer(help="Outputs of each member.", ge=1, le=LARGEST_SIZE, search=Search(4, 512, log=True))
BIAS = Boolean(help="Whether each output has a bias, one a member.")
# Of weights and biases, as PyTorch's linear layers start: U(-a, a) with a = 1 / sqrt(fan_in).
UNIFORM = VarianceScaling(1.0 / 3.0, "fan_in", "uniform")


def signs(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Return numbers that are 1 or -1, each as likely.

    >>> np.unique(signs(random.key(0), (20,)))
    array([-1.,  1.], dtype=float32)
    """
    return np.where(random.uniform(key, shape) < 0.5, -1.0, 1.0).astype(dtype)


@dataclass(frozen=True)
class OfEach:
    """Draw what each member has, [members, ...], by an initializer that knows nothing of members."""

    inner: str | Initializer

    def __call__(self, key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
        draw = initializer_by_name(self.inner) if isinstance(self.inner, str) else self.inner
        return np.stack([draw(random.fold_in(key, k), shape[1:], dtype) for k in range(shape[0])])


@dataclass(frozen=True)
class Alike:
    """Draw once what all members start with, [members, ...]."""

    inner: Initializer

    def __call__(self, key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
        return np.repeat(self.inner(key, shape[1:], dtype)[None], shape[0], axis=0)


def _around_zero(fan_in: int) -> RandomUniform:
    """Return the initializer of biases: U(-a, a), a = 1 / sqrt(fan_in)."""
    return RandomUniform(-1.0 / math.sqrt(fan_in), 1.0 / math.sqrt(fan_in))


def members_and_features(layer: Layer, input_shape: Shape) -> tuple[int, int]:
    """Return the lengths of a row's two axes; ShapeError where it has others."""
    if len(input_shape) != 2 or 0 in input_shape:
        found = ", ".join(map(str, ("batch", *input_shape)))
        raise ShapeError(
            f"{type(layer).__name__}: inputs have shape [{found}], expected [batch, members, features]; "
            "Members makes them"
        )
    return input_shape[0], input_shape[1]


@final
@dataclass(frozen=True, repr=False)
class Members(Deterministic):
    """Repeat each row for every member, seen through the member's own learned factors: the first adapter.

        y[:, i] = r_i * x

    count       members
    scale       where the factors start: "sign", plus or minus 1 at random, which suits plain columns;
                "normal", N(0, 1), which suits embeddings of numbers; "none" leaves them out
    blocks      lengths of groups of features that share one factor, such as those of one embedding or one
                one-hot column; they add up to the features. None gives each feature its own
    x           [batch, features]
    Returns     [batch, count, features]
    params      scale [count, features], or [count, groups]; no weight decay acts on it
    Errors      ShapeError for rows that are no vectors, or blocks that do not add up to their length;
                DataError for blocks without factors
    Source      Gorishniy, Kotelnikov, Babenko 2024 (arXiv 2410.24210), section 3.3 and appendix

    >>> params = {"scale": np.array([[1.0, -1.0], [-1.0, 1.0]])}
    >>> Members(2, blocks=(1, 2)).apply(params, np.array([[1.0, 2.0, 3.0]]))
    array([[[ 1., -2., -3.],
            [-1.,  2.,  3.]]])
    """

    count: Annotated[int, COUNT]
    scale: Annotated[str, Choice(help="Where the factors start.", choices=tuple(SCALES))] = "sign"
    blocks: Annotated[tuple[int, ...] | None, BLOCKS] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.blocks is not None and self.scale == "none":
            raise DataError("Members: blocks share factors, and scale='none' has none; leave one of them out")

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1 or not input_shape[0]:
            found = ", ".join(map(str, ("batch", *input_shape)))
            raise ShapeError(f"Members: inputs have shape [{found}], expected [batch, features >= 1]")
        if self.blocks is not None and sum(self.blocks) != input_shape[0]:
            raise ShapeError(
                f"Members: the blocks add up to {sum(self.blocks)}, expected the {input_shape[0]} features "
                "of a row"
            )
        return (self.count, *input_shape)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        if self.scale == "none":
            return {}
        factors = input_shape[0] if self.blocks is None else len(self.blocks)
        start = signs if self.scale == "sign" else "normal"
        return {"scale": Param((self.count, factors), start)}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        if self.scale == "none":
            return np.broadcast_to(x[:, None, :], (x.shape[0], self.count, x.shape[1]))
        scale = params["scale"]
        if self.blocks is None and scale.shape[1] != x.shape[1]:
            raise ShapeError(
                f"Members: inputs have shape {list(x.shape)}, expected [batch, {scale.shape[1]}]"
            )
        if self.blocks is not None:
            scale = scale[:, np.repeat(np.arange(len(self.blocks)), self.blocks)]
        return x[:, None, :] * scale

    def moved(self, columns: Array) -> Array:
        shape = self.output_shape(columns.shape[1:])
        return np.broadcast_to(columns[:, None, :], (1, *shape)) if self.scale == "none" else computed(shape)


@final
@dataclass(frozen=True, repr=False)
class BatchEnsemble(Deterministic):
    """A dense layer of one weight for all members, with factors and a bias of each member's own.

        y_i = activation(s_i * ((r_i * x_i) W) + b_i)

    units       outputs of each member
    activation  as of `Dense`: a name from ``ACTIVATIONS`` or a traceable function of one array
    inputs      whether there are factors r, which start at 1
    outputs     whether there are factors s, which start at 1
    bias        whether there are biases b, which start as one draw for all members
    initializer of W, as of `Dense`; None takes U(-a, a), a = 1 / sqrt(fan_in), as the biases have it
    x           [batch, members, fan_in]
    Returns     [batch, members, units]
    params      weight [fan_in, units]; bias [members, units]; inputs.scale [members, fan_in];
                outputs.scale [members, units]. Weight decay acts on the weight alone
    Errors      DataError for unknown names, ShapeError for rows that are not [members, features]
    Source      Wen, Tran, Ba 2020, "BatchEnsemble" (arXiv 2002.06715); as in TabM: Gorishniy, Kotelnikov,
                Babenko 2024 (arXiv 2410.24210), whose first layer takes its factors from `Members` in front:
                ``Members(32), BatchEnsemble(512, "relu", inputs=False), BatchEnsemble(512, "relu")``
    Differs     the first paper starts all factors at random signs; TabM those of the first layer alone

    >>> params = {"weight": np.eye(2), "bias": np.array([[0.0, 0.0], [1.0, 1.0]])}
    >>> params |= {"inputs": {"scale": np.array([[1.0, 1.0], [2.0, 3.0]])}}
    >>> layer = BatchEnsemble(2, outputs=False)
    >>> layer.apply(params, np.ones((1, 2, 2)))
    array([[[1., 1.],
            [3., 4.]]])
    """

    units: Annotated[int, UNITS]
    activation: Annotated[str | Function, ACTIVATION] = "linear"
    inputs: Annotated[bool, Boolean(help="Whether each member has factors of its inputs.")] = True
    outputs: Annotated[bool, Boolean(help="Whether each member has factors of its sums.")] = True
    bias: Annotated[bool, BIAS] = True
    initializer: Annotated[str | Initializer | None, INITIALIZER] = None

    def output_shape(self, input_shape: Shape) -> Shape:
        return (members_and_features(self, input_shape)[0], self.units)

    def declare(self, input_shape: Shape) -> Params:
        members, fan_in = members_and_features(self, input_shape)
        scores = self.units * rule_of(self.activation).scores
        found: Params = {"weight": Param((fan_in, scores), self.initializer or UNIFORM)}
        if self.bias:
            found["bias"] = Param((members, scores), Alike(_around_zero(fan_in)))
        if self.inputs:
            found["inputs"] = {"scale": Param((members, fan_in), "ones")}
        if self.outputs:
            found["outputs"] = {"scale": Param((members, scores), "ones")}
        return found

    @property
    def operations(self) -> int:
        return 8

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        members, fan_in = members_and_features(self, x.shape[1:])
        weight, bias = params["weight"], params.get("bias")
        factors = [params[side]["scale"] for side in ("inputs", "outputs") if side in params]
        known = {own.shape[0] for own in (*factors, *(() if bias is None else (bias,)))} or {members}
        if known != {members} or weight.shape[0] != fan_in:
            expected = ", ".join(map(str, ("batch", *known, weight.shape[0])))
            raise ShapeError(f"BatchEnsemble: inputs have shape {list(x.shape)}, expected [{expected}]")
        x = x * params["inputs"]["scale"] if self.inputs else x
        z = by_rows(lambda rows: rows @ weight, x)
        z = z * params["outputs"]["scale"] if self.outputs else z
        z = z if bias is None else z + bias
        return activated(self.activation, z)

    @property
    def passes_gradient(self) -> bool:
        return rule_of(self.activation).trainable


@final
@dataclass(frozen=True, repr=False)
class MemberDense(Deterministic):
    """A dense layer of its own for each member: heads, or independent networks side by side (packed).

        y_i = activation(x_i W_i + b_i)

    units       outputs of each member
    activation  as of `Dense`: a name from ``ACTIVATIONS`` or a traceable function of one array
    bias        whether there are biases
    initializer of each W_i, as of `Dense`; None takes U(-a, a), a = 1 / sqrt(fan_in), as the biases have it
    x           [batch, members, fan_in]
    Returns     [batch, members, units]
    params      weight [members, fan_in, units], bias [members, units]
    Errors      DataError for unknown names, ShapeError for rows that are not [members, features]
    Source      the heads of TabM and its packed form: Gorishniy, Kotelnikov, Babenko 2024 (arXiv 2410.24210)

    >>> params = {"weight": np.array([[[1.0]], [[2.0]]]), "bias": np.array([[0.0], [5.0]])}
    >>> MemberDense(1).apply(params, np.array([[[3.0], [3.0]]]))
    array([[[ 3.],
            [11.]]])
    """

    units: Annotated[int, UNITS]
    activation: Annotated[str | Function, ACTIVATION] = "linear"
    bias: Annotated[bool, BIAS] = True
    initializer: Annotated[str | Initializer | None, INITIALIZER] = None

    def output_shape(self, input_shape: Shape) -> Shape:
        return (members_and_features(self, input_shape)[0], self.units)

    def declare(self, input_shape: Shape) -> Params:
        members, fan_in = members_and_features(self, input_shape)
        scores = self.units * rule_of(self.activation).scores
        weight = Param((members, fan_in, scores), OfEach(self.initializer or UNIFORM))
        return {"weight": weight} | (
            {"bias": Param((members, scores), _around_zero(fan_in))} if self.bias else {}
        )

    @property
    def operations(self) -> int:
        return 6

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        weight = params["weight"]
        if x.shape[1:] != weight.shape[:2]:
            expected = ", ".join(map(str, ("batch", *weight.shape[:2])))
            raise ShapeError(f"MemberDense: inputs have shape {list(x.shape)}, expected [{expected}]")
        # Members first: so the matrices of a product lie whole, and between two such layers nothing is moved.
        z = np.swapaxes(x, 0, 1) @ weight
        z = z + params["bias"][:, None, :] if self.bias else z
        return np.swapaxes(activated(self.activation, z), 0, 1)

    @property
    def passes_gradient(self) -> bool:
        return rule_of(self.activation).trainable
