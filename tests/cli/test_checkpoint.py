"""`train --checkpoint` and `--resume`: a training that is stopped ends as it would have ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import ModelFileError
from minicolumn.model.container import encode
from minicolumn.model.files import write_atomically
from minicolumn.tabular.member_checkpoints import load_states
from minicolumn.tree import leaves

ONE = ("--members", "1")
QUICK = ("--epochs", "6", "--hidden", "16", "--quiet", *ONE)


def _weights(path: Path) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in leaves(mc.load(path).params)]


def test_what_is_resumed_ends_with_the_same_bits(cli: Any, tmp_path: Path) -> None:
    whole, kept, again = (tmp_path / f"{name}.safetensors" for name in ("whole", "kept", "again"))
    found = cli("train", "penguins", *QUICK, "--out", whole, "--checkpoint", kept, "--every", "0")
    assert found.code == 0
    assert cli("train", "penguins", *QUICK, "--out", again, "--resume", kept).code == 0
    assert _weights(again) == _weights(whole)
    run = mc.fit_table("penguins", epochs=6, hidden=16, members=1, resume=kept)
    assert [np.asarray(leaf).tobytes() for leaf in leaves(run.model.params)] == _weights(whole)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--batch-size", "64"), "was trained with batch_size 32, not 64"),
        (("--hidden", "8"), "is of another network"),
        (("--seed", "1"), "belongs to a training on other rows"),
        (("--activation", "relu"), "is of another network"),
        (("--optimizer", "sgd"), "is of another network"),  # without the scale of an adaptive one
        (("--learning-rate", "0.3"), "was trained with optimizer AdamW"),
    ],
)
def test_another_training_is_refused(words: Any, message: str, cli: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept.safetensors"
    assert (
        cli("train", "penguins", *QUICK, "--out", tmp_path / "m.safetensors", "--checkpoint", kept).code == 0
    )
    found = cli("train", "penguins", *QUICK, *words, "--resume", kept, "--out", tmp_path / "n.safetensors")
    assert found.code == 2
    assert message in " ".join(found.err.split())
    assert not (tmp_path / "n.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--resume", "nowhere.safetensors"), "there is no such file"),
        (("--checkpoint", "c.safetensors", "--every", "soon"), "--every: expected seconds, or a time"),
        (("--checkpoint", "no/folder/c.safetensors"), "there is no folder"),
    ],
)
def test_files_and_times_that_are_none(words: Any, message: str, cli: Any, tmp_path: Path) -> None:
    found = cli("train", "penguins", *QUICK, *words, "--out", tmp_path / "m.safetensors")
    assert found.code == 2
    assert message in " ".join(found.err.split())


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to a process here")
@pytest.mark.parametrize("gap", [0.01, 0.025])  # seconds between the two: from the loop to the report
def test_an_interrupt_and_another_one_keep_what_was_learnt(tmp_path: Path, gap: float) -> None:
    kept, model = tmp_path / "kept.safetensors", tmp_path / "m.safetensors"
    words = ["train", "penguins", "--epochs", "100000", "--patience", "100000", "--hidden", "16", *ONE]
    words += ["--checkpoint", str(kept), "--every", "0", "--out", str(model)]
    child = subprocess.Popen(
        [sys.executable, "-m", "minicolumn", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    while not kept.exists() and child.poll() is None:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(gap)
    os.kill(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 130, err
    assert "saving" in out
    assert "what was learnt is saved" in " ".join(err.split())
    assert mc.load(model).predict(np.zeros((1, *mc.load(model).input_shape), np.float32)).shape == (1, 3)
    assert mc.load(kept).training["epochs_run"] > 0


# Several networks in one file -------------------------------------------------------------------------------

THREE = ("--epochs", "150", "--hidden", "16", "--quiet", "--members", "3")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to a process here")
def test_an_ensemble_that_is_killed_goes_on_to_the_same_bits(cli: Any, tmp_path: Path) -> None:
    whole, kept, again = (tmp_path / f"{name}.safetensors" for name in ("whole", "kept", "again"))
    words = ["train", "penguins", *THREE, "--checkpoint", str(kept), "--every", "0", "--out", str(again)]
    child = subprocess.Popen([sys.executable, "-m", "minicolumn", *words], start_new_session=True)
    while not kept.exists() and child.poll() is None:
        time.sleep(0.002)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    assert not again.exists()
    states = load_states(kept)
    assert states is not None
    assert (states.count, len(states.states) > 0) == (3, True)
    assert cli("train", "penguins", *THREE, "--out", whole).code == 0
    assert cli("train", "penguins", *THREE, "--out", again, "--resume", kept, "--checkpoint", kept).code == 0
    assert _weights(again) == _weights(whole)
    ended = load_states(kept)
    assert ended is not None
    assert set(ended.states) == {0, 1, 2}
    run = mc.fit_table("penguins", epochs=150, hidden=16, members=3, resume=kept)  # all have ended
    assert [np.asarray(leaf).tobytes() for leaf in leaves(run.model.params)] == _weights(whole)
    for words, message in (
        (("--members", "1"), "is of 3 networks; say members"),
        (("--members", "4"), "is of 3 networks, not 4"),
        (("--members", "3", "--seed", "1"), "belongs to a training on other rows"),
        (("--members", "3", "--learning-rate", "0.3"), "was trained with optimizer AdamW"),
        (("--members", "3", "--time", "5s"), "--time: a checkpoint goes on with what was planned"),
    ):
        found = cli(
            "train", "penguins", *THREE[:4], *words, "--resume", kept, "--out", tmp_path / "n.safetensors"
        )
        assert found.code == 2
        assert message in " ".join(found.err.split())


def test_files_that_hold_no_members(cli: Any, tmp_path: Path) -> None:
    kept, other = tmp_path / "kept.safetensors", tmp_path / "other.safetensors"
    assert cli("train", "penguins", *QUICK, "--out", other, "--checkpoint", kept).code == 0
    for path, message in ((kept, "is of one network; say members=1"), (other, "is of one network")):
        found = cli(
            "train", "penguins", "--members", "3", "--resume", path, "--out", tmp_path / "n.safetensors"
        )
        assert found.code == 2
        assert message in " ".join(found.err.split())
    state = np.zeros(4, np.uint8)
    for name, texts in (
        ("member.3", {"members": "3"}), ("member.01", {"members": "3"}), ("weight", {"members": "3"}),
        ("member.0", {"members": "many"}), ("member.0", {"members": "3", "more": "1"}),
    ):  # fmt: skip
        write_atomically(kept, encode({name: state}, texts))
        with pytest.raises(ModelFileError, match="is damaged"):
            load_states(kept)
    write_atomically(kept, encode({"member.0": state}, {"members": "3"}))
    with pytest.raises(ModelFileError, match="a member's checkpoint"):
        mc.fit_table("penguins", epochs=2, hidden=8, members=3, resume=kept)
