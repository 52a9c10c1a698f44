"""C that chooses wider registers when it runs: the same sums as without them, to the bit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import written
from written import Case, run_c

from minicolumn.lower.compile import graph_of

FLAGS = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
needs_avx2 = pytest.mark.skipif(" avx2" not in FLAGS, reason="needs a processor with AVX2")
COMPILERS = [
    pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"needs {name}"))
    for name in ("gcc", "clang")
]
SIZES = ((1, 1), (3, 2), (31, 33), (32, 32), (64, 64), (100, 10), (129, 97), (260, 70))


def products(dtype: str) -> list[Case]:
    """Return rows times constant weights of many sizes, of numbers of all magnitudes, with what is odd."""
    dice = np.random.default_rng(0)
    cases = []
    for inner, columns in SIZES:
        weight = (dice.normal(size=(inner, columns)) * 10.0 ** dice.uniform(-3, 3, (inner, 1))).astype(dtype)
        x = (dice.normal(size=(4, inner)) * 10.0 ** dice.uniform(-3, 3, (4, inner))).astype(dtype)
        x[1] = 0
        x[2, 0] = np.nan
        x[3] *= np.finfo(dtype).tiny  # sums within the subnormal numbers
        cases.append((graph_of(lambda x, w=weight: x @ w, x), [x]))
    return cases


def built(
    cases: Sequence[Case], compiler: str, options: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[np.ndarray]:
    monkeypatch.setattr(written, "C_COMPILER", compiler)
    return [outputs[0] for outputs in run_c(cases, folder, options)]


@needs_avx2
@pytest.mark.parametrize("options", [["-O3"], ["-O1"]], ids=["O3", "O1"])
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_wider_registers_give_the_same_bits(
    dtype: str, compiler: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = products(dtype)
    wide = built(cases, compiler, options, tmp_path, monkeypatch)
    narrow = built(cases, compiler, [*options, "-DNO_AVX2"], tmp_path, monkeypatch)
    for size, one, other in zip(SIZES, wide, narrow, strict=True):
        assert np.isnan(one[2]).all()
        assert one.tobytes() == other.tobytes(), size


@needs_avx2
@pytest.mark.skipif(not shutil.which("objdump"), reason="needs objdump: apt install binutils")
@pytest.mark.parametrize("compiler", COMPILERS)
def test_both_are_there_and_one_of_them_is_wider(
    compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the comparison above would compare a program with itself."""
    for options, expected in (["-O3"], True), (["-O3", "-DNO_AVX2"], False):
        built(products("f4"), compiler, options, tmp_path, monkeypatch)
        listed = subprocess.run(
            ["objdump", "-d", str(tmp_path / "programs")], capture_output=True, text=True, check=True
        )
        assert ("%ymm" in listed.stdout) == expected


@pytest.mark.skipif(" fma " not in FLAGS, reason="needs a processor with FMA")
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_fused_multiplication_is_within_the_bound_of_sums(
    dtype: str, compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told to compile for this processor alone, a compiler may round a product and a sum once.

    Each is then within inner * eps of sum |x w| of the exact sum (Higham 2002, section 3.1), so they are
    within twice that of each other.
    """
    cases = products(dtype)
    usual = built(cases, compiler, ["-O3"], tmp_path, monkeypatch)
    fused = built(cases, compiler, ["-O3", "-mavx2", "-mfma", "-ffp-contract=fast"], tmp_path, monkeypatch)
    for (graph, (x,)), one, other in zip(cases, usual, fused, strict=True):
        weight = next(n for n in graph.nodes if n.op.name == "const").attrs["value"].astype(np.float64)
        sizes = np.abs(x[:2]).astype(np.float64) @ np.abs(weight)
        assert (np.abs(one[:2] - other[:2]) <= 2 * len(weight) * np.finfo(dtype).eps * sizes).all()
