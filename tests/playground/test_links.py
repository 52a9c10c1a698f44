"""Links: those of course material as they were meant, ours there and back, and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.errors import DataError
from minicolumn.playground.classic_links import CONTROLS, FEATURES, NAMES
from minicolumn.playground.links import HIDEABLE, LONGEST_LINK, parse_link, write_link
from minicolumn.playground.network.setup import DEFAULT, SETTINGS, Setup, changed
from minicolumn.registry import Boolean, Choice, Integer, Listed, Number

# Links as they stand in course notes, blogs and exercises, and what each sets beside CLASSIC.
OLD = json.loads((Path(__file__).parent / "golden" / "links.json").read_text())
CLASSIC = {
    "rule": "classic", "loss": "squared_error", "initialization": "playground", "dataset": "circle",
    "points": 500, "noise": 0, "train_percent": 50, "units": [4, 2], "activations": ["tanh"],
    "learning_rate": 0.03, "batch_size": 10, "regularization": "none", "regularization_rate": 0.0,
    "show_test": False, "discretize": False, "features": ["x1", "x2"], "data_seed": DEFAULT.data_seed,
}  # fmt: skip


def classic(text: str) -> dict[str, Any]:
    """Return what a classic link sets other than by default."""
    link = parse_link(text)
    assert link.legacy
    return {name: value for name, value in link.fields.items() if value != CLASSIC[name]}


# Classic ones -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", OLD, ids=lambda row: row["fields"]["data_seed"])
def test_an_old_link_means_what_it_meant(row):
    link = parse_link(row["link"])
    assert link.legacy
    assert link.fields == CLASSIC | row["fields"]
    assert list(link.hidden) == row.get("hidden", [])
    assert list(link.notes) == row.get("notes", [])
    again = parse_link(write_link(changed(DEFAULT, link.fields), link.hidden))
    assert not again.legacy
    assert changed(DEFAULT, again.fields) == changed(DEFAULT, link.fields)
    assert again.hidden == link.hidden


def test_each_field_of_the_original_is_read():
    assert len(NAMES) == 27
    assert classic("#networkShape=4,2") == {}
    for name, formula in FEATURES.items():
        on, off = parse_link(f"#{name}=true").fields, parse_link(f"#{name}=false&networkShape=").fields
        assert formula in on["features"]
        assert formula not in off["features"]
    assert classic("#initZero=true") == {"initialization": "zero"}
    assert classic("#showTestData=true&discretize=true") == {"show_test": True, "discretize": True}
    assert classic("#problem=regression") == {"dataset": "plane", "points": 1200}
    assert classic("#problem=regression&regDataset=reg-gauss") == {"dataset": "multi_gauss", "points": 1200}
    assert classic("#dataset=spiral&seed=0.1") == {"dataset": "spiral", "data_seed": "0.1"}
    assert parse_link("#hideText=true").hidden == ("text",)


@pytest.mark.parametrize("name", CONTROLS)
def test_each_control_can_be_hidden(name):
    assert parse_link(f"#networkShape=1&{name}_hide=true").hidden == (CONTROLS[name],)
    assert parse_link(f"#networkShape=1&{name}_hide=1").hidden == ()


def test_a_hidden_feature_is_none():
    assert classic("#sinX=true&sinX_hide=true&xTimesY=true") == {"features": ["x1", "x2", "x1*x2"]}


@pytest.mark.parametrize(
    ("text", "fields", "note"),
    [
        ("activation=Relu", {}, "activation: 'Relu' is none of relu, tanh, sigmoid, linear; tanh is"),
        ("problem=ranking", {}, "problem: 'ranking' is none of classification, regression; "),
        ("x=true&dataset=moons", {}, "dataset: 'moons' is none of circle, xor, gauss, spiral; circle"),
        ("x=true&noise=60", {"noise": 60}, ""),
        ("x=true&noise=81", {"noise": 50}, "noise: 81 is more than 80, and 50 is taken instead"),
        ("x=true&noise=-5", {}, "noise: -5 is not possible here, and 0 is taken instead"),
        ("x=true&noise=12.4", {"noise": 12}, "noise: 12.4 is not possible here, and 12 is taken instead"),
        ("batchSize=lots", {}, "batchSize: 'lots' is no number, and 10 is taken instead"),
        ("batchSize=0", {"batch_size": 1}, "batchSize: 0 is not possible here, and 1 is taken instead"),
        ("batchSize=1e9", {"batch_size": 5000}, "batchSize: 1e9 is not possible here, and 5000 is taken"),
        ("learningRate=NaN", {}, "learningRate: 'NaN' is no number, and 0.03 is taken instead"),
        ("learningRate=1e999", {}, "learningRate: '1e999' is no number"),
        ("learningRate=0", {"learning_rate": 1e-5}, "learningRate: 0 is not possible here, and 1e-05"),
        ("regularizationRate=-1", {}, "regularizationRate: -1 is not possible here, and 0 is taken instead"),
        ("percTrainData=100", {"train_percent": 90}, "percTrainData: 100 is not possible here, and 90"),
        ("networkShape=4,,2", {}, "networkShape: '' is no number of neurons, and is left out"),
        ("networkShape=4,0,2", {}, "networkShape: '0' is no number of neurons, and is left out"),
        ("networkShape=4%2C3", {"units": [4, 3]}, ""),
        ("networkShape=100", {"units": [64]}, "networkShape: at most 10 layers of 64 neurons are shown"),
        ("networkShape=" + "1," * 11 + "1", {"units": [1] * 10}, "networkShape: at most 10 layers"),
        ("networkShape= ", {"units": []}, ""),
        ("x=false&y=false", {"features": ["0"]}, "no feature is on, so the network sees a constant 0"),
        ("cosX=true", {}, "cosX has no effect here"),
        ("tutorial=one", {}, "tutorial has no effect here"),
        ("x=true&learningrate=3", {}, "'learningrate' is no field of such a link; did you mean 'learning"),
        ("x=true&playbutton_hide=true", {}, "there is no control 'playbutton' to hide; did you mean 'play"),
        ("x=true&seed=" + "1" * 70, {"data_seed": "1" * 64}, "seed: only 64 letters count"),
        ("x=&batchSize=&seed= ", {}, ""),
        ("x=true&noise=20=30", {}, "noise: '20=30' is no number"),
    ],
)  # fmt: skip
def test_what_could_not_be_said_is_taken_as_it_was_there_and_said(text, fields, note):
    assert classic(text) == fields
    notes = parse_link(text).notes
    assert len(notes) == bool(note)
    assert not note or notes[0].startswith(note)


def test_names_that_mean_something_in_both_kinds_are_told_apart_by_their_values():
    assert parse_link("#dataset=xor&seed=0.25").legacy
    assert parse_link("#regularization=L2&dataset=xor").legacy
    assert parse_link("#dataset=xor&noise=20&seed=3").fields == {"dataset": "xor", "noise": 20, "seed": 3}


@given(st.dictionaries(st.sampled_from([*NAMES, *(f"{c}_hide" for c in CONTROLS)]), st.text(max_size=12)))
def test_any_classic_link_opens(said):
    text = "&".join(f"{name}={value.replace('&', '')}" for name, value in {"x": "true", **said}.items())
    link = parse_link("#" + text.replace("#", ""))
    assert link.legacy
    changed(DEFAULT, link.fields)


# Our own ----------------------------------------------------------------------------------------------------

TEXTS = {
    "dataset": st.sampled_from(["circle", "blobs:classes=5", "curve"]),
    "data_seed": st.text(min_size=1, max_size=64) | st.text("&=#%+ ,", min_size=1, max_size=5),
    "optimizer": st.sampled_from(["adam", "sgd:momentum=0.9", "clipped:optimizer=adam,norm=1.0"]),
    "schedule": st.sampled_from(["cosine", "step_decay:at=0.5+0.75,factor=0.5"]),
    "features": st.lists(
        st.sampled_from(["x1", "x2", "x1+x2", "min(x1,x2,3)", "x1^2*2", "`a,(b`", "`c&=d`"]), max_size=12
    ),
    "units": st.lists(st.integers(1, 64), max_size=10),
}


def _values(name: str, setting: Any) -> Any:
    if name in TEXTS:
        return TEXTS[name]
    if isinstance(setting, Boolean):
        return st.booleans()
    if isinstance(setting, Choice):
        return st.sampled_from(setting.choices)
    assert isinstance(setting, Integer | Number), name
    if isinstance(setting, Integer):
        found: Any = st.integers(int(setting.low), int(min(setting.high, 2**53 - 1)))
    else:
        found = st.floats(setting.low, min(setting.high, 1e30)).filter(setting.holds)
    return found | st.none() if setting.optional else found


@st.composite
def setups(draw) -> Setup:
    names = draw(st.lists(st.sampled_from([*SETTINGS]), unique=True))
    chosen = {n: draw(_values(n, SETTINGS[n])) for n in names if n != "activations"}
    if "activations" in names:
        of: Any = SETTINGS["activations"]
        assert isinstance(of, Listed)
        choice: Any = of.of
        count = draw(st.sampled_from([1, len(chosen.get("units", DEFAULT.units)) or 1]))
        chosen["activations"] = draw(
            st.lists(st.sampled_from(choice.choices), min_size=count, max_size=count)
        )
    return Setup(**chosen)


@given(setups(), st.lists(st.sampled_from(HIDEABLE), unique=True))
def test_a_setup_goes_into_a_link_and_back(setup, hidden):
    text = write_link(setup, hidden)
    link = parse_link("http://127.0.0.1:8000/" + text)
    assert text.isascii()
    assert " " not in text
    assert not link.legacy
    assert changed(DEFAULT, link.fields) == setup
    assert link.hidden == tuple(hidden)
    assert link.notes == ()
    assert json.loads(json.dumps(link.fields)) == link.fields
    assert write_link(changed(DEFAULT, link.fields), link.hidden) == text


def test_a_link_holds_only_what_is_not_as_by_default():
    assert write_link(DEFAULT) == "#"
    assert write_link(Setup(units=(8, 8, 8))) == "#units=8,8,8"
    assert write_link(Setup(activations=("relu",))) == "#activations=relu"
    assert write_link(Setup(activations=("relu", "tanh"))) == "#activations=relu,tanh"
    assert write_link(Setup(data_seed="a&b c"), ["noise"]) == "#data_seed=a%26b%20c&noise_hide=true"


def test_a_link_without_fields_is_the_default():
    for text in ("", "#", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/#", "#&&"):
        assert parse_link(text).fields == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#nois=10", "link: unknown field 'nois'; did you mean 'noise'?"),
        ("#zzz=1", "link: unknown field 'zzz'; there are dataset, points,"),
        ("#noise", "link: noise: expected an integer, 0 <= noise <= 80, got ''"),
        ("#noise=81", "link: noise: expected an integer, 0 <= noise <= 80, got 81"),
        ("#noise=1&noise=2", "link: noise is said twice"),
        ("#units=8,x", "link: units: expected at most 10 numbers from 1 to 64, got (8, 'x')"),
        ("#units=8,8&activations=relu,tanh,relu", "setup: activations: expected one, or one for each of 2"),
        ("#optimizer=adamm", "unknown optimizer 'adamm'; did you mean 'adam'?"),
        ("#loss=mse", "link: loss: expected one of auto, "),
        ("#units=3&nose_hide=true", "link: there is no control 'nose' to hide; did you mean 'noise'?"),
        ("#noise=%FF", "link: noise: expected an integer"),
        ("#" + "a" * LONGEST_LINK, "link: expected a text of at most 16,000 letters"),
        ("#" + "noise=1&" * 201, "link: more than 200 fields"),
        (None, "link: expected a text of at most 16,000 letters, got None"),
    ],
)
def test_what_is_wrong_with_a_link_of_ours_is_said_in_a_line(text, said):
    with pytest.raises(DataError) as caught:
        parse_link(text)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60) | st.text("&=#%_hidex,8noise+", max_size=40))
def test_any_text_is_a_link_or_refused_in_a_line(text):
    try:
        parse_link(text)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the message is what is tested
