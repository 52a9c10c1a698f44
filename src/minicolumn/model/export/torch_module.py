"""A model as PyTorch: a `state_dict` as safetensors, and the module's Python source beside it.

    NAME.safetensors    the state_dict, by the names that torch gives: "0.weight" [out, in], "0.bias", ...
    NAME.py             Network, an nn.Sequential of the same names; load() reads the one into the other

The module is the numeric core: features in, raw outputs out (logits), so that it can be trained on. What
turns rows of cells into features is the NumPy source of the export `numpy`, and so is what makes answers of
raw outputs.

Differs     `torch.save` pickles; what is written here runs nothing when it is opened, and says in its
            metadata in which order the layers come, so `mc.from_torch` reads it back
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minicolumn.lower.compile import graph_with_dims
from minicolumn.model.container import encode
from minicolumn.model.export.numpy_module import answering, module_of, own_text, reading, titled
from minicolumn.model.export.numpy_source import graph_source
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.model.export.torch_layers import Module, holding, modules_of
from minicolumn.model.imports.torch_state import ORDER

Array = np.ndarray[Any, np.dtype[Any]]
_LOG_MEAN = '''
def log_mean(z):
    """Return the logarithm of the mean of the exponentials over the axis of members, the second one."""
    return z.logsumexp(dim=1) - math.log(z.shape[1])
'''

_RAW = '''
@cache
def loaded():
    """Return the network as it was exported, read once."""
    return load()


def raw(x):
    """Return the raw outputs of features, NumPy in and out."""
    with torch.no_grad():
        return loaded()(torch.from_numpy(np.ascontiguousarray(x))).numpy()
'''


def torch_files(pipeline: Pipeline) -> dict[str, str | bytes]:
    """Return the source and the state by file name.

    Errors      DataError, naming it, for a layer or an activation that has no line in PyTorch
    """
    model = pipeline.model
    parts = modules_of(model.network, model.params, tuple(model.input_shape))
    state = holding("nn.Sequential", parts).state_dict()
    return {
        f"{pipeline.name}.py": _source(pipeline, parts),
        f"{pipeline.name}.safetensors": b"".join(encode(state, _order(pipeline, parts))),
    }


def _source(pipeline: Pipeline, parts: list[Module]) -> str:
    imports = ["import torch", "from safetensors.torch import load_file", "from torch import nn"]
    imports += ["from functools import cache", "from pathlib import Path"]
    network = _network(pipeline, parts)
    pieces = [
        ascii(titled(pipeline, "it needs PyTorch, NumPy and safetensors")),
        *reading(pipeline, imports),
        *_own_modules(network),
        network,
        graph_source(_features(pipeline), "features"),
        graph_source(_answers(pipeline), "answers_of"),
        _RAW,
        *answering(pipeline, "answers_of(raw(features(read(rows))))"),
    ]
    return module_of(pieces)


def _own_modules(network: str) -> list[str]:
    """Return the modules that torch has not, of those that a network names."""
    known = own_text("torch_modules.txt").split("\n\n\n")
    taken = [text for text in known if f"{text.split('(')[0].removeprefix('class ').strip()}(" in network]
    return [_LOG_MEAN, *taken] if any("log_mean(" in text for text in taken) else taken


def _network(pipeline: Pipeline, parts: list[Module]) -> str:
    body = "".join(f"            {part.text},\n" for part in parts)
    dtype = "float64" if pipeline.model.dtype == np.float64 else "float32"
    shape = ", ".join(map(str, ("rows", *pipeline.model.input_shape)))
    return f'''
class Network(nn.Sequential):
    """Features {dtype} [{shape}] in, raw outputs out: before the output activation."""

    def __init__(self):
        super().__init__(
{body}        )
        self.to(torch.{dtype})


def load(path=Path(__file__).with_suffix(".safetensors")):
    """Return the network with the weights of a file, ready to predict."""
    network = Network()
    network.load_state_dict(load_file(path))
    return network.eval()
'''


def _features(pipeline: Pipeline) -> Any:
    """Return the graph from what is read out of rows to features."""
    return graph_with_dims(pipeline.features, {0: "batch"}, pipeline.example)


def _answers(pipeline: Pipeline) -> Any:
    """Return the graph from raw outputs to answers."""
    shape = pipeline.model.network.output_shape(tuple(pipeline.model.input_shape))
    raw = np.zeros((1, *shape), pipeline.model.dtype)
    return graph_with_dims(pipeline.answers_of, {0: "batch"}, raw)


def _order(pipeline: Pipeline, parts: list[Module]) -> dict[str, str]:
    """Return what the metadata says for `mc.from_torch`: modules and activations in order, and the loss.

    Nothing is said where the network is no chain of modules that it reads.
    """
    listed = [part.activation or str(place) for place, part in enumerate(parts) if not part.silent]
    if not all(part.activation or part.silent or _is_read(part) for part in parts):
        return {}
    eps = {str(place): part.eps for place, part in enumerate(parts) if part.eps is not None}
    record = pipeline.model.loss_record
    return {ORDER: json.dumps({"layers": listed, "loss": record and record.to_json(), "eps": eps})}


def _is_read(part: Module) -> bool:
    """Return whether `mc.from_torch` knows a module."""
    return part.text.split("(")[0] in ("nn.Linear", "nn.BatchNorm1d", "nn.LayerNorm") and bool(part.state)
