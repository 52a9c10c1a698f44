"""Weight constraints, by projection: pure functions that bring a tree of parameters back where it must lie.

Each acts on the parameters that are weights by their role, [fan_in, fan_out], column by column: a column is
what one unit sums its inputs with. Biases, scales, statistics and embeddings stay as they are. ``fit``
applies a constraint after every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np

from minicolumn import tree
from minicolumn.nn.roles import ByRole, Roles, role_of
from minicolumn.registry import Number, Record, Registry, Search, kind_of

Array = np.ndarray


def _lengths(weight: Array) -> Array:
    """Return the length of each column, [1, fan_out]."""
    return np.sqrt(np.sum(weight * weight, axis=-2, keepdims=True))


@final
@dataclass(frozen=True)
class MaxNorm(Record, ByRole):
    """Shorten the columns that are longer than the limit.

        w_j = w_j min(1, limit / |w_j|)

    params      a tree of parameters, such as ``run.params``
    roles       of these, as their network declares them; None takes those named ``weight``
    Returns     a tree like it
    Errors      DataError for a limit that is not > 0
    Source      Srebro, Rennie, Jaakkola 2005; beside dropout: Hinton et al. 2012 (arXiv 1207.0580)

    >>> MaxNorm(1.0)({"weight": np.array([[3.0, 0.3], [4.0, 0.4]])})
    {'weight': array([[0.6, 0.3],
           [0.8, 0.4]])}
    """

    limit: Annotated[
        float, Number(help="The longest a column may be.", gt=0, search=Search(0.5, 8.0, log=True))
    ] = 2.0

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        # A column within the limit is multiplied by exactly 1, one of zeros divided by the limit.
        return _map_weights(lambda w: w * (self.limit / np.maximum(_lengths(w), self.limit)), params, roles)


@final
@dataclass(frozen=True)
class UnitNorm(Record, ByRole):
    """Bring every column to length 1.

        w_j = w_j / |w_j|        a column of zeros stays

    params      a tree of parameters, such as ``run.params``
    roles       of these, as their network declares them; None takes those named ``weight``
    Returns     a tree like it
    Source      Salimans & Kingma 2016 (arXiv 1602.07868), of which this is the part without a learned length

    >>> UnitNorm()({"weight": np.array([[3.0, 0.0], [4.0, 0.0]])})
    {'weight': array([[0.6, 0. ],
           [0.8, 0. ]])}
    """

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        def unit(weight: Array) -> Array:
            length = _lengths(weight)
            return weight / np.where(length == 0, 1.0, length)

        return _map_weights(unit, params, roles)


@final
@dataclass(frozen=True)
class NonNegative(Record, ByRole):
    """Cut weights off at 0, so that outputs never fall where an input rises, if activations rise too.

        w = max(w, 0)

    params      a tree of parameters, such as ``run.params``
    roles       of these, as their network declares them; None takes those named ``weight``
    Returns     a tree like it
    Source      Chorowski & Zurada 2015, "Learning understandable neural networks with
                nonnegative weight constraints"

    >>> NonNegative()({"weight": np.array([[-1.0, 2.0]]), "bias": np.array([-1.0, 0.0])})
    {'weight': array([[0., 2.]]), 'bias': array([-1.,  0.])}
    """

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        return _map_weights(lambda weight: np.maximum(weight, 0.0), params, roles)


def _is_mixing(path: str, leaf: Array, roles: Roles | None) -> bool:
    # A name that stands for nothing says too little: what bears it may be no matrix, or an embedding.
    named = roles is not None or path.rpartition(".")[2] == "weight"
    return named and role_of(path, roles) == "weight" and leaf.ndim >= 2


def _map_weights(project: Any, params: Any, roles: Roles | None) -> Any:
    """Apply a function to the weights."""
    _, structure = tree.flatten(params)
    leaves = [
        project(leaf) if _is_mixing(path, leaf, roles) else leaf for path, leaf in tree.named_leaves(params)
    ]
    return tree.unflatten(structure, leaves)


CONSTRAINTS: Registry[Any] = Registry(
    "constraint",
    {"max_norm": MaxNorm, "unit_norm": UnitNorm, "non_negative": NonNegative},
    adopt=kind_of(Record),
    wanted="a frozen dataclass that derives from minicolumn.registry.Record",
)
