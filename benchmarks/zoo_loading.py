"""Processor time of the first `mc.zoo.load` of each entry, in a fresh process that has imported the zoo.

    python benchmarks/zoo_loading.py [RUNS]

Each line has the least and the median of the runs, in milliseconds, and the bytes of the file.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys

import numpy as np

from minicolumn.zoo import Zoo

ONE = """
import sys, time
import minicolumn.zoo as zoo
began = time.process_time()
zoo.load(sys.argv[1])
print(1000 * (time.process_time() - began))
"""


def milliseconds(name: str) -> float:
    """Return the processor time of loading an entry in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ONE, name], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> int:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    for name in Zoo().names:
        found = [milliseconds(name) for _ in range(runs)]
        print(
            f"{name:<24}{min(found):>8.1f}{statistics.median(found):>8.1f} ms {Zoo().size(name):>10,} bytes"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
