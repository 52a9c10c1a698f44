"""Networks: layers, activations, losses, initializers and penalties, all plain NumPy."""

from minicolumn.nn.activations import ACTIVATIONS, ActivationRule, activation_by_name
from minicolumn.nn.embeddings import ColumnEmbedding, Embedding, embedding_dim
from minicolumn.nn.init import INITIALIZERS, initializer_by_name
from minicolumn.nn.layer import Layer, Param
from minicolumn.nn.layers import Activation, Dense, Dropout, Flatten, Residual, Scale, Sequential
from minicolumn.nn.losses import LOSSES, LossRule, log_softmax, logsumexp, loss_by_name
from minicolumn.nn.piecewise import PiecewiseLinear, choose_knots
from minicolumn.nn.regularize import L1, L2, ElasticNet, PerRow, is_penalized
from minicolumn.nn.serialize import from_json, to_json

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "L1",
    "L2",
    "LOSSES",
    "Activation",
    "ActivationRule",
    "ColumnEmbedding",
    "Dense",
    "Dropout",
    "ElasticNet",
    "Embedding",
    "Flatten",
    "Layer",
    "LossRule",
    "Param",
    "PerRow",
    "PiecewiseLinear",
    "Residual",
    "Scale",
    "Sequential",
    "activation_by_name",
    "choose_knots",
    "embedding_dim",
    "from_json",
    "initializer_by_name",
    "is_penalized",
    "log_softmax",
    "logsumexp",
    "loss_by_name",
    "to_json",
]
