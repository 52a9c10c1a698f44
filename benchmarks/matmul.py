"""Matrix products of the native lowering against NumPy's OpenBLAS, one thread each, in turns.

Prints GFLOP/s by the fastest and by the median turn, how long LLVM takes, and whether the results agree.
`python benchmarks/matmul.py [--turns 15] [--element float] [--only 128]`
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import statistics
import time
from collections.abc import Callable

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import llvmlite
import llvmlite.binding as llvm
import numpy as np
from llvmlite.binding import newpassmanagers

from minicolumn.lower.llvm.codegen.emit import Function, Module, index
from minicolumn.lower.llvm.matmul import Operand, Product, emit_pack, emit_product, scratch_bytes
from minicolumn.lower.llvm.schedule.machine import machine_for

FORWARD = [
    (256, 128, 54), (256, 64, 128), (256, 7, 64), (128, 300, 784), (128, 100, 300), (128, 10, 100),
    (512, 2048, 1024), (512, 2048, 2048), (512, 10, 2048), (1, 128, 54), (1, 64, 128), (1, 7, 64),
    (8192, 128, 54),
]  # fmt: skip
BACKWARD = [(256, 64, 7), (256, 128, 64), (128, 100, 10), (128, 300, 100), (512, 2048, 10), (512, 2048, 2048)]
WEIGHTS = [
    (54, 128, 256), (128, 64, 256), (64, 7, 256), (784, 300, 128), (300, 100, 128), (100, 10, 128),
    (1024, 2048, 512), (2048, 2048, 512), (2048, 10, 512),
]  # fmt: skip
VECTORS = [(256, 1, 64), (1, 1, 1000), (2048, 1, 512), (1, 2048, 512), (1000, 1, 1000)]
CASES = [
    *((shape, "") for shape in FORWARD),
    *((shape, "B") for shape in BACKWARD),
    *((shape, "A") for shape in WEIGHTS),
    *((shape, t) for shape in VECTORS for t in ("", "A", "B")),
]
DTYPES = {"float": np.float32, "double": np.float64, "i32": np.int32, "i64": np.int64}


def build(product: Product) -> tuple[Callable[..., None], llvm.ExecutionEngine, float]:
    """Return pack and product as one call, what keeps it alive, and the milliseconds LLVM took."""
    host = llvm.get_host_cpu_features()
    machine = machine_for(platform.machine(), {name for name, on in host.items() if on})
    module = Module()
    packs = emit_pack(module, "pack", product, machine)
    emit_product(module, "product", product, machine)
    names = ["a", "b", "c", "scratch"]
    fn = Function(module, "run", [(n, "ptr") for n in names])
    a, b, c, scratch = (fn.parameters[n] for n in names)
    if packs:
        fn.call("pack", "void", a, b, scratch, index(0), index(1))
    fn.call("product", "void", a, b, c, scratch, scratch, index(0), index(1))
    fn.finish()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=host.flatten(), opt=2
    )
    began = time.perf_counter()
    parsed = llvm.parse_assembly(str(module))
    passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(2))
    pipeline = passes.getModulePassManager()
    pipeline.run(parsed, passes)
    newpassmanagers.NewPassManager._dispose(pipeline)
    pipeline.detach()
    target.emit_object(parsed)
    took = (time.perf_counter() - began) * 1e3
    engine = llvm.create_mcjit_compiler(parsed, target)
    engine.finalize_object()
    run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(engine.get_function_address("run"))
    return run, engine, took


def operand(rng: np.random.Generator, shape: tuple[int, int], turned: bool, dtype: type) -> np.ndarray:
    """Return a matrix of this shape, in memory by rows or by columns."""
    values = (rng.standard_normal(shape) * 8).astype(dtype)
    return np.asfortranarray(values) if turned else values


def strides(x: np.ndarray, turned: bool) -> Operand:
    """Return the strides in elements; NumPy's own may differ where a side is one."""
    return Operand(1, x.shape[0]) if turned else Operand(x.shape[1], 1)


def seconds(call: Callable[[], object], repeat: int) -> float:
    """Return the seconds of one call, a mean over a few."""
    began = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - began) / repeat


def compare(shape: tuple[int, int, int], turned: str, element: str, turns: int) -> str:
    """Return a line of the table."""
    (m, n, k), dtype = shape, DTYPES[element]
    rng = np.random.default_rng(0)
    a, b = operand(rng, (m, k), turned == "A", dtype), operand(rng, (k, n), turned == "B", dtype)
    product = Product(m, n, k, element, strides(a, turned == "A"), strides(b, turned == "B"))
    c, expected = np.zeros((m, n), dtype), np.zeros((m, n), dtype)
    run, _engine, compiled = build(product)
    scratch = np.empty(max(64, scratch_bytes(product, machine_of_host())) + 64, np.uint8)
    pointers = [x.ctypes.data for x in (a, b, c)]
    aligned = -(-scratch.ctypes.data // 64) * 64
    repeat = max(1, int(2e7 / max(1, m * n * k)))
    repeat = min(repeat, 2000)
    ours, theirs = [], []
    for _ in range(turns):
        ours.append(seconds(lambda: run(*pointers, aligned), repeat))
        theirs.append(seconds(lambda: np.matmul(a, b, out=expected), repeat))
    wrong = np.abs(c - a.astype(np.float64) @ b.astype(np.float64)).max() / max(1, k)
    flops = 2e-9 * m * n * k
    rates = [flops / f(x) for x in (ours, theirs) for f in (min, statistics.median)]
    return (
        f"{m:5}x{n:4}x{k:4} {turned or '-'} {rates[0]:6.1f} {rates[1]:6.1f}  {rates[2]:6.1f} {rates[3]:6.1f}"
        f"   {rates[0] / rates[2]:5.2f}  {compiled:6.1f}   {wrong:.0e}"
    )


def machine_of_host():
    """Return the machine the code is made for."""
    return machine_for(platform.machine(), {n for n, on in llvm.get_host_cpu_features().items() if on})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--element", default="float", choices=DTYPES)
    parser.add_argument("--only", default="", help="shapes that contain this text")
    options = parser.parse_args()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    print(f"{llvm.get_host_cpu_name()}, NumPy {np.__version__}, llvmlite {llvmlite.__version__}")
    print("    m   n    k  turned  ours: best median   OpenBLAS: best median   ratio  LLVM ms  error/k")
    for shape, turned in CASES:
        if options.only in "x".join(map(str, shape)) + turned:
            print(compare(shape, turned, options.element, options.turns), flush=True)


if __name__ == "__main__":
    main()
