"""Reshape, transpose, broadcast, slice, pad, concatenate: the same elements at other places."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.graph import Node
from minicolumn.ir.notation import ATOM, Text, called, unwritten
from minicolumn.ir.op import define, same_dtype
from minicolumn.ir.ops.rules import check_axes, check_axis, check_each
from minicolumn.ir.shapes import ArrayType, Dim, Length, Shape, Type, broadcast_shapes, same_size

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array


def _reshaped(x: ArrayType, *, shape: Shape) -> Type:
    check_each("reshape", len(shape), shape=shape)
    if not same_size(x.shape, shape):
        raise ShapeError(f"cannot reshape {_counted(x.shape)} to {_counted(shape)}")
    return x.with_shape(shape)


def _counted(shape: Shape) -> str:
    """Return a shape with its number of elements, where it is known."""
    known = not any(isinstance(n, Dim) for n in shape)
    return f"{list(shape)}{f' ({prod(shape)} elements)' if known else ''}"


def _broadcast(x: ArrayType, *, shape: Shape) -> Type:
    if broadcast_shapes(x.shape, shape) != tuple(shape):
        raise ShapeError(f"cannot broadcast {list(x.shape)} to {list(shape)}")
    return x.with_shape(shape)


def _concatenated(*types: ArrayType, axis: int) -> Type:
    first = types[0]
    dtype = same_dtype("concatenate", types)
    check_axis("concatenate", axis, len(first.shape))
    for t in types[1:]:
        if len(t.shape) != len(first.shape) or any(
            a != b for i, (a, b) in enumerate(zip(t.shape, first.shape, strict=True)) if i != axis
        ):
            listed = " and ".join(str(list(t.shape)) for t in types)
            raise ShapeError(f"concatenate along axis {axis}: shapes {listed} differ elsewhere")
    length = sum(t.shape[axis] for t in types)
    return ArrayType(dtype, (*first.shape[:axis], length, *first.shape[axis + 1 :]))


def _part(operand: int, g: Array, out: Array, *inputs: Array, axis: int) -> Any:
    start = sum(x.shape[axis] for x in inputs[:operand])
    key = [slice(None)] * g.ndim
    key[axis] = slice(start, start + inputs[operand].shape[axis])
    return g[tuple(key)]


def _sliced(x: ArrayType, *, start: Shape, stop: Shape, step: Shape) -> Type:
    check_each("slice", len(x.shape), start=start, stop=stop, step=step)
    cuts = list(zip(x.shape, start, stop, step, strict=True))
    if not all(_is_whole(*cut) or _is_within(*cut) for cut in cuts):
        raise ShapeError(
            f"slice: step {list(step)} from 1 on and stop {list(stop)} within {list(x.shape)} expected"
        )
    return x.with_shape(n if _is_whole(n, a, b, s) else len(range(a, b, s)) for n, a, b, s in cuts)


def _is_whole(n: Length, start: Length, stop: Length, step: Length) -> bool:
    """Return whether a slice takes the whole axis, as it has to where the length is not known."""
    return (start, stop, step) == (0, n, 1)


def _is_within(n: Length, start: Length, stop: Length, step: Length) -> bool:
    return not any(isinstance(m, Dim) for m in (n, start, stop, step)) and step >= 1 and stop <= n


def _slice(x: np.ndarray, *, start: Shape, stop: Shape, step: Shape) -> np.ndarray:
    return x[tuple(slice(a, b, s) for a, b, s in zip(start, stop, step, strict=True))]


def _unslice(g: Array, out: Array, x: Array, *, start: Shape, stop: Shape, step: Shape) -> Any:
    if 0 in g.shape:
        return np.zeros(x.shape, x.dtype)
    low = tuple(start)
    high = tuple(n - a - (k - 1) * s - 1 for n, a, k, s in zip(x.shape, start, g.shape, step, strict=True))
    return PAD(g, low=low, high=high, gap=tuple(s - 1 for s in step))


def _padded(x: ArrayType, *, low: Shape, high: Shape, gap: Shape) -> ArrayType:
    check_each("pad", len(x.shape), low=low, high=high, gap=gap)
    sizes = zip(x.shape, low, high, gap, strict=True)
    return x.with_shape(a + n + max(n - 1, 0) * k + b if a or b or k else n for n, a, b, k in sizes)


def _pad(x: np.ndarray, *, low: Shape, high: Shape, gap: Shape) -> np.ndarray:
    out = np.zeros(_padded(ArrayType(x.dtype, x.shape), low=low, high=high, gap=gap).shape, x.dtype)
    out[
        tuple(slice(a, a + n + max(n - 1, 0) * k, k + 1) for n, a, k in zip(x.shape, low, gap, strict=True))
    ] = x
    return out


def _unpad(g: Array, out: Array, x: Array, *, low: Shape, high: Shape, gap: Shape) -> Any:
    stop = tuple(a + n + max(n - 1, 0) * k for n, a, k in zip(x.shape, low, gap, strict=True))
    return SLICE(g, start=tuple(low), stop=stop, step=tuple(k + 1 for k in gap))


def _transposed(x: ArrayType, *, axes: Shape) -> Type:
    if sorted(axes) != list(range(len(x.shape))):
        raise ShapeError(f"transpose: axes {list(axes)} do not name each of {len(x.shape)} axes once")
    return x.with_shape(x.shape[a] for a in axes)


def _flipped(x: ArrayType, *, axes: Shape) -> Type:
    check_axes("flip", axes, len(x.shape))
    return x


# Where elements come from and go to: places are numbers or affine functions of loop counters ----------------

IndexMap = tuple[Any, ...]


def _untransposed(places: IndexMap, within: Shape, *, axes: Shape) -> IndexMap:
    found = list(places)
    for place, axis in zip(places, axes, strict=True):
        found[axis] = place
    return tuple(found)


def _unstretched(places: IndexMap, within: Shape, *, shape: Shape) -> IndexMap:
    aligned = places[len(shape) - len(within) :]
    return tuple(p * 0 if n == 1 else p for p, n in zip(aligned, within, strict=True))


def _chosen(places: IndexMap, within: Shape, *, start: Shape, stop: Shape, step: Shape) -> IndexMap:
    return tuple(p * s + a for p, a, s in zip(places, start, step, strict=True))


def _mirrored(places: IndexMap, within: Shape, *, axes: Shape) -> IndexMap:
    return tuple(
        p * -1 + (n - 1) if a in axes else p for a, (p, n) in enumerate(zip(places, within, strict=True))
    )


def _joined(operand: int, places: IndexMap, shapes: Sequence[Shape], *, axis: int) -> IndexMap:
    before = sum(shape[axis] for shape in shapes[:operand])
    return (*places[:axis], places[axis] + before, *places[axis + 1 :])


def _spread(
    operand: int, places: IndexMap, shapes: Sequence[Shape], *, low: Shape, high: Shape, gap: Shape
) -> IndexMap:
    return tuple(p * (k + 1) + a for p, a, k in zip(places, low, gap, strict=True))


def _dot_t(node: Node, parts: Sequence[Text]) -> Text:
    return Text(f"{parts[0].within(ATOM)}.T") if len(node.attrs["axes"]) == 2 else called(node, parts)


RESHAPE = define(
    "reshape",
    kind="shape",
    infer=_reshaped,
    numpy=lambda x, *, shape: np.reshape(x, shape),
    vjp=(lambda g, out, x, *, shape: np.reshape(g, x.shape),),
    keeps_order=True,
    cost=0,
    formula=unwritten,
)
TRANSPOSE = define(
    "transpose",
    kind="shape",
    infer=_transposed,
    numpy=lambda x, *, axes: np.transpose(x, axes),
    vjp=(lambda g, out, x, *, axes: np.transpose(g, tuple(int(a) for a in np.argsort(axes))),),
    index_map=_untransposed,
    cost=0,
    formula=_dot_t,
)
BROADCAST = define(
    "broadcast",
    kind="shape",
    infer=_broadcast,
    numpy=lambda x, *, shape: np.broadcast_to(x, shape),
    # The shared helper in reverse.py sums the cotangent back to the operand's shape.
    vjp=(lambda g, out, x, *, shape: g,),
    index_map=_unstretched,
    cost=0,
    formula=unwritten,
)
CONCATENATE = define(
    "concatenate",
    kind="shape",
    infer=_concatenated,
    numpy=lambda *arrays, axis: np.concatenate(arrays, axis=axis),
    vjp=_part,
    kernel="store",
    place_map=_joined,
)
SLICE = define(
    "slice",
    kind="shape",
    infer=_sliced,
    numpy=_slice,
    vjp=(_unslice,),
    index_map=_chosen,
    cost=0,
    formula=lambda node, parts: Text(f"{parts[0].within(ATOM)}[:]"),
    doc="Every step-th element; step > 0.",
)
PAD = define(
    "pad",
    kind="shape",
    infer=_padded,
    numpy=_pad,
    vjp=(_unpad,),
    kernel="store",
    place_map=_spread,
    has_gaps=True,
    doc="Zeros before, behind and between elements.",
)
FLIP = define(
    "flip",
    kind="shape",
    infer=_flipped,
    numpy=lambda x, *, axes: np.flip(x, axes),
    vjp=(lambda g, out, x, *, axes: FLIP(g, axes=axes),),
    index_map=_mirrored,
    cost=0,
)
