"""Rollback: a fit that fails leaves the estimator as it was."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def rollback(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method after whose failure the estimator has the attributes that it had before.

    What was learnt is then still there, and what was never fitted does not look as if it were.

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
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return fit
