"""The artifact: what is saved comes back, and each field is checked against the others, one rule a test."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from model_samples import artifact_of, samples, small, tabular

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.artifact import (
    MAX_HISTORY,
    Artifact,
    artifact_from_bytes,
    artifact_to_bytes,
    load_artifact,
    save_artifact,
)
from minicolumn.model.container import decode, encode
from minicolumn.model.documents import pack, unpack
from minicolumn.nn import Dense, Sequential
from minicolumn.nn.layer import named_layers
from minicolumn.nn.serialize import LAYERS, from_json
from minicolumn.tree import flatten, named_leaves

SAMPLES = samples()
GOLDEN = Path(__file__).parent / "golden"


def with_fields(artifact: Artifact, **fields: Any) -> Artifact:
    return Artifact(**{**vars(artifact), **fields})


def rewritten(name: str, change: Callable[[Any], Any], artifact: Artifact | None = None) -> bytes:
    """Return a file with one document changed and the checksum right."""
    container = decode(artifact_to_bytes(artifact or small()))
    documents, tensors = unpack(container)
    documents[name] = json.dumps(change(json.loads(documents[name])))
    return b"".join(encode(*pack(documents, tensors)))


def assert_same(a: Artifact, b: Artifact) -> None:
    for name in vars(a):
        if name != "params":
            assert getattr(a, name) == getattr(b, name), name
    (a_leaves, a_structure), (b_leaves, b_structure) = flatten(a.params), flatten(b.params)
    assert a_structure == b_structure
    for x, y in zip(a_leaves, b_leaves, strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_saved_comes_back(tmp_path: Path, name: str) -> None:
    save_artifact(SAMPLES[name], tmp_path / "m.safetensors")
    assert_same(load_artifact(tmp_path / "m.safetensors"), SAMPLES[name])
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


def test_the_samples_hold_every_kind_of_layer() -> None:
    found = {
        type(layer) for sample in SAMPLES.values() for _, layer in named_layers(from_json(sample.network))
    }
    assert found == set(LAYERS.values())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_artifact_gives_the_same_bytes(name: str) -> None:
    data = artifact_to_bytes(SAMPLES[name])
    assert artifact_to_bytes(artifact_from_bytes(data)) == data


def test_the_safetensors_library_reads_the_weights() -> None:
    found = safetensors.numpy.load(artifact_to_bytes(tabular()))
    expected = dict(named_leaves(tabular().params))
    assert {name for name in found if not name.startswith("json:")} == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_loaded_network_computes_the_same(tmp_path: Path) -> None:
    artifact = small()
    save_artifact(artifact, tmp_path / "m")
    loaded, x = load_artifact(tmp_path / "m"), np.ones((3, 2), np.float32)
    net = from_json(loaded.network)
    np.testing.assert_array_equal(net.apply(loaded.params, x), net.apply(artifact.params, x))


def test_numpy_numbers_and_tuples_become_plain_ones() -> None:
    training = {"learning_rate": np.float32(0.5), "sizes": (1, np.int64(2)), "shuffle": np.True_}
    found = artifact_from_bytes(artifact_to_bytes(with_fields(small(), training=training)))
    assert found.training == {"learning_rate": 0.5, "sizes": [1, 2], "shuffle": True}


def test_figures_that_are_not_finite_are_stored_as_none() -> None:
    artifact = with_fields(small(), metrics={"loss": math.nan, "r2": -math.inf}, history=[{"loss": math.inf}])
    found = artifact_from_bytes(artifact_to_bytes(artifact))
    assert (found.metrics, found.history) == ({"loss": None, "r2": None}, [{"loss": None}])
    with pytest.raises(DataError, match="'training' that JSON cannot hold"):
        artifact_to_bytes(with_fields(small(), training={"learning_rate": math.nan}))


def test_a_long_history_is_thinned_evenly() -> None:
    rows = [{"epoch": i} for i in range(12_345)]
    found = artifact_from_bytes(artifact_to_bytes(with_fields(small(), history=rows))).history
    assert len(found) == MAX_HISTORY
    assert (found[0], found[-1]) == (rows[0], rows[-1])
    gaps = np.diff([row["epoch"] for row in found])
    assert gaps.max() - gaps.min() <= 1  # evenly: the gaps are the two whole numbers around 12,344 / 999
    exactly = rows[:MAX_HISTORY]
    assert artifact_from_bytes(artifact_to_bytes(with_fields(small(), history=exactly))).history == exactly


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("input_shape", lambda _: [3], r"weight '0.weight' is \[2, 3\], its network expects \[3, 3\]"),
        ("input_shape", lambda _: [], "1 to 8 sizes"),
        ("input_shape", lambda _: [1] * 9, "1 to 8 sizes"),
        ("input_shape", lambda _: 2, "1 to 8 sizes"),
        ("input_shape", lambda _: [0], "not a size"),
        ("input_shape", lambda _: [-1], "not a size"),
        ("input_shape", lambda _: [2.0], "not a size"),
        ("input_shape", lambda _: [True], "not a size"),
        ("input_shape", lambda _: [2**31 + 1], "not a size"),
        ("network", lambda _: None, "field 'network' is not an object"),
        ("network", lambda n: {**n, "x": 1}, "no field 'x'"),
        ("network", lambda n: {**n, "kind": "sequentiel"}, "did you mean 'sequential'"),
        ("network", lambda n: {**n, "layers": n["layers"][:-1]}, "unknown weight '2.bias'"),
        (
            "network",
            lambda n: {**n, "layers": n["layers"] * 2},
            "weight '3.weight' of its network is missing",
        ),
        ("loss", lambda _: "squared_eror", "unknown loss 'squared_eror'; did you mean 'squared_error'"),
        ("loss", lambda _: None, "unknown loss None"),
        ("loss", lambda _: {"name": "huber", "detla": 1}, "huber: unknown setting 'detla'; did you mean"),
        ("loss", lambda _: {"name": "huber", "delta": 0}, "huber: delta: expected a number > 0, got 0"),
        ("training", lambda _: [], "field 'training' is not an object"),
        ("metrics", lambda _: {"r2": "good"}, "'metrics' is not numbers by name"),
        ("metrics", lambda _: {"r2": [1]}, "'metrics' is not numbers by name"),
        ("metrics", lambda _: 1, "'metrics' is not numbers by name"),
        ("history", lambda _: {}, "'history' is not at most 1,000 rows"),
        ("history", lambda _: [{}] * 1001, "'history' is not at most 1,000 rows"),
        ("history", lambda _: [1], "'history' is not rows of numbers"),
        ("history", lambda _: [{"loss": "low"}], "'history' is not rows of numbers"),
        ("package", lambda _: "", "'package' is not a version"),
        ("package", lambda _: 1, "'package' is not a version"),
        ("package", lambda _: "1.0\n", "'package' is not a version"),
        ("data_hash", lambda _: "", "'data_hash' is not a digest"),
        ("data_hash", lambda _: 1, "'data_hash' is not a digest"),
        ("table", lambda _: [], "encoder: found a list, expected an object"),
        ("table", lambda _: {}, "encoder: the field"),
        ("table", lambda _: {**(tabular().table or {}), "x": 1}, "encoder: unknown field 'x'"),
        ("schema", lambda _: tabular().schema, "'schema' is not null, as it must be without a table"),
        ("table", lambda _: tabular().table, r"its table makes 8 features, its network takes \[2\]"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(name: str, change: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        artifact_from_bytes(rewritten(name, change))


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("schema", "target", "species"),
        ("schema", "classes", ["a", "b", "d"]),
        ("schema", "columns", []),
        ("table", "classes", ["c", "b", "a"]),
        ("table", "target", "species"),
    ],
)
def test_table_and_schema_must_agree(part: str, field: str, value: Any) -> None:
    with pytest.raises(ModelFileError, match="its table and its schema do not agree"):
        artifact_from_bytes(rewritten(part, lambda record: {**record, field: value}, tabular()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: {**e, "members": []}, "members: expected at least one layer"),
        (lambda e: {**e, "members": {}}, "members: expected a list"),
        (lambda e: {**e, "members": [e["members"][0], 3]}, "expected an object, got 3"),
        (lambda e: {**e, "members": [{"kind": "dense", "units": 7}, e["members"][1]]}, "member 1 gives rows"),
        (lambda e: {**e, "members": 2 * e["members"]}, "is missing"),
        (lambda e: {**e, "members": e["members"][:1]}, "unknown weight"),
        (lambda e: {**e, "average": "softmaxx"}, "did you mean 'softmax'"),
        (lambda e: {**e, "average": ["softmax"]}, "average: .* is not known"),
        (lambda e: {**e, "average": {}}, "average: .* is not known"),
    ],
)
def test_an_ensemble_has_members_of_one_shape_and_an_average(change: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        artifact_from_bytes(rewritten("network", change, SAMPLES["ensemble"]))
    assert "\n" not in str(caught.value)


def test_the_embedding_has_a_row_for_every_code() -> None:
    def change(network: dict[str, Any]) -> dict[str, Any]:
        first = network["layers"][0]
        column, levels = first["embeddings"][0]
        return {
            **network,
            "layers": [{**first, "embeddings": [[column, levels - 1]]}, *network["layers"][1:]],
        }

    with pytest.raises(ModelFileError, match="differ on the codes of column 7"):
        artifact_from_bytes(rewritten("network", change, tabular()))


def test_fields_are_exactly_the_known_ones() -> None:
    container = decode(artifact_to_bytes(small()))
    documents, weights = unpack(container)
    for name in documents:
        fewer = {key: text for key, text in documents.items() if key != name}
        with pytest.raises(ModelFileError, match=f"the field {name!r} is missing"):
            artifact_from_bytes(b"".join(encode(*pack(fewer, weights))))
    with pytest.raises(ModelFileError, match="its field 'history' stands in the metadata"):
        artifact_from_bytes(b"".join(encode(container.tensors, {**container.texts, "history": "[]"})))
    for wrong in (np.zeros(2, np.float32), np.zeros((1, 2), np.uint8)):
        with pytest.raises(ModelFileError, match="'table' is not a text"):
            artifact_from_bytes(b"".join(encode({**container.tensors, "json:table": wrong}, container.texts)))
    bad = np.full(3, 255, np.uint8)
    with pytest.raises(ModelFileError, match="'table' is not UTF-8"):
        artifact_from_bytes(b"".join(encode({**container.tensors, "json:table": bad}, container.texts)))
    other = {**container.tensors, "json:tabel": np.zeros(2, np.uint8)}
    with pytest.raises(ModelFileError, match="unknown field 'tabel'; did you mean 'table'"):
        artifact_from_bytes(b"".join(encode(other, container.texts)))
    with pytest.raises(ModelFileError, match="unknown field 'histroy'; did you mean 'history'"):
        artifact_from_bytes(b"".join(encode(container.tensors, {**container.texts, "histroy": "[]"})))


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.bool_])
def test_weights_are_floats(dtype: type) -> None:
    container = decode(artifact_to_bytes(small()))
    tensors = {**container.tensors, "0.bias": np.zeros(3, dtype)}
    with pytest.raises(ModelFileError, match="expected float32 or float64"):
        artifact_from_bytes(b"".join(encode(tensors, container.texts)))


def test_what_cannot_be_loaded_is_not_saved(tmp_path: Path) -> None:
    artifact, path = small(), tmp_path / "m.safetensors"
    save_artifact(artifact, path)
    before = path.read_bytes()
    bad = [
        ({"params": {**artifact.params, "0": {}}}, "weight '0.weight' of its network is missing"),
        ({"params": {**artifact.params, "9": np.zeros(1)}}, "unknown weight '9'"),
        ({"loss": "mse"}, "it has an unknown loss"),
        ({"input_shape": (3,)}, "its network expects"),
        ({"package": ""}, "its field 'package' is not a version"),
        ({"training": {"callback": print}}, "'training' that JSON cannot hold"),
        ({"training": {"a": {1: 2}, "b": {"c": float}}}, "JSON cannot hold"),
    ]
    for fields, message in bad:
        with pytest.raises(DataError, match=message):
            save_artifact(with_fields(artifact, **fields), path)
    nan = artifact_of(Sequential(Dense(1)), (1,))
    nan.params["0"]["weight"][0, 0] = np.nan
    with pytest.raises(DataError, match=r"'0\.weight' that are not finite"):
        save_artifact(nan, path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_messages_begin_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(rewritten("loss", lambda _: "x"))
    with pytest.raises(ModelFileError, match=r"^/.*/m\.safetensors has an unknown loss"):
        load_artifact(path)
    path.write_bytes(b"PK\3\4")
    with pytest.raises(
        ModelFileError, match=r"^/.*/m\.safetensors is a zip archive, not a minicolumn model$"
    ):
        load_artifact(path)
    with pytest.raises(ModelFileError, match=r"no such file; did you mean 'm\.safetensors'"):
        load_artifact(tmp_path / "n.safetensors")
