"""Edge vectors: every elementwise operation of floats, native against NumPy, on the numbers that break code.

    python tests/lower/llvm/long_edges.py --vectors 5000

A vector holds zeros of both signs, denormals, the smallest and largest numbers, neighbours of integers,
infinities and NaN, shuffled anew for each operand, and random numbers of every binade in between. What NumPy
computes exactly (arithmetic, comparisons, rounding) has to be the same bits, but for which NaN it is; an
elementary function has to be NaN, infinite or zero where NumPy's in double is, and near it elsewhere: by our
stated bound for float. The last line is the sum of it all; the exit code is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import Any

import numpy as np
from guarded import NO_CACHE

from minicolumn.errors import MinicolumnError
from minicolumn.ir.graph import Graph, Node, input_node
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.shapes import DTYPES, ArrayType
from minicolumn.ir.verify import infer_type
from minicolumn.lower.llvm.mathlib import BOUNDS, MATH
from minicolumn.lower.native import NativeProgram

LENGTH = 97  # no multiple of any vector's lanes
FLOATS = (DTYPES["f32"], DTYPES["f64"])
# The errors of NumPy's and SciPy's own doubles, in units of the result; SciPy's erfc is worse far out.
NUMPY_ULPS, SCIPY_ULPS = 4, {"erfc": 64}
# The bound holds relative to the larger operand: near zero the result is a small difference.
OF_OPERANDS = ("logaddexp", "logaddexp2")


def main() -> int:
    """Run vectors through all operations in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vectors", type=int, default=5000)
    options = parser.parse_args()
    programs = [p for name in sorted(OPS) for dtype in FLOATS if (p := program(OPS[name], dtype))]
    rng, total = np.random.default_rng(0), Counter[str]()
    for k in range(options.vectors):
        op, dtype, run, count = programs[k % len(programs)]
        args = [vector(rng, dtype) for _ in range(count)]
        found = run(*args)[0]
        wrong = faults(op.name, found, args)
        total.update(vectors=1, numbers=LENGTH, failures=bool(wrong.any()))
        for at in np.flatnonzero(wrong)[:3]:
            print(f"{op.name} {dtype}: {[a[at] for a in args]} gives {found[at]!r}")
    print(
        f"{total['vectors']} vectors, {len(programs)} operations and dtypes, {total['numbers']} numbers, "
        f"{total['failures']} failures"
    )
    return 1 if total["failures"] else 0


def program(op: Op, dtype: np.dtype) -> tuple[Op, np.dtype, NativeProgram, int] | None:
    """Return the program of an operation on vectors; None if it has no such thing, or Python does it."""
    if op.kind != "map":
        return None
    for count in (1, 2, 3):
        inputs = tuple(input_node(ArrayType(dtype, (LENGTH,))) for _ in range(count))
        try:
            node = Node(op, inputs, {}, infer_type(op, tuple(i.type for i in inputs), {}))
            made = NativeProgram(Graph(inputs, (node,)), cache=NO_CACHE)
        except (MinicolumnError, TypeError, ValueError, KeyError):
            continue  # another number of operands, or none of this dtype
        return None if made.calls_host else (op, dtype, made, count)
    return None


def vector(rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
    """Return edges in a random order, filled up with numbers of every binade."""
    info: Any = np.finfo(dtype)
    edges = [0.0, info.smallest_subnormal, info.tiny, info.eps, 0.5, 1.0, 1.5, 2.0, 88.7, 709.7, info.max]
    near = [np.nextafter(dtype.type(x), dtype.type(way)) for x in (1.0, 2.0, info.tiny) for way in (0, 9)]
    found = np.array([*edges, *near, np.inf, np.nan], dtype)
    binades = rng.integers(info.minexp - info.nmant, info.maxexp, LENGTH - 2 * len(found))
    others = np.ldexp(rng.uniform(-1, 1, len(binades)), binades).astype(dtype)
    return rng.permutation(np.concatenate([found, -found, others]))


def faults(name: str, found: np.ndarray, args: list[np.ndarray]) -> np.ndarray:
    """Return where a result is not what it should be."""
    with np.errstate(all="ignore"):
        if name not in MATH:
            expected = np.asarray(OPS[name].numpy(*args))
            same = _bits(found) == _bits(expected)
            if found.dtype.kind == "f":
                same |= np.isnan(found) & np.isnan(expected)
                # Of a zero and its negative either is the larger one.
                same |= (name in ("maximum", "minimum")) & (found == expected)
            return ~same
        wide = np.asarray(OPS[name].numpy(*(a.astype(np.float64) for a in args)))
        expected = wide.astype(found.dtype)
        is_double = found.dtype == np.float64
        units = BOUNDS[name, "double" if is_double else "float"] + is_double * SCIPY_ULPS.get(
            name, NUMPY_ULPS
        )
        size = np.maximum.reduce([np.abs(x) for x in (expected, *(args if name in OF_OPERANDS else ()))])
        room = units * np.spacing(np.where(np.isfinite(size), size, 0)).astype(np.float64)
        near = np.abs(found.astype(np.float64) - wide) <= room
        # Where it overflows, or nearly, either side of the border is right.
        top = np.isinf(found) & (np.abs(wide) >= float(np.finfo(found.dtype).max) * (1 - 1e-6))
        return ~(near | (found == expected) | (np.isnan(found) & np.isnan(wide)) | top)


def _bits(x: np.ndarray) -> np.ndarray:
    return x.view(f"u{x.itemsize}")


if __name__ == "__main__":
    sys.exit(main())
