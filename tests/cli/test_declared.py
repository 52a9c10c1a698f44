"""Options of `train` are views of one record: help, ranges and what is handed on follow from its fields."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, get_args, get_type_hints

import pytest

from minicolumn.cli.declared import Option, option_name
from minicolumn.cli.train import TrainOptions
from minicolumn.errors import DataError
from minicolumn.registry import Integer, Number, Setting
from minicolumn.tables import Overrides, Reading
from minicolumn.tabular import TableSettings

HINTS = get_type_hints(TrainOptions, include_extras=True)
FIELDS = [field.name for field in dataclasses.fields(TrainOptions)]
# What a command does beside training: it is no setting of a table's training.
OF_THE_COMMAND = {
    "monitor",
    "data",
    "test",
    "out",
    "plot",
    "as_json",
    "quiet",
    "checkpoint",
    "every",
    "resume",
    "folds",
    "schema",
    "about",
    "limits",
    "licence",
}


def _about(name: str, kind: Any) -> Any:
    return next((part for part in get_args(HINTS[name]) if isinstance(part, kind)), None)


@pytest.mark.parametrize("name", FIELDS)
def test_every_option_stands_in_the_help(cli: Any, name: str) -> None:
    option, setting = _about(name, Option), _about(name, Setting)
    words = " ".join(cli("train", "--help").out.split())
    assert (setting.help if setting else option.help) in words
    for flag in option.flags or ([option_name(name)] if name != "data" else ["DATA"]):
        assert flag in words
    assert not option.help if setting else option.help, "one or the other"


@pytest.mark.parametrize("name", [name for name in FIELDS if _about(name, Number | Integer)])
def test_values_out_of_range_are_refused_by_the_option(name: str) -> None:
    setting = _about(name, Number | Integer)
    for value in {setting.low - 1, setting.high + 1} - {math.inf, -math.inf}:
        with pytest.raises(DataError, match=f"^{option_name(name)}: expected an? .*, got "):
            TrainOptions(**{"data": "penguins", name: int(value) if isinstance(setting, Integer) else value})


OF_START = {"init_from", "freeze", "layer_rates", "unfreeze"}  # which `start_of` makes one record of


def test_what_is_said_of_a_training_is_what_a_training_takes() -> None:
    of_records = {field.name for field in dataclasses.fields(TableSettings)} - {"overrides"}
    of_records |= {field.name for record in (Overrides, Reading) for field in dataclasses.fields(record)}
    assert set(FIELDS) - OF_THE_COMMAND - {"no_header"} == (of_records - {"header", "start"}) | OF_START
