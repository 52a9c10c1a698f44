"""`mc.tune`: the module as a function, forms of data, and what comes out."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.errors import DataError, ShapeError

SMALL: dict[str, Any] = {
    "space": {"layers": 1, "width": 4, "activation": "relu", "ramps": False, "schedule": "cosine",
              "batch_size": 32},
    "strategy": "random", "trials": 2, "epochs": 2, "folds": 2,
}  # fmt: skip


def test_the_module_can_be_called_and_has_what_belongs_to_it() -> None:
    import minicolumn.tune

    assert mc.tune is minicolumn.tune is sys.modules["minicolumn.tune"]
    assert callable(mc.tune)
    assert mc.tune.Space(layers=1).layers == mc.tune.Choices((1,))
    assert inspect.signature(mc.tune) == inspect.signature(mc.tune.tune)
    for name in mc.tune.__all__:
        assert getattr(mc.tune, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        mc.tune.nothing  # noqa: B018


def test_neither_importing_nor_training_loads_optuna(tmp_path: Path) -> None:
    code = (
        "import sys, minicolumn as mc; from minicolumn.cli import main\n"
        "mc.tune.Space; main(['train', 'penguins', '--members', '1', '--epochs', '1', '--hidden', '4',"
        " '--quiet', '--out', sys.argv[1]])\n"
        "print(*sorted(m for m in sys.modules if m.split('.')[0] in ('optuna', 'sqlalchemy', 'alembic')))"
    )
    source = str(Path(mc.__file__).parents[1])
    words = [sys.executable, "-c", code, str(tmp_path / "model.safetensors")]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": source})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "\n"


def test_help_of_the_command_loads_no_network_code() -> None:
    code = (
        "import sys; from minicolumn.cli import main; main(['tune', '--help'])\n"
        "print([m for m in ('numpy', 'optuna', 'polars', 'llvmlite') if m in sys.modules])"
    )
    source = str(Path(mc.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": source}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[]\n")


def test_arrays_are_a_table(frame: Any) -> None:
    table = frame("binary")
    X, y = table.select("a", "b").to_numpy(), table["y"].to_numpy()
    study = mc.tune(X, y, **SMALL)
    assert study.predict(X).shape == (len(X),)
    assert set(study.predict(X)) <= {"no", "yes"}
    assert study.best_model.schema is not None
    assert study.best_model.schema.target == "y"


@pytest.mark.parametrize("form", ["polars", "pandas", "dict"])
def test_a_table_and_a_column_beside_it(form: str, frame: Any) -> None:
    table = frame("regression")
    X: Any = table.select("a", "b")
    y: Any = table["y"].alias("price")
    if form == "pandas":
        pandas = pytest.importorskip("pandas")
        X, y = pandas.DataFrame(X.to_dict(as_series=False)), pandas.Series(y.to_list(), name="price")
    if form == "dict":
        X = X.to_dict(as_series=False)
    study = mc.tune(X, y, **SMALL)
    assert study.setup.target == "price"
    assert study.predict(X).shape == (120,)


def test_forms_of_data_give_the_same(frame: Any) -> None:
    table = frame("regression")
    one = mc.tune(table, "y", **SMALL)
    two = mc.tune(table.select("a", "b"), table["y"], **SMALL)
    assert {t.by_fold for t in one.records} == {t.by_fold for t in two.records}
    assert one.metrics == two.metrics


def test_trials_are_a_data_frame(frame: Any) -> None:
    study = mc.tune(frame("regression"), "y", **SMALL)
    trials = study.trials
    assert isinstance(trials, polars.DataFrame)
    assert trials.height == 2
    assert {"number", "state", "score", "error", "parameters", "seconds", "hidden", "learning_rate"} <= {
        *trials.columns
    }
    assert trials["score"].to_list() == [t.score for t in study.records]
    assert "Study: 2 trials by random, 2 finished" in repr(study)


def test_the_winner_is_saved_and_opened(frame: Any, tmp_path: Path) -> None:
    table = frame("multiclass")
    study = mc.tune(table, "y", **SMALL)
    study.save(tmp_path / "winner.safetensors")
    model = mc.load(tmp_path / "winner.safetensors")
    assert isinstance(model, mc.Model)
    assert list(model.predict_table(table)) == list(study.predict(table))
    assert model.training["search"]["trials"] == 2


def test_a_search_without_a_last_training_has_no_model(frame: Any) -> None:
    study = mc.tune(frame("regression"), "y", refit=False, **SMALL)
    assert study.winner is not None
    with pytest.raises(DataError, match="it was not refitted"):
        study.best_model  # noqa: B018


def test_a_space_comes_in_four_forms(frame: Any, tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        'layers = 1\nwidth = 4\nactivation = "relu"\nramps = false\nschedule = "cosine"\nbatch_size = 32\n'
    )
    rest = {name: value for name, value in SMALL.items() if name != "space"}
    found = [
        mc.tune(frame("regression"), "y", refit=False, space=space, **rest).setup.space
        for space in (SMALL["space"], mc.tune.Space(**SMALL["space"]), file, str(file))
    ]
    assert all(space == found[0] for space in found)
    assert found[0].is_whole


BAD: list[tuple[dict[str, Any], str]] = [
    ({"time": 0}, "tune: time: expected a time above 0"),
    ({"time": "0s"}, "tune: time: expected a time above 0"),
    ({"time": "soon"}, "tune: time:"),
    ({"trials": 0}, "tune: trials: expected an integer >= 1, got 0"),
    ({"trials": 1.5}, "tune: trials: expected an integer >= 1"),
    ({"score": "r2"}, "score: 'r2' does not fit a binary task; there are accuracy"),
    ({"score": "acuracy"}, "score: unknown metric 'acuracy'; did you mean 'accuracy'?"),
    ({"folds": 1}, "tune: folds: expected an integer >= 2, got 1"),
    ({"folds": 21}, "folds: expected a number from 2 to 20, got 21"),
    ({"strategy": "corse"}, "did you mean 'course'?"),
    ({"winner": "largest"}, "tune: winner: unknown rule 'largest'"),
    ({"resume": True}, "tune: resume: say the storage to go on with"),
    ({"target_score": "high"}, "tune: target_score: expected a number"),
    ({"space": {"layer": 1}}, "tune: a space has no part 'layer'; did you mean 'layers'?"),
    ({"space": {"ramps": True}}, "ramps: no column of this table holds numbers enough for ramps"),
    ({"space": "none.toml"}, "tune: space: cannot read 'none.toml'"),
    ({"threads": 0}, "tune: threads: expected an integer >= 1"),
    ({"seed": -1}, "tune: seed: expected an integer"),
    ({"epochs": 0}, "tune: epochs: expected an integer"),
    ({"loss": "huber"}, "loss 'huber' does not fit"),
    ({"strategy": "grid", "space": {"dropout": "0..0.5"}}, "grid: dropout goes from 0 to 0.5; list"),
    ({"target": "z"}, "the table has no column 'z'"),
]


@pytest.mark.parametrize(("said", "words"), BAD, ids=lambda value: str(value)[:40])
def test_each_bad_wish_is_one_clear_line(said: dict[str, Any], words: str) -> None:
    rng = np.random.default_rng(0)
    # Of few distinct values, so that no column can have ramps.
    table = polars.DataFrame({"a": rng.integers(0, 3, 60), "y": ["no", "yes"] * 30})
    with pytest.raises(DataError) as found:
        mc.tune(table, **({"target": "y", "trials": 1} | said))
    assert words in str(found.value)
    assert "\n" not in str(found.value)


def test_fewer_rows_than_folds_is_one_clear_line() -> None:
    table = {"a": list(range(8)), "y": [float(n % 3) for n in range(8)]}
    with pytest.raises(DataError, match="folds: 20 folds need as many rows that train, found 6"):
        mc.tune(table, "y", folds=20, trials=1, keep=["a"], task="regression")
    grouped = {
        "a": [0.1 * n for n in range(40)],
        "g": list("abcd") * 10,
        "y": [float(n % 7) for n in range(40)],
    }
    with pytest.raises(DataError, match="folds: 4 folds need as many groups, found 3"):
        mc.tune(grouped, "y", folds=4, trials=1, groups="g")


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros(3), [1, 2, 3], "tune: X has shape [3], expected [rows, features]"),
        (np.zeros((3, 2)), [1, 2], "tune: y has shape [2], expected [rows] = [3]"),
        (np.zeros((3, 2)), np.zeros((3, 1)), "tune: y has shape [3, 1]"),
    ],
)
def test_arrays_that_do_not_fit_are_told(X: Any, y: Any, words: str) -> None:
    with pytest.raises(ShapeError) as found:
        mc.tune(X, y)
    assert words in str(found.value)


def test_a_name_that_is_there_already_is_told() -> None:
    with pytest.raises(DataError, match="X has a column 'y' already"):
        mc.tune({"y": [1, 2]}, [1, 2])


def test_a_letter_too_much_is_told() -> None:
    with pytest.raises(TypeError, match="trails"):
        mc.tune("penguins", trails=3)  # type: ignore[call-arg]
