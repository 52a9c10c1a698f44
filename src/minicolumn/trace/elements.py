"""Object arrays of traced numbers: what ``np.array([x, y])`` and ``np.r_[x, y]`` make of traced arrays.

NumPy builds them without asking, so they are plain arrays of objects. What NumPy does with them alone it does
element by element; the first traced operation that meets one, or the end of the function, gathers it into a
traced array again. That is right for float64, in which plain numbers beside traced ones are held too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minicolumn.errors import TraceError
from minicolumn.ir.graph import Node
from minicolumn.ir.ops import shaping as ops
from minicolumn.ir.ops.elementwise import COPY
from minicolumn.trace.nodes import LiveNode
from minicolumn.trace.tracer import Traced

# The most elements that are taken apart: an array beyond that was not written by hand.
MOST = 64
_FLOAT64 = np.dtype(np.float64)
# A run of neighbouring elements of one array: the array, or None for a value of its own, and from where on.
_Place = tuple[Node | None, int]


def elements(x: Traced) -> np.ndarray | None:
    """Return the elements of a traced array as an array of objects; None where that could not be right."""
    if x.dtype != _FLOAT64 or x.type.dims or x.size > MOST:
        return None
    if x.node.weak:  # a Python number becomes one of float64
        x = COPY(x)
    out = np.empty(x.shape, object)
    for place in np.ndindex(*x.shape):
        out[place] = x[place] if place else x
    return out


def gathered(x: np.ndarray) -> Any:
    """Return an array of traced numbers as one traced array; neighbours of one array stay together.

    Raises TraceError for what is no number, and where one would have been of another dtype in NumPy.
    """
    flat = [v if isinstance(v, Traced) else _plain(v) for v in x.ravel().tolist()]
    if not any(isinstance(v, Traced) for v in flat):
        raise TraceError("arrays of dtype object do not exist in graphs; make it of numbers of one dtype")
    if any(v.dtype != _FLOAT64 for v in flat if isinstance(v, Traced)):
        raise TraceError(
            "np.array of traced numbers of several dtypes; convert them to one, with .astype(...), and write "
            "np.stack([x, y])"
        )
    return np.reshape(np.concatenate(list(_runs(flat))), x.shape)


def _plain(value: Any) -> Any:
    if isinstance(value, int | float | np.number) and not isinstance(value, complex | np.complexfloating):
        return np.float64(value)
    raise TraceError(f"an array of traced numbers holds a {type(value).__name__}, which is no number")


def _runs(flat: list[Any]) -> Iterator[Any]:
    """Yield the elements in order, neighbours of one array as one piece."""
    start, places = 0, [_place(v) for v in flat]
    for stop in range(1, len(flat) + 1):
        source, first = places[start]
        if stop < len(flat) and source is not None and places[stop] == (source, first + stop - start):
            continue
        if source is None:
            yield np.reshape(flat[start], (1,))
        else:
            yield np.reshape(Traced(source), -1)[first : first + stop - start]  # type: ignore[arg-type]
        start = stop


def _place(value: Any) -> _Place:
    """Return the array of which a number is one element, and which; (None, 0) for any other number."""
    node = value.node if isinstance(value, Traced) else None
    if node is None or node.op is not ops.RESHAPE or node.inputs[0].op is not ops.SLICE:
        return None, 0
    cut = node.inputs[0]
    source, start = cut.inputs[0], cut.attrs["start"]
    if not isinstance(source, LiveNode) or cut.array_type.size != 1:
        return None, 0
    return source, int(np.ravel_multi_index(start, source.array_type.shape))


def of_elements(ufuncs: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """Return the ufuncs that NumPy applies to arrays of objects by calling a method of their name."""
    found = {name: getattr(np, name, None) for name in ufuncs}
    return {n: f for n, f in found.items() if isinstance(f, np.ufunc) and {"O->O", "OO->O"} & {*f.types}}
