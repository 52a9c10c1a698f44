"""The order of the stages: imports only look back along it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "minicolumn"
STAGES = [
    "errors", "address_space",
    "registry", "picture", "tree", "ir", "trace", "autodiff", "passes", "lower", "random", "nn",
    "optim", "tables", "model", "data", "train", "tabular", "explain", "estimators", "tune", "zoo",
    "playground", "bench", "cli", "__main__",
]  # fmt: skip
# What must not be loaded by `import minicolumn`, but by what is used of it.
HEAVY = (
    "numpy", "scipy", "sklearn", "polars", "typer", "rich", "matplotlib", "llvmlite", "starlette", "uvicorn",
    "websockets", "h11", "optuna",
)  # fmt: skip


def _modules() -> list[Path]:
    return sorted(p for p in SOURCE.rglob("*.py") if p != SOURCE / "__init__.py")


def _stage(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imported(path: Path) -> set[str]:
    """Return the stages that a module imports, anywhere in it, but for types alone."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {
                node.module,
                *(f"{node.module}.{a.name}" for a in node.names if node.module == "minicolumn"),
            }
        elif isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
    parts = [n.split(".") for n in names if n.startswith("minicolumn.")]
    return {p[1] for p in parts if p[1] != "__version__"}


def test_every_module_belongs_to_a_stage() -> None:
    assert {_stage(p) for p in _modules()} <= set(STAGES)


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_only_look_back(path: Path) -> None:
    own = STAGES.index(_stage(path))
    forward = {s for s in _imported(path) if s in STAGES and STAGES.index(s) > own}
    assert not forward, f"{path.name} in {_stage(path)} imports {sorted(forward)}, which come later"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, minicolumn; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    where = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=where)
    loaded = set(out.stdout.split())
    assert not loaded & set(HEAVY)


def test_public_names_exist_and_are_listed() -> None:
    import minicolumn

    assert sorted(minicolumn.__all__) == list(minicolumn.__all__)
    for name in minicolumn.__all__:
        assert getattr(minicolumn, name) is not None
        assert name in dir(minicolumn)


def test_public_modules_show_public_names_alone() -> None:
    import minicolumn

    for name in minicolumn.__all__:
        module = getattr(minicolumn, name)
        if not isinstance(module, ModuleType):
            continue
        folder = Path(str(module.__file__)).parent if hasattr(module, "__path__") else None
        inner = {p.stem for p in folder.iterdir()} if folder else set()
        shown = {n for n in dir(module) if not n.startswith("_")} - {"annotations"}
        assert shown <= {*module.__all__, *inner}, name
        assert set(module.__all__) <= set(dir(module)), name


def test_an_unknown_public_name_is_answered_with_the_nearest() -> None:
    import minicolumn

    with pytest.raises(AttributeError, match="did you mean 'grad'"):
        minicolumn.gradd  # noqa: B018
