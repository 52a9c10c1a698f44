"""Links of TensorFlow Playground: its 27 fields and those that hide controls, as fields of a `Setup`.

What such a link says is taken as it was there: by the same rule of learning, from the same seed. Where it
says something that could not be said, the default counts, as there, and a note says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from minicolumn.playground.lines import line, meant
from minicolumn.playground.network.setup import DEFAULT, MOST_LAYERS, MOST_UNITS, SETTINGS
from minicolumn.registry import Integer, show

HIDE = "_hide"
# Fields of these links -> features as formulas, in the order of the inputs.
FEATURES = {
    "x": "x1", "y": "x2", "xSquared": "x1^2", "ySquared": "x2^2", "xTimesY": "x1*x2", "sinX": "sin(x1)",
    "sinY": "sin(x2)",
}  # fmt: skip
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "linear": "linear"}
REGULARIZATIONS = {"none": "none", "L1": "l1", "L2": "l2"}
DATASETS = {"circle": "circle", "xor": "xor", "gauss": "gauss", "spiral": "spiral"}
NUMBER_DATASETS = {"reg-plane": "plane", "reg-gauss": "multi_gauss"}
PROBLEMS = {"classification": 500, "regression": 1200}  # and how many points
WITHOUT_EFFECT = ("cosX", "cosY", "collectStats", "tutorial")
NAMES = (
    "activation", "regularization", "batchSize", "dataset", "regDataset", "learningRate",
    "regularizationRate", "noise", "networkShape", "seed", "showTestData", "discretize", "percTrainData",
    "x", "y", "xTimesY", "xSquared", "ySquared", "cosX", "sinX", "cosY", "sinY", "collectStats", "tutorial",
    "problem", "initZero", "hideText",
)  # fmt: skip
# Controls that these links can hide -> what they are called here: a field of the setup, where it is one.
CONTROLS = {
    "showTestData": "show_test", "discretize": "discretize", "playButton": "run", "stepButton": "step",
    "resetButton": "reset", "learningRate": "learning_rate", "activation": "activations",
    "regularization": "regularization", "regularizationRate": "regularization_rate", "problem": "task",
    "dataset": "dataset", "percTrainData": "train_percent", "noise": "noise", "batchSize": "batch_size",
    "numHiddenLayers": "units", **FEATURES,
}  # fmt: skip
TEXT = "text"  # hidden by hideText: what is written around the network
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)
_INTEGER = re.compile(r"\d+", re.ASCII)


def is_classic(said: Mapping[str, str]) -> bool:
    """Return whether the fields of a link are those of TensorFlow Playground.

    Some names mean something in both kinds; then a value tells: seeds have a decimal point there.
    """
    own = set(NAMES) | {name + HIDE for name in CONTROLS}
    ours = set(SETTINGS) | {name + HIDE for name in SETTINGS}
    return bool(
        own.intersection(said) - ours
        or not _INTEGER.fullmatch(said.get("seed", "0"))
        or said.get("regularization") in ("L1", "L2")
    )


def read_classic(said: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """Return fields of a setup, the names of what is hidden, and notes on what could not be taken as it was.

    said    field -> text, as it stands in the link
    """
    reader = _Reader(said)
    fields, hidden = reader.fields(), reader.hidden()
    features = [formula for name, formula in FEATURES.items() if reader.is_on(name, name in ("x", "y"))]
    kept = [formula for formula in features if formula not in hidden]  # one that is hidden is none
    if not kept:
        reader.notes.append(line("link.noFeature"))
    fields["features"] = kept or ["0"]
    reader.note_the_rest()
    return fields, hidden, tuple(reader.notes)


class _Reader:
    """What a link says, field by field, and the notes on it."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self._raw = said
        # Of an empty one the default counts, but for networkShape.
        self._said = {name: unquote(text) for name, text in said.items() if text.strip()}
        self.notes: list[str] = []

    def fields(self) -> dict[str, Any]:
        """Return all fields of the setup but the features."""
        task = self._named("problem", {name: name for name in PROBLEMS}, "classification")
        points = self._named("dataset", DATASETS, "circle")
        numbers = self._named("regDataset", NUMBER_DATASETS, "plane")
        zero = self.is_on("initZero", False)
        return {
            "rule": "classic",
            "loss": "squared_error",
            "initialization": "zero" if zero else "playground",
            "dataset": points if task == "classification" else numbers,
            "points": PROBLEMS[task],
            "noise": self._noise(),
            "train_percent": self._number("percTrainData", "train_percent"),
            "data_seed": self._seed(),
            "units": self._units(),
            "activations": [self._named("activation", ACTIVATIONS, "tanh")],
            "learning_rate": self._number("learningRate", "learning_rate"),
            "batch_size": self._number("batchSize", "batch_size"),
            "regularization": self._named("regularization", REGULARIZATIONS, "none"),
            "regularization_rate": self._number("regularizationRate", "regularization_rate"),
            "show_test": self.is_on("showTestData", False),
            "discretize": self.is_on("discretize", False),
        }

    def hidden(self) -> tuple[str, ...]:
        """Return the names of what is hidden, and note those that were never there."""
        found = []
        for name, text in self._raw.items():
            if not name.endswith(HIDE) or text != "true":
                continue
            control = name.removesuffix(HIDE)
            if control in CONTROLS:
                found.append(CONTROLS[control])
            else:
                hint = meant(control, CONTROLS)
                self.notes.append(line("link.noOldControl", name=show(control), hint=hint))
        return (*found, *([TEXT] if self.is_on("hideText", False) else []))

    def note_the_rest(self) -> None:
        """Note the fields that have no effect and those that are none."""
        for name in self._raw:
            if (
                name in WITHOUT_EFFECT
                and (name == "tutorial" or self.is_on(name, False))
                and name in self._said
            ):
                self.notes.append(line("link.noEffect", name=name))
            elif name and name not in NAMES and not name.endswith(HIDE):
                self.notes.append(line("link.noField", name=show(name), hint=meant(name[:60], NAMES)))

    def is_on(self, name: str, default: bool) -> bool:
        """Return a boolean: everything but false is true."""
        return self._said[name] != "false" if name in self._said else default

    def _named(self, name: str, known: Mapping[str, str], default: str) -> str:
        text = self._said.get(name)
        if text is None or text in known:
            return known[text] if text is not None else default
        said = line("link.noneOf", name=name, given=show(text), names=list(known), taken=default)
        self.notes.append(said)
        return default

    def _seed(self) -> str:
        """Return the seed as it stands, which is what points were drawn by; too long a one is cut."""
        seed, longest = self._raw.get("seed", ""), getattr(SETTINGS["data_seed"], "longest", 64)
        if len(seed) > longest:
            self.notes.append(line("link.seed", most=longest))
        return seed[:longest] if seed.strip() else DEFAULT.data_seed

    def _noise(self) -> Any:
        """Return the noise: more than 80 is 50, and less than 0 is 0, as it was there."""
        text, setting = self._said.get("noise", "").strip(), SETTINGS["noise"]
        assert isinstance(setting, Integer)
        if (_read_number(text) or 0.0) > setting.high:
            self.notes.append(line("link.noise", given=text[:20], most=setting.high))
            return 50
        return self._number("noise", "noise")

    def _units(self) -> list[int]:
        text = unquote(self._raw.get("networkShape", ",".join(map(str, DEFAULT.units))))
        if not text.strip():
            return []
        found, odd = [], []
        for part in text.split(","):
            number = _read_number(part)
            good = number is not None and number >= 1
            (found if good else odd).append(math.ceil(number) if good and number is not None else part)
        if odd:
            self.notes.append(line("link.noUnits", given=show(odd[0])))
        if len(found) > MOST_LAYERS or any(units > MOST_UNITS for units in found):
            self.notes.append(line("link.shape", layers=MOST_LAYERS, units=MOST_UNITS))
        return [min(units, MOST_UNITS) for units in found[:MOST_LAYERS]]

    def _number(self, name: str, field: str) -> Any:
        """Return a number within the bounds of a field of the setup."""
        setting: Any = SETTINGS[field]  # an Integer or a Number
        if name not in self._said:
            return setting.default
        text, number = self._said[name].strip(), _read_number(self._said[name])
        if number is None:
            self.notes.append(line("link.noNumber", name=name, given=show(text), taken=setting.default))
            return setting.default
        whole = isinstance(setting, Integer)
        wanted = round(number) if whole else number
        if wanted != number or not setting.holds(wanted):
            wanted = max(wanted, setting.low if setting.holds(setting.low) else setting.search.low)
            wanted = min(wanted, setting.high)
            wanted = int(wanted) if whole else wanted
            self.notes.append(line("link.notPossible", name=name, given=text[:20], taken=f"{wanted:g}"))
        return wanted


def _read_number(text: str) -> float | None:
    """Return the finite number that a text is, or None."""
    number = float(text) if _NUMBER.fullmatch(text) and len(text) < 60 else math.inf
    return number if math.isfinite(number) else None
