"""Loading a model file opens that file and does nothing else, whatever the file says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attacks
import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def answers(script_environment: dict[str, str]) -> dict[str, Any]:
    """Run every attack in a process of its own, since an audit hook stays for life."""
    command = [sys.executable, str(HERE / "attacks.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=script_environment)
    assert done.stderr == ""
    return json.loads(done.stdout)  # so nothing printed anything else: no payload ran


def test_there_are_enough_attacks() -> None:
    assert len(attacks.ATTACKS) >= 40


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_an_attack_is_refused_in_one_line_and_does_nothing(answers: dict[str, Any], name: str) -> None:
    assert answers[name]["events"] == []
    assert answers[name]["answer"].isprintable()
    assert " m.safetensors " in answers[name]["answer"].replace("/", " ")
    assert len(answers[name]["answer"]) < 500


@pytest.mark.parametrize("name", ["valid", "valid with a table"])
def test_a_good_file_loads_and_opens_nothing_else(answers: dict[str, Any], name: str) -> None:
    assert answers[name] == {"answer": "loaded", "events": []}


def test_a_path_is_a_path_and_never_an_address(answers: dict[str, Any]) -> None:
    odd = {name: found for name, found in answers.items() if name.startswith("path ")}
    assert len(odd) == len(attacks.PATHS) + 1
    for found in odd.values():
        assert found["answer"] != "loaded"
        assert found["answer"].isprintable()
        # The names beside a missing file are listed for the hint, by os.scandir from Python 3.13 on.
        assert all(event.startswith(("os.listdir(", "os.scandir(")) for event in found["events"])


def test_the_hook_sees_an_import(answers: dict[str, Any]) -> None:
    assert any(event.startswith("import") for event in answers["control"]["events"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PyTorch before 1.6", "a PyTorch checkpoint, not"),
        ("PyTorch zip (CVE-2025-32434)", "a PyTorch checkpoint, not"),
        ("Keras zip with a Lambda (CVE-2024-3660)", "a Keras model, not"),
        ("Keras HDF5 (CVE-2025-9905)", "Keras"),
        ("NumPy archive with objects", "npz"),
        ("pickle protocol 0", "a Python pickle"),
        ("pickle protocol 4 (CVE-2020-13092)", "a Python pickle"),
        ("joblib", "a joblib file"),
        ("ONNX model", "an ONNX model"),
        ("GGUF length (CVE-2025-62609)", "a GGUF file"),
        ("somebody's safetensors", "minicolumn did not write it"),
        ("format from the future", "newer minicolumn (format 999; this one reads up to 2); upgrade"),
        ("template in the metadata (CVE-2024-34359)", "unknown field 'chat_template'"),
    ],
)
def test_the_refusal_says_what_the_file_is(answers: dict[str, Any], name: str, kind: str) -> None:
    assert kind in answers[name]["answer"]
