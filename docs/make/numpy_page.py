"""Write docs/numpy.md from the tables that the tracer uses: `python docs/make/numpy_page.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn.trace import (
    choosing,
    indexing,
    joining,
    matrices,
    nan_reductions,
    padding,
    products,
    reductions,
    shaping,
    sorting,
)
from minicolumn.trace.ufuncs import UFUNCS

PAGE = Path(__file__).parents[1] / "numpy.md"
PARTS = {
    "Reductions and statistics": {**reductions.TABLE, **nan_reductions.TABLE},
    "Shapes": shaping.TABLE,
    "Joining, splitting, repeating": {**joining.TABLE, **padding.TABLE},
    "Choosing and making": choosing.TABLE,
    "Indexing by function": indexing.TABLE,
    "Products": products.TABLE,
    "Order, quantiles, differences": sorting.TABLE,
    "`numpy.linalg`": matrices.TABLE,
}
INTRO = """# NumPy coverage

What works on traced arrays, and so inside `mc.grad`, `mc.compile` and everything built on them. This page
is written by `docs/make/numpy_page.py` from the tables that the tracer itself uses, and a test holds it to
them.

Besides the functions below: all operators, comparisons, `x[key]` with slices, integers, `None`, `...`,
masks and integer arrays (masks only where values are known, that is, outside `compile`), an array's methods
and attributes of the same names, `ufunc.reduce` of add, multiply, maximum, minimum, logical_and, logical_or
and **logaddexp** (the NumPy name of logsumexp), `accumulate` of add, multiply, maximum and minimum, and
`outer`.
Broadcasting, zero-size arrays, numbers, float32 and float64 behave as in NumPy, and Python numbers take the
dtype of what they meet.

Anything else raises a `TraceError` that names the function and the nearest thing that works. Not there:
complex numbers and with them `numpy.fft` and `np.linalg.eig`; assignment into arrays
(`x[i] = v`), `out=` and methods that write, such as `x.sort()`; functions whose result has a shape that
depends on values, such as `np.unique`.

`x += y` and its kin change `x` under all its names, as in NumPy. What shares memory with `x`, as `x[1:]` or
`x.T` may, cannot be read afterwards: that is a `TraceError`, and views taken after the change are right. A
traced function has copies of its arguments, so the caller's arrays stay as they are.

`np.array([x, y])`, `np.r_` and `np.c_` of traced float64 arrays, of 64 elements each at most, make a plain
array of traced numbers. NumPy works on it element by element, and the first traced operation that it meets,
or the end of the function, makes a traced array of it. Where NumPy would need its values (`np.linalg`,
`np.mean` to one number, `dtype=`), and for other dtypes, the `TraceError` says `np.stack([x, y])`.
The same holds for lists as arguments, `np.sum([x, y])`: NumPy asks arrays that stand alone for their
answer, but makes an array of a list first. A list beside a traced array, as in
`np.where(x > 0, [x[0], y], 0)`, is of any dtype.

Random numbers come from `mc.random`, with a key as an argument. `np.random` is a plain function that no
trace sees: inside `mc.compile` it runs once, while the function is traced, and its numbers become
constants.
"""


def name_of(function: Callable[..., Any]) -> str:
    """Return a function's public name."""
    inside = "linalg." if "linalg" in function.__module__ else "fft." if "fft" in function.__module__ else ""
    library = "lib.stride_tricks." if function.__name__ == "sliding_window_view" else inside
    return f"np.{library}{function.__name__}"


def page() -> str:
    """Return the page as Markdown."""
    parts = [INTRO, _section("NumPy's ufuncs", (f"np.{n}" for n in UFUNCS if _is_numpy(n)))]
    parts.append(_section("`scipy.special`'s ufuncs", (f"special.{n}" for n in UFUNCS if not _is_numpy(n))))
    parts += [_section(title, map(name_of, table)) for title, table in PARTS.items()]
    return "\n".join(parts)


def _is_numpy(name: str) -> bool:
    return isinstance(getattr(np, name, None), np.ufunc)


def _section(title: str, names: Iterable[str]) -> str:
    return f"## {title}\n\n{' · '.join(f'`{n}`' for n in sorted(set(names)))}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
