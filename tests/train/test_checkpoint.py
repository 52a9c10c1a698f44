"""Checkpoints: a training in a file goes on to the bit, whatever happens to the process that wrote it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

import minicolumn as mc
from minicolumn.model.artifact import Extra
from minicolumn.model.container import decode, encode
from minicolumn.train import checkpoint
from minicolumn.tree import flatten

TIMINGS = ("seconds", "steps_per_second")
RNG = np.random.default_rng(3)
Y = np.arange(47) % 3
X = RNG.standard_normal((47, 3)) + np.eye(3)[Y]
AROUND = {
    "averaged": mc.optim.Averaged(mc.optim.Adam(0.02), decay=0.9),
    "clipped": mc.optim.Clipped(mc.optim.SGD(0.1, momentum=0.9), norm=1.0),
}
OPTIMIZERS = {name: mc.optim.optimizer_by_name(name) for name in mc.optim.OPTIMIZERS} | AROUND


def _net() -> mc.nn.Sequential:
    return mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(0.3), mc.nn.BatchNorm(), mc.nn.Dense(3))


def _trainer(**changed: Any) -> mc.Trainer:
    chosen: Any = {
        "optimizer": mc.optim.Adam(0.02), "batch_size": 8, "epochs": 5, "schedule": "cosine",
        "validation_fraction": 0.3, "metrics": ["accuracy"], "regularizer": mc.nn.PerRow(mc.nn.L2(0.01)),
        "callbacks": [mc.EarlyStopping(3, monitor="val_accuracy"), mc.ReduceOnPlateau(0.5, patience=1)],
        "sample_weight": np.arange(1.0, 48.0),
    }  # fmt: skip
    return mc.Trainer(_net(), X, Y, **(chosen | changed))


def _resume(path: Path, **changed: Any) -> mc.Trainer:
    given: dict[str, Any] = {"sample_weight": np.arange(1.0, 48.0)}
    return mc.Trainer.resume(path, X, Y, **(given | changed))


def _bits(tree: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in flatten(tree)[0]]


def _figures(trainer: mc.Trainer) -> list[Any]:
    """Return everything about a training but what a clock measured."""
    rows = [{k: v for k, v in row.items() if k not in TIMINGS} for row in trainer.history]
    stood = trainer.snapshot
    trees = (stood.params, stood.moments, trainer.best_params)
    return [rows, stood.step, stood.seen, stood.sums, trainer.best_epoch, trainer.stopped, *map(_bits, trees)]


# To the bit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_from_a_file(name: str, tmp_path: Path) -> None:
    whole, first = (_trainer(optimizer=OPTIMIZERS[name]) for _ in range(2))
    whole.run()
    first.advance(steps=9)
    first.save(tmp_path / "c.safetensors")
    again = _resume(tmp_path / "c.safetensors")
    assert _figures(again) == _figures(first)
    again.run()
    assert _figures(again) == _figures(whole)


def test_moments_have_the_shapes_that_the_network_s_roles_ask_for(tmp_path: Path) -> None:
    """Muon keeps other moments for embeddings, which are none by their names."""
    codes = np.column_stack([np.arange(47) % 4, X])
    net = mc.nn.Sequential(mc.nn.ColumnEmbedding(((0, 4),), dim=2), mc.nn.Dense(3))
    first = mc.Trainer(net, codes, Y, optimizer="muon", epochs=3)
    first.advance(steps=1)
    first.save(tmp_path / "c.safetensors")
    assert _figures(mc.Trainer.resume(tmp_path / "c.safetensors", codes, Y)) == _figures(first)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_at_any_moment_and_again_and_again(tmp_path: Path, steps: list[int]) -> None:
    whole, cut, path = _trainer(), _trainer(), tmp_path / "c.safetensors"
    whole.run()
    for count in steps:
        left = cut.epochs * cut.steps - cut.step
        if left and not cut.stopped:
            cut.advance(steps=min(count, left))
        cut.save(path)
        cut = _resume(path)
    cut.run()
    assert _figures(cut) == _figures(whole)


@pytest.mark.parametrize(
    "changed",
    [
        {"dtype": "float64"},
        {"validation_fraction": 0.0, "metrics": (), "callbacks": [mc.KeepBest("loss")]},
        {"constraint": mc.nn.MaxNorm(1.0), "regularizer": None},
        {"shuffle": False, "seed": 2**63, "threads": 1},
        {"loss": mc.nn.Loss("focal", gamma=1.5), "schedule": mc.optim.WarmUp(mc.optim.Cosine(), 0.2)},
        {"backend": "reference", "epochs": 2},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_setting_goes_through_the_file(changed: Any, tmp_path: Path) -> None:
    whole, cut, path = _trainer(**changed), _trainer(**changed), tmp_path / "c.safetensors"
    whole.run()
    cut.advance(steps=7)
    cut.save(path)
    again = _resume(path)
    assert again.settings == cut.settings
    assert again.callbacks == cut.callbacks
    again.run()
    assert _figures(again) == _figures(whole)


def test_sparse_rows_and_validation_data_are_given_again(tmp_path: Path) -> None:
    thin, held, path = sparse.csr_array(np.where(X > 0, X, 0.0)), (X[:9], Y[:9]), tmp_path / "c.safetensors"
    given: Any = {"validation_data": held, "epochs": 4, "callbacks": [mc.KeepBest()]}
    whole, cut = (mc.Trainer(_net(), thin, Y, **given) for _ in range(2))
    whole.run()
    cut.advance(steps=3)
    cut.save(path)
    with pytest.raises(mc.DataError, match=r"held out as validation_data, .*give the same ones again"):
        mc.Trainer.resume(path, thin, Y)
    again = mc.Trainer.resume(path, thin, Y, validation_data=held)
    again.run()
    assert _figures(again) == _figures(whole)


def test_changes_are_part_of_the_training(tmp_path: Path) -> None:
    def changed() -> mc.Trainer:
        net = mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(0.3), mc.nn.Dense(3))
        trainer = mc.Trainer(net, X, Y, validation_data=(X, Y), batch_size=8, callbacks=[mc.KeepBest()])
        trainer.advance(steps=3)
        trainer.change(learning_rate=0.1, batch_size=5, epochs=7, X=X[:20], y=Y[:20])
        trainer.grow(0, 2)
        return trainer

    whole, cut, path = changed(), changed(), tmp_path / "c.safetensors"
    whole.run()
    cut.advance(steps=2)
    cut.save(path)
    again = mc.Trainer.resume(path, X[:20], Y[:20], validation_data=(X, Y))
    again.run()
    assert _figures(again) == _figures(whole)


def test_a_callback_may_ask_for_it_and_nothing_is_told_twice(tmp_path: Path) -> None:
    class Save(mc.Callback):
        def on_epoch(self, trainer: Any, row: Any) -> None:
            trainer.save(tmp_path / f"epoch{row['epoch']}.safetensors")

        def on_chunk(self, trainer: Any, done: int, loss: float) -> None:
            trainer.save(tmp_path / f"chunk{trainer.epoch + 1}.safetensors")

    own = [mc.ReduceOnPlateau(0.5, patience=1), Save(), mc.EarlyStopping(2, monitor="val_accuracy")]
    whole = _trainer(callbacks=own)
    whole.run()
    kept = [callback for callback in own if not isinstance(callback, Save)]
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) == 2 * len(whole.history)
    for path in files:
        again = _resume(path, callbacks=kept)
        again.run()
        assert _figures(again) == _figures(whole), path.name


def test_long_histories_are_whole_and_figures_need_not_be_finite(tmp_path: Path) -> None:
    trainer, path = mc.Trainer(mc.nn.Dense(3), X, Y, batch_size=47), tmp_path / "c.safetensors"
    trainer.advance(epochs=1200)
    trainer.history.rows[3]["val_score"] = float("nan")
    trainer.save(path)
    again = mc.Trainer.resume(path, X, Y)
    assert len(again.history) == 1200
    np.testing.assert_array_equal(again.history["loss"], trainer.history["loss"])
    assert [*map(list, again.history)] == [*map(list, trainer.history)]
    trainer.history.rows[3]["note"] = "odd"
    with pytest.raises(mc.DataError, match="no number"):
        trainer.save(path)


# What it is -------------------------------------------------------------------------------------------------


def test_it_opens_as_a_model_with_the_best_weights(tmp_path: Path) -> None:
    trainer, path = _trainer(), tmp_path / "c.safetensors"
    trainer.advance(epochs=3)
    trainer.save(path)
    np.testing.assert_array_equal(mc.load(path).predict(X), trainer.model.predict(X))
    trainer.model.save(path)
    with pytest.raises(mc.ModelFileError, match="holds a model, not a training"):
        _resume(path)


def test_an_early_stop_stays_one(tmp_path: Path) -> None:
    trainer, path = _trainer(callbacks=[mc.EarlyStopping(1)], epochs=200), tmp_path / "c.safetensors"
    assert trainer.run().stopped == "early stopping"
    trainer.save(path)
    again = _resume(path)
    assert (again.run().stopped, again.step) == ("early stopping", trainer.step)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"X": X + 1.0}, mc.DataError, "a training on other rows"),
        ({"y": (Y + 1) % 3}, mc.DataError, "a training on other rows"),
        ({"sample_weight": None}, mc.DataError, "a training on other rows"),
        ({"X": X[:40], "y": Y[:40], "sample_weight": np.ones(40)}, mc.DataError, "a training on other rows"),
        ({"X": X[:, :2]}, mc.ShapeError, r"rows of shape \[2\], the training's are \[3\]"),
        ({"validation_data": (X, Y)}, mc.DataError, "found again; give no others"),
    ],
)
def test_other_rows_are_refused(given: Any, error: Any, message: str, tmp_path: Path) -> None:
    trainer = _trainer()
    trainer.save(tmp_path / "c.safetensors")
    data = {"X": X, "y": Y, "sample_weight": np.arange(1.0, 48.0)} | given
    with pytest.raises(error, match=message) as caught:
        mc.Trainer.resume(tmp_path / "c.safetensors", **data)
    assert "\n" not in str(caught.value)


class Own(mc.Callback):
    """A callback of one's own."""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"loss": lambda outputs, targets, weight: np.mean(outputs)}, "the loss is one's own"),
        ({"schedule": lambda steps, total: 1.0}, "the schedule is one's own"),
        ({"regularizer": lambda params: np.sum(params["0"]["bias"])}, "the regularizer is one's own"),
        ({"constraint": lambda params: params}, "the constraint is one's own"),
        ({"metrics": [("odd", lambda y, p: 1.0)]}, "a metric is one's own"),
    ],
)
def test_what_no_file_holds_is_refused(changed: Any, message: str, tmp_path: Path) -> None:
    plain = {"metrics": (), "validation_fraction": 0.3, "callbacks": ()}
    trainer = _trainer(**(plain | changed))
    with pytest.raises(mc.DataError, match=message):
        trainer.save(tmp_path / "c.safetensors")
    assert not list(tmp_path.iterdir())
    trainer.advance(steps=1)  # unharmed


def test_own_callbacks_are_asked_for(tmp_path: Path) -> None:
    trainer = _trainer(callbacks=[Own(), mc.KeepBest()])
    trainer.save(tmp_path / "c.safetensors")
    with pytest.raises(mc.DataError, match=r"callbacks of its own, Own, .* give callbacks=\[...\] again"):
        _resume(tmp_path / "c.safetensors")
    assert len(_resume(tmp_path / "c.safetensors", callbacks=[Own(), mc.KeepBest()]).callbacks) == 2


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 2**60), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5), st.lists(st.integers(-1, 9), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none()),
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    path = tmp_path_factory.mktemp("checkpoint") / "c.safetensors"
    trainer = _trainer()
    trainer.advance(steps=9)
    trainer.save(path)
    return path, decode(path.read_bytes())


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_damaged_description_is_one_clear_line(data: Any, written: Any) -> None:
    path, container = written
    told, tensors = json.loads(container.texts["checkpoint"]), dict(container.tensors)
    what = data.draw(st.sampled_from(["description", "settings", "tensor", "missing", "extra"]))
    if what in ("description", "settings"):
        place = told if what == "description" else told["settings"]
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JUNK)
    elif what == "extra":
        tensors["checkpoint:params.9.weight"] = np.ones(3, np.float32)
    else:
        name = data.draw(st.sampled_from(sorted(n for n in tensors if n.startswith("checkpoint:"))))
        found = tensors.pop(name)
        if what == "tensor":
            tensors[name] = data.draw(
                st.sampled_from([found[None], found.astype(np.int32), np.zeros(0, found.dtype)])
            )
    mutant = path.with_name("mutant.safetensors")
    texts = {**container.texts, "checkpoint": json.dumps(told)}
    mutant.write_bytes(b"".join(map(bytes, encode(tensors, texts))))
    try:
        trainer = _resume(mutant)
        trainer.advance(steps=1)  # what is accepted can be gone on with, or is refused as any training is
    except mc.MinicolumnError as error:
        if "\n" in str(error):
            pytest.fail(f"more than one line: {error}")


def test_extras_are_no_part_of_what_a_model_is(written: Any) -> None:
    path, _ = written
    assert isinstance(checkpoint.load_artifact(path).checkpoint, Extra)
    assert mc.load(path).artifact().checkpoint is None


# Kills and interrupts ---------------------------------------------------------------------------------------

CHILD = """
import sys, numpy as np, minicolumn as mc
Y = np.arange(600) % 3
X = np.random.default_rng(0).standard_normal((600, 3)) + np.eye(3)[Y]
net = mc.nn.Sequential(mc.nn.Dense(8, "tanh"), mc.nn.Dropout(0.3), mc.nn.Dense(3))
path, epochs = sys.argv[1], int(sys.argv[2])
save = mc.Checkpoint(path, every=0.0)
try:
    trainer = mc.Trainer.resume(path, X, Y, callbacks=[save])
except mc.ModelFileError:
    trainer = mc.Trainer(net, X, Y, batch_size=4, epochs=epochs, callbacks=[save])
print(trainer.step, flush=True)
run = trainer.run()
total = sum(float(np.sum(leaf, dtype=np.float64)) for p in run.params.values() for leaf in p.values())
print("done", run.stopped, total)
"""


def _child(path: Path, epochs: int) -> subprocess.Popen[str]:
    # In a group of its own, in which Ctrl-C is not ignored.
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(epochs)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_killed_again_and_again_it_comes_to_the_same_end(tmp_path: Path) -> None:
    whole, _ = _child(tmp_path / "whole.safetensors", 60).communicate(timeout=120)
    path, steps = tmp_path / "killed.safetensors", []
    for delay in (0.02, 0.05, 0.1, 0.03, 0.2):
        child = _child(path, 60)
        assert child.stdout is not None
        steps.append(int(child.stdout.readline()))
        timer = threading.Timer(delay, child.kill)
        timer.start()
        child.wait(timeout=120)
        timer.cancel()
        child.stdout.close()
        assert child.stderr is not None
        child.stderr.close()
    assert steps == sorted(steps)  # nothing that was written is lost
    end, _ = _child(path, 60).communicate(timeout=120)
    assert end.splitlines()[-1] == whole.splitlines()[-1]


class _InterruptOnce(mc.train.Callback):
    """Sends Ctrl-C to its own process after some calls of native code, which end within an epoch."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def on_chunk(self, trainer: mc.Trainer, done: int, loss: float) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to a process here")
@pytest.mark.parametrize("calls", [1, 2])
def test_an_interrupt_within_an_epoch_keeps_weights_and_moments(
    calls: int, tmp_path: Path, same_bits: Any
) -> None:
    y = np.arange(120_000) % 3
    X = np.random.default_rng(0).standard_normal((len(y), 3)) + np.eye(3)[y]
    layers = mc.nn.Dense(64, "tanh"), mc.nn.Dropout(0.3), mc.nn.Dense(64, "tanh"), mc.nn.Dense(3)
    settings: dict[str, Any] = {"batch_size": 2, "epochs": 1, "optimizer": mc.optim.Adam(0.01)}
    whole = mc.Trainer(mc.nn.Sequential(*layers), X, y, **settings).run()
    path = tmp_path / "c.safetensors"
    kept = [_InterruptOnce(calls), mc.Checkpoint(path)]
    cut = mc.Trainer(mc.nn.Sequential(*layers), X, y, callbacks=kept, **settings).run()
    assert cut.stopped == "interrupted"
    trainer = mc.Trainer.resume(path, X, y, callbacks=[])
    assert 0 < trainer.step < len(y) // 2  # native calls last a tenth of a second, the epoch some more
    again = trainer.run()
    assert same_bits(again.params, whole.params)
    assert same_bits(again.snapshot.moments, whole.snapshot.moments)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to a process here")
def test_two_interrupts_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    child = _child(path, 100_000)
    assert child.stdout is not None
    child.stdout.readline()
    while not path.exists() and child.poll() is None:
        threading.Event().wait(0.01)
    for _ in range(2):
        os.kill(child.pid, signal.SIGINT)
        threading.Event().wait(0.002)
    out, err = child.communicate(timeout=120)
    assert "done interrupted" in out or child.returncode == -signal.SIGINT, err
    trainer = mc.Trainer.resume(path, *_child_rows(), callbacks=[])
    assert trainer.step > 0
    trainer.advance(steps=1)


def _child_rows() -> tuple[Any, Any]:
    y = np.arange(600) % 3
    return np.random.default_rng(0).standard_normal((600, 3)) + np.eye(3)[y], y
