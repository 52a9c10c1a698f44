"""`minicolumn inspect` on programs: each part of them, as text, in a pipe, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import fit, nn, optim


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--graph",), "predict(params_0_weight: f32[2,4]"),
        (("--plan",), "a = tanh(x @ params_0_weight + params_0_bias)"),
        (("--llvm",), "define void @run("),
        (("--assembly",), "run:"),
        (("--times",), "us a call"),
        (("--train", "--plan"), "loop of 8 iterations"),
        (("--train", "--optimizer", "adam", "--graph"), "moments_square_0_weight"),
        (("--batch", "7", "--graph"), "x: f32[7,2]"),
    ],
)
def test_each_part_of_a_network_by_name(cli: Any, options: tuple[str, ...], expected: str) -> None:
    found = cli("inspect", "playground", *options)
    assert found.code == 0, found.err
    assert expected in found.out


def test_one_part_in_a_pipe_is_all_there_is(cli: Any) -> None:
    assert cli("inspect", "playground", "--graph").out.startswith("predict(")
    several = cli("inspect", "playground", "--graph", "--plan").out
    assert several.strip().startswith("playground: 2-4-2-1")


@pytest.mark.parametrize(
    "loss", [mc.nn.Loss("quantile", levels=(0.1, 0.9)), mc.nn.Loss("gaussian_nll")], ids=str
)
def test_the_training_of_a_loss_with_several_outputs_a_target(
    loss: mc.nn.Loss, cli: Any, tmp_path: Path
) -> None:
    X = np.linspace(-1.0, 1.0, 20)[:, None]
    run = mc.fit(mc.nn.Dense(2), X, X[:, 0], loss=loss, epochs=1)
    run.save(tmp_path / "m.safetensors")
    done = cli("inspect", tmp_path / "m.safetensors", "--train")
    assert done.code == 0, done.err
    assert "plan of train" in done.out


def test_a_models_program(cli: Any, models: Path) -> None:
    model = models / "shops.safetensors"
    assert "plan of predict" in cli("inspect", model, "--plan").out
    assert "plan of train" in cli("inspect", model, "--train", "--plan").out
    said = json.loads(cli("inspect", model, "--train", "--batch", 16, "--plan", "--times", "--json").out)
    assert (said["program"], said["batch"]) == ("train", 16)
    assert said["plan"]["kernels"] > 5
    assert said["times"]["in_kernels"] > 0
    assert all(row["microseconds"] >= 0 for row in said["times"]["kernels"])


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (optim.Averaged(optim.Clipped(optim.ScheduleFreeAdamW(), norm=1.0)), "Averaged"),
        (optim.RAdam(), "RAdam"),
    ],
    ids=["wrapped", "plain"],
)
def test_a_models_own_optimizer_is_found(cli: Any, tmp_path: Path, optimizer: Any, name: str) -> None:
    X = np.zeros((8, 2), np.float32)
    network = nn.Sequential(nn.Dense(2))
    fit(network, X, np.arange(8) % 2, optimizer=optimizer, epochs=1).save(tmp_path / "m.safetensors")
    said = json.loads(cli("inspect", tmp_path / "m.safetensors", "--train", "--plan", "--json").out)
    assert said["optimizer"] == name


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["penguins", "--plan"], "only a network becomes a program"),
        (["playground", "--optimizer", "adam"], "only training has one; add --train"),
        (["playground", "--train", "--optimizer", "adm"], "did you mean 'adam'?"),
        (["playground", "--plan", "--batch", "0"], "--batch: expected an integer, 1 <= batch <= 65,536"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(cli: Any, words: list[str], line: str) -> None:
    found = cli("inspect", *words)
    assert found.code == 2
    assert line in found.err
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(("told", "batch"), [(7, 7), (0, 32), (10**9, 32), ("many", 32), (None, 32)])
def test_a_batch_size_that_a_file_tells_is_taken_if_it_can_be(
    cli: Any, tmp_path: Path, told: Any, batch: int
) -> None:
    net = mc.nn.Dense(1)
    model = mc.Model(net, net.init(0, (2,)), (2,), "squared_error", training={"batch_size": told})
    model.save(tmp_path / "m.safetensors")
    done = cli("inspect", "m.safetensors", "--train", "--plan", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out.splitlines()[-1])["batch"] == batch
