"""All measurements of `minicolumn bench` at length, with all cores and with one, as one JSON file.

    python benchmarks/full.py --out results.json [--seconds 120] [--rounds 10]

Each half is a process of its own, since most libraries choose their threads when they are imported. Let
nothing else run meanwhile; `python benchmarks/readme_table.py results.json` makes tables of it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from minicolumn.bench.machine import fresh_environment, use_cores
from minicolumn.bench.session import PARTS, BenchSettings, peers_here, run

TRAININGS = tuple(part for part in PARTS if part != "startup")


def half(threads: int | None, seconds: float, rounds: int) -> dict[str, Any]:
    """Return the results with all cores, or with so many; imports and first calls are measured with all."""
    if threads is not None:
        use_cores(threads)
    parts = PARTS if threads is None else TRAININGS
    settings = BenchSettings(parts, peers_here(True), seconds, rounds, thorough=True)
    return dict(run(settings, lambda what: print(what, file=sys.stderr, flush=True)))


def in_a_process(threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the results with so many cores, measured by a fresh process."""
    words = [
        __file__,
        "--threads",
        str(threads),
        "--seconds",
        str(options.seconds),
        "--rounds",
        str(options.rounds),
    ]
    done = subprocess.run(
        [sys.executable, *words], stdout=subprocess.PIPE, text=True, check=True, env=fresh_environment()
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0, help="of alternating turns, each half")
    parser.add_argument("--rounds", type=int, default=10, help="fresh processes for each figure")
    parser.add_argument("--threads", type=int, help="only this half, printed as one line")
    options = parser.parse_args()
    if options.threads is not None:
        print(json.dumps(half(options.threads, options.seconds, options.rounds), allow_nan=False))
        return
    result = {
        "one core": in_a_process(1, options),
        "all cores": half(None, options.seconds, options.rounds),
    }
    text = json.dumps(result, indent=1, allow_nan=False)
    print(text) if options.out is None else options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
