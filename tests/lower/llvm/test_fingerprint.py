"""Code that is kept on disk belongs to the sources that made it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import minicolumn
from minicolumn.lower.llvm.runtime.fingerprint import compiler_version, digest_of

PACKAGE = Path(minicolumn.__file__).parent
SOURCES = (
    "ir/op.py",
    "passes/fuse.py",
    "lower/native.py",
    "lower/llvm/matmul/shapes.py",
    "lower/llvm/codegen/registers.py",
)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for folder in ("ir", "passes", "lower"):
        shutil.copytree(PACKAGE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("source", SOURCES)
def test_a_change_of_a_source_makes_other_code(source: str, copied: Path) -> None:
    before = digest_of(copied)
    (copied / source).write_text((copied / source).read_text() + "\n# another line\n")
    assert digest_of(copied) != before


def test_the_digest_is_that_of_the_sources_in_use(copied: Path) -> None:
    assert compiler_version() == f"{minicolumn.__version__} {digest_of(copied)}"
