"""`minicolumn bench`: what may be said about a measurement; the work is in bench_job."""

from __future__ import annotations

from typing import Annotated

import typer

_WORKLOADS = typer.Argument(metavar="[WORKLOAD ...]", help="What to measure. [default: everything]")
_PEERS = typer.Option("--peers/--no-peers", help="Run what else is installed beside. [default: yes]")
_SECONDS = typer.Option(metavar="N", help="How long the sides take turns, in all. [default: 12]")
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
    data, loss and optimizer. All sides take turns. A control, which is nobody's code, tells when the
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
      best         the fastest turn; the median beside it says how steady it was
      ratio        that side's best over ours: below 1 that side is faster
      limit        a step's products at the most multiply-adds seen here
      rough        the control moved by more than 10 %: do not quote these figures

    Examples
      minicolumn bench
      minicolumn bench playground tabular --seconds 30
      minicolumn bench --threads 1 --out one_core.json
      minicolumn bench startup --no-peers
    """
    from minicolumn.cli.bench_job import run_bench

    return run_bench(tuple(workloads or ()), peers, seconds, threads, out, as_json)
