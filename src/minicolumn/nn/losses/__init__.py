"""Loss functions: how wrong the outputs are, one number a row and their (weighted) mean.

A loss takes the network's raw outputs (no logistic, no softmax in front) and is computed from them in the
form that stays finite. The activation that turns raw outputs into predictions stands in the loss's record.
"""

from minicolumn.nn.losses.binary import binary_cross_entropy, binary_focal, hinge, squared_hinge
from minicolumn.nn.losses.likelihood import gamma, gaussian_nll, poisson, tweedie
from minicolumn.nn.losses.multiclass import (
    categorical_hinge,
    kl_divergence,
    log_softmax,
    logsumexp,
    softmax_cross_entropy,
    softmax_focal,
)
from minicolumn.nn.losses.record import Loss, as_loss
from minicolumn.nn.losses.regression import (
    absolute_error,
    absolute_percentage_error,
    cosine_distance,
    huber,
    log_cosh,
    quantile,
    squared_error,
    squared_log_error,
)
from minicolumn.nn.losses.table import ALIASES, LOSSES, LossRule, loss_by_name

__all__ = [
    "ALIASES",
    "LOSSES",
    "Loss",
    "LossRule",
    "absolute_error",
    "absolute_percentage_error",
    "as_loss",
    "binary_cross_entropy",
    "binary_focal",
    "categorical_hinge",
    "cosine_distance",
    "gamma",
    "gaussian_nll",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "log_softmax",
    "logsumexp",
    "loss_by_name",
    "poisson",
    "quantile",
    "softmax_cross_entropy",
    "softmax_focal",
    "squared_error",
    "squared_hinge",
    "squared_log_error",
    "tweedie",
]
