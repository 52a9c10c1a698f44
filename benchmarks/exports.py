"""One row through exports, beside the native predictor: size, and processor time of a row.

    python benchmarks/exports.py
    python benchmarks/exports.py --beside     one network beside emlearn and skl2onnx, see exports_beside.py

The network of MNIST (784-300-100-10, numbers alone) and the default recipe on penguins (eight networks behind
text, dates and missing cells). Each is timed by processor time, the least of five rounds.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import minicolumn as mc
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.model.export.samples import numbers_of

ROUNDS = 5


def least(work: Callable[[], object], repeats: int) -> float:
    """Return the least processor time of a call, in seconds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(repeats):
            work()
        found.append((time.process_time() - began) / repeats)
    return min(found)


def in_c(model: mc.Model, folder: Path, options: list[str], to: str = "c") -> tuple[float, int]:
    """Return processor time of a row in C, and the bytes of the machine code and its constants."""
    model.export(to, folder)
    name = next(folder.glob("*.h")).stem
    rows = min(len(Pipeline(model, name).samples.cells), 8)
    if to == "c":
        # The rows of the self-test are static, so the source is taken in whole.
        call, sources = f"{name}_predict(&test_rows[k % {rows}], out)", []
    else:
        width = Pipeline(model, name).width
        call, sources = f"{name}_network(test_rows + k % {rows} * {width}, out)", [f"{name}.o"]
    whole = f"{name}.c" if to == "c" else f"{name}_test.c"
    main = f"""#include "{whole}"
#include <stdio.h>
#include <time.h>
int main(void) {{
  double least = 1e9;
  float out[{name.upper()}_ANSWERS], sum = 0;
  for (int round = 0; round < {ROUNDS}; ++round) {{
    const clock_t began = clock();
    for (int k = 0; k < 4000; ++k) {{ {call}; sum += out[0]; }}
    const double took = (double)(clock() - began) / CLOCKS_PER_SEC / 4000;
    if (took < least) least = took;
  }}
  fprintf(stderr, "%f", sum);
  printf("%.9f", least);
  return 0;
}}
"""
    (folder / "main.c").write_text(main)
    subprocess.run(["gcc", *options, "main.c", *sources, "-lm", "-o", "main"], cwd=folder, check=True)
    ran = subprocess.run([str(folder / "main")], capture_output=True, text=True, check=True)
    unit = [f"{name}.o"] if to == "object" else ["-c", *options, f"{name}.c", "-o", "unit.o"]
    if to == "c":
        subprocess.run(["gcc", *unit], cwd=folder, check=True)
    listed = subprocess.run(
        ["size", "unit.o" if to == "c" else f"{name}.o"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    text, data, *_ = map(int, listed.stdout.split("\n")[1].split()[:3])
    return float(ran.stdout), text + data


def in_onnx(model: mc.Model, folder: Path) -> tuple[float, int] | None:
    """Return processor time of a row in ONNX Runtime, one thread, and the bytes of the file."""
    try:
        import onnxruntime
    except ImportError:
        return None
    from minicolumn.model.export.checks import fed

    (path, *_) = model.export("onnx", folder).paths
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options)
    row = {name: cells[:1] for name, cells in fed(Pipeline(model, "row")).items()}
    return least(lambda: session.run(None, row), 500), path.stat().st_size


def report(title: str, model: mc.Model) -> None:
    """Print a table of one model."""
    print(f"\n{title}")
    pipeline = Pipeline(model, "row")
    if model.table is None:
        x = np.ascontiguousarray(numbers_of(pipeline, pipeline.samples.cells)[0].reshape(model.input_shape))
        predict = model.predictor()
        print(f"  {'native predictor':38}{1e6 * least(lambda: predict(x), 2000):9.2f} us a row")
    for label, to, options in (
        ("C, gcc -O3", "c", ["-std=c99", "-O3"]),
        ("C, gcc -O3 -march=native", "c", ["-std=c99", "-O3", "-march=native"]),
        ("object code (x86-64-v3)", "object", ["-std=c99", "-O3"]),
    ):
        with tempfile.TemporaryDirectory() as folder:
            if shutil.which("gcc"):
                seconds, size = in_c(model, Path(folder), options, to)
                print(f"  {label:38}{1e6 * seconds:9.2f} us a row {size:10,} bytes")
    with tempfile.TemporaryDirectory() as folder:
        found = in_onnx(model, Path(folder))
        if found:
            print(f"  {'ONNX Runtime, one thread':38}{1e6 * found[0]:9.2f} us a row {found[1]:10,} bytes")


def main() -> None:
    """Print the tables."""
    if "--beside" in sys.argv[1:]:
        from exports_beside import report_beside

        report_beside()
        return
    net = mc.nn.Sequential(mc.nn.Dense(300, "relu"), mc.nn.Dense(100, "relu"), mc.nn.Dense(10))
    report("784-300-100-10", mc.Model(net, net.init(0, (784,)), (784,), "softmax_cross_entropy"))
    report("penguins, one network", mc.fit_table("penguins", members=1, epochs=5).model)
    report("penguins, eight networks", mc.fit_table("penguins", members=8, epochs=5).model)


if __name__ == "__main__":
    main()
