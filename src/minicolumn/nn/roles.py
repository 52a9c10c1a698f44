"""Parameter roles (weight, bias, scale ...), by which penalties, optimizers and constraints know a parameter.

A layer says the role of each parameter that it declares; a conventional name says it too. A tree of
parameters alone, without the network that declared it, is read by names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from minicolumn import tree

Role = Literal["weight", "table", "bias", "scale", "slope", "statistic", "constant"]
Roles = Mapping[str, Role]

# What each role means. Shifts, factors and slopes of single features are not penalised: shrinking them
# towards 0 does not make a network simpler. Running statistics are seen, not learnt.
ROLES: dict[Role, str] = {
    "weight": "mixes inputs, [fan_in, fan_out]",
    "table": "vectors of categories, looked up one by one",
    "bias": "is added to a feature",
    "scale": "is a factor on a feature",
    "slope": "is the slope of an activation",
    "statistic": "is noted down from the rows of a batch; nothing but a layer's apply_training moves it",
    "constant": "is given: no gradient reaches it, and nothing moves it",
}
PENALIZED = frozenset({"weight", "table"})
_NAMED: dict[str, Role] = {
    "weight": "weight",
    "table": "table",
    "bias": "bias",
    "scale": "scale",
    "slope": "slope",
    "mean": "statistic",
    "variance": "statistic",
}


def role_of(path: str, roles: Roles | None = None) -> Role:
    """Return the role of the parameter with this path.

    roles   what its network declares, ``network.roles(input_shape)``; None, as where it declares nothing of
            this path, takes the role that the name stands for, a weight if it stands for none

    >>> role_of("1.mean"), role_of("0.kernel"), role_of("0.kernel", {"0.kernel": "bias"})
    ('statistic', 'weight', 'bias')
    """
    return (roles or {}).get(path) or _NAMED.get(path.rpartition(".")[2], "weight")


def is_statistic(path: str, roles: Roles | None = None) -> bool:
    """Return whether the parameter with this path is a running statistic.

    >>> is_statistic("1.mean"), is_statistic("1.scale")
    (True, False)
    """
    return role_of(path, roles) == "statistic"


def is_penalized(path: str, roles: Roles | None = None) -> bool:
    """Return whether penalties and weight decay act on the parameter with this path: on weights and tables.

    >>> is_penalized("0.weight"), is_penalized("0.bias"), is_penalized("0.offset", {"0.offset": "bias"})
    (True, False, False)
    """
    return role_of(path, roles) in PENALIZED


def with_statistics(params: Any, observed: Any, roles: Roles | None = None) -> Any:
    """Return a tree of parameters with the running statistics of another one like it.

    >>> with_statistics({"scale": 1, "mean": 2}, {"scale": 3, "mean": 4})
    {'scale': 1, 'mean': 4}
    """
    _, structure = tree.flatten(params)
    pairs = zip(tree.named_leaves(params), tree.flatten(observed)[0], strict=True)
    return tree.unflatten(
        structure, [seen if is_statistic(path, roles) else own for (path, own), seen in pairs]
    )


class ByRole:
    """What is called with a tree of parameters, and the roles of these where they are known."""

    def __call__(self, params: Any, roles: Roles | None = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} lacks __call__")


def called(function: Any, params: Any, roles: Roles | None) -> Any:
    """Call a penalty or a constraint; one of one's own takes the parameters alone."""
    return function(params, roles) if isinstance(function, ByRole) else function(params)
