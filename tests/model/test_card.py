"""Cards: each kind of model has one, it travels, and its page shows all of it and runs nothing."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.artifact import artifact_from_bytes, artifact_to_bytes
from minicolumn.model.card.layers import weights_of
from minicolumn.model.card.page import FileFacts, card_page
from minicolumn.model.card.record import LONGEST, Card, CardData

GOLDEN = Path(__file__).parent / "golden"
EVIL = "<script>alert(1)</script>"


def _trained(**told: Any) -> mc.Model:
    net = mc.nn.Sequential(mc.nn.Dense(3, "relu"), mc.nn.Dense(1))
    X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
    return mc.fit(net, X, X[:, 0], epochs=2, loss="squared_error", progress=False, **told).model


# The record -------------------------------------------------------------------------------------------------


def test_a_card_travels_with_its_file(tmp_path: Path) -> None:
    card = Card(
        "a", "A title", "for this", "not for that", CardData("d", "o", "CC0", {"d.csv": "0" * 64}),
        {"train": 9, "test": 3}, "at random", "minicolumn train d.csv",
    )  # fmt: skip
    _trained().with_card(card).save(tmp_path / "m.safetensors")
    assert mc.load(tmp_path / "m.safetensors").card == card


def test_the_zoo_has_cards_of_the_same_record() -> None:
    for entry in mc.zoo.entries():
        assert mc.zoo.load(entry.name).card == entry.card


def test_a_derived_card_tells_the_call_that_makes_the_network_again() -> None:
    model = _trained(seed=3)
    call = model.card.rebuild
    X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
    names = {"mc": mc, "X": X, "y": X[:, 0], "Sequential": mc.nn.Sequential, "Dense": mc.nn.Dense}
    again = eval(call, names)  # the text is ours: of a model that was trained here
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_card_of_a_table_tells_the_call_that_makes_it_again() -> None:
    frame = polars.DataFrame({"a": [f"{i}.5" for i in range(40)], "y": ["no", "yes"] * 20})
    run = mc.fit_table(frame, "y", epochs=2, hidden=4, members=1, seed=2, schedule="cosine", threshold="f1")
    again = eval(run.model.card.rebuild, {"mc": mc, "DATA": frame})
    np.testing.assert_array_equal(
        again.model.predict_proba_table(frame), run.model.predict_proba_table(frame)
    )
    assert run.model.card.rows == run.rows


def test_an_estimator_tells_its_rows_and_its_call() -> None:
    X, y = np.random.default_rng(0).normal(size=(40, 2)), [0, 1] * 20
    estimator = mc.MLPClassifier((3,), max_iter=2, early_stopping=True, random_state=1, tol=0.0)
    with pytest.warns(match="Maximum|max_iter|Stochastic"):
        estimator.fit(X, y)
    card = estimator.to_model().card
    assert card.rows == {"train": 36, "validation": 4}
    with pytest.warns(match="Maximum|max_iter|Stochastic"):
        again = eval(card.rebuild, {"mc": mc, "X": X, "y": y})
    np.testing.assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"title": 3},
        {"about": "x" * (LONGEST + 1)},
        {"data": []},
        {"data": {"sha256": {"a": "b"}}},
        {"rows": {"train": -1}},
        {"rows": {"train": True}},
        {"rows": {"else": 1}},
    ],
)
def test_a_card_of_another_form_is_refused_in_one_line(wrong: Any) -> None:
    artifact = _trained().artifact()
    with pytest.raises(DataError, match="card") as found:
        artifact_to_bytes(replace(artifact, training={**artifact.training, "card": wrong}))
    assert "\n" not in str(found.value)
    with pytest.raises(ModelFileError, match="card"):
        Card.from_json(wrong)


def test_further_entries_of_a_card_are_kept() -> None:
    artifact = _trained().artifact()
    told = {**artifact.training, "card": {"title": "t", "contact": {"name": "n"}}}
    again = artifact_from_bytes(artifact_to_bytes(replace(artifact, training=told)))
    assert again.training["card"]["contact"] == {"name": "n"}
    assert Card.from_json(again.training["card"]) == Card(title="t")


def test_a_card_made_of_long_names_can_be_saved(tmp_path: Path) -> None:
    label = "z" * 5_000
    frame = polars.DataFrame(
        {"x" * 3_000: [f"{i}.5" for i in range(40)], "y": [f"no{label}", f"yes{label}"] * 20}
    )
    run = mc.fit_table(frame, "y", epochs=1, hidden=2, members=1)
    run.save(tmp_path / "m.safetensors")
    assert len(mc.load(tmp_path / "m.safetensors").card.about) < 1_000


# The page ---------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects their names, attributes and texts."""

    VOID = frozenset({"meta", "br", "path", "circle", "rect"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.safetensors")), ids=lambda path: path.stem)
def test_each_kind_of_model_has_a_page(path: Path) -> None:
    page = Page(card_page(mc.load(path), FileFacts(path.name, 9, "0.1.0", 2)))
    assert not page.names & {"script", "link", "img", "iframe", "object", "form", "style"} - {"style"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("href", "src")]
    assert "Network" in page.text
    assert path.name in page.text


def test_the_page_tells_what_is_in_the_file() -> None:
    model = mc.load(GOLDEN / "format_2_table_ensemble_numbers.safetensors")
    page = Page(card_page(model)).text
    assert model.table is not None
    for part in model.table.inputs:
        assert part.name in page
    for name, value in model.metrics["test"].items():
        assert f"{value:.4f}" in page or f"{value:.4g}" in page, name
    for word in (
        model.card.rebuild,
        model.card.split,
        "Members",
        "90%",
        "2 of",
        "Learning curves",
        "not stated",
    ):
        assert word in page
    radius = model.residuals.radius(0.9) * model.table.target_scale  # type: ignore[union-attr]
    assert f"prediction + {radius:.4g}" in page


def test_names_and_texts_of_a_file_are_escaped() -> None:
    name = f"a{EVIL}"
    frame = polars.DataFrame(
        {
            name: [f"{i % 7}.5" for i in range(60)],
            f"b{EVIL}": [f"{'<b>'}{i % 3}\x07" for i in range(60)],
            f"left{EVIL}": ["same"] * 60,
            f"y{EVIL}": [f"no{EVIL}", f'yes" onload="{EVIL}'] * 30,
        }
    )
    model = mc.fit_table(frame, f"y{EVIL}", epochs=1, hidden=2, members=1).model
    card = Card(EVIL, EVIL, EVIL, EVIL, CardData(EVIL, EVIL, EVIL, {EVIL: "0" * 64}), {}, EVIL, EVIL)
    training = {**model.training, EVIL: EVIL, "stopped": EVIL}
    evil = replace(model, training=training, metrics={**model.metrics, EVIL: 1.0}).with_card(card)
    text = card_page(evil, FileFacts(EVIL, 9, EVIL, 2))
    page = Page(text)
    assert "<script" not in text
    assert "script" not in page.names
    assert "b" in page.names  # which is ours, of the scores
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert html.escape(EVIL, quote=True) in text
    assert name in page.text  # as a reader sees it
    assert "\x07" not in text


def test_a_page_needs_no_finite_figures() -> None:
    model = mc.load(GOLDEN / "format_2_images.safetensors")
    history = [{"epoch": k, "loss": None if k == 1 else 1.0} for k in range(4)]
    odd = replace(model, history=history, metrics={"test": {"accuracy": None}, "note": None})
    assert "nan" not in re.sub("[^a-z]", " ", Page(card_page(odd)).text.lower()).split()


def test_statistics_of_weights_are_those_of_numpy() -> None:
    dice = np.random.default_rng(0)
    a, b = dice.normal(size=(5, 4)).astype(np.float32), dice.normal(size=(5, 4)).astype(np.float32)
    (found,) = weights_of({"0": {"weight": a}, "1": {"weight": b}}, 2)
    both = np.concatenate([a.ravel(), b.ravel()]).astype(np.float64)
    assert (found.name, found.members, found.shape, found.count) == ("weight", 2, (5, 4), 40)
    assert (found.least, found.greatest) == (both.min(), both.max())
    np.testing.assert_allclose(
        (found.mean, found.deviation), (both.mean(), both.std()), rtol=1e-12
    )  # float64
    counts, _ = np.histogram(both, bins=24)
    assert sum(found.bars) == 40
    assert np.abs(np.array(found.bars) - counts).sum() <= 2  # a number on an edge may fall to either side


@pytest.mark.parametrize("value", [0.0, 1e308, -1.7e308])
def test_statistics_of_extreme_weights_are_bars_all_the_same(value: float) -> None:
    (found,) = weights_of({"weight": np.array([value, value, -value])}, 1)
    assert sum(found.bars) == 3
