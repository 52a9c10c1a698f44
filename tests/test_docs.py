"""What the documents say is true: their code runs, their lists are complete, their links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import minicolumn as mc

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def _script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "make" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_numpy_page_lists_what_the_tracer_has() -> None:
    # Newer NumPy versions have more names, so the page may list more than an older NumPy has, but never less.
    found = set(re.findall(r"`((?:np|special)\.[\w.]+)`", _script("numpy_page").page()))
    assert found <= set(re.findall(r"`((?:np|special)\.[\w.]+)`", (ROOT / "docs" / "numpy.md").read_text()))


def test_the_catalogue_page_is_what_the_registries_say() -> None:
    page = (ROOT / "docs" / "catalogue.md").read_text()
    assert page == _script("catalogue_page").page()
    registries = (
        mc.nn.ACTIVATIONS,
        mc.nn.LOSSES,
        mc.nn.INITIALIZERS,
        mc.optim.OPTIMIZERS,
        mc.optim.SCHEDULES,
        mc.nn.REGULARIZERS,
        mc.nn.CONSTRAINTS,
        mc.train.CALLBACKS,
        mc.train.METRICS,
    )
    names = {name for registry in registries for name in registry} | {"Dense", "Dropout", "Clipped"}
    assert names <= set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def _run_code(page: str, names: dict[str, object]) -> None:
    """Run the Python blocks of a page, one after the other, in a namespace."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def test_the_code_of_the_page_on_tuning_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    _run_code("docs/tuning.md", names)
    study = names["study"]
    assert isinstance(study, mc.tune.Study)
    assert len(study.records) == 6
    assert study.story


def test_the_code_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = {"X": rng.random((64, 20), np.float32), "y": rng.integers(0, 10, 64)}
    _run_code("README.md", names)
    assert (tmp_path / "digits.safetensors").exists()


def test_quick_start_is_two_commands() -> None:
    text = (ROOT / "README.md").read_text().split("## Quick start")[1]
    commands = text.split("```")[1].strip().splitlines()
    assert len(commands) == 2
    assert "minicolumn train penguins" in commands[0]
    assert "pytest" in commands[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
