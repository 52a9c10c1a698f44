"""The same network through exports of ours and of others: emlearn's C, and skl2onnx with ONNX Runtime.

    python benchmarks/exports.py --beside          (pip install emlearn skl2onnx onnxruntime)

A multi-layer perceptron that scikit-learn trained on its digits (64-64-10, ReLU) is what all of them take. C
is compiled by one gcc with one set of options and linked with a program that predicts rows and nothing else;
from its sizes those of the same program without a network are taken. All times are processor time, the least
of five rounds.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import minicolumn as mc

ROUNDS, CALLS = 5, 4000
EMPTY = "code = (int)(9 * rows[k][k % 64]);"  # a program without a network, which holds the rows all the same
OPTIONS = ["-std=c99", "-O2", "-ffunction-sections", "-fdata-sections", "-fstack-usage"]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Source:
    """C of a network: its files, and how a program of it predicts.

    files       by name; include: those that the program takes in, with what follows
    call        predicts `rows[k]` into `out`, or its class into `code`
    folders     of headers beside
    """

    files: dict[str, str]
    include: str
    call: str
    folders: tuple[str, ...] = ()


def trained() -> tuple[Any, Array, Array]:
    """Return scikit-learn's network, float32 rows of pixels, and the classes that it predicts for them."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = MLPClassifier((64,), max_iter=60, random_state=0).fit(X, y)
    return network, X, network.predict(X)


# C ----------------------------------------------------------------------------------------------------------


def ours(network: Any, folder: Path) -> Source:
    """Return our C."""
    (folder / "ours").mkdir()
    mc.from_sklearn(network).export("c", folder / "ours")
    (header,) = (folder / "ours").glob("*.h")
    name = header.stem
    files = {path.name: path.read_text() for path in (folder / "ours").glob("*.[ch]")}
    row = re.search(r"typedef struct \{(.*?)\} " + name + "_row;", files[f"{name}.h"], re.DOTALL)
    kind = "float" if row is None or "float" in row[1] else "double"
    cast = f"static {name}_row row; {kind} *cells = ({kind} *)&row;"
    copied = f"for (int i = 0; i < 64; ++i) cells[i] = rows[k][i]; {name}_predict(&row, out);"
    return Source(files, f'#include "{name}.h"\n{cast}', copied + " code = class_of(out);")


def emlearn_of(inline: bool) -> Callable[[Any, Path], Source]:
    """Return what makes emlearn's C: for its interpreter of layers, or inline.

    In fixed point there is nothing to measure: the loops of emlearn 0.23.2 are empty (`FIXME: implement`).
    """

    def make(network: Any, folder: Path) -> Source:
        import emlearn

        _let_names_be_constants(emlearn.cgen)
        weights = list(network.coefs_), list(network.intercepts_)
        ends = [network.activation] * (len(weights[0]) - 1) + [network.out_activation_]
        folders = (str(emlearn.includedir),)
        if inline:
            text = emlearn.net.c_generate_net_inline(ends, *weights, "digits")
            call = "code = digits_predict(rows[k], 64);"
        else:
            text = emlearn.net.c_generate_net_loadable(ends, *weights, "digits")
            call = "eml_net_predict_proba(&digits, rows[k], 64, out, 10); code = class_of(out);"
        return Source({"digits.h": text}, '#include "digits.h"', call, folders)

    return make


def _let_names_be_constants(cgen: Any) -> None:
    """Mend emlearn 0.23.2, whose inline C takes the name of an activation for a number, and fails."""
    plain = cgen.constant
    cgen.constant = lambda val, dtype="float": val if isinstance(val, str) else plain(val, dtype)


def program(source: Source | None, X: Array) -> str:
    """Return a program that predicts all rows again and again, and prints the least time and the classes."""
    rows = ",\n".join("{" + ",".join(f"{x:.8e}f" for x in row) + "}" for row in X.tolist())
    return f"""#include <stdio.h>
#include <time.h>
{source.include if source else ""}
static const float rows[{len(X)}][64] = {{{rows}}};
static float out[16];
static int class_of(const float *p) {{
  int best = 0;
  for (int i = 1; i < 10; ++i) if (p[i] > p[best]) best = i;
  return best;
}}
int main(void) {{
  double least = 1e9;
  volatile int sum = 0;
  int code = class_of(out);
  for (int round = 0; round < {ROUNDS}; ++round) {{
    const clock_t began = clock();
    for (int n = 0; n < {CALLS}; ++n) {{
      const int k = n % {len(X)};
      {source.call if source else EMPTY}
      sum += code;
    }}
    const double took = (double)(clock() - began) / CLOCKS_PER_SEC / {CALLS};
    if (took < least) least = took;
  }}
  printf("%.9f", least);
  for (int k = 0; k < {len(X)}; ++k) {{ {source.call if source else EMPTY} printf(" %d", code); }}
  return 0;
}}
"""


def built(source: Source | None, X: Array, folder: Path, options: list[str]) -> Path:
    """Compile and link a program; what it does not call is not in it."""
    folder.mkdir()
    files = source.files if source else {}
    for name, text in {**files, "main.c": program(source, X)}.items():
        (folder / name).write_text(text)
    sources = ["main.c", *(name for name in files if name.endswith(".c"))]
    places = [f"-I{place}" for place in (source.folders if source else ())]
    command = ["gcc", *OPTIONS, *options, *places, *sources, "-Wl,--gc-sections", "-lm", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "main"


def sections(file: Path) -> tuple[int, int, int]:
    """Return the bytes of code with constants, of variables with values, and of variables without."""
    told = subprocess.run(["size", str(file)], capture_output=True, text=True, check=True).stdout
    text, data, bss = map(int, told.split("\n")[1].split()[:3])
    return text, data, bss


def stack_of(folder: Path) -> int:
    """Return the bytes of stack of all functions but `main` and tests, one within the other at worst."""
    lines = [line.split("\t") for path in folder.glob("*.su") for line in path.read_text().splitlines()]
    return sum(
        int(size) for where, size, _ in lines if not re.search(r":(main|\w*self_test|class_of)$", where)
    )


def report_c(network: Any, X: Array, wanted: Array, folder: Path) -> None:
    """Print what each C takes of memory and time."""
    makers = {
        "minicolumn, float32": ours,
        "emlearn, float32, loadable": emlearn_of(inline=False),
        "emlearn, float32, inline": emlearn_of(inline=True),
    }
    some = X[:: max(len(X) // 100, 1)][:100]
    right = wanted[:: max(len(X) // 100, 1)][:100]
    empty = sections(built(None, some, folder / "empty", []))
    head = f"{'source':>9}{'text':>9}{'data':>7}{'bss':>7}{'stack':>7}{'us a row':>10}{'-O3 native':>12}"
    print(f"\n{'C of 64-64-10, gcc -O2':32}{head}  as scikit-learn")
    for place, (name, make) in enumerate(makers.items()):
        source = make(network, folder)
        file = built(source, some, folder / str(place), [])
        native = built(source, some, folder / f"{place}n", ["-O3", "-march=native"])
        text, data, bss = (a - b for a, b in zip(sections(file), empty, strict=True))
        times, found = run(file)
        fast, _ = run(native)
        letters = sum(map(len, source.files.values()))
        print(f"{name:32}{letters:9,}{text:9,}{data:7,}{bss:7,}{stack_of(file.parent):7,}{1e6 * times:10.2f}"
              f"{1e6 * fast:12.2f}  {np.mean(found == right):.0%} of {len(right)}")  # fmt: skip


def run(file: Path) -> tuple[float, Array]:
    """Return the least processor time of a row, in seconds, and the classes."""
    told = subprocess.run([str(file)], capture_output=True, text=True, check=True).stdout.split()
    return float(told[0]), np.array(told[1:], int)


# ONNX -------------------------------------------------------------------------------------------------------


def report_onnx(network: Any, X: Array, wanted: Array, folder: Path) -> None:
    """Print how large each ONNX file is, and how long it takes by one thread of ONNX Runtime."""
    import onnxruntime
    from skl2onnx import to_onnx

    (folder / "onnx").mkdir()
    (path, *_) = mc.from_sklearn(network).export("onnx", folder / "onnx").paths
    theirs = to_onnx(network, X[:1], options={"zipmap": False}).SerializeToString()
    files = {"minicolumn": Path(path).read_bytes(), "skl2onnx": theirs}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    sessions = {name: onnxruntime.InferenceSession(data, options) for name, data in files.items()}
    names = {name: session.get_inputs()[0].name for name, session in sessions.items()}
    one, many = X[:1], np.tile(X, (2, 1))[:1000]
    times: dict[tuple[str, int], float] = {}
    for _ in range(ROUNDS):  # in turn, so that both see the same machine
        for name, session in sessions.items():
            for rows, repeats in ((one, 1000), (many, 30)):
                began = time.process_time()
                for _ in range(repeats):
                    session.run(None, {names[name]: rows})
                took = (time.process_time() - began) / repeats
                times[name, len(rows)] = min(took, times.get((name, len(rows)), np.inf))
    head = f"{'bytes':>9}{'us, 1 row':>11}{'rows a second of 1,000':>24}"
    print(f"\n{'ONNX of 64-64-10, ONNX Runtime':32}{head}  as scikit-learn")
    for name, session in sessions.items():
        labels = np.asarray(session.run(None, {names[name]: X})[0])
        same = np.mean(labels.astype(str) == wanted.astype(str))
        print(f"{name:32}{len(files[name]):9,}{1e6 * times[name, 1]:11.2f}{1000 / times[name, 1000]:24,.0f}"
              f"  {same:.1%} of {len(X):,}")  # fmt: skip


def report_beside() -> None:
    """Print both tables."""
    network, X, wanted = trained()
    with tempfile.TemporaryDirectory() as place:
        report_c(network, X, wanted, Path(place))
        report_onnx(network, X, wanted, Path(place))


if __name__ == "__main__":
    report_beside()
