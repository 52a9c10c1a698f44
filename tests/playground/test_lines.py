"""Lines of the session: each has a key that both languages know, its values, and English text."""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicolumn.errors import DataError, DivergenceError
from minicolumn.nn import L2, Dense
from minicolumn.nn.formula import REFUSALS, parse_formula
from minicolumn.optim import OPTIMIZERS, SCHEDULES, SGD
from minicolumn.playground.frames import Frame, decoded, encoded
from minicolumn.playground.lines import Line, line, line_of
from minicolumn.playground.network.setup import Setup
from minicolumn.playground.sessions import ROOMS, make_session
from minicolumn.registry import settings_of
from minicolumn.registry.setting import Setting
from minicolumn.train import Trainer

HERE = Path(str(files("minicolumn.playground")))
ENGLISH = json.loads((HERE / "static/lang/en.json").read_text("utf-8"))["said"]
# Programs' own: what a library's caller or a terminal sees, and no page.
APART = ("classic_rule.py", "frames.py", "data/points.py", "server/serving.py")


def _text(key: str) -> str:
    found: Any = ENGLISH
    for part in key.split("."):
        found = found[part]
    return found


def _calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """All calls of a function in the playground's code, with their places."""
    for path in sorted(HERE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield f"{path.relative_to(HERE).as_posix()}:{node.lineno}", node


def _constants(node: ast.expr) -> list[str]:
    """The keys that an expression names: a text, or one of two."""
    if isinstance(node, ast.IfExp):
        return _constants(node.body) + _constants(node.orelse)
    return [str(node.value)] if isinstance(node, ast.Constant) else []


def test_each_line_has_a_text_that_takes_its_values() -> None:
    wrong, seen = [], 0
    for place, call in _calls("line"):
        given = {keyword.arg for keyword in call.keywords}
        for key in _constants(call.args[0]):
            seen += 1
            if set(re.findall(r"\{(\w+)\}", _text(key))) != given:
                wrong.append((place, key))
    assert wrong == []
    assert seen > 60


def test_no_room_refuses_in_words_that_have_no_key() -> None:
    bare = [
        place
        for place, call in _calls("DataError")
        if not place.startswith(APART)
        and any(isinstance(argument, ast.Constant | ast.JoinedStr) for argument in call.args)
    ]
    assert bare == []


# What settings and formulas refuse ------------------------------------------------------------

BAD_FORMULAS = {
    "long": "x1" * 200, "operator": "x1 x2", "deep": "(" * 40, "large": "9" * 60, "atom": "x1 +",
    "open": "(x1", "function": "sin", "column": "cosy", "call": "cso(x1)", "times": "x1(x2)",
    "several": "max(x1)", "single": "sin(x1, x2)",
}  # fmt: skip
NOT_AMONG_A_PAGES = ("add", "adopt", "including", "describe", "resolve", "kind_of", "from_json", "__init__")


def _kinds() -> Iterator[tuple[str, Setting]]:
    """Every setting that a message of any room may hold, and those of the parts that it may name."""
    rooms = {**ROOMS, "monitor": ("minicolumn.playground.rooms.monitor", "MonitorRoom")}
    for room, (module, kind) in rooms.items():
        for do, (record, _) in getattr(import_module(module), kind).verbs.items():
            yield from ((f"{room}.{do}.{name}", s) for name, s in settings_of(record).items())
    yield from ((f"setup.{name}", s) for name, s in settings_of(Setup).items())
    for registry in (OPTIMIZERS, SCHEDULES):
        for entry in registry:
            yield from ((f"{entry}.{name}", s) for name, s in registry.settings(entry).items())


def _has_keys(said: Any) -> bool:
    """Whether a line has a key, and so have the lines within it."""
    within = ("expected", "hint", "what", "noun")
    return isinstance(said, Line) and all(
        not value or _has_keys(value) for name, value in said.values.items() if name in within
    )


def test_what_a_setting_refuses_is_said_to_the_letter_in_a_line() -> None:
    settings = list(_kinds())
    assert len(settings) > 200
    for place, setting in settings:
        with pytest.raises(DataError) as caught:
            setting.check(object(), place)
        said = line_of(caught.value)
        assert said == str(caught.value)
        assert _has_keys(said), said


@pytest.mark.parametrize(("why", "text"), BAD_FORMULAS.items())
def test_what_a_formula_refuses_is_said_to_the_letter_in_a_line(why: str, text: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_formula(text)
    said = line_of(caught.value)
    assert isinstance(said, Line)
    assert (said, said.key) == (str(caught.value), f"refused.formula.{why}")
    assert _has_keys(said)


def test_no_refusal_of_a_formula_is_left_out() -> None:
    assert set(BAD_FORMULAS) | {"longer"} == set(REFUSALS)
    assert set(ENGLISH["refused"]["formula"]) == set(REFUSALS)
    with pytest.raises(DataError) as caught:
        parse_formula("İ+" * 99 + "İ", ["İ".lower()])  # which is two letters, and stands in backquotes
    assert line_of(caught.value) == str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": 90},
        {"nois": 5},
        {"optimizer": "adm"},
        {"optimizer": "sgd:momentum=2"},
        {"optimizer": "sgd:momentum"},
        {"optimizer": "sgd:momentum=0.5,momentum=0.6"},
        {"optimizer": "sgd:mom=1"},
        {"optimizer": "lab.own"},
        {"optimizer": "sgd:learning_rate=1"},
        {"schedule": "cosin"},
        {"activations": ["rellu"]},
        {"features": ["x1 +"]},
        {"activations": ["relu", "relu", "relu"]},
        {"dataset": "circel"},
        {"loss": "crossentropy"},
        {"units": [0]},
        {"dataset": "blobs:classes=99"},
    ],
    ids=str,
)
def test_what_a_change_refuses_has_a_key(changes: dict[str, Any]) -> None:
    session = make_session()
    (refused,) = session.receive({"room": "network", "do": "set", "changes": changes})
    assert _has_keys(refused.says["message"]), refused.says["message"]


@pytest.mark.parametrize("module", ["minicolumn.registry", "minicolumn.nn"])
def test_no_setting_and_no_formula_refuses_without_a_reason(module: str) -> None:
    folder = Path(str(files(module)))
    paths = [folder / "formula.py"] if module == "minicolumn.nn" else sorted(folder.glob("*.py"))
    bare, reasons = [], []
    for path in paths:
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef) or function.name in NOT_AMONG_A_PAGES:
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "DataError":
                    given = [ast.unparse(k.value) for k in node.keywords if k.arg == "reason"]
                    reasons += given
                    bare += [] if given else [f"{path.name}:{node.lineno}"]
    assert bare == []
    known = {repr(name) for name in ENGLISH["refused"]} | {"f'formula.{why}'"}
    assert set(reasons) <= known


def test_a_line_is_text_here_and_key_values_and_text_on_its_way() -> None:
    said = line("leftOut", most=3, names=["a", "b"], more=line("andMore", count=1_234))
    assert said == "left out, since at most 3 inputs are drawn: a, b and 1,234 more"
    frame = decoded(encoded(Frame("network", "state", {"said": [said, "of a deeper stage"]})))
    told, deeper = frame.says["said"]
    assert (told, deeper) == (said, "of a deeper stage")
    assert (told.key, told.values) == ("leftOut", {"most": 3, "names": "a, b", "more": " and 1,234 more"})
    assert told.values["more"].values == {"count": 1_234}
    assert json.loads(json.dumps(told.plain))["text"] == said


def test_what_is_refused_carries_its_key_and_a_deeper_message_its_text() -> None:
    session = make_session()
    (ours,) = session.receive({"room": "softmax", "do": "opn"})
    assert ours.says["message"].key == "noVerb"
    assert ours.says["message"].values["hint"].values == {"name": "'open'"}
    bad = base64.b64encode(b"no model at all").decode()
    (deeper,) = session.receive({"room": "network", "do": "load", "name": "a.safetensors", "base64": bad})
    assert type(deeper.says["message"]) is str
    assert "a.safetensors" in deeper.says["message"]


@pytest.mark.parametrize(
    ("cause", "settings", "scale"),
    [
        ("learning_rate", {"optimizer": SGD(1e6)}, 1.0),
        ("regularizer", {"optimizer": SGD(3.0), "regularizer": L2(10.0)}, 1.0),
        ("X", {"optimizer": SGD(1.0)}, 1e6),
        ("y", {"optimizer": SGD(1e20)}, 1.0),
    ],
)
def test_each_cause_of_divergence_has_a_line(cause: str, settings: Any, scale: float) -> None:
    X = scale * np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    y = (X[:, 0] / scale) ** 2 * (1e6 if cause == "y" else 1.0)
    trainer = Trainer(Dense(1), X, y.astype(np.float32), loss="squared_error", epochs=2_000, **settings)
    with pytest.raises(DivergenceError) as caught:
        trainer.advance(epochs=2_000)
    said = line_of(caught.value)
    assert getattr(said, "key", None) == f"diverged.{cause}"
    assert "{" not in said
    assert str(caught.value.step) in said


def test_an_error_of_a_deeper_stage_is_one_line() -> None:
    assert line_of(DataError("two\n  lines")) == "two lines"
