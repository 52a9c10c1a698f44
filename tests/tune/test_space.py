"""The space of a search: how it is said, what it holds, and how each impossible one is refused."""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.errors import DataError
from minicolumn.tune import Candidate, Choices, Interval, Space
from minicolumn.tune.parts import NORMALIZATIONS, RULES, SHAPES
from minicolumn.tune.space import shaped, space_of
from minicolumn.tune.space_file import read_space

numbers = st.lists(st.integers(1, 300), min_size=1, max_size=4, unique=True)
rates = st.tuples(st.floats(1e-5, 1e-2), st.floats(2e-2, 0.9))


@st.composite
def spaces(draw: Any) -> Space:
    """Whole spaces of all kinds of parts."""
    low, high = draw(rates)
    return Space(
        layers=draw(st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True)),
        width=draw(numbers),
        shape=draw(
            st.lists(st.sampled_from(SHAPES), min_size=1, unique=True).map(lambda s: ["constant", *s])
        ),
        activation=draw(st.sampled_from(["relu", "mish,elu:alpha=0.5", ["tanh", "selu"]])),
        normalization=draw(st.lists(st.sampled_from(NORMALIZATIONS), min_size=1, unique=True)),
        dropout=draw(st.sampled_from([0.0, "0.1,0.2", "0..0.5"])),
        ramps=draw(st.sampled_from([True, False, (True, False), "true,false"])),
        optimizer=draw(st.sampled_from(["adamw", "adamw,sgd:momentum=0.9"])),
        learning_rate=Interval(low, high),
        weight_decay=draw(st.sampled_from([0.0, "0.001..0.1"])),
        schedule=draw(st.sampled_from(["constant", "cosine,one_cycle"])),
        batch_size=draw(numbers),
        horizon=draw(st.sampled_from([1, "0.25,0.5,1", "0.1..1"])),
    )


@given(spaces(), st.randoms(use_true_random=False))
def test_whatever_is_drawn_is_of_the_space_and_survives_json(space: Space, random: Any) -> None:
    def choose(name: str, part: Any) -> Any:
        return (
            random.choice(part.values) if isinstance(part, Choices) else random.uniform(part.low, part.high)
        )

    again = Space.from_json(json.loads(json.dumps(space.to_json())))
    assert again == space
    candidate = space.draw(choose)
    assert Candidate.from_json(json.loads(json.dumps(candidate.to_json()))) == candidate
    assert candidate.layers in space.layers  # type: ignore[operator]
    assert candidate.layers > 1 or candidate.shape == "constant"
    for name in set(RULES) - {"layers", "width", "shape"}:
        assert getattr(candidate, name) in getattr(space, name)
    assert candidate.shape == "free" or candidate.width in space.width  # type: ignore[operator]


@given(st.sampled_from(SHAPES[:3]), st.integers(1, 600), st.integers(1, 8))
def test_widths_of_a_shape_never_grow(shape: str, width: int, layers: int) -> None:
    found = shaped(shape, width, layers)
    assert len(found) == layers
    assert found[0] == width
    assert all(0 < after <= before for before, after in pairwise(found))


def test_what_is_not_there_is_not_chosen(whole: Space) -> None:
    asked: list[str] = []

    def first(name: str, part: Any) -> Any:
        asked.append(name)
        return part.values[0] if isinstance(part, Choices) else part.low

    assert whole.draw(first).hidden == (8,)
    assert "shape" not in asked  # one layer has none
    asked.clear()

    def free(name: str, part: Any) -> Any:
        asked.append(name)
        said = {"layers": 3, "shape": "free", "width_2": 64}
        return said.get(name, part.values[0] if isinstance(part, Choices) else part.low)

    assert whole.draw(free).hidden == (8, 64, 8)
    assert Counter(asked)["width_1"] == 1
    assert "width" not in asked
    assert "weight_decay" not in asked  # fixed


def test_all_candidates_of_a_grid_are_there_once(whole: Space) -> None:
    grid = Space(dropout=(0.0, 0.1), learning_rate=0.01).over(whole)
    found = list(grid.all())
    # One layer: 4 widths; two: 4 constant, 4 funnels, 16 free; three: 4, 4, 64. Of these some are equal.
    networks = {candidate.hidden for candidate in found}
    assert len(found) == len(set(found))
    assert len(networks) <= 4 + 24 + 72
    assert grid.size == (4 + 24 + 72) * 2 * 2 * 2
    assert Counter(c.dropout for c in found)[0.0] * 2 == len(found)
    assert whole.size == math.inf


def test_text_lists_and_records_say_the_same() -> None:
    said = Space(layers="1-3", width="16-64", learning_rate="1e-4..1e-1", dropout="0..0.5", ramps="true")
    assert said.layers == Space(layers=[1, 2, 3]).layers == Space(layers=range(1, 4)).layers
    assert said.width == Choices((16, 32, 64))
    assert said.learning_rate == Interval(1e-4, 1e-1, log=True)
    assert said.dropout == Interval(0.0, 0.5, log=False)
    assert said.ramps == Choices((True,))
    assert eval(repr(said), {"Space": Space, "Interval": Interval}) == said
    assert Space(layers=2).over(said).learning_rate == said.learning_rate


def test_print_reads_well(whole: Space) -> None:
    lines = str(whole).splitlines()
    assert lines[0].split() == ["layers", "1,", "2,", "3"]
    assert "from 0.001 to 0.1, by factors" in str(whole)
    assert str(Space()).count("by the table") == len(RULES)


def test_a_toml_file_is_a_space(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        'layers = "1-2"\nwidth = [16, 32]\nactivation = ["relu", "mish"]\nlearning_rate = "1e-4..1e-1"\n'
    )
    assert read_space("space", file) == Space(
        layers=(1, 2), width=(16, 32), activation=("relu", "mish"), learning_rate=Interval(1e-4, 1e-1)
    )


BAD: list[tuple[dict[str, Any], str]] = [
    ({"layer": 1}, "a space has no part 'layer'; did you mean 'layers'?"),
    ({"depth_of_it": 1}, "there are layers, width"),
    ({"layers": "3-1"}, "layers: expected a span such as 1-4"),
    ({"layers": 0}, "layers: expected an integer, 1 <= layers <= 16, got 0"),
    ({"layers": "two"}, "layers: expected an integer, 1 <= layers <= 16, got 'two'"),
    ({"width": []}, "width: expected from 1 to 1,000 values, got 0"),
    ({"width": "1..0.5"}, "width: expected an integer"),
    ({"width": Interval(1, 9)}, "width: expected single values such as 1,2,4"),
    ({"activation": "reluu"}, "activation: unknown activation 'reluu'; did you mean 'relu'?"),
    ({"activation": 3}, "activation: expected a name, got 3"),
    ({"shape": "funnl"}, "did you mean 'funnel'?"),
    ({"shape": "funnel", "layers": 1}, "shape: funnel needs 2 hidden layers or more, and layers is 1"),
    ({"dropout": 1.0}, "dropout: expected a number"),
    ({"dropout": "0.5..0.1"}, "dropout: expected an interval of numbers, low < high"),
    ({"learning_rate": "a..b"}, "learning_rate: expected an interval such as 1e-4..1e-1, got 'a'"),
    ({"learning_rate": "0..0.1"}, "learning_rate: expected a number > 0, got 0.0"),
    ({"optimizer": "adamm"}, "did you mean 'adam'?"),
    ({"schedule": "cosin"}, "did you mean 'cosine'?"),
    ({"dropout": {"low": 0.1, "high": 0.2}}, "dropout: expected a number, 0 <= number < 1, got 'low'"),
    ({"ramps": "maybe"}, "ramps: expected a boolean"),
]


@pytest.mark.parametrize(("said", "words"), BAD, ids=lambda value: str(value)[:40])
def test_each_impossible_space_is_one_clear_line(said: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as found:
        space_of("tune", said)
    assert words in str(found.value)
    assert "\n" not in str(found.value)
    assert str(found.value).startswith("tune: ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"layers = ", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        (b"layer = 1", "did you mean 'layers'?"),
        (b"[width]\nlow = 1", "width: expected an integer"),
        (b"layers = 3." + b"0" * (1 << 20), "larger than 1 MB"),
        (None, "cannot read"),
    ],
)
def test_each_bad_space_file_is_one_clear_line(content: bytes | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as found:
        read_space("space", file)
    assert words in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("low", [math.nan, -math.inf, "1", True, 0.0])
def test_an_interval_has_two_ends(low: Any) -> None:
    with pytest.raises(DataError, match="interval"):
        Interval(low, 1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": []}, {"hidden": [0]}, {"hidden": [True]}, {"hidden": "8"}, {"hidden": [8] * 99},
        {"shape": "x"},
        {"activation": "nope"}, {"dropout": 2}, {"ramps": 1}, {"batch_size": 0}, {"choices": [["a"]]},
        {"choices": [["a", [1]]]}, {"learning_rate": None}, {"more": 1},
    ],
)  # fmt: skip
def test_a_candidate_from_json_is_checked(change: dict[str, Any]) -> None:
    said = Candidate((8,), "constant", "relu").to_json()
    with pytest.raises(DataError):
        Candidate.from_json(said | change)
