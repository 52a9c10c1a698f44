"""The closed table: everything built in goes out and comes back, and nothing else comes in."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn import nn
from minicolumn.errors import DataError, ModelFileError
from minicolumn.nn import init
from minicolumn.nn.init import INITIALIZERS
from minicolumn.nn.serialize import INSIDE, LAYERS, MAX_DEPTH, MAX_LAYERS
from minicolumn.registry import Record

DENSE = {"kind": "dense", "units": 3}
UNITS = "units: expected an integer, 1 <= units <= 10,000,000"


def nested(depth: int) -> dict:
    """Return a network whose innermost layer lies ``depth`` layers deep."""
    found: dict = {"kind": "flatten"}
    for _ in range(depth - 1):
        found = {"kind": "residual", "inner": found}
    return found


def test_the_table_holds_every_layer_and_every_field():
    public = {kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, nn.Layer)}
    assert set(LAYERS.values()) == public - {nn.Layer}
    for name, kind in LAYERS.items():
        fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        assert fields == {*LAYERS.settings(name), INSIDE.get(kind, "")} - {""}


def test_the_table_holds_every_initializer_with_settings():
    records = {
        kind
        for kind in vars(init).values()
        if isinstance(kind, type) and issubclass(kind, Record) and kind.__module__ == init.__name__
    }
    assert {type(value) for value in INITIALIZERS.values() if isinstance(value, Record)} == records
    for kind in records:
        assert [field.name for field in dataclasses.fields(kind)] == list(kind.__settings__)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "initializer",
    [
        nn.Constant(-2.0),
        nn.RandomUniform(-1.0, 2.0),
        nn.TruncatedNormal(0.5, mean=-0.25),
        nn.VarianceScaling(2.0, "fan_out", "uniform"),
        nn.Orthogonal(gain=1.5),
    ],
)
def test_initializers_with_settings_go_out_and_come_back(initializer):
    layer = nn.Sequential(nn.Dense(3, initializer=initializer))
    written = json.loads(json.dumps(nn.to_json(layer), allow_nan=False))
    assert nn.from_json(written) == layer


def test_round_trip_through_text(case):
    written = json.loads(json.dumps(nn.to_json(case.layer), allow_nan=False))
    assert nn.from_json(written) == case.layer
    assert nn.to_json(nn.from_json(written)) == written


def test_all_fields_are_written_and_older_files_may_lack_those_with_defaults():
    assert set(nn.to_json(nn.Dense(3))) == {"kind", *LAYERS.settings("dense")}
    assert nn.from_json(DENSE) == nn.Dense(3)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Dense(1, activation=np.tanh),
        nn.Dense(1, initializer=nn.INITIALIZERS["ones"]),
        nn.Activation(lambda x: x),
    ],
)
def test_functions_cannot_be_saved(layer):
    with pytest.raises(DataError, match=r"is the function .*, which cannot be saved; give a built-in name"):
        nn.to_json(nn.Sequential(layer))


def test_layers_outside_the_table_cannot_be_saved():
    class Mine(nn.Layer):
        pass

    with pytest.raises(DataError, match="a Mine cannot be saved; layers that can: sequential"):
        nn.to_json(Mine())


def test_what_could_not_be_opened_is_not_written():
    deep: nn.Layer = nn.Flatten()
    for _ in range(MAX_DEPTH):
        deep = nn.Residual(deep)
    with pytest.raises(DataError, match=r"cannot be saved: network: layers are nested deeper than 32"):
        nn.to_json(deep)


def test_bounds_are_where_they_are_said_to_be():
    assert nn.from_json(nested(MAX_DEPTH))
    with pytest.raises(ModelFileError, match="nested deeper than 32"):
        nn.from_json(nested(MAX_DEPTH + 1))
    assert nn.from_json({"kind": "sequential", "layers": [DENSE] * (MAX_LAYERS - 1)})
    with pytest.raises(ModelFileError, match="more than 1000 layers"):
        nn.from_json({"kind": "sequential", "layers": [DENSE] * MAX_LAYERS})
    assert nn.from_json(DENSE | {"units": 10**7})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "network: expected an object, got None"),
        ([DENSE], "network: expected an object, got \\[{'kind': 'dense'"),
        ({}, "network: unknown kind None"),
        ({"kind": "dnse"}, "network: unknown kind 'dnse'; did you mean 'dense'?"),
        ({"kind": "os.system"}, "network: unknown kind 'os.system'"),
        ({"kind": ["dense"]}, "network: unknown kind \\['dense'\\]"),
        ({"kind": "x" * 10**6}, "network: unknown kind"),
        ({"kind": "dense"}, "network: dense lacks the field 'units'"),
        (DENSE | {"unit": 3}, "network: dense has no field 'unit'; did you mean 'units'?"),
        (DENSE | {"__class__": 3}, "network: dense has no field '__class__'"),
        (DENSE | {3: 3}, "network: dense has no field 3"),
        (DENSE | {"units": 10**7 + 1}, f"network: Dense: {UNITS}, got 10000001"),
        (DENSE | {"units": 10**5000}, f"network: Dense: {UNITS}, got a number of very many digits"),
        (DENSE | {"units": True}, f"network: Dense: {UNITS}, got True"),
        (DENSE | {"units": 3.0}, f"network: Dense: {UNITS}, got 3.0"),
        (DENSE | {"units": "3"}, f"network: Dense: {UNITS}, got '3'"),
        (DENSE | {"units": -1}, f"network: Dense: {UNITS}, got -1"),
        (DENSE | {"units": 0}, f"network: Dense: {UNITS}, got 0"),
        (DENSE | {"bias": 1}, "network: Dense: bias: expected a boolean, true or false, got 1"),
        (DENSE | {"bias_rate": math.nan}, "network: Dense: bias_rate: expected a number > 0, got nan"),
        (DENSE | {"bias_rate": math.inf}, "network: Dense: bias_rate: expected a number > 0, got inf"),
        (DENSE | {"activation": "eval"}, "network: unknown activation 'eval'"),
        (DENSE | {"activation": None}, "network: Dense: activation: expected a name or a function, got None"),
        (DENSE | {"initializer": "np.ones"}, "network: unknown initializer 'np.ones'"),
        (
            DENSE | {"parametrization": "a\nb"},
            r"network: Dense: parametrization: expected one of standard, ntk, got 'a\\nb'",
        ),
        (
            {"kind": "dropout", "rate": 1.0},
            "network: Dropout: rate: expected a number, 0 <= rate < 1, got 1.0",
        ),
        ({"kind": "sequential"}, "network: sequential lacks the field 'layers'"),
        ({"kind": "sequential", "layers": DENSE}, "network.layers: expected a list, got {'kind': 'dense'"),
        ({"kind": "sequential", "layers": [DENSE, 3]}, "network.1: expected an object, got 3"),
        ({"kind": "residual", "inner": [DENSE]}, "network.inner: expected an object, got \\[{'kind'"),
        ({"kind": "residual", "inner": DENSE | {"units": None}}, f"network.inner: Dense: {UNITS}, got None"),
        (
            {"kind": "column_embedding", "embeddings": [[0, 1, 2]]},
            "network: ColumnEmbedding: embeddings: expected .* pairs, got",
        ),
        (
            {"kind": "column_embedding", "embeddings": [[0, 1.5]]},
            "network: ColumnEmbedding: embeddings: expected .* pairs, got",
        ),
        (
            {"kind": "column_embedding", "embeddings": [[0, 1], [0, 1]]},
            "embeddings: expected each column once",
        ),
        (
            DENSE | {"initializer": {"kind": "ortogonal"}},
            "network: unknown initializer 'ortogonal'; did you mean 'or",
        ),
        (DENSE | {"initializer": DENSE}, "network: unknown initializer 'dense'"),
        (
            {"kind": "dropout"},
            "network: dropout lacks the field 'rate'",
        ),
        (
            DENSE | {"initializer": {"kind": "orthogonal", "gai": 1}},
            "initializer: orthogonal: unknown setting 'gai'; did you mean 'gain'",
        ),
        (
            DENSE | {"initializer": {"kind": "orthogonal", "gain": "1"}},
            "initializer: Orthogonal: gain: expected a finite number, got '1'",
        ),
        (
            DENSE | {"initializer": {"kind": "variance_scaling", "mode": "fan"}},
            "network: initializer: VarianceScaling: mode: expected one of fan_in",
        ),
        ({"kind": "concatenate", "layers": []}, "network: Concatenate: expected at least one layer"),
        ({"kind": "heads"}, "network: heads lacks the field 'heads'"),
        ({"kind": "heads", "heads": {"a": DENSE}}, "network.heads: expected a list, got {'a'"),
        ({"kind": "heads", "heads": []}, "network: Heads: heads: expected at least one"),
        ({"kind": "heads", "heads": [DENSE]}, "network.heads: expected pairs of a name and a layer"),
        ({"kind": "heads", "heads": [["a"]]}, "network.heads: expected pairs of a name and a layer"),
        ({"kind": "heads", "heads": [[1, DENSE]]}, "network.heads: expected pairs of a name and a layer"),
        ({"kind": "heads", "heads": [["a", DENSE], ["a", DENSE]]}, "network.heads: two layers have one name"),
        ({"kind": "heads", "heads": [["a.b", DENSE]]}, "network: Heads: 'a.b' is no name"),
        (
            {"kind": "heads", "heads": [["a", {"kind": "flatten"}]]},
            r"network: Heads: a is Flatten\(\), expected",
        ),
        ({"kind": "heads", "heads": [["self", {"kind": "dens"}]]}, "network.self: unknown kind 'dens'"),
        (
            {"kind": "batch_norm", "momentum": 1},
            "network: BatchNorm: momentum: expected a number, 0 <= momentum < 1",
        ),
        ({"kind": "batch_norm", "mean": 1}, "network: batch_norm has no field 'mean'"),
        (
            {"kind": "prelu", "initial": math.nan},
            "network: PReLU: initial: expected a finite number, got nan",
        ),
        ({"kind": "column_embedding", "embeddings": [[0, 0]]}, "embeddings: expected .* pairs"),
    ],
)
def test_everything_else_is_refused_in_one_line(value, message):
    with pytest.raises(ModelFileError, match=message) as caught:
        nn.from_json(value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(
    [
        *LAYERS,
        *INITIALIZERS,
        *(setting for name in LAYERS for setting in LAYERS.settings(name)),
        "layers",
        "heads",
    ]
)
HOSTILE = st.recursive(
    SCALARS | NAMES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4)
        | st.builds(
            lambda kind, rest: rest | {"kind": kind}, NAMES, st.dictionaries(NAMES, inner, max_size=4)
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)  # timing on shared machines says nothing
@given(HOSTILE)
def test_any_value_gives_a_layer_or_the_one_error(value):
    try:
        layer = nn.from_json(value)
    except ModelFileError:
        return
    assert nn.from_json(nn.to_json(layer)) == layer


@settings(max_examples=300, deadline=None)  # as above
@given(st.data())
def test_mutated_networks_give_a_layer_or_the_one_error(data):
    network = {"kind": "sequential", "layers": [dict(DENSE), {"kind": "residual", "inner": dict(DENSE)}]}
    part = data.draw(st.sampled_from([network, network["layers"][0], network["layers"][1]]))  # type: ignore[index]
    part[data.draw(NAMES | st.just("kind"))] = data.draw(HOSTILE)
    try:
        layer = nn.from_json(network)
    except ModelFileError:
        return
    assert isinstance(layer, nn.Layer)
