"""docs/file-format.md is enough to read a model file: a reader written from it alone predicts the same."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spec_reader
from model_samples import header_of, samples

import minicolumn as mc
from minicolumn.model.artifact import artifact_to_bytes
from minicolumn.nn.layer import Param
from minicolumn.nn.serialize import LAYERS, from_json, to_json
from minicolumn.train.checkpoint import to_bytes
from minicolumn.tree import flatten, named_leaves, unflatten

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "file-format.md").read_text()
GOLDEN = Path(__file__).parent / "golden"
ANSWERS = json.loads((GOLDEN / "format_2.json").read_text())
TABLES = [kind for kind in ANSWERS if "rows" in ANSWERS[kind]]
ARRAYS = [kind for kind in ANSWERS if "rows" not in ANSWERS[kind]]


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("page", ROOT / "docs" / "make" / "file_format_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# A reader from the page -------------------------------------------------------------------------------------


def test_the_reader_imports_nothing_of_the_package() -> None:
    tree = ast.parse((Path(__file__).parent / "spec_reader.py").read_text())
    names = [n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if "minicolumn" in name]


@pytest.mark.parametrize("kind", TABLES)
def test_it_predicts_raw_rows_of_a_table(kind: str) -> None:
    told = ANSWERS[kind]
    found = spec_reader.predict_rows(spec_reader.read(GOLDEN / f"format_2_{kind}.safetensors"), told["rows"])
    wanted = told["predict_distribution_table"]["prediction"]
    if isinstance(wanted[0], str):
        assert found == wanted
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-5)  # the reader computes in float64


@pytest.mark.parametrize("kind", ARRAYS)
def test_it_predicts_arrays(kind: str) -> None:
    told = ANSWERS[kind]
    file = spec_reader.read(GOLDEN / f"format_2_{kind}.safetensors")
    found = spec_reader.outputs(file, np.array(told["X"], np.float32))
    wanted = np.array(told.get("predict_proba", told["predict"]))
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-6)  # in float64


@pytest.mark.parametrize("name", ["penguins", "iris", "digits", "xor", "california-housing"])
def test_it_reads_networks_of_the_zoo(name: str) -> None:
    model, file = mc.zoo.load(name), spec_reader.read(mc.zoo.Zoo().path(name))
    X = np.random.default_rng(0).normal(size=(20, *model.input_shape)).astype(np.float32)
    for told in _places(file.documents["network"]):
        if told.get("kind") == "column_embedding":
            for column, levels in told["embeddings"]:
                X[:, column] = np.arange(20) % levels
    found, wanted = spec_reader.outputs(file, X), model.predict(X)
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-4, atol=2e-6)  # in float64


def test_it_reads_the_older_format() -> None:
    file = spec_reader.read(GOLDEN / "format_1.safetensors")
    found = spec_reader.outputs(file, np.array([[1, 2], [-0.5, 0.25]], np.float32))
    np.testing.assert_allclose(found, [[0.52919406], [0.35164592]], rtol=1e-6)  # in float64
    assert file.version == 1


def test_it_refuses_a_changed_byte(tmp_path: Path) -> None:
    data = bytearray((GOLDEN / "format_2_gates.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "m.safetensors").write_bytes(data)
    with pytest.raises(spec_reader.Refused, match="checksum"):
        spec_reader.read(tmp_path / "m.safetensors")


# Every field is on the page ---------------------------------------------------------------------------------


def _places(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a document."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _places(inner)


def _fields(name: str, document: Any) -> set[str]:
    """Return the names of the fields of a document, but those that are data themselves."""
    # Named by scikit-learn, by files, and by the catalogue.
    own = {"parameters", "sha256", "optimizer", "schedule", "initializer"}
    found: set[str] = set()
    stack = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            found |= set(node)
            stack += [value for key, value in node.items() if key not in own]
        elif isinstance(node, list):
            stack += node
    if name == "history":
        found = {re.sub(r"^val_.*", "val_", key) for key in found}
    return found


def _files() -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in GOLDEN.glob("*.safetensors")}
    found |= {entry.name: mc.zoo.Zoo().file(entry.name) for entry in mc.zoo.entries()}
    found |= {name: artifact_to_bytes(artifact) for name, artifact in samples().items()}
    X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(6, 2)
    trainer = mc.Trainer(mc.nn.Dense(1), X, X[:, 0], loss="squared_error")
    return found | {"checkpoint": to_bytes(trainer)}


def test_every_field_of_every_file_is_on_the_page(tmp_path: Path) -> None:
    words = set(re.findall(r"[A-Za-z_][\w]*", " ".join(re.findall(r"`([^`]*)`", PAGE))))
    for name, data in _files().items():
        header = header_of(data)
        assert set(header["__metadata__"]) - set(spec_reader.LONG) <= words, name
        (tmp_path / "m.safetensors").write_bytes(data)
        for document, value in spec_reader.read(tmp_path / "m.safetensors").documents.items():
            assert _fields(document, value) <= words, (name, document, _fields(document, value) - words)


def test_a_field_that_the_page_lacks_is_noticed() -> None:
    words = set(re.findall(r"[A-Za-z_][\w]*", " ".join(re.findall(r"`([^`]*)`", PAGE))))
    assert not _fields("training", {"card": {"no_such_field": 1}}) <= words


def test_the_tables_are_what_the_registries_say() -> None:
    script = _script()
    assert script.with_tables(PAGE) == PAGE
    assert set(script.PREDICTS) == set(LAYERS)


def test_the_weights_are_those_that_layers_declare() -> None:
    """Each name that a layer declares, of the samples' networks, stands in the table's cell of its kind."""
    script, seen = _script(), set()
    for artifact in samples().values():
        for layer, path, shape in _layers_of(from_json(artifact.network), artifact.input_shape):
            kind = to_json(layer)["kind"]
            leaves, structure = flatten(layer.declare(shape), is_leaf=lambda node: isinstance(node, Param))
            names = [name for name, _ in named_leaves(unflatten(structure, range(len(leaves))))]
            told = script.WEIGHTS.get(kind, "")
            assert all(f"`{name}`" in told or name.isdigit() for name in names), (path, kind, names)
            assert bool(names) <= bool(told)
            seen.add(kind)
    assert len(seen) > 20


def _layers_of(layer: Any, shape: tuple[int, ...], path: str = "") -> Iterator[tuple[Any, str, Any]]:
    """Yield the layers that have no others inside, with the shape that each takes."""
    if isinstance(layer, mc.nn.Sequential):
        for place, inner in enumerate(layer.layers):
            yield from _layers_of(inner, shape, f"{path}{place}.")
            shape = tuple(inner.output_shape(shape))
    elif layer.inside:
        for name, inner in layer.inside:
            yield from _layers_of(inner, shape, f"{path}{name}.")
    else:
        yield layer, path, shape
