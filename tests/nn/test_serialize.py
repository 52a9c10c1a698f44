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
from minicolumn.nn.serialize import INITIALIZER_KINDS, KINDS, MAX_DEPTH, MAX_LAYERS

DENSE = {"kind": "dense", "units": 3}


def nested(depth: int) -> dict:
    """Return a network whose innermost layer lies ``depth`` layers deep."""
    found: dict = {"kind": "flatten"}
    for _ in range(depth - 1):
        found = {"kind": "residual", "inner": found}
    return found


def test_the_table_holds_every_layer_and_every_field():
    public = {kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, nn.Layer)}
    assert {kind.make for kind in KINDS.values()} == public - {nn.Layer}
    for kind in KINDS.values():
        fields = {field.name for field in dataclasses.fields(kind.make)}  # type: ignore[arg-type]
        assert fields == {*kind.fields, kind.inside} - {""}


def test_the_table_holds_every_initializer_with_settings():
    records = {
        kind for kind in vars(init).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }
    assert {kind.make for kind in INITIALIZER_KINDS.values()} == records
    for kind in INITIALIZER_KINDS.values():
        assert {field.name for field in dataclasses.fields(kind.make)} == set(kind.fields)  # type: ignore[arg-type]


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
    assert set(nn.to_json(nn.Dense(3))) == {"kind", *KINDS["dense"].fields}
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
    with pytest.raises(DataError, match=r"cannot be saved: network\.0\.units"):
        nn.to_json(nn.Sequential(nn.Dense(10**8)))


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
        ([DENSE], "network: expected an object, got a list"),
        ({}, "network: unknown kind None"),
        ({"kind": "dnse"}, "network: unknown kind 'dnse'; did you mean 'dense'?"),
        ({"kind": "os.system"}, "network: unknown kind 'os.system'"),
        ({"kind": ["dense"]}, "network: unknown kind a list"),
        ({"kind": "x" * 10**6}, "network: unknown kind"),
        ({"kind": "dense"}, "network: dense lacks the field 'units'"),
        (DENSE | {"unit": 3}, "network: dense has no field 'unit'; did you mean 'units'?"),
        (DENSE | {"__class__": 3}, "network: dense has no field '__class__'"),
        (DENSE | {3: 3}, "network: dense has no field 3"),
        (DENSE | {"units": 10**7 + 1}, "network.units: a int is not a value"),
        (DENSE | {"units": 10**5000}, "network.units: a int is not a value"),
        (DENSE | {"units": True}, "network.units: True is not a value"),
        (DENSE | {"units": 3.0}, "network.units: 3.0 is not a value"),
        (DENSE | {"units": "3"}, "network.units: '3' is not a value"),
        (DENSE | {"units": -1}, "network.units: a int is not a value"),
        (DENSE | {"units": 0}, "network: Dense: units: expected a whole number >= 1, got 0"),
        (DENSE | {"bias": 1}, "network.bias: 1 is not a value"),
        (DENSE | {"bias_rate": math.nan}, "network.bias_rate: a float is not a value"),
        (DENSE | {"bias_rate": math.inf}, "network.bias_rate: a float is not a value"),
        (DENSE | {"activation": "eval"}, "network: unknown activation 'eval'"),
        (DENSE | {"activation": None}, "network.activation: None is not a value"),
        (DENSE | {"initializer": "np.ones"}, "network: unknown initializer 'np.ones'"),
        (DENSE | {"parametrization": "a\nb"}, r"network: unknown parametrization 'a\\nb'"),
        ({"kind": "dropout", "rate": 1.0}, "network: Dropout: rate: expected 0 <= rate < 1, got 1.0"),
        ({"kind": "sequential"}, "network: sequential lacks the field 'layers'"),
        ({"kind": "sequential", "layers": DENSE}, "network.layers: expected a list, got a dict"),
        ({"kind": "sequential", "layers": [DENSE, 3]}, "network.1: expected an object, got 3"),
        ({"kind": "residual", "inner": [DENSE]}, "network.inner: expected an object, got a list"),
        ({"kind": "residual", "inner": DENSE | {"units": None}}, "network.inner.units: None is not a value"),
        (
            {"kind": "column_embedding", "embeddings": [[0, 1, 2]]},
            "network.embeddings: a list is not a value",
        ),
        ({"kind": "column_embedding", "embeddings": [[0, 1.5]]}, "network.embeddings: a list is not a value"),
        (
            {"kind": "column_embedding", "embeddings": [[0, 1], [0, 1]]},
            "embeddings: expected each column once",
        ),
        (
            DENSE | {"initializer": {"kind": "ortogonal"}},
            "initializer: unknown kind 'ortogonal'; did you mean 'or",
        ),
        (DENSE | {"initializer": DENSE}, "network.initializer: unknown kind 'dense'"),
        (
            DENSE | {"initializer": {"kind": "constant"}},
            "network.initializer: constant lacks the field 'value'",
        ),
        (
            DENSE | {"initializer": {"kind": "orthogonal", "gai": 1}},
            "orthogonal has no field 'gai'; did you mean",
        ),
        (
            DENSE | {"initializer": {"kind": "orthogonal", "gain": "1"}},
            "initializer.gain: '1' is not a value",
        ),
        (
            DENSE | {"initializer": {"kind": "variance_scaling", "mode": "fan"}},
            "network.initializer: VarianceScaling: mode: expected one of fan_in",
        ),
        ({"kind": "concatenate", "layers": []}, "network: Concatenate: expected at least one layer"),
        ({"kind": "heads"}, "network: heads lacks the field 'heads'"),
        ({"kind": "heads", "heads": {"a": DENSE}}, "network.heads: expected a list, got a dict"),
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
        ({"kind": "batch_norm", "momentum": 1}, "network: BatchNorm: momentum: expected 0 <= momentum < 1"),
        ({"kind": "batch_norm", "mean": 1}, "network: batch_norm has no field 'mean'"),
        ({"kind": "prelu", "initial": math.nan}, "network.initial: a float is not a value"),
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
        *KINDS,
        *INITIALIZER_KINDS,
        *(name for kind in KINDS.values() for name in kind.fields),
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
