"""Models of the Hugging Face Hub: its client against a server on this machine that speaks the protocol."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.model.hub.address import HubAddress, hub_address
from minicolumn.model.hub.card import hub_card, hub_license
from minicolumn.zoo import Zoo
from tests.model.hub.hub_server import TOKEN, Hub, serving

pytest.importorskip("huggingface_hub", reason="needs the extra `hub`")
ROOT = Path(__file__).parents[3]
XOR = Zoo().path("xor")
# The client reads the environment when it is imported, so each question is a process of its own.
LOAD = """
import sys, minicolumn as mc
print(mc.load(sys.argv[1]).predict([[0.0, 1.0], [1.0, 1.0]]).round().tolist())
"""
STRICT = "import warnings; warnings.simplefilter('error')" + LOAD


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as served:
        yield served


def ask(
    hub: Hub | None, folder: Path, *words: str, code: str = "", token: str = TOKEN
) -> tuple[int, str, str]:
    """Run the command line, or a piece of code with its arguments; return exit code, stdout and stderr."""
    how = ["-c", code] if code else ["-m", "minicolumn"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "HF_ENDPOINT": "http://127.0.0.1:9" if hub is None else hub.address,  # where nobody listens
        "HF_HOME": str(folder / "hf"),
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": "1",  # the server speaks the older protocol of large files
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, *how, *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        cwd=folder,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_model_is_fetched_its_commit_said_and_there_offline(hub: Hub, tmp_path: Path) -> None:
    commit = hub.put("someone/xor", {"model.safetensors": XOR.read_bytes(), "README.md": b"# xor\n"})
    status, out, err = ask(hub, tmp_path, "hf://someone/xor", code=LOAD)
    assert (status, out) == (0, "[1.0, 0.0]\n")
    assert f"is commit {commit}" in err  # a warning, since main may move
    status, out, err = ask(
        hub,
        tmp_path,
        f"hf://someone/xor@{commit}",
        code=STRICT,
    )
    assert (status, out) == (0, "[1.0, 0.0]\n"), err
    # Pinned, nobody is asked; a branch is what it was.
    assert ask(None, tmp_path, f"hf://someone/xor@{commit}", code=LOAD)[1] == "[1.0, 0.0]\n"
    status, out, err = ask(None, tmp_path, "hf://someone/xor", code=LOAD)
    assert (status, out) == (0, "[1.0, 0.0]\n")
    assert "the hub does not answer" in err


def test_the_command_line_gets_and_predicts(hub: Hub, tmp_path: Path) -> None:
    commit = hub.put("someone/penguins", {"deep/p.safetensors": Zoo().path("penguins").read_bytes()})
    status, out, err = ask(hub, tmp_path, "zoo", "get", "hf://someone/penguins", "--json")
    assert status == 0, err
    assert json.loads(out)["commit"] == commit
    assert f"hf://someone/penguins@{commit}/deep/p.safetensors is always the same file" in err
    assert (tmp_path / "penguins.safetensors").read_bytes() == Zoo().path("penguins").read_bytes()
    status, out, err = ask(hub, tmp_path, "evaluate", "hf://someone/penguins@main", "penguins", "--json")
    assert status == 0, err
    assert json.loads(out.splitlines()[-1])["metrics"]["accuracy"] > 0.95


def test_what_cannot_be_fetched_is_said_in_a_line(hub: Hub, tmp_path: Path) -> None:
    weights = XOR.read_bytes()
    hub.put("someone/pickle", {"pytorch_model.bin": b"\x80\x04."})
    hub.put("someone/two", {"a.safetensors": weights, "b.safetensors": weights})
    hub.put("someone/other", {"model.safetensors": b"\x08\0\0\0\0\0\0\0{}      "})
    cases = {
        "hf://someone/none": "there is no model someone/none",
        "hf://someone/two@v9": "has no revision 'v9'",
        "hf://someone/pickle": "does not have a .safetensors file",
        "hf://someone/two": "has 2 model files; say which: hf://someone/two@main/a.safetensors",
        "hf://someone/two/c.safetensors": "does not have c.safetensors",
        "hf://someone/other": "safetensors",
    }
    for address, message in cases.items():
        status, _, err = ask(hub, tmp_path, "zoo", "get", address)
        assert status == 2, address
        assert message in err, address
        assert err.count("\n") == 1, err
        assert not list(tmp_path.glob("*.safetensors"))
    assert ask(hub, tmp_path, "zoo", "get", "hf://someone/two/b.safetensors")[0] == 0


def test_a_hub_that_is_away_or_in_trouble_is_said_in_a_line(hub: Hub, tmp_path: Path) -> None:
    status, _, err = ask(None, tmp_path, "zoo", "get", "hf://someone/xor")
    assert status == 2
    assert "the hub does not answer" in err
    assert "is not here from before" in err
    assert err.count("\n") == 1
    hub.put("someone/xor", {"model.safetensors": XOR.read_bytes()})
    hub.trouble = 503
    status, _, err = ask(hub, tmp_path, "zoo", "get", "hf://someone/xor")
    assert (status, "in trouble (503)" in err, err.count("\n")) == (2, True, 1), err


def test_bytes_that_are_not_those_the_hub_tells_of_are_not_opened(hub: Hub, tmp_path: Path) -> None:
    import hashlib

    weights = XOR.read_bytes()
    hub.put("someone/xor", {"model.safetensors": weights})
    other = bytearray(weights)
    other[-1] ^= 1
    hub.tampered[hashlib.sha256(weights).hexdigest()] = bytes(other)
    status, _, err = ask(hub, tmp_path, "zoo", "get", "hf://someone/xor")
    assert status == 2
    assert "is not the file that the hub tells of" in err


def test_a_model_is_published_with_its_page_in_one_commit(hub: Hub, tmp_path: Path) -> None:
    status, out, err = ask(hub, tmp_path, "zoo", "push", "penguins", "hf://someone/penguins", "--json")
    assert status == 0, err
    told = json.loads(out.splitlines()[-1])
    repository = hub.repositories["someone/penguins"]
    files = repository.commits[told["commit"]]
    assert files["model.safetensors"] == Zoo().path("penguins").read_bytes()
    assert files["README.md"].decode() == hub_card(mc.zoo.load("penguins"), "someone/penguins", "cc0-1.0")
    assert len([line for line in hub.asked if "/commit/" in line]) == 1
    # And again, into the repository that is there; what was published is what is fetched.
    status, _, err = ask(hub, tmp_path, "zoo", "push", "xor", "hf://someone/penguins", "--license", "mit")
    assert status == 0, err
    assert ask(hub, tmp_path, "hf://someone/penguins", code=LOAD)[1] == "[1.0, 0.0]\n"
    status, out, err = ask(hub, tmp_path, "zoo", "get", told["address"])
    assert status == 0, err


def test_what_cannot_be_published_is_said_before_anything_is_sent(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"x" * 100)
    cases = {
        ("broken.safetensors", "hf://someone/x"): "broken.safetensors",
        (str(XOR), "hf://someone/x"): "say it: --license",
        (str(XOR), "someone/x"): "say where to",
        (str(XOR), "hf://someone/x@" + "0" * 40): "a commit cannot be changed",
    }
    for (file, to), message in cases.items():
        status, _, err = ask(hub, tmp_path, "zoo", "push", file, to)
        assert status == 2
        assert message in err
    assert hub.asked == []
    status, _, err = ask(
        hub, tmp_path, "zoo", "push", str(XOR), "hf://someone/x", "--license", "mit", token="hf_no"
    )
    assert status == 2
    assert "hf auth login" in err
    assert hub.repositories == {}


# Without a server -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["hf://", "hf://name", "hf://a/b/c", "hf://a/../b.safetensors", "hf://a/b@", "hf://a/b@x y", "hf://a/b/../c.safetensors",
     "hf://a/b@../../x", "hf://a b/c", "hf://a/b?x", "hf://" + "a" * 600 + "/b"],
)  # fmt: skip
def test_an_address_is_plain(text: str) -> None:
    with pytest.raises(DataError, match="expected hf://OWNER/NAME") as caught:
        hub_address(text)
    assert "\n" not in str(caught.value)


def test_an_address_reads_back() -> None:
    for text in ("hf://a/b@main", "hf://a/b@refs/pr/1", f"hf://a/b@{'0' * 40}/c/d.safetensors"):
        assert str(hub_address(text)) == text
    assert hub_address("hf://a/b@v1/c.safetensors") == HubAddress("a/b", "v1", "c.safetensors")


def test_the_front_matter_is_what_the_hub_reads() -> None:
    from huggingface_hub import ModelCard

    for name in ("penguins", "california-housing", "digits"):
        model = mc.zoo.load(name)
        front: Any = ModelCard(hub_card(model, f"someone/{name}", hub_license(model, "mit"))).data
        assert (front.license, front.library_name) == ("mit", "minicolumn")
        assert "minicolumn" in front.tags
        told = {result.metric_type: result.metric_value for result in front.eval_results}
        assert told == {key: pytest.approx(value) for key, value in model.metrics["test"].items()}


def test_what_a_card_says_cannot_leave_its_line() -> None:
    from dataclasses import replace

    model = mc.zoo.load("xor")
    card = {"title": "a\n---\n# b", "about": "<script>x</script>\n\n- c", "data": {"name": "n\n---"}}
    page = hub_card(replace(model, training={"card": card}), "a/b", "mit")
    assert len(re.findall(r"^---$", page, re.MULTILINE)) == 2
    assert "<script>" not in page
    assert "\n# b" not in page
