"""Derivatives as functions of functions: gradient, VJP, JVP, Jacobian, Hessian."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    ParamSpec,
    SupportsIndex,
    TypeAlias,
    TypeVar,
    overload,
)

import numpy as np

from minicolumn.autodiff.reverse import pullback
from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.graph import CONST
from minicolumn.ir.ops.elementwise import COPY
from minicolumn.ir.shapes import type_of
from minicolumn.trace.nodes import NO_SCOPES, LiveNode, Scope, holdable, kept
from minicolumn.trace.promote import array
from minicolumn.trace.tracer import Traced, cast, lift, node_of, run
from minicolumn.trace.tracer import stop_gradient as without_derivative
from minicolumn.tree import Tree, flatten, map_leaves, named_leaves, unflatten

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.tree import Leaf, Structure

P = ParamSpec("P")
X = TypeVar("X")
# What a function to differentiate returns: one number, or that and something without derivative.
Scalar: TypeAlias = "Array | np.generic | float"
Value: TypeAlias = "Scalar | tuple[Scalar, Any]"
# Which arguments to differentiate with respect to.
Argnums: TypeAlias = "SupportsIndex | Sequence[int]"
# A function of trees to differentiate, and one that carries cotangents of outputs back to inputs.
Function: TypeAlias = "Callable[..., Tree]"
Pull: TypeAlias = "Callable[[Tree], tuple[Any, ...]]"


@overload
def vjp(f: Function, *primals: Tree, has_aux: Literal[False] = False) -> tuple[Any, Pull]: ...
@overload
def vjp(f: Function, *primals: Tree, has_aux: Literal[True]) -> tuple[Any, Pull, Any]: ...
def vjp(f: Function, *primals: Tree, has_aux: bool = False) -> tuple[Any, ...]:
    """Return f's value and the function that carries cotangents of its outputs back to its inputs.

        pull(u) = u' J        J = d f / d primals, never formed

    f         a function of trees of floats, written in NumPy
    primals   where to take the derivative
    has_aux   f returns (out, aux); aux is passed through without derivative

    Returns (out, pull), or (out, pull, aux). `pull` takes a tree like out and returns one tree for each
    primal; it may be called any number of times. Plain arrays that f uses may be changed in place afterwards,
    but for large ones (1 MiB): of these no copy is made, and `pull` raises a TraceError.

    Raises TraceError for inputs without derivative and for what cannot be traced.

    Source   Griewank & Walther, Evaluating Derivatives (2008), chapter 3.

    >>> import numpy as np, minicolumn as mc
    >>> out, pull = mc.vjp(np.sin, 0.0)
    >>> print(out, pull(2.0)[0])
    0.0 2.0
    """
    return _vjp(f, primals, has_aux, range(len(primals)))


def _vjp(f: Function, primals: tuple[Tree, ...], has_aux: bool, places: Sequence[int]) -> tuple[Any, ...]:
    """As `vjp`; errors count the arguments by the places that the caller knows them by."""
    leaves, structure = flatten(primals)
    names = [name for i, tree in zip(places, primals, strict=True) for name, _ in named_leaves(tree, str(i))]
    with Scope() as scope:
        variables = [_variable(value, name, scope) for value, name in zip(leaves, names, strict=True)]
        sources = [v.node for v in variables]  # before the function works in place
        result = run(f, *unflatten(structure, variables))
    out, aux = _parted(result) if has_aux else (result, None)
    results, out_structure = flatten(out)
    nodes = [_result(r) for r in results]

    def pull(cotangents: Tree) -> tuple[Any, ...]:
        given, given_structure = flatten(cotangents)
        if given_structure != out_structure:
            raise ShapeError(
                f"vjp: the cotangent has structure {given_structure}, expected the output's, {out_structure}"
            )
        checked = [_cotangent(g, node) for g, node in zip(given, nodes, strict=True)]
        scope.check_seals()
        found = pullback(nodes, checked, sources, scope)
        return unflatten(structure, [finished(_or_zeros(g, v)) for g, v in zip(found, sources, strict=True)])

    finished_out = unflatten(out_structure, [finished(lift(node)) for node in nodes])
    return (finished_out, pull, map_leaves(_strip, aux)) if has_aux else (finished_out, pull)


def _variable(value: Leaf, name: str, scope: Scope) -> Traced:
    """Return a fresh variable of a scope that holds a value, and still depends on what the value did."""
    if isinstance(value, np.ndarray):
        value = array(value)
    if isinstance(value, Traced):
        if value.node.weak and value.dtype.kind == "i":  # a Python int counts as a float, as below
            value = cast(value, np.dtype(np.float64))
            value.node.weak = True
        node = value.node
        _must_be_float(value.dtype, name)
        return Traced(
            LiveNode(COPY, (node,), {}, node.type, node.value, node.scopes | {scope}, node.where, node.weak)
        )
    weak = type(value) in (int, float)
    held = np.float64(value) if weak else value  # type: ignore[arg-type]
    if not isinstance(held, np.ndarray | np.generic):
        raise TraceError(
            f"cannot differentiate with respect to {_called(name)}, a {type(value).__name__}; "
            "it takes arrays and numbers"
        )
    held = holdable(held)
    _must_be_float(held.dtype, name)
    # Within a traced function the value is a constant of that program, lifted to be varied here.
    return Traced(_lifted(held, scope, weak))


def _lifted(value: np.ndarray, scope: Scope, weak: bool = False) -> LiveNode:
    """Return a variable of a scope that holds a constant; constants themselves would move into loops."""
    value = kept(value, (scope,))
    type = type_of(value)
    constant = LiveNode(CONST, (), {"value": value}, type, value, NO_SCOPES)
    return LiveNode(COPY, (constant,), {}, type, value, frozenset((scope,)), weak=weak)


def _must_be_float(dtype: np.dtype, name: str) -> None:
    if dtype.kind != "f":
        raise TraceError(
            f"cannot differentiate with respect to {_called(name)}, of dtype {dtype}; "
            "convert it with .astype(float), or leave it out by argnums"
        )


def _called(name: str) -> str:
    return f"argument {name}" if name else "an argument"


def _parted(result: object) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TraceError("has_aux=True: the function must return a pair (out, aux)")
    return result


def _result(value: Leaf | None) -> LiveNode:
    if value is None or isinstance(value, str | bytes):
        raise TraceError(
            f"the function returned a {type(value).__name__}, which has no derivative; does it lack a return?"
        )
    return node_of(array(value))


def _cotangent(g: Operand, node: LiveNode) -> Any:
    g = g if isinstance(g, Traced) else holdable(g)
    if g.shape != node.array_type.shape:
        raise ShapeError(
            f"vjp: a cotangent has shape {list(g.shape)}, its output {list(node.array_type.shape)}"
        )
    return cast(g, node.array_type.dtype) if node.array_type.is_float else None


def _or_zeros(g: Array | None, variable: LiveNode) -> Any:
    return np.zeros(variable.array_type.shape, variable.array_type.dtype) if g is None else g


def finished(value: Operand) -> Any:
    """Return a result as users hold it: an array that shares nothing, a NumPy number for zero dimensions."""
    if isinstance(value, Traced):
        value = lift(value.node)
    return value if isinstance(value, Traced) else np.array(value)[()]


def _strip(value: object) -> Any:
    return finished(value) if isinstance(value, Traced) else value


def value_and_grad(
    f: Callable[P, Value], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]:
    """Return a function that gives f's value and its gradient, by one forward and one backward walk.

        x -> (f(x), df/dx)

    f         a function of NumPy arrays that returns one number
    argnums   which arguments to differentiate with respect to; an int gives one gradient, a sequence a tuple
    has_aux   f returns (value, aux), and the result is ((value, aux), gradient)

    Raises ShapeError when f's value is no single number.

    >>> import numpy as np, minicolumn as mc
    >>> value, slope = mc.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    >>> print(value, slope)
    5.0 [2. 4.]
    """
    single, wanted = _wanted(argnums)

    @functools.wraps(f, updated=())
    def derivative(*args: P.args, **kwargs: P.kwargs) -> Any:
        out = _vjp_by(f, wanted, args, kwargs, has_aux)
        value, pull = out[0], out[1]
        _must_be_number(value)
        grads = pull(np.ones((), value.dtype))
        return ((value, out[2]) if has_aux else value), (grads[0] if single else grads)

    return derivative


def _wanted(argnums: Argnums) -> tuple[bool, tuple[int, ...]]:
    """Return whether one gradient is asked for or a tuple of them, and by which arguments."""
    single = isinstance(argnums, int | np.integer)
    return single, (int(argnums),) if single else tuple(argnums)  # type: ignore[arg-type]


def _vjp_by(
    f: Function,
    wanted: Sequence[int],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """Return the vjp of f by some of its arguments, the others held fixed."""
    places = [_place(i, len(args)) for i in wanted]

    def partial(*chosen: Tree) -> Any:
        full = list(args)
        for place, value in zip(places, chosen, strict=True):
            full[place] = value
        return f(*full, **kwargs)

    return _vjp(partial, tuple(args[i] for i in places), has_aux, places)


def _place(argnum: int, count: int) -> int:
    if not -count <= argnum < count:
        raise TraceError(
            f"argnums names argument {argnum}, but the function was called with {count} positional arguments"
        )
    return argnum % count


def _must_be_number(value: Any) -> None:
    shape = getattr(value, "shape", None)
    if shape != ():
        what = f"a {type(value).__name__}" if shape is None else f"shape {list(shape)}"
        raise ShapeError(
            f"grad needs a function with one number as its value, this one gave {what}; sum or average it, "
            "or use mc.jacobian"
        )
    if np.dtype(value.dtype).kind != "f":
        raise TraceError(f"grad needs a function with a float as its value, this one gave {value.dtype}")


def grad(f: Callable[P, Value], argnums: Argnums = 0, has_aux: bool = False) -> Callable[P, Any]:
    """Return the function that gives the gradient of f.

        x -> df/dx, in the shape, the nesting and the dtype of x

    f         a function of NumPy arrays that returns one number; Python control flow on values is allowed
    argnums   which arguments to differentiate with respect to; an int gives one gradient, a sequence a tuple
    has_aux   f returns (value, aux), and the result is (gradient, aux)

    Raises ShapeError when f's value is no single number, TraceError for what cannot be traced.

    Source   reverse accumulation, Linnainmaa 1970; Griewank & Walther 2008, section 3.2
    Differs  from HIPS autograd: import numpy as it is, `autograd.numpy` has no counterpart. From JAX: float64
             stays float64, arrays are NumPy's, and a Python int as argument counts as a float.

    >>> import numpy as np, minicolumn as mc
    >>> print(mc.grad(lambda x: np.sum(np.tanh(x) ** 2))(np.zeros(3)))
    [0. 0. 0.]
    >>> print(mc.grad(mc.grad(np.sin))(np.pi / 2))
    -1.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f, updated=())
    def gradient(*args: P.args, **kwargs: P.kwargs) -> Any:
        value, slopes = both(*args, **kwargs)
        return (slopes, value[1]) if has_aux else slopes

    return gradient


def jvp(f: Function, primals: Sequence[Tree], tangents: Sequence[Tree]) -> tuple[Any, Any]:
    """Return f's value and its directional derivative: forward mode.

        (f(x), J t)        J = d f / d x, never formed

    primals    where: one tree for each argument of f
    tangents   along which direction: trees like the primals

    Raises ShapeError when tangents do not look like primals.

    Source   from two transpositions: u -> u'J is linear in u, and its transpose is t -> J t
             (Townsend 2017; Radul et al. 2022, arXiv 2204.10923).

    >>> import numpy as np, minicolumn as mc
    >>> out, slope = mc.jvp(np.sin, (0.0,), (2.0,))
    >>> print(out, slope)
    0.0 2.0
    """
    along, direction = flatten(tuple(tangents))
    if direction != flatten(tuple(primals))[1]:
        raise ShapeError("jvp: tangents must be nested as primals are: two tuples of trees alike")
    with Scope() as scope:
        out, pull = vjp(f, *primals)
        outs, out_structure = flatten(out)
        probes = [_probe(np.shape(o), o.dtype, scope) for o in outs]
        slopes, _ = flatten(pull(unflatten(out_structure, probes)))
    nodes = [node_of(s) for s in slopes]
    checked = [_cotangent(_as_tangent(t), node) for t, node in zip(along, nodes, strict=True)]
    found = pullback(nodes, checked, [p.node for p in probes], scope)
    return out, unflatten(
        out_structure, [finished(_or_zeros(t, p.node)) for t, p in zip(found, probes, strict=True)]
    )


def _as_tangent(t: Any) -> Any:
    return np.float64(t) if type(t) in (int, float) else t


def _probe(shape: tuple[int, ...], dtype: np.dtype, scope: Scope) -> Traced:
    """Return a variable whose value never matters: rules are linear in it."""
    return Traced(_lifted(np.zeros(shape, dtype), scope))


def jacobian(f: Callable[P, Tree], argnums: Argnums = 0) -> Callable[P, Any]:
    """Return the function that gives all partial derivatives of f, one backward walk for each output element.

        J[i, j] = d f(x)[i] / d x[j], in the shape (*output shape, *input shape)

    f         a function whose outputs are an array, or any nest of arrays
    argnums   which arguments; an int gives one Jacobian, a sequence a tuple. Nested inputs give nests of
              Jacobians inside the nest of the output.

    >>> import numpy as np, minicolumn as mc
    >>> mc.jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    single, wanted = _wanted(argnums)

    @functools.wraps(f, updated=())
    def all_slopes(*args: P.args, **kwargs: P.kwargs) -> Any:
        out, pull = _vjp_by(f, wanted, args, kwargs)
        outs, structure = flatten(out)
        rows = [_rows(pull, structure, outs, k, single) for k in range(len(outs))]
        return unflatten(structure, rows)

    return all_slopes


def _rows(pull: Pull, structure: Structure, outs: list[Array], k: int, single: bool) -> Any:
    """Return the derivatives of one output array, one pull for each of its elements."""
    shape = np.shape(outs[k])
    found = []
    for place in np.ndindex(*shape):
        seeds = [np.zeros(np.shape(o), o.dtype) for o in outs]
        seeds[k][place] = 1
        pulled = pull(unflatten(structure, seeds))
        found.append(pulled[0] if single else pulled)
    if not found:
        seeds = [np.zeros(np.shape(o), o.dtype) for o in outs]
        like = pull(unflatten(structure, seeds))
        return map_leaves(lambda x: np.zeros((*shape, *np.shape(x)), x.dtype), like[0] if single else like)
    return map_leaves(lambda *parts: np.reshape(np.stack(parts), (*shape, *np.shape(parts[0]))), *found)


def hessian(f: Callable[P, Value], argnums: Argnums = 0) -> Callable[P, Any]:
    """Return the function that gives the second derivatives of f.

        H[i, j] = d^2 f / d x[i] d x[j]

    f         a function that returns one number
    argnums   as in `jacobian`

    >>> import numpy as np, minicolumn as mc
    >>> mc.hessian(lambda x: x[0] * x[1] ** 2)(np.array([1.0, 2.0]))
    array([[0., 4.],
           [4., 2.]])
    """
    return jacobian(grad(f, argnums), argnums)


def stop_gradient(x: X) -> X:
    """Return the same values, through which no derivative flows.

    >>> import minicolumn as mc
    >>> print(mc.grad(lambda x: x * mc.stop_gradient(x))(3.0))
    3.0
    """
    return map_leaves(without_derivative, x)  # type: ignore[arg-type]
