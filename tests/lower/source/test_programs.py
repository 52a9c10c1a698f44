"""Random programs as C and as JavaScript give what the graph means; an operation at a time, to its bound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from programs import Maker, arguments, make
from twin import judge, opinions
from written import CHECKED, QUICK, Case, needs_c, needs_node, run_c, run_js

from minicolumn.errors import DataError
from minicolumn.ir.graph import Graph, Node, input_node
from minicolumn.ir.interpret import Table, interpret
from minicolumn.ir.op import OPS, op_named
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import DTYPES, ArrayType
from minicolumn.ir.verify import infer_type
from minicolumn.lower.source.c99 import C99
from minicolumn.lower.source.javascript import JAVASCRIPT
from minicolumn.lower.source.language import Language
from minicolumn.lower.source.program import write_program

# Operations that are no map, and yet written; a map is written if the language's table has it.
OTHERS = {
    *(name for name, op in OPS.items() if op.kind == "shape"),
    *("sum", "prod", "max", "min", "all", "any", "argmax", "argmin", "cumsum", "cumprod", "matmul", "gather"),
}


def written_by(language: Language) -> set[str]:
    return {name for name, op in OPS.items() if op in language.maps and not op.expansion} | OTHERS


class Within(Maker):
    """Makes programs of operations that a language has."""

    known_to: frozenset[str] = frozenset()

    def names(self, kind: str):
        return tuple(name for name in super().names(kind) if name in self.known_to)


def programs(monkeypatch: pytest.MonkeyPatch, language: Language, seeds: range) -> list[Case]:
    """Return programs whose every bit is certain, with data."""
    monkeypatch.setattr(Within, "known_to", frozenset(written_by(language)))
    monkeypatch.setattr("programs.Maker", Within)
    made = [make(seed, exact=True) for seed in seeds]
    return [(m.graph, arguments(m, seed, exact=True)) for m, seed in zip(made, seeds, strict=True)]


@needs_c
@pytest.mark.parametrize("options", [CHECKED, QUICK], ids=["sanitized", "O3"])
def test_random_programs_in_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    cases = programs(monkeypatch, C99, range(60))
    for k, (found, (graph, args)) in enumerate(zip(run_c(cases, tmp_path, options), cases, strict=True)):
        assert not judge(found, opinions(graph, args)), k


class Wide(Table):
    """Computes on floats in double precision and says whether rounding to float32 would change anything."""

    rounded = False

    def operation(self, node: Node):
        def run(*operands):
            plain = super(Wide, self).operation(node)(*operands)
            if node.op.kind in ("map", "order", "reduce", "product") and node.array_type.dtype == np.float32:
                wide = [
                    x.astype(np.float64) if x.dtype == np.float32 else x for x in map(np.asarray, operands)
                ]
                attrs = {k: np.float64 if k == "dtype" else v for k, v in node.attrs.items()}
                exact = np.asarray(node.op.numpy(*wide, **attrs))
                self.rounded |= not np.array_equal(
                    exact.astype(np.float64), np.float64(plain), equal_nan=True
                )
            return plain

        return run


def is_rounded(graph: Graph, args: Sequence[np.ndarray]) -> bool:
    table = Wide()
    with np.errstate(all="ignore"):
        interpret(graph, table)(*args)
    return table.rounded


@needs_node
def test_random_programs_in_javascript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = programs(monkeypatch, JAVASCRIPT, range(100, 180))
    exact = [case for case in cases if not is_rounded(*case)]
    assert len(exact) > len(cases) / 2
    for k, (found, (graph, args)) in enumerate(zip(run_js(exact, tmp_path), exact, strict=True)):
        assert not judge(found, opinions(graph, args)), k


# Elementary functions ---------------------------------------------------------------------------------------

RANGES = {
    "arcsin": 1.0,
    "arccos": 1.0,
    "arctanh": 0.999,
    "exp": 80.0,
    "exp2": 100.0,
    "sinh": 80.0,
    "cosh": 80.0,
}


def functions(language: Language, dtype: str) -> list[Case]:
    """Return a graph for each map on floats, with numbers of its domain, zeros, NaN and infinities."""
    type, rng = ArrayType(DTYPES[dtype], (400,)), np.random.default_rng(0)
    cases = []
    for name in sorted(written_by(language) - OTHERS - {"where", "cast", "fmod"}):
        op = op_named(name)
        for count in (1, 2):
            inputs = tuple(input_node(type) for _ in range(count))
            try:
                result = infer_type(op, tuple(i.type for i in inputs), {})
            except (ValueError, TypeError, DataError):
                continue
            args = [_numbers(rng, name).astype(type.dtype) for _ in inputs]
            cases.append((Graph(inputs, (Node(op, inputs, {}, result),)), args))
    return cases


def _numbers(rng: np.random.Generator, name: str) -> np.ndarray:
    x = rng.uniform(-1, 1, 400) * RANGES.get(name, 20.0)
    if name in ("log", "log2", "log10", "sqrt", "power"):
        x = np.abs(x)
    if name in ("log1p", "arccosh"):
        x = np.abs(x) + 1
    if name not in ("power", "rint"):
        x[:6] = 0.0, -0.0, np.nan, np.inf, -np.inf, 1e-20
    return x


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize(
    "language",
    [pytest.param(C99, marks=needs_c), pytest.param(JAVASCRIPT, marks=needs_node)],
    ids=["c", "js"],
)
def test_elementary_functions(tmp_path: Path, language: Language, dtype: str) -> None:
    cases = functions(language, dtype)
    assert len(cases) > 30
    ran = run_c(cases, tmp_path, QUICK) if language is C99 else run_js(cases, tmp_path)
    for (graph, args), (found,) in zip(cases, ran, strict=True):
        with np.errstate(all="ignore"):
            (expected,) = interpret(graph, Table())(*args)
        assert found.dtype == expected.dtype
        close = 64 * np.finfo(DTYPES[dtype]).eps  # powers of 20 to the 20th lose most
        assert np.allclose(found, expected, rtol=close, atol=close, equal_nan=True), graph.outputs[0].op.name


@needs_c
@needs_node
def test_jumps_are_where_they_are_in_numpy(tmp_path: Path) -> None:
    text = """fn(x: f64[8], y: f64[8]) {
      a: f64[8] = fmod(x, y)
      b: f64[8] = rint(x)
      c: i32[8] = cast(x, dtype=i32)
      return a, b, c
    }"""
    graph = parse_graph(text)
    args = [np.array([5.5, -5.5, 0.5, 1.5, 2.5, -0.5, -1.5, 7.0]), np.array([2.0, 2, -2, 3, 1, 1, 1, 7.0])]
    expected = interpret(graph, Table())(*args)
    for found in (run_c([(graph, args)], tmp_path, CHECKED)[0], run_js([(graph, args)], tmp_path)[0]):
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@needs_c
def test_nothing_is_undefined_whatever_the_numbers(tmp_path: Path) -> None:
    text = """fn(x: f64[6], t: f32[3]) {
      i: i32[6] = cast(x, dtype=i32)
      j: i32[6] = multiply(i, i)
      k: i32[6] = subtract(j, i)
      n: i32[6] = negative(k)
      a: i32[6] = absolute(i)
      y: f32[6] = gather(t, i)
      s: i32[] = sum(k, axes=[0])
      return y, n, a, s
    }"""
    args = [np.array([np.nan, np.inf, -np.inf, 1e300, -2147483648.0, 2.0]), np.array([1, 2, 3], np.float32)]
    (found,) = run_c([(parse_graph(text), args)], tmp_path, CHECKED)
    assert found[0].tolist()[-1] == 3.0
    assert set(found[0].tolist()) <= {1.0, 2.0, 3.0}


# Nothing is stored between two operations, so that the expression itself must keep an integer in its range.
SMALL = "r: i64[] = const(200000) q: i64[4] = minimum(x, r)"
WRAPPED = {
    "a large unsigned constant": ("u32", "c: u32[] = const(4000000000) d: u32[4] = subtract(x, c)"),
    "a product with one": ("u32", "c: u32[] = const(4000000000) d: u32[4] = multiply(x, c)"),
    "a power": ("u32", "t: u32[] = const(13) s: u32[4] = minimum(x, t) d: u32[4] = power(x, s)"),
    "an absolute number": ("i32", "d: i32[4] = absolute(x)"),
    "from unsigned": ("u32", "d: i32[4] = cast(x, dtype=i32)"),
    "from signed": ("i32", "d: u32[4] = cast(x, dtype=u32)"),
    "from long": ("i64", "d: i32[4] = cast(x, dtype=i32)"),
    "long from a float": ("f64", "d: i64[4] = cast(x, dtype=i64)"),
    "unsigned from a float": ("f64", "d: u32[4] = cast(x, dtype=u32)"),
    "a long power": ("i64", f"{SMALL} t: i64[] = const(3) s: i64[4] = minimum(x, t) d: i64[4] = power(q, s)"),
}
NUMBERS = {
    "u32": [0, 7, 3_000_000_000, 4_294_967_295], "i32": [-(2**31), -1, 5, 2**31 - 1],
    "i64": [2, 7, 200_000, 3_000_000_000], "f64": [0.5, 3e9, 7.9, 2e9],
}  # fmt: skip


@needs_c
@needs_node
def test_integers_wrap_within_an_expression(tmp_path: Path) -> None:
    cases = []
    for dtype, lines in WRAPPED.values():
        numbers = np.array(NUMBERS[dtype], DTYPES[dtype])
        text = f"fn(x: {dtype}[4]) {{ {lines} f: f64[4] = cast(d, dtype=f64) return f }}"
        cases.append((parse_graph(text), [numbers]))
    both = (run_c(cases, tmp_path, CHECKED), run_js(cases, tmp_path))
    for name, (graph, args), *found in zip(WRAPPED, cases, *both, strict=True):
        expected = interpret(graph, Table())(*args)[0]
        for language, (values,) in zip(("C", "JavaScript"), found, strict=True):
            assert values.tolist() == expected.tolist(), (name, language)


@pytest.mark.parametrize("language", [C99, JAVASCRIPT], ids=["c", "js"])
def test_an_operation_without_a_line_is_named(language: Language) -> None:
    graph = parse_graph("fn(x: f32[3]) { y: f32[3] = gammaln(x) return y }")
    with pytest.raises(DataError, match=f"'gammaln' cannot be written in {language.name}"):
        write_program(graph, language)
