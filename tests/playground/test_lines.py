"""Lines of the session: each has a key that both languages know, its values, and English text."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicolumn.errors import DataError, DivergenceError
from minicolumn.nn import L2, Dense
from minicolumn.optim import SGD
from minicolumn.playground.frames import Frame, decoded, encoded
from minicolumn.playground.lines import line, line_of
from minicolumn.playground.sessions import make_session
from minicolumn.train import Trainer

HERE = Path(str(files("minicolumn.playground")))
ENGLISH = json.loads((HERE / "static/lang/en.json").read_text("utf-8"))["said"]
# Programs' own: what a library's caller or a terminal sees, and no page.
APART = ("classic_rule.py", "frames.py", "data/points.py", "server/serving.py", "network/setup.py")


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
    (deeper,) = session.receive({"room": "network", "do": "set", "changes": {"noise": "much"}})
    assert type(deeper.says["message"]) is str
    assert "noise" in deeper.says["message"]


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
