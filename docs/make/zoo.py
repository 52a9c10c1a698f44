"""Rebuild the networks of the zoo that comes with the package, and write their sha256 into the recipes.

    python docs/make/zoo.py FOLDER [NAME ...]

FOLDER has the files of data that the recipes name; those of MNIST and Fashion-MNIST in folders of its own,
`mnist` and `fashion_mnist`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
from pathlib import Path

from minicolumn.zoo import Zoo, train

ENTRIES = Path(__file__).parents[2] / "src" / "minicolumn" / "zoo" / "entries"
FOLDERS = {"MNIST": "mnist", "Fashion-MNIST": "fashion_mnist"}


def rebuild(name: str, folder: Path) -> str:
    """Train an entry, write its file beside the recipe, and say what came out."""
    zoo, started = Zoo(ENTRIES), time.perf_counter()
    entry = zoo.entry(name)
    model = train(entry, folder / FOLDERS.get(entry.source.name, ""))
    path = ENTRIES / f"{name}.safetensors"
    model.save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    recipe = ENTRIES / f"{name}.toml"
    text = re.sub(r"^sha256 = .*\n", "", recipe.read_text(), flags=re.MULTILINE)
    recipe.write_text(text.replace('kind = "', f'sha256 = "{sha256}"\nkind = "', 1))
    scores = ", ".join(f"{key} {value:.4f}" for key, value in model.metrics["test"].items())
    return f"{name:<20} {path.stat().st_size:>9,} bytes {time.perf_counter() - started:>7.1f} s  {scores}"


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    said = parser.parse_args()
    for name in said.names or [entry.name for entry in Zoo(ENTRIES).entries]:
        sys.stdout.write(f"{rebuild(name, said.folder)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
