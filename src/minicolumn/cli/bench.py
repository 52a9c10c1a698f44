"""`minicolumn bench`: benchmark training and prediction against the installed libraries.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minicolumn.address_space import check_room_for_arrays
from minicolumn.errors import DataError

if TYPE_CHECKING:
    from rich.console import Console

_WORKLOADS = typer.Argument(metavar="[WORKLOAD ...]", help="What to measure. [default: everything]")
_PEERS = typer.Option("--peers/--no-peers", help="Run what else is installed beside. [default: yes]")
_SECONDS = typer.Option(metavar="N", help="How long to measure, in all. [default: 12]")
_THREADS = typer.Option(metavar="N", help="Cores to use, by all sides. [default: all]")
_OUT = typer.Option(metavar="FILE", help="Write the result to a file, as JSON.")
_JSON = typer.Option("--json", help="One JSON line on stdout; words go to stderr.")


def bench(
    workloads: Annotated[list[str] | None, _WORKLOADS] = None,
    peers: Annotated[bool, _PEERS] = True,
    seconds: Annotated[float, _SECONDS] = 12.0,
    threads: Annotated[int | None, _THREADS] = None,
    out: Annotated[str | None, _OUT] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> int:
    """Measure how fast this machine trains and predicts, beside the libraries installed here.

    JAX, PyTorch, scikit-learn and ONNX Runtime are run where they can be imported, on the same network,
    data, loss and optimizer. All sides alternate. A control, which is nobody's code, tells when the
    machine was busy with something else: those rounds are repeated. For figures to keep, let nothing
    else run, and give it more time.

    Workloads
      playground   2-4-2-1, batch 10: the smallest that is of use
      tabular      54-128-64-7, batch 256: a table of some size
      mnist        784-300-100-10 with dropout, batch 128: small pictures
      wide         1024-2048-2048-10, batch 512: all arithmetic
      predict      one row, and 100,000 rows, through 54-128-64-7
      startup      import, and the first call of a training, in fresh processes

    How to read it
      best         the fastest call; the median beside it says how steady it was
      ratio        that side's best over ours: below 1 that side is faster
      limit        a step's products at the most multiply-adds seen here
      rough        the control moved by more than 10 %: do not quote these figures

    Examples
      minicolumn bench
      minicolumn bench playground tabular --seconds 30
      minicolumn bench --threads 1 --out one_core.json
      minicolumn bench startup --no-peers
    """
    import json

    from minicolumn.bench.machine import use_cores
    from minicolumn.bench.session import PARTS, BenchSettings, peers_here, run
    from minicolumn.cli.bench_report import show_part, show_summary
    from minicolumn.cli.process import raise_interrupts
    from minicolumn.cli.run import DONE
    from minicolumn.cli.save import check_writable
    from minicolumn.cli.screen import open_console, print_json, visible

    check_room_for_arrays("minicolumn bench")
    _check(seconds, threads)
    raise_interrupts()
    settings = BenchSettings(tuple(dict.fromkeys(workloads or ())) or PARTS, peers_here(peers), seconds)
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


def _check(seconds: float, threads: int | None) -> None:
    """Refuse numbers out of range, and a machine where there is no native code to measure.

    Errors      DataError that begins with the option
    """
    from minicolumn.lower.llvm.runtime.jit import why_missing
    from minicolumn.registry import Integer, Number

    if why_missing():
        raise DataError(why_missing())
    Number(name="seconds", help="How long to measure.", gt=0, le=86_400).required(seconds, "--seconds")
    cores = Integer(name="threads", help="Cores to use.", ge=1, le=os.cpu_count() or 1, optional=True)
    cores.required(threads, "--threads")


@contextmanager
def _watching(console: Console) -> Iterator[Callable[[str], None]]:
    """Give a function that shows on a terminal which library is being timed; elsewhere it shows nothing."""
    from rich.text import Text

    from minicolumn.cli.screen import is_live, visible

    if not is_live(console):
        yield lambda what: None
        return
    with console.status("") as status:
        yield lambda what: status.update(Text(visible(what), "dim"))
