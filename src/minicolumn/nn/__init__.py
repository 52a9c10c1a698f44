"""Networks: layers, activations, losses, initializers, penalties and constraints, all plain NumPy."""

from minicolumn.nn import classic, outputs
from minicolumn.nn.activations import ACTIVATIONS, ActivationRule, activation_by_name
from minicolumn.nn.constrain import CONSTRAINTS, MaxNorm, NonNegative, UnitNorm
from minicolumn.nn.folding import folded
from minicolumn.nn.init import (
    INITIALIZERS,
    Constant,
    Orthogonal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    initializer_by_name,
)
from minicolumn.nn.keep_members import keep_members
from minicolumn.nn.layer import Layer, Param
from minicolumn.nn.layers.containers import Concatenate, Frozen, Residual, Sequential
from minicolumn.nn.layers.dense import Activation, Dense, Flatten, PReLU, Reshape, Scale
from minicolumn.nn.layers.embeddings import ColumnEmbedding, Embedding, embedding_dim
from minicolumn.nn.layers.ensemble import Ensemble, MeanOfMembers
from minicolumn.nn.layers.formulas import Formulas
from minicolumn.nn.layers.heads import Heads, HeadsLoss
from minicolumn.nn.layers.members import BatchEnsemble, MemberDense, Members
from minicolumn.nn.layers.monotone import MonotoneQuantiles
from minicolumn.nn.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise, NoisyReLU
from minicolumn.nn.layers.norm import BatchNorm, LayerNorm, RMSNorm, Standardize
from minicolumn.nn.layers.piecewise import PiecewiseLinear, choose_knots
from minicolumn.nn.layers.spline import ColumnSplines, PiecewiseDense
from minicolumn.nn.losses import ALIASES, LOSSES, Loss, LossRule, log_softmax, logsumexp, loss_by_name
from minicolumn.nn.lsuv import lsuv
from minicolumn.nn.regularize import L1, L2, REGULARIZERS, ElasticNet, PerRow
from minicolumn.nn.roles import ROLES, is_penalized, is_statistic, role_of
from minicolumn.nn.serialize import LAYERS, from_json, to_json
from minicolumn.nn.summary import summary

__all__ = [
    "ACTIVATIONS",
    "ALIASES",
    "CONSTRAINTS",
    "INITIALIZERS",
    "L1",
    "L2",
    "LAYERS",
    "LOSSES",
    "REGULARIZERS",
    "ROLES",
    "Activation",
    "ActivationRule",
    "AlphaDropout",
    "BatchEnsemble",
    "BatchNorm",
    "ColumnEmbedding",
    "ColumnSplines",
    "Concatenate",
    "Constant",
    "Dense",
    "Dropout",
    "ElasticNet",
    "Embedding",
    "Ensemble",
    "Flatten",
    "Formulas",
    "Frozen",
    "GaussianDropout",
    "GaussianNoise",
    "Heads",
    "HeadsLoss",
    "Layer",
    "LayerNorm",
    "Loss",
    "LossRule",
    "MaxNorm",
    "MeanOfMembers",
    "MemberDense",
    "Members",
    "MonotoneQuantiles",
    "NoisyReLU",
    "NonNegative",
    "Orthogonal",
    "PReLU",
    "Param",
    "PerRow",
    "PiecewiseDense",
    "PiecewiseLinear",
    "RMSNorm",
    "RandomUniform",
    "Reshape",
    "Residual",
    "Scale",
    "Sequential",
    "Standardize",
    "TruncatedNormal",
    "UnitNorm",
    "VarianceScaling",
    "activation_by_name",
    "choose_knots",
    "classic",
    "embedding_dim",
    "folded",
    "from_json",
    "initializer_by_name",
    "is_penalized",
    "is_statistic",
    "keep_members",
    "log_softmax",
    "logsumexp",
    "loss_by_name",
    "lsuv",
    "outputs",
    "role_of",
    "summary",
    "to_json",
]
