"""Regularization (L1, L2, elastic net): penalties on large weights, as pure functions of a tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from minicolumn import tree
from minicolumn.nn.roles import ByRole, Roles, called, is_penalized
from minicolumn.registry import Number, Part, Record, Registry, Search, kind_of

STRENGTH = Number(help="Strength of the penalty.", ge=0, search=Search(1e-7, 1e-1, log=True))

Array = np.ndarray


def _penalized(params: Any, roles: Roles | None) -> list[Array]:
    return [leaf for path, leaf in tree.named_leaves(params) if is_penalized(path, roles)]


@dataclass(frozen=True)
class L1(Record, ByRole):
    """Penalise the absolute size of the weights, which drives small ones to exactly 0.

        rate * sum |w|      over the parameters of `is_penalized`

    roles       of the parameters, as their network declares them; None takes what their names stand for
    Returns     a scalar, to be added to the loss
    Source      Tibshirani 1996

    >>> float(L1(0.5)({"weight": np.array([[1.0, -2.0]]), "bias": np.array([9.0])}))
    1.5
    """

    rate: Annotated[float, STRENGTH]

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        return sum((self.rate * np.sum(np.abs(leaf)) for leaf in _penalized(params, roles)), 0.0)


@dataclass(frozen=True)
class L2(Record, ByRole):
    """Penalise the squared size of the weights.

        rate / 2 * sum w^2      over the parameters of `is_penalized`

    roles       of the parameters, as their network declares them; None takes what their names stand for
    Returns     a scalar, to be added to the loss
    Source      Hoerl & Kennard 1970; for networks: Krogh & Hertz 1991
    Differs     Keras leaves out the half. scikit-learn's ``alpha`` is this rate times the rows of a batch.

    >>> float(L2(0.5)({"weight": np.array([[1.0, -2.0]]), "bias": np.array([9.0])}))
    1.25
    """

    rate: Annotated[float, STRENGTH]

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        return sum((0.5 * self.rate * np.sum(leaf * leaf) for leaf in _penalized(params, roles)), 0.0)


@dataclass(frozen=True)
class ElasticNet(Record, ByRole):
    """Penalise the absolute and the squared size of the weights.

        l1 * sum |w| + l2 / 2 * sum w^2      over all parameters but biases and scales

    roles       of the parameters, as their network declares them; None takes what their names stand for
    Returns     a scalar, to be added to the loss
    Source      Zou & Hastie 2005
    Differs     scikit-learn writes it as a total and a ratio of the two.

    >>> float(ElasticNet(1.0, 0.5)({"weight": np.array([[1.0, -2.0]]), "bias": np.array([9.0])}))
    4.25
    """

    l1: Annotated[float, STRENGTH] = 0.0
    l2: Annotated[float, STRENGTH] = 0.0

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        return L1(self.l1)(params, roles) + L2(self.l2)(params, roles)


@dataclass(frozen=True)
class PerRow(Record, ByRole):
    """Share a penalty out over the rows of a batch: the fewer rows, the more each of them bears.

        penalty(params) / rows of the batch,      or over the sum of their weights where rows have weights

    penalty     `L1`, `L2`, `ElasticNet`, or a function of the parameters
    Differs     scikit-learn's ``alpha`` is ``PerRow(L2(alpha))``.

    >>> float(PerRow(L2(0.5)).over({"weight": np.array([[1.0, -2.0]])}, 10.0))
    0.125
    """

    penalty: Annotated[
        Callable[[Any], Any],
        Part(
            help="What is shared out.",
            words="a penalty such as mc.nn.L2(1e-4), or a function of the weights",
            registry=lambda: REGULARIZERS,
            accepts=callable,
        ),
    ]

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        """Return the whole penalty, which is what a single row would bear."""
        return called(self.penalty, params, roles)

    def over(self, params: Any, total: Any, roles: Roles | None = None) -> Any:
        """Return the share of a batch of so many rows, or of such a total weight."""
        return called(self.penalty, params, roles) / total


REGULARIZERS: Registry[Any] = Registry(
    "regularizer",
    {"l1": L1, "l2": L2, "elastic_net": ElasticNet, "per_row": PerRow},
    adopt=kind_of(Record),
    wanted="a frozen dataclass that derives from minicolumn.registry.Record",
)
