"""The native matrix product against NumPy: every transposition, stride, edge, part, element and machine."""

from __future__ import annotations

import ctypes
import mmap
import platform
import re
from dataclasses import dataclass, replace

import llvmlite.binding as llvm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite.binding import newpassmanagers

import minicolumn as mc
from minicolumn.lower.llvm.codegen.emit import Function, Module, Value
from minicolumn.lower.llvm.matmul import (
    Operand,
    Product,
    emit_pack,
    emit_product,
    needs_result_buffer,
    scratch_bytes,
)
from minicolumn.lower.llvm.matmul.shapes import tiling
from minicolumn.lower.llvm.schedule.machine import AVX2, AVX512, NEON, SSE2, Machine, machine_for

DTYPES = {"float": np.float32, "double": np.float64, "i32": np.int32, "i64": np.int64, "i8": np.bool_}
X86 = platform.machine() == "x86_64"
FEATURES = {name for name, on in llvm.get_host_cpu_features().items() if on}
HOST = machine_for(platform.machine(), FEATURES)
SMALL_CACHES = replace(HOST, l1=1024, l2=2048)  # so that small products are packed and cut along k
PAGE = mmap.PAGESIZE


@pytest.fixture(scope="module", autouse=True)
def _native() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def compile_text(text: str, level: int) -> llvm.ExecutionEngine:
    """Return the code of a module, optimised at a level."""
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=max(1, level)
    )
    module = llvm.parse_assembly(text)
    module.verify()
    if level:
        builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(level))
        passes = builder.getModulePassManager()
        passes.run(module, builder)
        newpassmanagers.NewPassManager._dispose(passes)
        passes.detach()
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


def emit_bias(module: Module, n: int, element: str) -> str:
    """Define an epilogue: context is {out, bias, visits}; out = tile + bias, and visits counts."""
    sizes = ("row_start", "row_stop", "col_start", "col_stop")
    arguments = [("context", "ptr"), *((s, "i64") for s in sizes), ("tile", "ptr"), ("ld", "i64")]
    fn = Function(module, "bias", arguments)
    p = fn.parameters
    out, bias, visits = (fn.load("ptr", fn.at(p["context"], i, "ptr")) for i in range(3))
    with (
        fn.loop(p["row_start"], p["row_stop"]) as i,
        fn.loop(p["col_start"], p["col_stop"]) as j,
    ):
        row, col = fn.op("sub", i.counter, p["row_start"]), fn.op("sub", j.counter, p["col_start"])
        from_tile = fn.at(p["tile"], fn.op("add", fn.op("mul", row, p["ld"]), col), element)
        place = fn.op("add", fn.op("mul", i.counter, Value(str(n), "i64")), j.counter)
        total = fn.op("fadd", fn.load(element, from_tile), fn.load(element, fn.at(bias, j.counter, element)))
        fn.store(total, fn.at(out, place, element))
        visit = fn.at(visits, place, "i8")
        fn.store(fn.op("add", fn.load("i8", visit), Value("1", "i8")), visit)
    return fn.finish()


class Memory:
    """Bytes that end where a page begins that must not be touched; before them lie guard bytes."""

    def __init__(self, nbytes: int, align: int = 1) -> None:
        pages = -(-(nbytes + 128) // PAGE)
        self._map = mmap.mmap(-1, (pages + 1) * PAGE)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        libc = ctypes.CDLL(None)
        assert not libc.mprotect(ctypes.c_void_p(self._start + pages * PAGE), PAGE, 0)
        self.offset = (pages * PAGE - nbytes) // align * align
        self.address, self.nbytes = self._start + self.offset, nbytes
        self.bytes = np.frombuffer(self._map, np.uint8, self.offset + nbytes)
        self.bytes[:] = 0xA5

    def array(self, dtype: type, count: int) -> np.ndarray:
        """Return the bytes as an array."""
        return self.bytes[self.offset :][: count * np.dtype(dtype).itemsize].view(dtype)

    def guarded(self) -> bool:
        """Return whether the bytes before are as they were."""
        return bool(np.all(self.bytes[: self.offset] == 0xA5))


@dataclass
class Side:
    """A matrix in guarded memory, and how it lies there."""

    memory: Memory
    values: np.ndarray
    operand: Operand


def side(values: np.ndarray, turned: bool, gap: int, step: int) -> Side:
    """Put a matrix into memory: by rows or columns, `gap` elements between lines, every `step`-th element."""
    lines, length = values.shape[::-1] if turned else values.shape
    line = length * step + gap
    count = (lines - 1) * line + (length - 1) * step + 1 if values.size else 0
    memory = Memory(count * values.itemsize)
    flat = memory.array(values.dtype.type, count)
    operand = Operand(step, line) if turned else Operand(line, step)
    for (i, j), value in np.ndenumerate(values):
        flat[i * operand.rows_stride + j * operand.cols_stride] = value
    return Side(memory, values, operand)


class Run:
    """A compiled product with its factors in guarded memory."""

    def __init__(
        self,
        a: Side,
        b: Side,
        machine: Machine = HOST,
        epilogue: bool = False,
        level: int = 0,
        element: str = "",
    ) -> None:
        (m, k), n = a.values.shape, b.values.shape[1]
        names = {np.dtype(d): name for name, d in DTYPES.items()}
        element = element or names[a.values.dtype]
        self.product = Product(m, n, k, element, a.operand, b.operand)
        self.a, self.b, self.machine, self.epilogue = a, b, machine, epilogue
        module = Module()
        epi = emit_bias(module, n, element) if epilogue else None
        self.packs = emit_pack(module, "pack", self.product, machine)
        emit_product(module, "product", self.product, machine, epi)
        self.engine = compile_text(str(module), level)

    def _call(self, name: str, *arguments: int) -> None:
        types = [ctypes.c_void_p] * (len(arguments) - 2) + [ctypes.c_int64] * 2
        ctypes.CFUNCTYPE(None, *types)(self.engine.get_function_address(name))(*arguments)

    def __call__(self, parts: int = 1, bias: np.ndarray | None = None) -> np.ndarray:
        m, n, dtype = self.product.m, self.product.n, self.a.values.dtype
        scratch = Memory(scratch_bytes(self.product, self.machine), 64)
        c = Memory(m * n * dtype.itemsize)
        out, visits = Memory(m * n * dtype.itemsize), Memory(m * n)
        visits.array(np.uint8, m * n)[:] = 0
        bias_memory = Memory(n * dtype.itemsize)
        if bias is not None:
            bias_memory.array(dtype.type, n)[:] = bias
        context = (ctypes.c_void_p * 3)(out.address, bias_memory.address, visits.address)
        without_c = self.epilogue and not needs_result_buffer(self.product, self.machine)
        sources = [self.a.memory.bytes.copy(), self.b.memory.bytes.copy()]
        if self.packs:
            for part in range(parts):
                self._call("pack", self.a.memory.address, self.b.memory.address, scratch.address, part, parts)
        for part in reversed(range(parts)):
            where = (self.a.memory.address, self.b.memory.address, 0 if without_c else c.address)
            self._call("product", *where, scratch.address, ctypes.addressof(context), part, parts)
        assert np.array_equal(sources[0], self.a.memory.bytes)
        assert np.array_equal(sources[1], self.b.memory.bytes)
        assert all(memory.guarded() for memory in (scratch, c, out, visits, bias_memory))
        if self.epilogue:
            assert np.all(visits.array(np.uint8, m * n) == 1), "each element is given away once"
        return (out if self.epilogue else c).array(dtype.type, m * n).reshape(m, n).copy()


def exact(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the product, rounded much finer than the elements."""
    wide = np.longdouble if a.dtype == np.float64 else np.float64
    return (a.astype(wide)[:, :, None] * b.astype(wide)[None]).sum(axis=1)


def assert_close(c: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """k additions and multiplications are each rounded by at most eps / 2 of the absolute sum so far."""
    bound = (a.shape[1] + 1) * np.finfo(a.dtype).eps * exact(np.abs(a), np.abs(b))
    assert np.all(np.abs(c - exact(a, b)) <= bound)


def matrices(seed: int, m: int, n: int, k: int, element: str = "float") -> tuple[np.ndarray, np.ndarray]:
    """Return random factors."""
    rng = np.random.default_rng(seed)
    dtype = DTYPES[element]
    if element in ("float", "double"):
        return rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    low, high = (0, 2) if element == "i8" else (-(2**31), 2**31)
    return rng.integers(low, high, (m, k)).astype(dtype), rng.integers(low, high, (k, n)).astype(dtype)


def sides(
    a: np.ndarray, b: np.ndarray, turned: tuple[bool, bool], gap: int = 0, step: int = 1
) -> tuple[Side, Side]:
    """Return both factors in memory."""
    return side(a, turned[0], gap, step), side(b, turned[1], gap, step)


LENGTHS = st.one_of(st.integers(0, 40), st.sampled_from([47, 48, 49, 63, 64, 65, 96, 97, 127, 128]))


@settings(max_examples=50, deadline=None)
@given(
    m=LENGTHS,
    n=LENGTHS,
    k=LENGTHS,
    turned=st.tuples(st.booleans(), st.booleans()),
    gap=st.sampled_from([0, 0, 1, 3]),
    step=st.sampled_from([1, 1, 1, 2]),
    small=st.booleans(),
    epilogue=st.booleans(),
    element=st.sampled_from(["float", "float", "double"]),
)
def test_any_product(
    m: int,
    n: int,
    k: int,
    turned: tuple[bool, bool],
    gap: int,
    step: int,
    small: bool,
    epilogue: bool,
    element: str,
) -> None:
    a, b = matrices(m + n + k, m, n, k, element)
    machine = SMALL_CACHES if small else HOST
    run = Run(*sides(a, b, turned, gap, step), machine, epilogue)
    bias = np.zeros(n, a.dtype)
    first = run(1, bias)
    assert_close(first, a, b)
    for parts in (2, 3):
        assert run(parts, bias).tobytes() == first.tobytes()


SHAPES = [(256, 7, 64), (1, 64, 128), (1, 7, 64), (54, 128, 256), (129, 51, 300), (200, 1, 70), (1, 50, 70)]
TURNED = [(False, False), (True, False), (False, True), (True, True)]


@pytest.mark.parametrize("turned", TURNED)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("machine", [HOST, SMALL_CACHES], ids=["host", "small caches"])
def test_product_and_epilogue_agree(
    machine: Machine, shape: tuple[int, int, int], turned: tuple[bool, bool]
) -> None:
    a, b = matrices(1, *shape)
    bias = np.arange(shape[1], dtype=np.float32)
    level = 2 if turned == (False, True) else 0  # most of the time goes into LLVM
    plain = Run(*sides(a, b, turned), machine, level=level)(2)
    assert_close(plain, a, b)
    with_bias = Run(*sides(a, b, turned), machine, epilogue=True, level=level)(2, bias)
    assert with_bias.tobytes() == (plain + bias).tobytes()


@pytest.mark.parametrize("turned", TURNED)
@pytest.mark.parametrize("shape", [(13, 21, 10), (70, 140, 50), (3, 1, 17), (1, 5, 3)])
@pytest.mark.parametrize("element", ["i32", "i64", "i8"])
def test_whole_numbers_and_bools_are_numpys(
    element: str, shape: tuple[int, int, int], turned: tuple[bool, bool]
) -> None:
    a, b = matrices(2, *shape, element)
    for machine in (HOST, SMALL_CACHES):
        assert np.array_equal(Run(*sides(a, b, turned), machine)(2), a @ b)


def test_a_stride_of_zero_repeats_a_row_or_a_column() -> None:
    a, b = matrices(6, 40, 40, 30)
    a[:], b[:] = a[:1], b[:, :1]
    once = side(a[:1], False, 0, 1), side(b[:, :1], True, 0, 1)
    rows = Side(once[0].memory, a, Operand(0, 1))
    columns = Side(once[1].memory, b, Operand(1, 0))
    for machine in (HOST, SMALL_CACHES):
        assert_close(Run(rows, columns, machine)(2), a, b)


def test_bools_may_be_called_bits() -> None:
    a, b = matrices(2, 9, 9, 3, "i8")
    assert np.array_equal(Run(*sides(a, b, (False, False)), element="i1")(), a @ b)


@pytest.mark.parametrize("shape", [(9, 20, 12), (40, 1, 12), (1, 40, 33), (70, 80, 60)])
@pytest.mark.parametrize("turned", TURNED)
def test_nan_and_infinity_travel(shape: tuple[int, int, int], turned: tuple[bool, bool]) -> None:
    a, b = matrices(3, *shape)
    a[0, 3], a[-1, 1], b[2, -1], b[5, 0] = np.nan, np.inf, -np.inf, 0.0
    with np.errstate(invalid="ignore"):
        expected = exact(a, b)
    for machine in (HOST, SMALL_CACHES):
        found = Run(*sides(a, b, turned), machine)()
        assert np.array_equal(np.isnan(found), np.isnan(expected))
        assert np.array_equal(np.isposinf(found), np.isposinf(expected))
        assert np.array_equal(np.isneginf(found), np.isneginf(expected))


def test_an_empty_sum_is_zero_and_an_empty_result_is_nothing() -> None:
    a, b = matrices(0, 5, 9, 0)
    assert np.array_equal(Run(*sides(a, b, (False, False)))(2), np.zeros((5, 9), np.float32))
    assert Run(*sides(*matrices(0, 0, 9, 4), (False, True)))(2).shape == (0, 9)
    assert Run(*sides(*matrices(0, 5, 0, 4), (True, False)))(2).shape == (5, 0)


@pytest.mark.skipif(not X86, reason="runs the x86 forms; needs an x86-64 processor")
@pytest.mark.parametrize("machine", [SSE2, AVX2], ids=["sse2", "avx2"])
@pytest.mark.parametrize("turned", TURNED)
def test_narrower_x86_forms(machine: Machine, turned: tuple[bool, bool]) -> None:
    if machine == AVX2 and not {"avx2", "fma"} <= FEATURES:
        pytest.skip("needs a processor with AVX2")
    for shape in [(19, 37, 23), (30, 3, 11), (1, 9, 40)]:
        for element in ("float", "double"):
            a, b = matrices(4, *shape, element)
            assert_close(Run(*sides(a, b, turned), machine)(3), a, b)


def assembly(product: Product, machine: Machine, triple: str, cpu: str) -> str:
    """Return the text of pack and product for another processor."""
    module = Module()
    emit_pack(module, "pack", product, machine)
    emit_product(module, "product", product, machine)
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    return llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, opt=2).emit_assembly(parsed)


# A vector that goes to the stack or comes from it.
STACK_MOVES = re.compile(
    r"v?mov\w+\s+-?\d*\(%rsp\), %[xyz]mm|v?mov\w+\s+%[xyz]mm\d+, -?\d*\(%rsp\)|(?:st|ld)r\s+q\d+, \[sp"
)


def targets() -> str:
    """Return the processors that this LLVM can write for, as far as they can be asked for."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    found = []
    for triple in ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"):
        try:
            llvm.Target.from_triple(triple)
        except RuntimeError:
            continue
        found.append(triple.split("-")[0])
    return " ".join(found)


CROSS = [
    (AVX512, "x86_64", "skylake-avx512", r"vfmadd\d+ps.*%zmm"),
    (AVX2, "x86_64", "haswell", r"vfmadd\d+ps.*%ymm"),
    (NEON, "aarch64", "generic", r"fmla\s+v\d+\.4s"),
    (SSE2, "x86_64", "x86-64", r"mulps.*%xmm"),
]


@pytest.mark.parametrize(("machine", "architecture", "cpu", "wanted"), CROSS, ids=lambda x: str(x)[:12])
@pytest.mark.parametrize("turned", TURNED)
@pytest.mark.parametrize("shape", [(53, 75, 40), (256, 7, 64), (512, 2048, 1024)])
def test_other_processors_get_their_own_instructions(
    shape: tuple[int, int, int],
    turned: tuple[bool, bool],
    machine: Machine,
    architecture: str,
    cpu: str,
    wanted: str,
) -> None:
    if architecture not in targets():
        pytest.skip(f"this LLVM does not write {architecture} code")
    m, n, k = shape
    a, b = Operand(1, m) if turned[0] else Operand(k, 1), Operand(1, k) if turned[1] else Operand(n, 1)
    text = assembly(Product(m, n, k, "float", a, b), machine, f"{architecture}-unknown-linux-gnu", cpu)
    assert re.search(wanted, text)
    if machine != SSE2:  # two-operand instructions need copies, for which nothing is left
        assert len(STACK_MOVES.findall(text)) <= 6, "the register tile fits the registers"
    assert not re.search(r"call\w*\s+fma", text), "no call for a multiply-add"


def test_tiles_fit_the_registers_and_cover_the_product() -> None:
    shapes = [(m, n, k) for m in (1, 2, 7, 54, 300) for n in (1, 7, 10, 100, 2048) for k in (1, 64, 2048)]
    for machine in (SSE2, AVX2, AVX512, NEON):
        for m, n, k in shapes:
            t = tiling(Product(m, n, k, "float", Operand(k, 1), Operand(n, 1)), machine)
            assert t.rows * t.width * t.chains + 2 <= machine.registers
            assert t.rows * (t.strips - 1) < m <= t.rows * t.strips
            assert t.columns * (t.panels - 1) < n <= t.columns * t.panels


def test_the_sum_over_k_does_not_depend_on_the_tile() -> None:
    a, b = matrices(5, 61, 43, 200)
    whole = Run(*sides(a, b, (False, False)))()
    rows = Run(*sides(np.repeat(a[:1], 61, axis=0), b, (False, False)))()
    assert all(row.tobytes() == whole[0].tobytes() for row in rows)


@pytest.mark.parametrize("k", [513, 784, 5_000, 20_000])
def test_long_sums_lose_no_more_than_numpys_do(k: int):
    rng = np.random.default_rng(k)
    a, b = rng.random((48, k), np.float32), rng.random((k, 48), np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    off = [np.abs(found / exact - 1).max() for found in (mc.compile(lambda a, b: a @ b)(a, b), a @ b)]
    # Stretches of 512 terms: some ten units in the last place at the most, where one sum would lose hundreds.
    assert off[0] < max(3 * off[1], 10 * np.finfo(np.float32).eps)
