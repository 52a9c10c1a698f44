"""Trainings on tables that start from a trained network: its columns, its body, a new head."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.cli.run import run
from minicolumn.errors import DataError
from minicolumn.nn import Frozen, Sequential
from minicolumn.tables import read_table
from minicolumn.tabular import TableSettings, plan_table
from minicolumn.tabular.start import start_of
from minicolumn.zoo import Zoo

PENGUINS = str(Zoo().path("penguins"))


def birds(target: str = "Heavy") -> polars.DataFrame:
    """Return the penguins with another target: two classes, or a number, made of their mass."""
    mass = read_table("penguins")["Body Mass (g)"].cast(polars.Float64, strict=False).fill_null(4000.0)
    made = mass > 4200 if target == "Heavy" else mass / 1000
    kept = read_table("penguins").drop("Species")
    return kept.with_columns(made.cast(polars.String).alias(target))


@pytest.fixture(scope="module")
def source() -> mc.Model:
    return mc.zoo.load("penguins")


def fitted(target: str = "Heavy", **said: Any) -> Any:
    given = {"members": 1, "epochs": 2, "init_from": PENGUINS, **said}
    return mc.fit_table(birds(target), target, **given)


def _model(**said: Any) -> mc.Model:
    return fitted(**said).model


def body(model: mc.Model, X: np.ndarray) -> np.ndarray:
    """Return what the layers in front of the head make of rows."""
    network = model.network
    assert isinstance(network, Sequential)
    return np.asarray(Sequential(*network.layers[:-1]).apply(model.params, X))


def test_before_the_first_step_the_body_computes_what_it_did(source: mc.Model) -> None:
    plan = plan_table(birds(), TableSettings("Heavy", start=start_of("", source)))
    assert plan.encoder.inputs == source.table.inputs  # type: ignore[union-attr]
    begun = replace(source, network=plan.recipe.network, params=plan.recipe.params)
    assert np.array_equal(plan.encoder.transform(birds()), source.table.transform(birds()))  # type: ignore[union-attr]
    X = plan.train.X
    assert np.array_equal(body(begun, X), body(source, X))
    assert begun.network.output_shape(begun.input_shape) == (2,)


def test_frozen_layers_compute_what_they_did_and_the_head_learns(source: mc.Model) -> None:
    model = fitted(freeze=True).model
    X = model.table.transform(birds())
    assert np.array_equal(body(model, X), body(source, X))
    assert sum(isinstance(layer, Frozen) for layer in model.network.layers) == len(model.network.layers) - 1
    head = str(len(model.network.layers) - 1)
    assert np.any(model.params[head]["weight"])


def test_what_was_unfrozen_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    how: Any = {"freeze": True, "unfreeze": 1, "epochs": 3}
    kept = tmp_path / "kept.safetensors"
    run = fitted(**how, checkpoint=kept)
    assert not any(isinstance(layer, Frozen) for layer in run.model.network.layers)
    again = fitted(**how, resume=kept)
    assert np.array_equal(again.model.params["4"]["weight"], run.model.params["4"]["weight"])
    with pytest.raises(DataError, match="is of another network"):
        fitted(freeze=True, epochs=3, resume=kept)  # they were to stay frozen
    with pytest.raises(DataError, match="is of another network"):
        fitted(freeze=True, unfreeze=4, epochs=3, resume=kept)  # they are free before they could be


def test_members_from_a_network_keep_what_others_keep() -> None:
    plan = plan_table(
        birds("kg"), TableSettings("kg", members=2, start=start_of("", PENGUINS, True, None, 1))
    )
    assert [type(callback).__name__ for callback in plan.members[0].recipe.callbacks] == [
        "EarlyDecay",
        "Unfreeze",
    ]


def test_layers_that_are_not_frozen_learn(source: mc.Model) -> None:
    found = [_model(**how) for how in ({}, {"freeze": True, "unfreeze": 1}, {"freeze": 2})]
    for model in found:
        assert not np.array_equal(model.params["4"]["weight"], source.params["4"]["weight"])
    assert np.array_equal(found[2].params["0"]["weight"], source.params["0"]["weight"])


def test_rates_by_layer_are_factors(source: mc.Model) -> None:
    model = fitted(layer_rates=(0.0, 0.0, 0.5, 1.0)).model
    for place in ("0", "2"):
        assert np.array_equal(model.params[place]["weight"], source.params[place]["weight"])
    assert not np.array_equal(model.params["4"]["weight"], source.params["4"]["weight"])


def test_the_same_seed_gives_the_same_bits() -> None:
    first, second, other = (fitted(seed=seed).model for seed in (0, 0, 1))
    a, b, c = (model.params["4"]["weight"].tobytes() for model in (first, second, other))
    assert a == b != c


def test_a_number_is_learnt_too() -> None:
    done = fitted("Mass", epochs=30)
    assert done.model.loss == "squared_error"
    assert done.metrics["r2"] > 0.9
    quantiles = fitted("Mass", loss="quantile:levels=0.1+0.5+0.9").model
    found = quantiles.predict(quantiles.table.transform(birds()))
    assert np.all(np.diff(found, axis=1) >= 0)


def test_members_start_from_members() -> None:
    first = fitted(members=2, init_from=None, hidden=(8,)).model
    assert first.members == 2
    start = start_of("", first)
    assert start is not None
    plan = plan_table(birds("Mass"), TableSettings("Mass", members=3, start=start))
    weights = [member.recipe.params["0"]["weight"] for member in plan.members]
    old = [each.params["0"]["weight"] for each in start.sources]
    assert [np.array_equal(w, old[n % 2]) for n, w in enumerate(weights)] == [True] * 3
    done = fitted("Mass", members=3, init_from=first, freeze=True)
    assert done.model.members >= 1


def test_it_saves_loads_predicts_and_starts_again(tmp_path: Path) -> None:
    path = tmp_path / "heavy.safetensors"
    done = fitted(freeze=True)
    done.save(path)
    assert np.array_equal(mc.load(path).predict_table(birds()), done.predict(birds()))
    assert fitted("Mass", init_from=path).model.params["0"]["weight"].shape == (
        done.model.params["0"]["weight"].shape
    )


# Arrays and images ------------------------------------------------------------------------------------------


def idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return scikit-learn's digits as IDX files, the labels turned into odd and even."""
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    folder = tmp_path_factory.mktemp("images")
    idx(folder / "train-images-idx3-ubyte", np.round(digits.images[:600] * 255 / 16))
    idx(folder / "train-labels-idx1-ubyte", digits.target[:600] % 2)
    return folder / "train-images-idx3-ubyte"


def test_a_network_on_images_starts_from_one(images: Path) -> None:
    source = mc.zoo.load("digits")
    done = mc.fit_table(images, init_from=source, freeze=True, members=1, epochs=20)
    assert done.schema.target == "label"
    assert done.metrics["accuracy"] > 0.9
    X = done.model.table.transform(mc.data.image_table(images))  # type: ignore[union-attr]
    assert X.shape == (600, 64)
    old = Sequential(*source.network.layers[:-1]).apply(source.params, X.reshape(-1, 8, 8))  # type: ignore[attr-defined]
    assert np.array_equal(body(done.model, X), np.asarray(old))


def test_a_table_of_as_many_numbers_will_do(images: Path) -> None:
    table = mc.data.image_table(images).rename({"label": "odd"})
    done = mc.fit_table(table, "odd", init_from=mc.zoo.load("digits"), members=1, epochs=1)
    assert done.model.input_shape == (64,)


def test_images_without_labels_or_with_too_few_are_said(images: Path, tmp_path: Path) -> None:
    (tmp_path / images.name).write_bytes(images.read_bytes())
    assert "label" not in mc.data.image_table(tmp_path / images.name).columns
    idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(3))
    with pytest.raises(DataError, match="labels for 600 images"):
        mc.data.image_table(tmp_path / images.name)


# What does not fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"hidden": (8,)}, "hidden: the layers are those of init_from"),
        ({"dropout": 0.1}, "dropout: the layers are those of init_from"),
        ({"freeze": 99}, "freeze must be True, False or a number from 0 to"),
        ({"freeze": "all"}, "freeze: expected True, False or a number"),
        ({"layer_rates": (1.0, 1.0)}, "has 4 layers with parameters"),
        ({"layer_rates": (-1.0,)}, "expected factors >= 0"),
        ({"unfreeze": 2}, "nothing is frozen"),
        ({"unfreeze": 0, "freeze": True}, "expected a number of epochs"),
        ({"init_from": None, "freeze": True}, "goes with init_from"),
        ({"init_from": "no-such.safetensors"}, "cannot open"),
        ({"init_from": Zoo().path("digits")}, "takes 64 numbers a row, and the table has 16 columns"),
        ({"drop": "Island"}, "the table lacks 'Island', which"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(said: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, mc.ModelFileError), match=message) as caught:
        fitted(**said)
    assert "\n" not in str(caught.value)


def test_columns_that_changed_are_said() -> None:
    rows = birds()
    odd = rows.with_columns(polars.Series("Culmen Length (mm)", ["long", "short"] * 172))
    with pytest.raises(DataError, match=r"'Culmen Length \(mm\)' is category here, and was number"):
        mc.fit_table(odd, "Heavy", init_from=PENGUINS, members=1)
    odd = rows.with_columns(polars.Series("Island", ["Sylt", "Amrum"] * 172))
    with pytest.raises(DataError, match="none of the levels"):
        mc.fit_table(odd, "Heavy", init_from=PENGUINS, members=1)
    more = rows.with_columns(polars.Series("Weather", ["fine", "foul"] * 172))
    done = mc.fit_table(more, "Heavy", init_from=PENGUINS, members=1, epochs=1)
    assert any("does not know" in str(remark) and "'Weather'" in str(remark) for remark in done.remarks)


# On the command line ----------------------------------------------------------------------------------------


def test_the_command_line_starts_from_an_entry_of_the_zoo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    birds().write_csv(tmp_path / "birds.csv")
    out = str(tmp_path / "heavy.safetensors")
    words = [
        "train",
        str(tmp_path / "birds.csv"),
        "--target",
        "Heavy",
        "--members",
        "1",
        "--out",
        out,
        "--json",
    ]
    start = ["--from", "penguins", "--freeze", "all", "--unfreeze", "1", "--layer-rates", "0.1,0.3,0.5,1"]
    assert run([*words, *start, "--epochs", "2"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["task"] == "binary"
    assert mc.load(out).network.output_shape((28,)) == (2,)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "penguin"], "cannot open penguin"),
        (["--from", "penguins", "--freeze", "some"], "--freeze: expected all, none or a number"),
        (["--from", "penguins", "--layer-rates", "a,b"], "--layer-rates: expected factors"),
        (["--from", "penguins", "--hidden", "8"], "--hidden: the layers are those of"),
        (["--freeze", "all"], "--freeze: goes with"),
        (["--from", "digits"], "--from: digits takes 64 numbers a row"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    birds().write_csv(tmp_path / "birds.csv")
    out = str(tmp_path / "m.safetensors")
    assert run(["train", str(tmp_path / "birds.csv"), "--target", "Heavy", "--out", out, *words]) == 2
    assert message in capsys.readouterr().err
    assert not Path(out).exists()


def test_the_card_tells_that_it_began_elsewhere_and_not_what_it_began_with() -> None:
    run = mc.fit_table("penguins", init_from=mc.zoo.load("penguins"), freeze=2, epochs=1, members=1)
    assert run.model.card.rebuild == (
        "mc.fit_table(DATA, 'Species', epochs=1, members=1, init_from=MODEL, freeze=2)"
    )
