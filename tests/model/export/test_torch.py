"""Models as PyTorch: equal predictions in torch itself, ordinary names, and back again by `mc.from_torch`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_samples import samples
from tables import models

import minicolumn as mc
from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.container import encode
from minicolumn.model.export import checks
from minicolumn.model.export.pipeline import Pipeline, distinct_identifiers
from minicolumn.model.export.torch_module import torch_files
from minicolumn.model.imports.foreign_tensors import read_tensors
from minicolumn.model.model import Model

# Of these layers PyTorch has none, and neither has the export; each is an error that names it.
LACKING = {"formulas": "Formulas", "noise": "NoisyReLU", "branches": "Heads", "ensemble": "ColumnSplines"}
REASON = "needs torch and safetensors: pip install torch safetensors"


def pipelines() -> Mapping[str, Pipeline]:
    made = {name: Model.from_artifact(found, name) for name, found in samples().items()}
    made |= {f"table {name}": model for name, model in models().items()}
    names = distinct_identifiers(tuple(made))
    return {name: Pipeline(model, name) for name, model in zip(names, made.values(), strict=True)}


@pytest.fixture(scope="module")
def made() -> Mapping[str, Pipeline]:
    return pipelines()


def chain(*layers: Any, loss: Any = "softmax_cross_entropy", features: int = 4, **settings: Any) -> mc.Model:
    """Return a model whose arrays are all random, running statistics too."""
    net = mc.nn.Sequential(*layers)
    rng = np.random.default_rng(7)
    params = mc.tree.map_leaves(
        lambda leaf: rng.uniform(0.3, 1.2, leaf.shape).astype(leaf.dtype), net.init(0, (features,))
    )
    return mc.Model(net, params, (features,), loss, loss_settings=settings)


CHAINS: dict[str, mc.Model] = {
    "plain": chain(mc.nn.Dense(5, "relu"), mc.nn.Dense(4, "relu"), mc.nn.Dense(3)),
    "dropout": chain(mc.nn.Dense(5), mc.nn.Dropout(0.5), mc.nn.Dense(3)),
    "norms": chain(
        mc.nn.Dense(5, "leaky_relu:slope=0.3"), mc.nn.BatchNorm(eps=0.5), mc.nn.Dense(5, bias=False),
        mc.nn.LayerNorm(eps=0.25), mc.nn.Activation("gelu_tanh"), mc.nn.Dense(1), loss="binary_cross_entropy",
    ),
    "ntk": chain(mc.nn.Dense(5, "selu", parametrization="ntk", bias_rate=0.1), mc.nn.Dense(2)),
    "huber": chain(mc.nn.Dense(5, "mish"), mc.nn.Dense(2), loss="huber", delta=2.0),
}  # fmt: skip


def test_models_in_torch(made: Mapping[str, Pipeline]) -> None:
    pytest.importorskip("torch", reason=REASON)
    pytest.importorskip("safetensors", reason=REASON)
    for name, pipeline in made.items():
        if name not in LACKING:
            assert checks.by_torch(pipeline, torch_files(pipeline)) == "PyTorch", name


@pytest.mark.parametrize("name", LACKING)
def test_a_layer_without_a_line_is_named(name: str) -> None:
    model = Model.from_artifact(samples()[name], name)
    with pytest.raises(DataError, match=f"the layer {LACKING[name]} has no line in PyTorch"):
        torch_files(Pipeline(model, name))


def test_an_activation_without_a_line_is_named() -> None:
    with pytest.raises(DataError, match="the activation sparsemax has no line in PyTorch"):
        torch_files(Pipeline(chain(mc.nn.Dense(3, "sparsemax"), mc.nn.Dense(2)), "it"))


def test_every_activation_of_torch_is_ours(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason=REASON)
    from minicolumn.model.export.torch_layers import _ACTIVATIONS
    from minicolumn.nn.activations import activation_by_name

    # Values where branches meet, and beyond where either form would overflow.
    x = np.concatenate([np.linspace(-9, 9, 181), [-88.0, 50.0, 88.0]]).astype(np.float32).reshape(-1, 2)
    for name, text in _ACTIVATIONS.items():
        settings = {key: s.default for key, s in activation_by_name(name).settings.items()}
        theirs = eval(text.format(**settings), {"nn": torch.nn})(torch.from_numpy(x)).numpy()
        # torch takes softplus for x past 20, and differences where ours have another form.
        np.testing.assert_allclose(
            activation_by_name(name).function(x), theirs, rtol=2e-5, atol=2e-6, err_msg=name
        )


def test_names_and_shapes_are_those_of_torch(tmp_path: Path) -> None:
    CHAINS["norms"].export("torch", tmp_path / "it.py")
    tensors = read_tensors((tmp_path / "it.safetensors").read_bytes())
    shapes = {name: array.shape for name, array in tensors.items()}
    assert shapes["0.weight"] == (5, 4)
    assert {name for name in shapes if name.startswith("2.")} == {
        f"2.{end}" for end in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }
    assert np.array_equal(tensors["0.weight"], CHAINS["norms"].params["0"]["weight"].T)


@pytest.mark.parametrize("name", CHAINS)
def test_an_export_is_imported_as_it_was(name: str, tmp_path: Path) -> None:
    model = CHAINS[name]
    model.export("torch", tmp_path / "it.py")
    again = mc.from_torch(tmp_path / "it.safetensors")
    X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    # NTK factors are multiplied in, else the arrays are the same; sums may run in another order.
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
    assert again.loss_record == model.loss_record


def test_the_module_predicts_and_trains(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason=REASON)
    pytest.importorskip("safetensors", reason=REASON)
    model = CHAINS["norms"]
    model.export("torch", tmp_path / "it.py")
    module = loaded(tmp_path / "it.py")
    X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    network = module.load()
    raw = network(torch.from_numpy(X))
    np.testing.assert_allclose(torch.sigmoid(raw).detach().numpy()[:, 0], model.predict(X), rtol=1e-5)
    network.train()
    network(torch.from_numpy(X)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def loaded(path: Path) -> Any:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules.pop(path.stem, None)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("[1]", "does not say layers, loss and eps"),
        ({"layers": ["0", "ralu", "2"]}, "'ralu' is no module"),
        ({"layers": [0]}, "layers that are no names"),
        ({"eps": {"9": 1.0}}, "eps that cannot be"),
        ({"eps": {"0": -1.0}}, "eps that cannot be"),
        ({"loss": "no such"}, "no such"),
        ({"more": 1}, "does not say layers, loss and eps"),
    ],
)
def test_metadata_of_others_is_refused_in_one_line(told: Any, said: str, tmp_path: Path) -> None:
    good = {"layers": ["0", "relu", "2"], "loss": None, "eps": {}}
    text = told if isinstance(told, str) else json.dumps(good | told)
    state = {"0.weight": np.ones((3, 2), np.float32), "2.weight": np.ones((1, 3), np.float32)}
    path = tmp_path / "it.safetensors"
    path.write_bytes(b"".join(encode(state, {"layers": text})))
    with pytest.raises(ModelFileError, match=said) as caught:
        mc.from_torch(path)
    assert "\n" not in str(caught.value)
