"""Aliasing: which traced arrays would share memory in NumPy, so that work in place is right or refused.

All names of one traced array see what is done to it in place. A view, as of ``x[1:]`` or ``x.T``, is a value
of its own in a graph: once its array, or another view of it, is changed, it must not be read any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from minicolumn.trace.tracer import Traced, fresh, node_of

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Operand

# References to dead views are thrown away each time that so many have come together.
_CROWD = 64

# Functions whose result may share memory with their argument.
VIEWS: dict[Callable[..., Any], None] = dict.fromkeys(
    [
        *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims),
        *(np.squeeze, np.broadcast_to, np.broadcast_arrays, np.atleast_1d, np.atleast_2d, np.atleast_3d),
        *(np.flip, np.flipud, np.fliplr, np.rot90, np.permute_dims, np.matrix_transpose, np.real),
        *(np.real_if_close, np.array_split, np.split, np.hsplit, np.vsplit, np.dsplit, np.diagonal, np.diag),
        *(np.linalg.matrix_transpose, np.linalg.diagonal, np.lib.stride_tricks.sliding_window_view),
        *([np.unstack] if hasattr(np, "unstack") else []),  # NumPy 2.1
    ]
)
# Those of them that have one result for each argument.
_ONE_EACH = frozenset([np.broadcast_arrays, np.atleast_1d, np.atleast_2d, np.atleast_3d])


def answered(func: Callable[..., Any], out: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return the result of a NumPy function, which is a view of its argument or shares nothing with it."""
    if func not in VIEWS:
        return fresh(out)
    if func in _ONE_EACH and isinstance(out, tuple):
        for view, base in zip(out, args, strict=False):
            link(view, base)
        return out
    base = next((x for x in (*args, *kwargs.values()) if isinstance(x, Traced)), None)
    for view in out if isinstance(out, list | tuple) else (out,):
        link(view, base)
    return out


def link(view: Any, base: Any) -> None:
    """Note that two traced arrays share memory in NumPy; numbers share none."""
    if view is base or not (isinstance(view, Traced) and isinstance(base, Traced) and view.ndim):
        return
    group = base.relatives
    if group is None:
        group = base.relatives = [ref(base)]
    if view.relatives is group:
        return
    for other in view.relatives or [ref(view)]:
        relative = other()
        if relative is not None:
            relative.relatives = group
            group.append(other)
    if len(group) % _CROWD == 0:
        group[:] = _alive(group)


def _alive(group: Iterable[Any]) -> list[Any]:
    return [reference for reference in group if reference() is not None]


def overwrite(x: Traced, value: Operand) -> Traced:
    """Give a traced array another value in place; what shares memory with it cannot be read any more."""
    node = node_of(value)
    for reference in x.relatives or ():
        relative = reference()
        if relative is not None and relative is not x:
            relative.outdate()
    x.node, x.relatives = node, None
    return x
