"""Object code for other processors: run by an emulator or by Node.js, it answers what the model answers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from model_samples import samples
from tables import models
from written import NODE, needs_c

from minicolumn.errors import DataError
from minicolumn.lower.llvm.codegen.standalone import emit_standalone
from minicolumn.lower.llvm.runtime.jit import compile_object
from minicolumn.lower.llvm.runtime.processors import PROCESSORS, target_of
from minicolumn.model.export import checks
from minicolumn.model.export.object_file import object_files
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.model.export.samples import numbers_of
from minicolumn.model.model import Model

NAMES = ("table classes", "table quantiles", "table asinh", "float64", "image", "ramps", "norms")
# A function that asks Linux for something, ask(a, b, c, what), in each processor's own code, as there is no
# assembler for them here; and the numbers of writing and of leaving.
CALLS = {
    "aarch64": ("e80303aa 010000d4 c0035fd6", 64, 93),  # mov x8, x3; svc #0; ret
    "riscv64": ("93880600 73000000 67800000", 64, 93),  # mv a7, a3; ecall; ret
}


@pytest.fixture(scope="module")
def chosen() -> dict[str, Pipeline]:
    made = {name: Model.from_artifact(found, name) for name, found in samples().items()}
    made |= {f"table {name}": model for name, model in models().items()}
    return {name: Pipeline(made[name], "net") for name in NAMES}


def numbers(pipeline: Pipeline) -> np.ndarray:
    return numbers_of(pipeline, pipeline.samples.cells)


def check(pipeline: Pipeline, data: bytes) -> None:
    found = np.frombuffer(data, np.float32).reshape(pipeline.samples.answers.shape)
    scale = pipeline.samples.scale
    off = np.abs(found - pipeline.samples.answers) / (scale + np.abs(pipeline.samples.answers))
    assert off.max() < 1e-5


def shown(data: bytes) -> str:
    return "".join(f"\\{byte:02X}" for byte in data)


def program(pipeline: Pipeline, family: str) -> str:
    """Return a program without any library, as LLVM text: it runs the rows and writes the answers out."""
    x, wanted = numbers(pipeline), pipeline.samples.answers
    code, write, leave = CALLS[family]
    lines = [
        f'@ask = private constant [12 x i8] c"{shown(bytes.fromhex(code))}", align 64',
        f'@rows = private constant [{x.nbytes} x i8] c"{shown(x.tobytes())}", align 64',
        f"@out = internal global [{wanted.nbytes} x i8] zeroinitializer, align 64",
        "declare i32 @net_network(ptr, ptr)",
        "define void @_start() nounwind {",
    ]
    for k in range(len(x)):
        lines.append(f"  %x{k} = getelementptr i8, ptr @rows, i64 {k * x[0].nbytes}")
        lines.append(f"  %y{k} = getelementptr i8, ptr @out, i64 {k * wanted[0].nbytes}")
        lines.append(f"  %r{k} = call i32 @net_network(ptr %x{k}, ptr %y{k})")
    lines.append(f"  %a = call i64 @ask(i64 1, ptr @out, i64 {wanted.nbytes}, i64 {write})")
    lines.append(f"  %b = call i64 @ask(i64 0, ptr null, i64 0, i64 {leave})")
    return "\n".join([*lines, "  unreachable", "}", ""])


@pytest.mark.skipif(not shutil.which("ld.lld"), reason="needs lld: apt install lld")
@pytest.mark.parametrize("family", list(CALLS))
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_another_processor(
    chosen: dict[str, Pipeline], tmp_path: Path, family: str, name: str
) -> None:
    emulator = shutil.which(f"qemu-{family}")
    if emulator is None:
        pytest.skip("needs qemu-user: apt install qemu-user")
    pipeline = Pipeline(chosen[name].model, "net", family)
    (tmp_path / "net.o").write_bytes(bytes(object_files(pipeline)["net.o"]))  # type: ignore[arg-type]
    target, _ = target_of(family)
    (tmp_path / "main.o").write_bytes(compile_object(program(pipeline, family), target))
    linked = subprocess.run(
        ["ld.lld", "--no-rosegment", "net.o", "main.o", "-o", "main"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert linked.returncode == 0, linked.stderr  # so nothing is called that is not in it
    ran = subprocess.run([emulator, str(tmp_path / "main")], capture_output=True)
    assert ran.returncode == 0
    check(pipeline, ran.stdout)


@pytest.mark.skipif(
    not shutil.which("wasm-ld") or NODE is None, reason="needs lld and nodejs: apt install lld nodejs"
)
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_as_webassembly(chosen: dict[str, Pipeline], tmp_path: Path, name: str) -> None:
    pipeline = Pipeline(chosen[name].model, "net", "wasm32")
    (tmp_path / "net.o").write_bytes(bytes(object_files(pipeline)["net.o"]))  # type: ignore[arg-type]
    exported = ["--export=net_network", "--export=__heap_base", "--initial-memory=1048576"]
    linked = subprocess.run(
        ["wasm-ld", "--no-entry", "--allow-undefined", *exported, "net.o", "-o", "net.wasm"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert linked.returncode == 0, linked.stderr
    x = numbers(pipeline)
    (tmp_path / "rows").write_bytes(x.tobytes())
    row, answers = x[0].nbytes, pipeline.samples.answers[0].nbytes
    (tmp_path / "main.mjs").write_text(f"""
import {{ readFileSync }} from "node:fs";
const fma = (x, y, z) => x * y + z, fmaf = (x, y, z) => Math.fround(x * y + z);
const memset = (p, byte, n) => (new Uint8Array(memory.buffer).fill(byte, p, p + n), p);
const memcpy = (to, from, n) => (new Uint8Array(memory.buffer).copyWithin(to, from, from + n), to);
const env = {{ fma, fmaf, memset, memcpy }};
const made = await WebAssembly.instantiate(readFileSync("net.wasm"), {{ env }});
const {{ memory, net_network, __heap_base }} = made.instance.exports;
const rows = readFileSync("rows"), x = (__heap_base.value + 63) & ~63, out = x + {row} + 64;
for (let k = 0; k < {len(x)}; ++k) {{
  new Uint8Array(memory.buffer).set(rows.subarray(k * {row}, (k + 1) * {row}), x);
  net_network(x, out);
  process.stdout.write(Buffer.from(memory.buffer.slice(out, out + {answers})));
}}
""")
    assert NODE is not None
    ran = subprocess.run([NODE, "main.mjs"], cwd=tmp_path, capture_output=True)
    assert ran.stderr == b""
    check(pipeline, ran.stdout)


@needs_c
def test_it_runs_here(chosen: dict[str, Pipeline]) -> None:
    for pipeline in chosen.values():
        assert checks.by_linker(pipeline, object_files(pipeline))


@pytest.mark.skipif(not shutil.which("nm"), reason="needs nm: apt install binutils")
def test_a_microcontroller_needs_its_compilers_arithmetic_alone(
    chosen: dict[str, Pipeline], tmp_path: Path
) -> None:
    pipeline = Pipeline(chosen["table classes"].model, "net", "thumbv7em-none-eabi")
    (tmp_path / "net.o").write_bytes(bytes(object_files(pipeline)["net.o"]))  # type: ignore[arg-type]
    listed = subprocess.run(["nm", "net.o"], cwd=tmp_path, capture_output=True, text=True).stdout.split("\n")
    called = {line.split()[-1] for line in listed if " U " in line}
    assert {name for name in called if not name.startswith("__aeabi_")} <= {"fma", "sqrt", "memset", "memcpy"}
    shared = {line.split()[-1] for line in listed if " T " in line}
    assert shared == {"net_network"}


def test_every_processor_has_code(chosen: dict[str, Pipeline]) -> None:
    for family in PROCESSORS:
        target, word = target_of(family)
        written = emit_standalone(chosen["table classes"].graph, target, "net_network", word)
        assert len(compile_object(written.text, target)) > 4000
        assert written.arena % 128 == 0


def test_bad_targets_are_told(chosen: dict[str, Pipeline], tmp_path: Path) -> None:
    model = chosen["norms"].model
    with pytest.raises(DataError, match=r"no object code for 'arch64-linux-gnu'; did you mean 'aarch64'\?"):
        model.export("object", tmp_path, "arch64-linux-gnu")
    with pytest.raises(DataError, match="a target is of object code; c runs on any processor"):
        model.export("c", tmp_path, "aarch64")
    assert not list(tmp_path.iterdir())
