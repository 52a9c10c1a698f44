"""The work of `minicolumn bench`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from minicolumn.bench.machine import use_cores
from minicolumn.bench.session import PARTS, Settings, peers_here, run
from minicolumn.cli.bench_report import show_part, show_summary
from minicolumn.cli.json_line import print_json
from minicolumn.cli.run import DONE
from minicolumn.cli.save import check_writable
from minicolumn.cli.screen import is_live, open_console, visible
from minicolumn.errors import DataError
from minicolumn.lower.llvm.runtime.jit import why_missing
from minicolumn.registry import Integer, Number

SECONDS = Number(name="seconds", help="How long the sides take turns.", gt=0, le=86_400)


def run_bench(
    workloads: tuple[str, ...],
    peers: bool,
    seconds: float,
    threads: int | None,
    out: str | None,
    as_json: bool,
) -> int:
    """Measure, show each part as it is done, and return the exit code."""
    if why_missing():
        raise DataError(why_missing())
    SECONDS.required(seconds, "--seconds")
    cores = Integer(name="threads", help="Cores to use.", ge=1, le=os.cpu_count() or 1, optional=True)
    cores.required(threads, "--threads")
    settings = Settings(tuple(dict.fromkeys(workloads)) or PARTS, peers_here(peers), seconds)
    if out is not None:
        check_writable("--out", out)
    if threads is not None:
        use_cores(threads)
    console = open_console(to_stderr=as_json)
    result: dict[str, Any] = {}
    with _watching(console) as watch:
        for part, found in run(settings, watch):
            result[part] = found
            show_part(console, part, found)
    show_summary(console, result)
    if out is not None:
        Path(out).write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
        console.print(f"\nWritten to {visible(out)}", soft_wrap=True)
    if as_json:
        print_json(result)
    return DONE


@contextmanager
def _watching(console: Console) -> Iterator[Callable[[str], None]]:
    """Show on a terminal whose turn it is."""
    if not is_live(console):
        yield lambda what: None
        return
    with console.status("") as status:
        yield lambda what: status.update(Text(visible(what), "dim"))
