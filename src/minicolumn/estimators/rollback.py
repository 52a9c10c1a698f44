"""Rollback: a fit that raises leaves the estimator in its previous state."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


def rollback(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Decorate a method so that any exception restores the attributes that its object had before.

    What was learnt is then still there, and what was never fitted does not look as if it were; an interrupt
    that is not handled within `fit` counts too. Attributes are restored, not copied: arrays that a method
    changes in place stay changed.

    Differs     scikit-learn's networks are left half fitted

    >>> class Fragile:
    ...     @rollback
    ...     def fit(self):
    ...         self.coefs_ = []
    ...         raise ValueError
    >>> fragile = Fragile()
    >>> try:
    ...     fragile.fit()
    ... except ValueError:
    ...     print(vars(fragile))
    {}
    """

    @functools.wraps(method)
    def fit(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return fit
