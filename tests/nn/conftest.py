"""One small network for each kind of layer, with the rows it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from minicolumn import nn, random

ROWS = 5


@dataclass(frozen=True)
class Case:
    """A layer, the shape of one of its rows, and how many levels integer-coded entries have."""

    layer: nn.Layer
    input_shape: tuple[int, ...]
    levels: int = 0

    def rows(self, batch: int, dtype: Any = np.float32) -> np.ndarray:
        shape = (batch, *self.input_shape)
        if self.levels:
            codes = random.uniform(random.key(1), shape) * self.levels
            return np.floor(codes).astype(dtype if isinstance(self.layer, nn.ColumnEmbedding) else np.int32)
        return random.normal(random.key(1), shape).astype(dtype)


CASES = {
    "sequential": Case(nn.Sequential(nn.Dense(4, activation="tanh"), nn.Dropout(0.5), nn.Dense(2)), (3,)),
    "sequential of nothing": Case(nn.Sequential(), (3,)),
    "sequential, nested": Case(nn.Sequential(nn.Sequential(nn.Dense(2)), nn.Flatten()), (3, 4)),
    "dense": Case(nn.Dense(4, activation="relu"), (3,)),
    "dense, two axes": Case(nn.Dense(4, activation="softmax"), (2, 3)),
    "dense, ntk": Case(nn.Dense(4, "selu", parametrization="ntk", bias_rate=0.1), (3,)),
    "dense, no bias": Case(nn.Dense(1, bias=False, initializer="zeros"), (3,)),
    "activation": Case(nn.Activation("gelu"), (3, 2)),
    "dense, glu": Case(nn.Dense(4, "glu"), (3,)),
    "dense, record": Case(nn.Dense(4, initializer=nn.Orthogonal(gain=2.0)), (3,)),
    "activation, glu": Case(nn.Activation("glu"), (3, 4)),
    "prelu": Case(nn.PReLU(), (2, 3)),
    "prelu, shared": Case(nn.PReLU(shared=True, initial=-0.5), (3,)),
    "dropout": Case(nn.Dropout(0.25), (4,)),
    "dropout of nothing": Case(nn.Dropout(0), (4,)),
    "alpha dropout": Case(nn.AlphaDropout(0.25), (4,)),
    "alpha dropout of nothing": Case(nn.AlphaDropout(0), (4,)),
    "gaussian dropout": Case(nn.GaussianDropout(0.25), (4,)),
    "gaussian dropout of nothing": Case(nn.GaussianDropout(0), (4,)),
    "gaussian noise": Case(nn.GaussianNoise(0.5), (2, 3)),
    "gaussian noise of nothing": Case(nn.GaussianNoise(0), (2, 3)),
    "noisy relu": Case(nn.NoisyReLU(), (4,)),
    "batch norm": Case(nn.BatchNorm(), (3,)),
    "batch norm, two axes": Case(nn.BatchNorm(momentum=0.5, eps=0.01, affine=False), (2, 3)),
    "layer norm": Case(nn.LayerNorm(), (4,)),
    "layer norm, not affine": Case(nn.LayerNorm(eps=0.01, affine=False), (2, 4)),
    "rms norm": Case(nn.RMSNorm(eps=0.01), (4,)),
    "standardize": Case(nn.Standardize(), (2, 4)),
    "frozen": Case(nn.Frozen(nn.Sequential(nn.Dense(4), nn.BatchNorm(), nn.Dropout(0.5), nn.Dense(2))), (3,)),
    "concatenate": Case(
        nn.Concatenate(nn.Sequential(), nn.Dense(4, "tanh"), nn.Sequential(nn.Dropout(0.3), nn.BatchNorm())),
        (3,),
    ),
    "heads": Case(
        nn.Heads(size=nn.Dense(1), kind=nn.Sequential(nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(3, "tanh"))),
        (3,),
    ),
    "residual, norms": Case(
        nn.Residual(nn.Sequential(nn.LayerNorm(), nn.Dense(3), nn.Residual(nn.BatchNorm()), nn.RMSNorm())),
        (3,),
    ),
    "flatten": Case(nn.Flatten(), (2, 3, 4)),
    "flatten a number": Case(nn.Flatten(), ()),
    "residual": Case(nn.Residual(nn.Sequential(nn.Dense(3, activation="mish"), nn.Dropout(0.1))), (3,)),
    "scale": Case(nn.Scale(), (3,)),
    "ascending": Case(nn.MonotoneQuantiles(), (4,)),
    "ascending of one": Case(nn.MonotoneQuantiles(), (2, 1)),
    "piecewise linear": Case(nn.PiecewiseLinear(((2, (-1.0, 0.0, 0.5)), (0, (0.0, 1.0)))), (3,)),
    "piecewise linear of none": Case(nn.PiecewiseLinear(()), (3,)),
    "formulas": Case(nn.Formulas(("x1*b", "2", "`a b`", "min(x1,exp(b),0.5)/3"), ("x1", "a b", "b")), (3,)),
    "embedding": Case(nn.Embedding(7, 3), (), levels=7),
    "embedding of several": Case(nn.Embedding(7, 3), (2,), levels=7),
    "column embedding": Case(nn.ColumnEmbedding(((1, 4), (0, 4)), dim=2), (5,), levels=4),
    "column embedding by rule": Case(nn.ColumnEmbedding(((3, 9),)), (4,), levels=9),
    "column embedding of all": Case(nn.ColumnEmbedding(((0, 4), (1, 6))), (2,), levels=4),
    "column embedding, shared": Case(
        nn.ColumnEmbedding(((1, 4), (0, 9), (4, 4)), shared=True), (5,), levels=4
    ),
    "column embedding, shared, adjoining": Case(
        nn.ColumnEmbedding(((2, 4), (3, 6)), dim=2, shared=True), (4,), levels=4
    ),
    "column embedding of none": Case(nn.ColumnEmbedding(()), (3,)),
    "piecewise dense": Case(
        nn.PiecewiseDense(4, ((2, (-1.0, 0.0, 0.5)), (0, (0.0, 1.0))), "selu", 0.1), (3,)
    ),
    "piecewise dense of none": Case(nn.PiecewiseDense(2, (), "glu"), (3,)),
    "column splines": Case(nn.ColumnSplines(4, ((2, (-1.0, 0.0, 0.5)), (0, (0.0, 1.0)))), (3,)),
    "column splines of codes": Case(nn.ColumnSplines(2, embeddings=((0, 4), (1, 6))), (2,), levels=4),
    "column splines of members": Case(
        nn.ColumnSplines(4, ((2, (-1.0, 0.0, 0.5)), (0, (0.0, 1.0))), members=3), (3,)
    ),
    "column splines of members' codes": Case(
        nn.ColumnSplines(2, embeddings=((0, 4), (1, 6)), members=3), (2,), levels=4
    ),
    "reshape": Case(nn.Reshape((3, 4)), (2, 6)),
    "ensemble": Case(nn.Ensemble(nn.Dense(2), nn.Sequential(nn.Dropout(0.2), nn.Dense(2))), (3,)),
    "ensemble of probabilities": Case(nn.Ensemble(nn.Dense(3), nn.Dense(3), average="softmax"), (2,)),
    "ensemble of normals": Case(nn.Ensemble(nn.Dense(2), nn.Dense(2), average="normal"), (2,)),
    "members": Case(nn.Members(3), (4,)),
    "members by blocks": Case(nn.Members(2, "normal", blocks=(1, 3)), (4,)),
    "members without factors": Case(nn.Members(3, "none"), (4,)),
    "batch ensemble": Case(nn.BatchEnsemble(4, "tanh"), (3, 2)),
    "batch ensemble, glu": Case(nn.BatchEnsemble(4, "glu", inputs=False, initializer="he_normal"), (3, 2)),
    "batch ensemble, shared": Case(nn.BatchEnsemble(4, inputs=False, outputs=False, bias=False), (3, 2)),
    "member dense": Case(nn.MemberDense(4, "softmax", initializer="orthogonal"), (3, 2)),
    "member dense, no bias": Case(nn.MemberDense(1, "glu", bias=False), (2, 3)),
    "mean of members": Case(nn.MeanOfMembers(), (4, 3)),
    "mean of members' probabilities": Case(nn.MeanOfMembers("probabilities"), (4, 3)),
    "mean of members' logistics": Case(nn.MeanOfMembers("probabilities"), (4, 1)),
    "members, a network": Case(
        nn.Sequential(
            nn.Members(3), nn.Dense(4, "relu"), nn.Dropout(0.2), nn.MemberDense(2), nn.MeanOfMembers()
        ),
        (5,),
    ),
}


@pytest.fixture(params=CASES.values(), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="session")
def all_cases() -> dict[str, Case]:
    return CASES
