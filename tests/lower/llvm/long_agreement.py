"""Random programs by the hundred thousand: native code against NumPy, in guarded memory, by several threads.

    python tests/lower/llvm/long_agreement.py --programs 100000
    python tests/lower/llvm/long_agreement.py --first 40000 --programs 1000

Each seed is one program, compiled once. It runs on data that is exact in every order and on data with NaN,
infinities and rounding, between fences of bytes, and at the borders of pages that may not be touched. Every
eighth is compiled so that threads share even the smallest work, and must give the same bits with two and
three of them. Pieces of the work run in processes of their own, so that a crash is a failure of the seed that
it happened on. The last line is the sum of it all; the exit code is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any
from unittest.mock import patch

import numpy as np
from guarded import NO_CACHE, Fences, Pages, run_in
from programs import Made, arguments, make
from shrink import shrink
from twin import judge, opinions, same_bits, share_judged

from minicolumn.ir.graph import Graph
from minicolumn.lower.llvm.codegen import partition
from minicolumn.lower.native import NativeProgram

PIECE = 400  # programs for each process
SHARING_EVERY = 8


def main() -> int:
    """Run the programs of many seeds, piece by piece."""
    options = _options()
    if options.piece:
        for seed in range(options.first, options.first + options.programs):
            print(json.dumps(one(seed)), flush=True)
        return 0
    total: Counter[str] = Counter()
    began = time.monotonic()
    seed, last = options.first, options.first + options.programs
    while seed < last:
        found = piece(seed, min(PIECE, last - seed))
        seed += found["programs"]
        total.update(found)
        rate = total["programs"] / (time.monotonic() - began)
        print(f"next {seed}: {summary(total)}, {rate:.1f} a second", flush=True)
    print(summary(total))
    return 1 if total["failures"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--programs", type=int, default=1000, help="how many")
    parser.add_argument("--piece", action="store_true", help="in this process, one line of JSON each")
    return parser.parse_args()


def summary(total: Counter[str]) -> str:
    """Return the figures in one line."""
    share = total["judged"] / max(total["elements"], 1)
    return (
        f"{total['programs']} programs, {total['operations']} operations, {total['elements']} elements, "
        f"{share:.2%} judged, {total['shared']} by several threads, {total['failures']} failures"
    )


def piece(first: int, count: int) -> Counter[str]:
    """Run some seeds in a process of their own; where it dies, the seed after the last one is to blame."""
    command = [sys.executable, __file__, "--piece", "--first", str(first), "--programs", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    total: Counter[str] = Counter()
    for line in done.stdout.splitlines():
        found = json.loads(line)
        for fault in found.pop("faults"):
            print(fault, flush=True)
        total.update(found)
    if total["programs"] < count:
        print(
            f"seed {first + total['programs']}: exit code {done.returncode} {done.stderr[-3000:]}", flush=True
        )
        total.update(programs=1, failures=1)
    return total


def one(seed: int) -> dict[str, Any]:
    """Run the program of a seed in every way; return the figures and what is wrong."""
    made, shared = make(seed, exact=seed % 2 == 0), seed % SHARING_EVERY == 0
    found = {
        "programs": 1,
        "operations": len(made.graph.nodes),
        "elements": 0,
        "judged": 0,
        "shared": int(shared),
    }
    faults: list[str] = []
    try:
        program = compiled(made.graph, shared)
        for exact in (True, False):
            args = arguments(made, seed, exact)
            expected = opinions(made.graph, args)
            judged, elements = share_judged(expected)
            found["judged"] += judged
            found["elements"] += elements
            if _wrong(program, args, expected, shared, exact):
                faults.append(report(made, args, shared, exact))
    except Exception as error:
        faults.append(f"{type(error).__name__}: {error}")
    return found | {"failures": int(bool(faults)), "faults": [f"seed {seed}: {f}" for f in faults]}


def compiled(graph: Graph, shared: bool) -> NativeProgram:
    """Return a program, whose threads share even the smallest work if they are to."""
    if not shared:
        return NativeProgram(graph, cache=NO_CACHE)
    with patch.multiple(partition, ELEMENTS=1, MULTIPLICATIONS=1, LEAST_ROWS=1):
        return NativeProgram(graph, cache=NO_CACHE)


def _wrong(program: NativeProgram, args: list[np.ndarray], expected: list, shared: bool, exact: bool) -> str:
    """Return what is wrong with a program's results, or with where it writes."""
    fences = Fences(odd=8)
    results = run_in(program, args, fences.room)
    faults = judge(results, expected)
    if faults:
        return faults[0]
    if fences.broken():
        return f"{fences.broken()} bytes written outside"
    for parts in (2, 3) if shared else ():
        again = run_in(program, args, fences.room, parts)
        if not same_bits(again, results):
            return f"{parts} threads give other bits"
    run_in(program, args, Pages(at_end=exact).room)
    return ""


def report(made: Made, args: list[np.ndarray], shared: bool, exact: bool) -> str:
    """Return what is wrong, with the smallest program that is wrong too."""

    def wrong(graph: Graph, given: list[np.ndarray]) -> str:
        return _wrong(compiled(graph, shared), given, opinions(graph, given), shared, exact)

    graph, given = shrink(made.graph, args, lambda g, a: bool(wrong(g, a)))
    return f"{wrong(graph, given) or wrong(made.graph, args)}\n{graph}"


if __name__ == "__main__":
    sys.exit(main())
