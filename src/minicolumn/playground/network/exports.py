"""Files that the room hands out: points, weights, the network as a model file and as NumPy source, a link."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from minicolumn.data.points.points import points_to_csv
from minicolumn.model.artifact import artifact_to_bytes
from minicolumn.model.card.record import clipped
from minicolumn.model.export.numpy_source import numpy_source
from minicolumn.playground.links import write_link
from minicolumn.playground.network.learner import Learner
from minicolumn.playground.network.model_file import model_of
from minicolumn.playground.network.setup import to_json
from minicolumn.tree import named_leaves

File = tuple[str, str, bytes]  # name, MIME type, what it holds


def exported(what: str, learner: Learner) -> File:
    """Return a file: data, weights, model, numpy or link.

    Errors      DataError for what cannot be written
    """
    return EXPORTS[what](learner)


def _data(learner: Learner) -> File:
    return "points.csv", "text/csv", points_to_csv(learner.points).encode()


def _weights(learner: Learner) -> File:
    held: dict[str, Any] = {"setup": to_json(learner.setup)}
    if learner.whole is not None:
        held["network"] = repr(learner.whole.network)
        held["arrays"] = {path: leaf.tolist() for path, leaf in named_leaves(learner.trainer.params)}
    else:
        endings = [*learner.setup.activations, learner.task.ending]
        held["layers"] = [
            {"activation": name, "weight": w.tolist(), "bias": b.tolist()}
            for (w, b), name in zip(learner.weights, endings, strict=True)
        ]
    return "weights.json", "application/json", json.dumps(held, indent=1).encode()


def _model(learner: Learner) -> File:
    model = model_of(learner)
    card = replace(model.card, rebuild=clipped(f"minicolumn playground, with {write_link(learner.setup)}"))
    data = artifact_to_bytes(model.with_card(card).artifact())
    return "network.safetensors", "application/octet-stream", data


def _numpy(learner: Learner) -> File:
    doc = f"A network of {learner.architecture.units} neurons, exported by minicolumn."
    inputs = len(learner.points.inputs)
    source = numpy_source(learner.architecture.network, learner.trainer.params, (inputs,), doc)
    return "network.py", "text/x-python", source.encode()


def _link(learner: Learner) -> File:
    return "link.txt", "text/plain", write_link(learner.setup).encode()


EXPORTS: dict[str, Callable[[Learner], File]] = {
    "data": _data, "weights": _weights, "model": _model, "numpy": _numpy, "link": _link,
}  # fmt: skip
