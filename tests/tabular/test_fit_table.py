"""`mc.fit_table`: what the command line can say, tables in any form, and every row encoded once."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.tables import Encoder, Overrides, Reading, as_frame, read_table
from minicolumn.tabular import TableSettings, plan_table, train_plan
from minicolumn.tabular.limits import LIMITS

QUICK: dict[str, Any] = {"hidden": 8, "epochs": 2}


def _frame(rows: int = 90) -> polars.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.standard_normal(rows)
    return polars.DataFrame(
        {
            "size": [None if i % 20 == 7 else float(v) for i, v in enumerate(size)],
            "kind": [["oak", "elm", None][int(k)] for k in rng.integers(0, 3, rows)],
            "wet": [bool(v) for v in rng.integers(0, 2, rows)],
            "count": rng.integers(0, 50, rows),
            "label": [["low", "high"][int(v > 0)] for v in size],
        }
    )


FRAME = _frame()


class ArrowOnly:
    """A table that can do nothing but export Arrow."""

    def __init__(self, frame: polars.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)


FORMS = {
    "polars": lambda frame: frame,
    "lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: pytest.importorskip("pandas").DataFrame(frame.to_dict(as_series=False)),
    "arrow": ArrowOnly,
    "dicts": lambda frame: frame.to_dicts(),
    "columns": lambda frame: frame.to_dict(as_series=False),
}
WRITERS = {
    "t.csv": lambda frame, path: frame.write_csv(path),
    "t.tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    "t.jsonl": lambda frame, path: frame.write_ndjson(path),
    "t.parquet": lambda frame, path: frame.write_parquet(path),
}


# What can be said -------------------------------------------------------------------------------------------


def test_every_option_that_shapes_the_training_has_its_keyword() -> None:
    from minicolumn.cli.declared import _settings
    from minicolumn.cli.train import TrainOptions, command

    of_the_screen = {"out", "plot", "as_json", "quiet", "folds"}
    of_the_screen |= {"about", "limits", "licence"}  # in Python by Model.with_card
    options, keywords = (inspect.signature(f).parameters for f in (command, mc.fit_table))
    otherwise = {"callbacks", "progress", "header", "no_header"}  # header=False is --no-header
    assert set(options) - of_the_screen - otherwise == set(keywords) - otherwise
    texts = {"data", *Overrides.__dataclass_fields__}  # which the command line splits
    shared = set(options) & set(keywords) - texts
    assert {name: options[name].default for name in shared} == {
        name: keywords[name].default for name in shared
    }
    beside = {"data", "test", "callbacks", "progress", "checkpoint", "every", "resume", "monitor", "schema"}
    of_columns, of_files = (set(record.__dataclass_fields__) for record in (Overrides, Reading))
    assert of_columns | of_files <= set(keywords)
    of_start = {"init_from", "freeze", "layer_rates", "unfreeze"}
    assert of_start <= set(keywords)
    assert set(TableSettings.__dataclass_fields__) - {"overrides", "start"} == (
        set(keywords) - beside - of_columns - of_files - of_start
    )
    assert {name: setting.bound(name, None) for name, setting in LIMITS.items()} == {
        name: setting.bound(name, None) for name, setting in _settings(TrainOptions).items()
    }


def test_it_is_the_command_line_in_python(tmp_path: Path, capsys: Any, same_bits: Any) -> None:
    from minicolumn.cli import main

    FRAME.write_csv(tmp_path / "t.csv")
    words = {
        "--target": "count", "--drop": "wet", "--category": "kind", "--hidden": "8,6",
        "--activation": "mish,tanh", "--dropout": "0.1", "--loss": "huber:delta=2",
        "--optimizer": "sgd:momentum=0.5", "--learning-rate": "0.02", "--clip-norm": "1",
        "--schedule": "cosine", "--batch-size": "16", "--epochs": "3", "--patience": "2", "--seed": "5",
        "--test-fraction": "0.3", "--validation-fraction": "0.2", "--task": "regression",
    }  # fmt: skip
    said = [part for pair in words.items() for part in pair]
    out = ["--out", str(tmp_path / "m.safetensors"), "--json"]
    assert main(["train", str(tmp_path / "t.csv"), *said, *out]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    run = mc.fit_table(
        tmp_path / "t.csv", "count", drop=["wet"], category=["kind"], hidden=(8, 6),
        activation=["mish", "tanh"], dropout=0.1, loss=mc.nn.Loss("huber", delta=2),
        optimizer=mc.optim.SGD(momentum=0.5), learning_rate=0.02, clip_norm=1.0, schedule="cosine",
        batch_size=16, epochs=3, patience=2, seed=5, test_fraction=0.3, validation_fraction=0.2,
        task="regression",
    )  # fmt: skip
    assert summary["metrics"] == run.metrics
    assert summary["baseline"] == run.baseline
    assert same_bits(mc.load(tmp_path / "m.safetensors").params, run.model.params)
    by_name = mc.fit_table(
        FRAME, "label", loss="softmax_focal:gamma=1", optimizer="sgd:momentum=0.5", **QUICK
    )
    assert by_name.model.loss_record == mc.nn.Loss("softmax_focal", gamma=1)


def test_rows_to_test_on_and_callbacks(spy: Any) -> None:
    seen = spy()
    run = mc.fit_table(FRAME, "label", test=_frame(40).to_dicts(), callbacks=seen, **QUICK)
    assert run.rows["test"] == 40
    assert ("epoch", 2) in seen.told
    assert run.confusion is not None
    assert run.confusion.sum() == 40


def test_what_comes_back(tmp_path: Path) -> None:
    run = mc.fit_table("penguins", **QUICK)
    assert run.schema.target == "Species"
    assert list(run.metrics) == list(run.baseline) == ["accuracy", "balanced_accuracy", "log_loss", "roc_auc"]
    assert len(run.history) == 2
    rows = read_table("penguins")[:5]
    labels = run.predict(rows)
    assert labels.tolist() == run.predict(rows.to_dicts()).tolist() == run.model.predict_table(rows).tolist()
    run.save(tmp_path / "m.safetensors")
    assert mc.load(tmp_path / "m.safetensors").predict_table(rows).tolist() == labels.tolist()
    said = repr(run).splitlines()
    assert said[0] == "TableRun: predicts 'Species', 3 classes"
    assert said[1] == "  258 rows trained, each held out by some members, 86 tested"
    assert said[2].startswith("  8 networks of up to 2 epochs in ")
    assert said[3].split()[:6] == ["on", "the", "test", "rows", "model", "baseline"]
    assert [line.split()[0] for line in said[4:]] == list(run.metrics)
    assert max(map(len, said)) < 80
    one = repr(mc.fit_table("penguins", members=1, **QUICK)).splitlines()
    assert one[1] == "  219 rows trained, 39 validated, 86 tested"
    assert one[2].startswith("  2 epochs in ")


# Tables in any form -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_tables_in_any_form_are_the_same_table(form: str, same_bits: Any) -> None:
    given = FORMS[form](FRAME)
    assert as_frame(given).equals(FRAME)
    run, plain = (mc.fit_table(table, "label", **QUICK) for table in (given, FRAME))
    assert same_bits(run.model.params, plain.model.params)
    assert run.metrics == plain.metrics
    assert run.predict(given).tolist() == plain.predict(FRAME).tolist()


@pytest.mark.parametrize("name", WRITERS)
def test_files(name: str, tmp_path: Path) -> None:
    WRITERS[name](FRAME, tmp_path / name)
    run = mc.fit_table(tmp_path / name, "label", **QUICK)
    assert run.metrics == mc.fit_table(FRAME, "label", **QUICK).metrics


def test_frames_of_pandas_with_gaps_dates_and_categories() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "day": pandas.to_datetime(["2024-01-01", None, "2024-03-01"]),
            "kind": pandas.Categorical(["a", None, "b"]),
            "whole": pandas.array([1, None, 3], dtype="Int64"),
            "size": [1.5, float("nan"), 2.5],
            7: ["x", "y", None],
        }
    )
    found = as_frame(frame)
    with pytest.raises(mc.DataError, match="both named 'a'"):
        as_frame(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
    assert found.columns == ["day", "kind", "whole", "size", "7"]
    assert found["day"].dtype.is_temporal()
    assert [found[name].null_count() for name in ("day", "kind", "whole", "7")] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (3, "the table is a int, expected a path, the name of a built-in data set, a polars or pandas frame"),
        (np.zeros((3, 2)), "the table is a ndarray, expected"),
        ([1, 2], "the table is a list, expected"),
        ([], "the table has 0 rows and 0 columns"),
        ({}, "the table has 0 rows and 0 columns"),
        (FRAME[:0], "the table has 0 rows and 5 columns"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "the table cannot be read: "),
        ({"a": np.ones((1, 2)).view(np.matrix)}, "column 'a' is a NumPy matrix"),
        ("pengins", "did you mean 'penguins'"),
    ],
)
def test_what_is_no_table(table: Any, message: str) -> None:
    with pytest.raises(mc.DataError, match=message) as caught:
        mc.fit_table(table, "label", **QUICK)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"target": "lable"}, "did you mean 'label'"),
        ({"target": None}, "fit_table: target is missing; the columns are 'size', 'kind'"),
        ({"drop": "sise"}, "drop: .*did you mean 'size'"),
        ({"drop": [1]}, "fit_table: drop: expected names, got 1"),
        ({"hidden": (8, 0)}, "fit_table: hidden: expected units for each hidden layer"),
        ({"hidden": "8,6"}, "fit_table: hidden: expected units"),
        ({"activation": "mis"}, "fit_table: activation: unknown activation 'mis'; did you mean 'mish'"),
        ({"activation": ["mish", "tanh"]}, "fit_table: activation: .* names 2 for 1 hidden layers"),
        ({"loss": "hubber"}, "fit_table: loss: unknown loss 'hubber'; did you mean 'huber'"),
        ({"loss": "huber"}, "loss 'huber' does not fit 'label', a column of 2 classes"),
        ({"loss": np.abs}, "fit_table: loss: expected a name or a record"),
        ({"optimizer": "sgd:momentun=1"}, "fit_table: optimizer: sgd: unknown setting 'momentun'"),
        ({"optimizer": "sgd:learning_rate=1", "learning_rate": 1}, "fit_table: learning_rate: the optimizer"),
        ({"optimizer": mc.optim.SGD}, "fit_table: optimizer: expected a name or a record"),
        ({"schedule": "cosin"}, "fit_table: schedule: unknown schedule 'cosin'"),
        ({"dropout": 1.0}, "fit_table: dropout: expected a number, 0 <= number < 1, got 1"),
        ({"learning_rate": float("nan")}, "fit_table: learning_rate: expected a number > 0, got nan"),
        ({"clip_norm": 0}, "fit_table: clip_norm: expected a number > 0, got 0"),
        ({"epochs": 2.5}, "fit_table: epochs: expected an integer, 1 <= epochs .*, got 2.5"),
        ({"batch_size": True}, "fit_table: batch_size: expected an integer"),
        ({"seed": -1}, "fit_table: seed: expected an integer, 0 <= seed .*, got -1"),
        ({"test_fraction": 1.5}, "fit_table: test_fraction: expected a number, 0 < number < 1, got 1.5"),
        ({"task": "regresion"}, "regresion"),
        ({"test": FRAME.drop("label")}, "the test rows: the table has no target column 'label'"),
        ({"test": FRAME.drop("size")}, "the test rows: the table has no column 'size'"),
        ({"callbacks": [3]}, "fit_table: callbacks holds a int, expected mc.Callback objects"),
    ],
)
def test_misuse_is_one_line(said: dict[str, Any], message: str) -> None:
    with pytest.raises(mc.DataError, match=message) as caught:
        mc.fit_table(FRAME, **{"target": "label", **QUICK, **said})
    assert "\n" not in str(caught.value)


# The plan ---------------------------------------------------------------------------------------------------


class CountingEncoder(Encoder):
    """An encoder that notes what it was asked for."""

    calls: ClassVar[Counter[str]] = Counter()

    def matrix(self, typed: polars.DataFrame) -> np.ndarray:
        self.calls["matrix"] += 1
        self.calls["rows"] += typed.height
        return super().matrix(typed)

    def read_target(self, frame: polars.DataFrame) -> np.ndarray:
        self.calls["read_target"] += 1
        return super().read_target(frame)


@pytest.mark.parametrize("target", ["label", "count"])
@pytest.mark.parametrize("given", [False, True])
def test_every_row_is_encoded_once(target: str, given: bool) -> None:
    CountingEncoder.calls.clear()
    test = _frame(40) if given else None
    plan = plan_table(FRAME, TableSettings(target, hidden=(8,), epochs=2), test, CountingEncoder)
    train_plan(plan)
    # Three parts, of which none has a row in common; the target of the whole table is read in one go.
    assert CountingEncoder.calls == {"matrix": 3, "rows": 90 + 40 * given, "read_target": 1 + given}
    assert type(plan.encoder) is CountingEncoder


@pytest.mark.parametrize("target", ["label", "count"])
def test_a_plan_is_what_the_encoder_makes_of_its_rows(target: str, same_bits: Any) -> None:
    plan = plan_table(
        FRAME,
        TableSettings(
            target, loss=mc.nn.Loss("poisson") if target == "count" else None, hidden=(8,), epochs=2
        ),
    )
    for part in (plan.train, plan.validation, plan.test):
        assert same_bits(part.X, plan.encoder.transform(part.frame))
        assert same_bits(part.y, plan.encoder.encode_target(part.frame))
        assert part.given()[1].ndim == (1 if target == "label" else 2)
    alone = Encoder.fit(plan.train.frame, plan.schema)
    assert alone.inputs == plan.encoder.inputs
    one, other = train_plan(plan), train_plan(plan)
    assert same_bits(one.model.params, other.model.params)
    assert one.model.evaluate_table(plan.test.frame) == one.metrics
