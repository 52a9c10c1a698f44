"""The native elementary functions against oracles with more digits, and their edges against NumPy and SciPy.

float is compared with NumPy and SciPy in float64, whose own error is below 1e-8 ulp of float32; double is
compared with mpmath.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.special

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, vector
from minicolumn.lower.llvm.mathlib import BOUNDS, MATH, call

llvm = pytest.importorskip("llvmlite.binding", reason="native code needs llvmlite; install it to run these")

LANES = (1, 2, 4, 8, 16)
DTYPES = {"float": np.float32, "double": np.float64}
SCIPY = {"logistic": "expit", **{n: n for n in ("erf", "erfc", "xlogy", "xlog1py")}}
BINARY = ("power", "arctan2", "hypot", "logaddexp", "logaddexp2", "fmod", "xlogy", "xlog1py")
# Where terms cancel the error is that of the operands.
OF_OPERANDS = ("logaddexp", "logaddexp2")


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + e^x)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x); SciPy's own underflows early."""
    s = np.exp(-np.abs(x))
    return np.where(x < 0, s, 1.0) / (1 + s)


def oracle(name: str) -> Callable[..., np.ndarray]:
    """Return the same function of NumPy or SciPy."""
    own = {"softplus": softplus, "logistic": logistic}
    if name in own:
        return own[name]
    return getattr(scipy.special, name) if name in SCIPY else getattr(np, name)


# Compiling ------------------------------------------------------------------------------------------------


def array_loop(module: Module, name: str, element: str, lanes: int) -> None:
    """Define `name(x, y, out, n)`, which applies a function to n vectors of an array."""
    f = Function(module, name, [("x", "ptr"), ("y", "ptr"), ("out", "ptr"), ("n", "i64")])
    type = vector(element, lanes)
    x, y, out, n = f.parameters.values()
    with f.loop(0, n) as loop:
        place = Value(loop.counter.text, "i64")
        operands = [f.load(type, f.at(p, place, type)) for p in ((x, y) if name in BINARY else (x,))]
        f.store(call(f, name, *operands), f.at(out, place, type), 4 if element == "float" else 8)
        loop.next()
    f.finish()


def math_text(element: str, lanes: int, names: tuple[str, ...] = tuple(MATH)) -> str:
    """Return a module with a loop for each function."""
    module = Module()
    for name in names:
        array_loop(module, name, element, lanes)
    return str(module)


def machine(triple: str | None = None, cpu: str | None = None, features: str | None = None) -> Any:
    """Return a target machine; this one unless told otherwise."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(triple or llvm.get_process_triple())
    cpu = llvm.get_host_cpu_name() if cpu is None else cpu
    features = llvm.get_host_cpu_features().flatten() if features is None else features
    return target.create_target_machine(cpu=cpu, features=features, opt=2)


def optimized(text: str, target: Any) -> Any:
    """Return the module of a text, verified and optimised."""
    module = llvm.parse_assembly(text)
    module.triple = target.triple
    module.verify()
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = builder.getModulePassManager()
    passes.run(module, builder)
    # llvmlite 0.50 never frees a pipeline by itself.
    llvm.newpassmanagers.NewPassManager._dispose(passes)
    passes.detach()
    return module


@dataclass
class Compiled:
    """The functions for one type and number of lanes."""

    engine: Any
    element: str
    lanes: int

    def __call__(self, name: str, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """Apply a function to arrays of any length."""
        dtype = DTYPES[self.element]
        count = -(-x.size // self.lanes)
        a, b = (np.ones(count * self.lanes, dtype) for _ in range(2))
        a[: x.size] = x
        if y is not None:
            b[: x.size] = y
        out = np.empty_like(a)
        run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)(
            self.engine.get_function_address(name)
        )
        run(a.ctypes.data, b.ctypes.data, out.ctypes.data, count)
        return out[: x.size]


@functools.cache
def compiled(element: str, lanes: int, features: str | None = None) -> Compiled:
    """Compile all functions for a type, once."""
    target = machine(features=features)
    engine = llvm.create_mcjit_compiler(optimized(math_text(element, lanes), target), target)
    engine.finalize_object()
    return Compiled(engine, element, lanes)


# Points ---------------------------------------------------------------------------------------------------


def edges(element: str) -> np.ndarray:
    """Return zeros, infinities, NaN, subnormal, extreme and simple numbers of both signs."""
    info = np.finfo(DTYPES[element])
    sizes = [0, info.smallest_subnormal, 7 * info.smallest_subnormal, info.smallest_normal, info.eps]
    sizes += [0.25, 0.5, 1 - info.epsneg, 1, 1 + info.eps, 1.5, 2, 2.5, 3, 4, 10, 100, 1e4, 2.0**info.nmant]
    sizes += [2.0**info.nmant + 1, 2.0 ** (info.nmant + 1) + 2, 1e30, info.max, np.inf, np.nan]
    positive = np.array(sizes, DTYPES[element])
    return np.concatenate([positive, -positive])


def points(element: str, each: int, seed: int = 0) -> np.ndarray:
    """Return numbers of both signs: `each` in every binade, many where functions bend and end."""
    dtype, info = DTYPES[element], np.finfo(DTYPES[element])
    random = np.random.default_rng(seed)
    exponents = np.repeat(np.arange(info.minexp - info.nmant, info.maxexp), each)
    wide = np.ldexp(random.uniform(1, 2, exponents.size), exponents) * random.choice([-1, 1], exponents.size)
    limits = [1.0, 2.0, 10.0, -info.minexp * 0.75, -info.minexp * 1.2]
    near = np.concatenate([random.uniform(-limit, limit, 40 * each) for limit in limits])
    ulps = np.arange(-5 * each, 5 * each) * info.eps
    return np.concatenate([wide, near, 1 + ulps, 0.5 * (1 + ulps), np.pi / 2 * (1 + ulps)]).astype(dtype)


def pairs(name: str, element: str, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return operands for a function of two."""
    random = np.random.default_rng(1)
    x = points(element, each)
    y = random.permutation(points(element, each, 2))
    near = random.lognormal(0, 1, (2, x.size))
    if name == "power":
        # Exponents for which the result is in range.
        logs = np.log(np.abs(x, dtype=np.float64), where=x != 0, out=np.ones(x.shape))
        limit = -np.finfo(x.dtype).minexp * 0.75 / np.maximum(np.abs(logs), 1e-12)
        y = np.clip(random.uniform(-1, 1, x.size) * limit, -1e30, 1e30)
        bases, exponents = np.abs(np.concatenate([x, near[0]])), np.concatenate([y, near[1] * 9])
        return bases.astype(x.dtype), exponents.astype(x.dtype)
    sign = random.choice([-1, 1], (2, x.size))
    close = near[0] * (1 + random.normal(size=x.size) * 1e-3)
    a = np.concatenate([x, near[0] * sign[0], near[0], x])
    b = np.concatenate([y, near[1] * sign[1], close, near[1]])
    return a.astype(x.dtype), b.astype(x.dtype)


# Errors ---------------------------------------------------------------------------------------------------


def ulps_float(got: np.ndarray, exact: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
    """Return the error in units in the last place of float32; infinity counts as 2^128."""
    top = 2.0**128
    exact, wide = np.clip(exact, -top, top), np.clip(got.astype(np.float64), -top, top)
    size = np.abs(exact) if of is None else np.maximum(np.abs(exact), of)
    exponent = np.maximum(np.frexp(np.minimum(size, 2.0**127.5))[1] - 24, -149)
    error = np.abs(wide - exact) / np.ldexp(1.0, exponent)
    return np.where(np.isnan(exact) & np.isnan(wide), 0.0, np.where(np.isnan(error), np.inf, error))


def float_errors(name: str, run: Compiled, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """Return the errors of a float function in ulp."""
    with np.errstate(all="ignore"):
        operands = [z.astype(np.float64) for z in (x, y) if z is not None]
        exact = oracle(name)(*operands)
        of = np.maximum(*map(np.abs, operands)) if name in OF_OPERANDS else None
        return ulps_float(run(name, x, y), exact, of)


def exact_function(name: str) -> Callable[..., Any]:
    """Return the same function of mpmath, on finite numbers."""
    mp = pytest.importorskip("mpmath", reason="the oracle for double is mpmath; install it to run this")
    mp.mp.prec = 160

    def of_exponentials(base: Any) -> Callable[..., Any]:
        # A difference of 1000 is below any last place.
        return lambda x, y: max(x, y) + mp.log1p(mp.power(base, -min(abs(x - y), 1000))) / mp.log(base)

    own = {
        "exp2": lambda x: mp.power(2, x),
        "log2": lambda x: mp.log(x) / mp.ln2,
        "logistic": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: mp.log1p(mp.exp(x)),
        "logaddexp": of_exponentials(mp.e),
        "logaddexp2": of_exponentials(mp.mpf(2)),
        "xlogy": lambda x, y: x * mp.log(y),
        "xlog1py": lambda x, y: x * mp.log1p(y),
        "fmod": lambda x, y: mp.sign(x) * mp.fmod(abs(x), abs(y)),
        "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        "erfc": lambda x: mp.erfc(x) if x < 100 else mp.mpf(0),
        # Their arguments are huge.
        "sin": lambda x: _with_digits(mp, x, mp.sin),
        "cos": lambda x: _with_digits(mp, x, mp.cos),
        "tan": lambda x: _with_digits(mp, x, mp.tan),
    }
    renamed = {f"arc{n}": f"a{n}" for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "tan2")}
    return own.get(name) or getattr(mp, renamed.get(name, name))


def _with_digits(mp: Any, x: Any, function: Callable[[Any], Any]) -> Any:
    with mp.workprec(160 + max(0, mp.frexp(x)[1])):
        return +function(x)


def double_error(
    exact: Callable[..., Any], got: float, operands: Sequence[float], of_operands: bool
) -> float:
    """Return the error of one result in ulp; infinity counts as 2^1024."""
    from mpmath import frexp, ldexp, mpc, mpf

    value = exact(*map(mpf, operands))
    if isinstance(value, mpc):
        return 0.0 if np.isnan(got) else np.inf
    top = ldexp(mpf(1), 1024)
    value = max(min(value, top), -top)
    size = max(abs(value), *map(abs, map(mpf, operands))) if of_operands else abs(value)
    exponent = min(max(frexp(size)[1] - 53, -1074), 971) if size else -1074
    shown = (top if got > 0 else -top) if np.isinf(got) else mpf(got)
    return float(abs(shown - value) / ldexp(mpf(1), exponent)) if not np.isnan(got) else np.inf


def double_errors(name: str, run: Compiled, *operands: np.ndarray) -> np.ndarray:
    """Return the errors of a double function in ulp, where NumPy gives a finite or overflowed number."""
    with np.errstate(all="ignore"):
        numeric = oracle(name)(*operands)
    usable = ~np.isnan(numeric) & np.all([np.isfinite(z) & (z != 0) for z in operands], axis=0)
    chosen = [z[usable] for z in operands]
    exact, of = exact_function(name), name in OF_OPERANDS
    got = run(name, *chosen)
    rows = zip(got.tolist(), zip(*(z.tolist() for z in chosen), strict=True), strict=True)
    return np.array([double_error(exact, g, o, of) for g, o in rows])


def operands_of(name: str, element: str, each: int) -> tuple[np.ndarray, ...]:
    """Return operands for a function of one or two."""
    return pairs(name, element, each) if name in BINARY else (points(element, each),)


# Tests ----------------------------------------------------------------------------------------------------


def test_every_function_has_a_bound() -> None:
    assert set(BOUNDS) == set(itertools.product(MATH, DTYPES))


@pytest.mark.parametrize("name", MATH)
def test_float_is_within_its_bound(name: str) -> None:
    operands = operands_of(name, "float", 40)
    errors = float_errors(name, compiled("float", 8), *operands)
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS[name, "float"], [z[worst] for z in operands]


@pytest.mark.parametrize("name", MATH)
def test_double_is_within_its_bound(name: str) -> None:
    operands = [z[:: 5 if name in BINARY else 1] for z in operands_of(name, "double", 1)]
    errors = double_errors(name, compiled("double", 4), *operands)
    assert errors.max() <= BOUNDS[name, "double"]


def edge_operands(name: str, element: str) -> list[np.ndarray]:
    """Return the edges, or all pairs of them."""
    e = edges(element)
    return [z.ravel() for z in np.meshgrid(e, e)] if name in BINARY else [e]


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_nearest_to_a_right_angle(name: str) -> None:
    # The first is the double nearest to a multiple of pi/2, to 2^-60.9 (Kahan; Muller, table 11.1).
    x = np.array([6381956970095103.0 * 2.0**797, 1e22, 1.7976931348623157e308, 355.0, 1e5, 1e7, 11.0])
    assert double_errors(name, compiled("double", 4), x).max() <= BOUNDS[name, "double"]


@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("name", MATH)
def test_edges_are_those_of_numpy(name: str, element: str) -> None:
    operands = edge_operands(name, element)
    got = compiled(element, 4)(name, *operands)
    with np.errstate(all="ignore"):
        # float64's results are exact enough for both, and round to the same zeros and infinities.
        wide = oracle(name)(*(z.astype(np.float64) for z in operands))
        expected = wide.astype(got.dtype)
    special = np.isnan(expected) | np.isinf(expected) | (wide == 0)
    same = (got == expected) & (np.signbit(got) == np.signbit(expected)) | np.isnan(got) & np.isnan(expected)
    # What is no edge only has to be near; how near is for the tests above.
    least = 1e-6 if name in OF_OPERANDS else np.finfo(got.dtype).smallest_subnormal
    near = np.isclose(got, expected, rtol=1e-5, atol=least)
    wrong = ~np.where(special, same, near)
    assert not wrong.any(), np.stack([z[wrong] for z in (*operands, got, expected)], axis=1)[:8]


@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("name", MATH)
def test_a_lane_does_not_depend_on_how_many_there_are(name: str, element: str) -> None:
    chosen = operands_of(name, element, 2), edge_operands(name, element)
    operands = [np.concatenate(z) for z in zip(*chosen, strict=True)]
    first, *others = (compiled(element, lanes)(name, *operands) for lanes in LANES)
    for other in others:
        same = (first.view(np.uint8) == other.view(np.uint8)).reshape(first.size, -1).all(axis=1)
        assert (same | np.isnan(first) & np.isnan(other)).all()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="needs an x86 processor")
@pytest.mark.parametrize("name", MATH)
def test_the_bits_are_the_same_without_fused_instructions(name: str) -> None:
    chosen = operands_of(name, "float", 2), edge_operands(name, "float")
    operands = [np.concatenate(z) for z in zip(*chosen, strict=True)]
    fused, plain = (
        compiled("float", 4, features)(name, *operands) for features in (None, "-avx,-sse4.1,-fma")
    )
    np.testing.assert_array_equal(
        fused.view(np.int32)[~np.isnan(fused)], plain.view(np.int32)[~np.isnan(fused)]
    )


TARGETS = {
    "AVX-512": ("x86_64-unknown-linux-gnu", "znver4", "", 16),
    "SSE2": ("x86_64-unknown-linux-gnu", "x86-64", "-avx2,-fma", 4),
    "NEON": ("aarch64-unknown-linux-gnu", "", "", 4),
}


@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("target", TARGETS)
def test_every_function_compiles_elsewhere(target: str, element: str) -> None:
    triple, cpu, features, lanes = TARGETS[target]
    module = llvm.parse_assembly(math_text(element, lanes))
    module.triple = triple
    text = machine(triple, cpu, features).emit_assembly(module)
    assert all(f"\nmc.{name}.v{lanes}" in text for name in MATH)
