"""C with weights of int8: what it computes is known, the error is said, the bytes are a quarter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tables import models
from test_torch import chain
from written import CHECKED, QUICK, STRICT, needs_c

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.lower.source.int8 import most_of, product, quantized
from minicolumn.model.export.c_source import c_files
from minicolumn.model.export.pipeline import Pipeline


def pipelines() -> dict[str, Pipeline]:
    wide = chain(mc.nn.Dense(70, "relu"), mc.nn.Dense(40, "selu"), mc.nn.Dense(3))
    found = {"plain": wide, **{name: models()[name] for name in ("number", "gaps", "classes", "quantiles")}}
    found["several"] = mc.Model(
        mc.nn.Ensemble(wide.network, wide.network, average="softmax"),
        {"0": wide.params, "1": mc.tree.map_leaves(np.negative, wide.params)}, (4,), "softmax_cross_entropy",
    )  # fmt: skip
    return {name: Pipeline(model, name, int8=True) for name, model in found.items()}


def test_quantized_weights_are_half_a_step_off_at_most() -> None:
    weight = np.random.default_rng(0).normal(size=(20, 50)).astype(np.float32)
    q, scale = quantized(weight)
    off = np.abs(q * scale[:, None].astype(np.float64) - weight)
    assert (off <= scale[:, None] * (0.5 + 1e-6)).all()  # float32 of the scale
    assert np.abs(q).max() == 127


@pytest.mark.parametrize("inner", [1, 516, 517, 784, 100_000])
def test_no_sum_leaves_int32(inner: int) -> None:
    assert most_of(inner) * 127 * inner < 2**31
    assert most_of(inner) == 32767 or (most_of(inner) + 1) * 127 * inner >= 2**31


def test_a_product_is_that_of_the_restored_weight() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(3, 64)).astype(np.float32), rng.normal(size=(64, 5)).astype(np.float32)
    q, scale = quantized(weight.T)
    exact = x.astype(np.float64) @ (q * scale[:, None].astype(np.float64)).T
    # Each input is off by half a step of 1 / 32767 of the largest at most.
    bound = 0.5 * np.abs(x).max() / 32767 * np.abs(weight).sum(axis=0).max()
    assert np.abs(product(x, weight) - exact).max() < bound
    x[0, 3], x[1, 2] = np.nan, np.inf
    assert np.isnan(product(x, weight)).any(axis=1).tolist() == [True, True, False]


@needs_c
@pytest.mark.parametrize("options", [CHECKED, QUICK], ids=["sanitized", "O3"])
def test_c_computes_what_is_said(options: list[str], tmp_path: Path) -> None:
    found = pipelines()
    for pipeline in found.values():
        for name, text in c_files(pipeline).items():
            tmp_path.joinpath(name).write_text(text)
    heads = "".join(f'#include "{name}.h"\n' for name in found)
    calls = "".join(f'  printf("%d ", {name}_self_test());\n' for name in found)
    tmp_path.joinpath("all.c").write_text(
        f"{heads}#include <stdio.h>\nint main(void) {{\n{calls}  return 0;\n}}\n"
    )
    for compiler in ("gcc", "clang"):
        built = [compiler, *STRICT, *options, *(f"{name}.c" for name in found), "all.c", "-lm", "-o", "all"]
        made = subprocess.run(built, cwd=tmp_path, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr[:3000]
        ran = subprocess.run([str(tmp_path / "all")], capture_output=True, text=True)
        assert ran.stderr == ""
        assert ran.stdout.split() == ["0"] * len(found)


def test_weights_take_a_quarter() -> None:
    model = chain(mc.nn.Dense(200, "relu"), mc.nn.Dense(100), features=100)
    sizes = [constants(c_files(Pipeline(model, "it", int8=int8))["it.h"]) for int8 in (False, True)]
    # Biases and a scale for each output stay float32.
    assert sizes[1] < 0.27 * sizes[0]


def constants(header: str) -> int:
    found = re.search(r"([0-9,]+) bytes of constants", header)
    assert found is not None
    return int(found[1].replace(",", ""))


@needs_c
def test_the_export_says_its_error(tmp_path: Path) -> None:
    model = models()["classes"]
    exported = model.export("c", tmp_path / "it.c", weights="int8")
    assert "the same class in" in str(exported)
    assert exported.note in (tmp_path / "it.h").read_text()
    pipeline = Pipeline(model, "it", int8=True)
    error = pipeline.int8_error
    assert 0 < error.mean < error.largest < 0.05


def test_what_has_no_int8_is_refused(tmp_path: Path) -> None:
    model = models()["classes"]
    with pytest.raises(DataError, match="are of the format c"):
        model.export("numpy", tmp_path, weights="int8")
    with pytest.raises(DataError, match=r"unknown weights 'in8'.*did you mean 'int8'"):
        model.export("c", tmp_path, weights="in8")
    assert not list(tmp_path.iterdir())
