"""`minicolumn import`: networks of other libraries' files become model files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import minicolumn as mc

GOLDEN = Path(__file__).parents[1] / "model" / "imports" / "golden"


def test_a_network_is_imported_and_predicts_as_before(cli: Any, tmp_path: Path) -> None:
    found = cli("import", GOLDEN / "sklearn_words.onnx", "--json")
    assert found.code == 0
    said = json.loads(found.out)
    assert (said["input_shape"], said["loss"], said["layers"]) == ([4], "softmax_cross_entropy", 4)
    assert said["model"] == "sklearn_words.safetensors"
    answer = json.loads((GOLDEN / "sklearn_words.json").read_text())
    model = mc.load(tmp_path / "sklearn_words.safetensors")
    assert model.predict(np.array(answer["rows"], np.float32)).tolist() == answer["labels"]


def test_what_the_file_does_not_say_is_an_option(cli: Any, tmp_path: Path) -> None:
    path = GOLDEN / "torch_plain.safetensors"
    refused = cli("import", path, "--out", "m.safetensors")
    assert refused.code == 2
    assert "--activation relu" in refused.err
    assert not (tmp_path / "m.safetensors").exists()
    assert cli("import", path, "--out", "m.safetensors", "--layers", "0,1,relu,4").code == 0
    assert mc.load(tmp_path / "m.safetensors").network == mc.from_torch(path, activation="relu").network
    assert cli("import", path, "--out", path, "--activation", "relu").code == 2  # never over its own source
