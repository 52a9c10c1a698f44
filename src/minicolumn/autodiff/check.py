"""Gradient checking: derivatives against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minicolumn.autodiff.derivatives import jvp, vjp
from minicolumn.errors import MinicolumnError, TraceError
from minicolumn.tree import Tree, flatten, map_leaves, named_leaves, unflatten

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.tree import Leaf

# The five-point rule is wrong by h^4 f'''''/30 from the cut-off series and by eps f/h from rounding. Both
# are near 3e-13 where h = eps^(1/5), for functions whose derivatives are about as large as their values.
STEP = float(np.finfo(np.float64).eps) ** 0.2
# A million times that: room for large fifth derivatives, while a wrong rule is wrong in its first digits.
TOLERANCE = 1e-6


# A function of float arrays that gives a list of them.
Leaves: TypeAlias = "Callable[..., list[Any]]"


class DerivativeError(MinicolumnError, AssertionError):
    """A derivative disagrees with finite differences."""


def check_grads(
    f: Callable[..., Tree],
    args: Sequence[Tree],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Compare the derivatives of f with finite differences, along one random direction for each argument.

        J v  against  (f(x - 2hv) - 8 f(x - hv) + 8 f(x + hv) - f(x + 2hv)) / 12h      h = eps^(1/5) = 0.00074

    f      a function of trees of arrays; everything is computed in float64
    args   where to compare: a sequence with one tree for each argument. Integers, booleans and what is no
           array are passed on as they are. f should be smooth within 2h max(1, |x|) of them
    order  up to which derivative; from the second on, the exact derivative one order below is differentiated
    modes  "fwd" compares `jvp`, "rev" compares `vjp`
    seed   of the random directions
    rtol   allowed difference, as a part of the larger of both; 1e-6 where None
    atol   allowed difference, in absolute terms; 1e-6 where None

    Raises DerivativeError, an AssertionError, which says the order, the mode, the argument and by how much.

    Source   Abramowitz & Stegun 25.3.6 for the five points; Griewank & Walther 2008, section 3.2 for the
             comparison along directions, which costs five evaluations an argument whatever its size.
    Differs  from JAX's check_grads: order has a default, the directions have a seed, each argument is
             compared by itself, and the step is not to be chosen.

    >>> import numpy as np, minicolumn as mc
    >>> from minicolumn.autodiff.check import check_grads
    >>> check_grads(lambda x: np.sum(np.exp(x) / x), (np.array([1.0, 2.0]),), order=3)
    >>> check_grads(lambda x: x * mc.stop_gradient(x), (3.0,))
    Traceback (most recent call last):
        ...
    minicolumn.autodiff.check.DerivativeError: order 1, fwd, argument 0: 9 by the rules, 18 by finite ...
    """
    if not isinstance(args, list | tuple):
        found = type(args).__name__
        raise TraceError(f"check_grads: args must be a tuple of arguments, such as (x,), got a {found}")
    unknown = set(modes) - {"fwd", "rev"}
    if unknown or order < 1:
        found = f"modes {sorted(unknown)}" if unknown else f"order {order}"
        raise TraceError(f"check_grads: modes are 'fwd' and 'rev', and the order is 1 or more; got {found}")
    fixed = _Comparison(
        order,
        tuple(modes),
        np.random.default_rng(seed),
        TOLERANCE if rtol is None else rtol,
        TOLERANCE if atol is None else atol,
    )
    wide = tuple(map_leaves(_widened, tuple(args)))
    moving, rebuild = _moving(wide)
    names = [name for name, x in named_leaves(wide) if _is_float(x)]
    fixed.run(lambda *leaves: _float_leaves(f(*rebuild(leaves))), moving, names, 1)


@dataclass(frozen=True)
class _Comparison:
    """What stays the same while one order after the other is compared."""

    order: int
    modes: tuple[str, ...]
    rng: np.random.Generator
    rtol: float
    atol: float

    def run(self, g: Leaves, x: list[Array], names: list[str], level: int) -> None:
        """Compare one order of a function of arrays, then hand each exact derivative to the next."""
        directions = [_direction(leaf, self.rng) for leaf in x]
        probes = [np.asarray(self.rng.standard_normal(np.shape(y))) for y in g(*x)]
        for k, name in enumerate(names):
            slopes = _difference(g, x, directions, k)
            self._forward(g, x, directions, k, slopes, f"order {level}, fwd, argument {name}")
            self._reverse(g, x, directions, k, slopes, probes, f"order {level}, rev, argument {name}")
        if level == self.order or not x:
            return
        if "fwd" in self.modes:
            self.run(lambda *at: jvp(g, at, directions)[1], x, names, level + 1)
        if "rev" in self.modes:
            self.run(lambda *at: list(vjp(g, *at)[1](probes)), x, names, level + 1)

    def _forward(
        self,
        g: Leaves,
        x: list[Array],
        directions: list[np.ndarray],
        k: int,
        slopes: list[np.ndarray],
        what: str,
    ) -> None:
        if "fwd" not in self.modes:
            return
        tangents = [d if i == k else np.zeros_like(d) for i, d in enumerate(directions)]
        for found, expected in zip(jvp(g, x, tangents)[1], slopes, strict=True):
            self._compare(found, expected, what)

    def _reverse(
        self, g: Leaves, x: list[Array], directions: list[np.ndarray], k: int, slopes: list[np.ndarray],
        probes: list[np.ndarray], what: str,
    ) -> None:  # fmt: skip
        if "rev" not in self.modes:
            return
        pulled = vjp(g, *x)[1](probes)
        expected = sum(float(np.sum(u * s)) for u, s in zip(probes, slopes, strict=True))
        self._compare(np.sum(pulled[k] * directions[k]), expected, what)

    def _compare(self, found: Operand, expected: Operand, what: str) -> None:
        """Raise where two arrays differ; NaN agrees with nothing."""
        found, expected = np.asarray(found), np.asarray(expected)
        gap = np.asarray(np.abs(found - expected))
        allowed = np.asarray(self.atol + self.rtol * np.maximum(np.abs(found), np.abs(expected)))
        excess = np.where(gap <= allowed, 0.0, np.where(np.isnan(gap), np.inf, gap))
        if not np.any(excess):
            return
        worst = np.unravel_index(np.argmax(excess), gap.shape)
        raise DerivativeError(
            f"{what}: {found[worst]:.8g} by the rules, {expected[worst]:.8g} by finite differences, "
            f"{gap[worst]:.2g} apart where {allowed[worst]:.2g} is allowed"
        )


def _widened(x: object) -> Any:
    if type(x) is float:
        return np.float64(x)
    is_float = isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"
    return np.asarray(x, np.float64)[()] if is_float else x


def _is_float(x: Leaf) -> bool:
    return np.asarray(x).dtype.kind == "f"


def _moving(args: tuple[Tree, ...]) -> tuple[list[Any], Callable[[Sequence[Array]], Any]]:
    """Return the floats among the arguments, and how to put others in their places."""
    leaves, structure = flatten(args)
    flows = [_is_float(x) for x in leaves]

    def rebuild(values: Sequence[Array]) -> Any:
        fresh = iter(values)
        return unflatten(
            structure, [next(fresh) if flow else x for flow, x in zip(flows, leaves, strict=True)]
        )

    return [x for x, flow in zip(leaves, flows, strict=True) if flow], rebuild


def _float_leaves(out: Tree) -> list[Any]:
    return [y for y in flatten(out)[0] if np.dtype(getattr(y, "dtype", type(y))).kind == "f"]


def _direction(x: Array, rng: np.random.Generator) -> Any:
    """Return a direction as long as x is large, so that the step stands above the rounding of x."""
    scale = max(1.0, float(np.max(np.abs(x), initial=0.0)))
    v = np.asarray(rng.standard_normal(np.shape(x)))
    return scale * v / np.max(np.abs(v), initial=np.finfo(np.float64).tiny)


def _difference(g: Leaves, moving: list[Array], directions: list[np.ndarray], k: int) -> list[Any]:
    """Return the slope of each result along one argument's direction, by the five-point rule."""

    pairs = list(zip(moving, directions, strict=True))

    def at(steps: float) -> list[Any]:
        shifted = [x + steps * STEP * d if i == k else x for i, (x, d) in enumerate(pairs)]
        return [np.asarray(y, np.float64) for y in g(*shifted)]

    rows = zip(at(-2.0), at(-1.0), at(1.0), at(2.0), strict=True)
    return [(a - 8.0 * b + 8.0 * c - d) / (12.0 * STEP) for a, b, c, d in rows]
