"""NumPy's reductions and statistics that skip NaN, on traced arrays: those of `reductions`, with a mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.trace.promote import array
from minicolumn.trace.reductions import (
    any_,
    counted,
    cumprod,
    cumsum,
    floating,
    freedom,
    has_start,
    is_given,
    mask_of,
    masks,
    max_,
    mean_,
    min_,
    prod_,
    root,
    squeezed,
    sum_,
    var_,
)
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from numpy._globals import _NoValueType

    from minicolumn.ir.arrays import Array, ArrayFunction, Operand
    from minicolumn.trace.arguments import Axes, DTypeLike, Flag, Mask, Optional


def _valid(x: Array, where: Mask) -> Any:
    """Return which elements count: numbers that the mask, if any, lets through."""
    return ~np.isnan(x) & mask_of(where, x.shape) if masks(where) else ~np.isnan(x)


def _skipping_nan(function: ArrayFunction) -> Callable[..., Any]:
    def call(a: Operand, axis: Axes = None, *args: Any, where: Mask = None, **kwargs: Any) -> Any:
        x = array(a)
        if np.dtype(x.dtype).kind != "f":
            return function(x, axis, *args, where=where, **kwargs)
        valid = _valid(x, where)
        return function(np.where(valid, x, 0.0), axis, *args, where=valid, **kwargs)

    return call


def _replacing_nan(function: ArrayFunction, neutral: float) -> Callable[..., Any]:
    return lambda a, *args, **kwargs: function(_without_nan(array(a), neutral), *args, **kwargs)


def _extreme_skipping_nan(function: ArrayFunction, last: float) -> Callable[..., Any]:
    def call(
        a: Operand, axis: Axes = None, out: None = None, keepdims: Flag = False,
        initial: Optional = np._NoValue, where: Mask = None,
    ) -> Any:  # fmt: skip
        x = array(a)
        if np.dtype(x.dtype).kind != "f":
            return function(x, axis, keepdims=keepdims, initial=initial, where=where)
        if is_given(initial) and initial is not None:
            return function(x, axis, keepdims=keepdims, initial=initial, where=_valid(x, where))
        has_start(function.__name__.strip("_"), x, axis, where)
        valid = _valid(x, where)
        found = function(np.where(valid, x, last), axis, keepdims=keepdims)
        # Of nothing but NaN there is no largest element.
        return np.where(any_(valid, axis, keepdims=keepdims), found, np.nan)

    return call


def nanvar(
    a: Operand, axis: Axes = None, dtype: DTypeLike = None, out: None = None, ddof: float = 0,
    keepdims: Flag = False, *, where: Mask = None, mean: Optional = None,
    correction: float | _NoValueType | None = None,
) -> Any:  # fmt: skip
    """Return the variance of what is not NaN, over axes; NaN where too few elements are left."""
    x = array(a)
    said: Any = {"keepdims": keepdims, "mean": mean, "correction": correction}
    if np.dtype(x.dtype).kind != "f":
        return var_(x, axis, dtype, None, ddof, where=where, **said)
    valid = _valid(x, where)
    found = var_(np.where(valid, x, 0.0), axis, dtype, None, ddof, where=valid, **said)
    left = freedom(counted(x, axis, valid), ddof, correction)
    return np.where(squeezed(left, x, axis, keepdims) > 0, cast(found, floating(x, dtype).dtype), np.nan)


def nanstd(a: Operand, *args: Any, **kwargs: Any) -> Any:
    """Return the standard deviation of what is not NaN, with derivative 0 where it is 0."""
    return root(nanvar(a, *args, **kwargs))


def nancumsum(a: Operand, axis: int | None = None, dtype: DTypeLike = None, out: None = None) -> Any:
    """Return the cumulative sum with NaN counted as 0."""
    return cumsum(_without_nan(array(a), 0.0), axis, dtype)


def nancumprod(a: Operand, axis: int | None = None, dtype: DTypeLike = None, out: None = None) -> Any:
    """Return the cumulative product with NaN counted as 1."""
    return cumprod(_without_nan(array(a), 1.0), axis, dtype)


def _without_nan(x: Array, fill: float) -> Any:
    return np.where(np.isnan(x), fill, x) if np.dtype(x.dtype).kind == "f" else x


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.nansum: _replacing_nan(sum_, 0.0),
    np.nanmean: _skipping_nan(mean_),
    np.nanprod: _replacing_nan(prod_, 1.0),
    np.nanvar: nanvar,
    np.nanstd: nanstd,
    np.nanmax: _extreme_skipping_nan(max_, -np.inf),
    np.nanmin: _extreme_skipping_nan(min_, np.inf),
    np.nancumsum: nancumsum,
    np.nancumprod: nancumprod,
}
