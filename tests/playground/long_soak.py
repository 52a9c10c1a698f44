"""An hour of pages that run, drag, are closed and opened again: memory, ticks and latency, minute by minute.

    python tests/playground/long_soak.py [--minutes 60] [--pages 3] [--room network]

Each page opens a room, runs it and acknowledges its ticks; some are closed in the middle of their work and
opened anew. A message that is answered is timed from its sending to its answer, work of the room included.
The last line has the growth of memory a hour after the first tenth, and how many threads and files are left.
"""

from __future__ import annotations

import argparse
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from page_samples import Page, counting_session, exchanged, page, served, soon

from minicolumn.playground.room import Session
from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.playground.sessions import make_session

ANSWERED = {"network": ("step", {"epochs": 1}), "counting": ("open", {"n": 1})}
LIFE = 20.0  # seconds of a page, on average


@dataclass
class Tally:
    """What pages have seen."""

    ticks: int = 0
    opened: int = 0
    latencies: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def live(server: PlaygroundServer, cookie: str, room: str, until: float, seed: int, tally: Tally) -> None:
    """Open pages, one after another."""
    draw = random.Random(seed)
    while time.monotonic() < until:
        try:
            with page(server, cookie) as opened:
                tally.opened += 1
                _use(opened, room, min(until, time.monotonic() + draw.expovariate(1 / LIFE)), tally)
        except (OSError, AssertionError, TimeoutError) as error:
            tally.errors.append(repr(error))
            return


def _use(opened: Page, room: str, until: float, tally: Tally) -> None:
    """Run a room and acknowledge its ticks; ask something every half second, and run on."""
    do, fields = ANSWERED.get(room, ("open", {}))
    opened.say("open", room)
    opened.say("run", room)
    asked, sent, last = 0.0, 0, 0.0
    while (now := time.monotonic()) < until:
        if now - asked > 0.5 and not sent:
            asked, sent = now, 1
            opened.say(do, room, id=1, **fields)
            opened.say("run", room)
        frame = opened.hear(30)
        heard = time.monotonic()
        if frame.kind == "error":
            tally.errors.append(frame.says["message"])
        if frame.says.get("id") == 1 and sent:
            tally.latencies.append(heard - asked)
            sent = 0
        if frame.kind == "tick":
            tally.ticks += 1
            if last:
                tally.gaps.append(heard - last)
            last = heard
            opened.say("seen", None, tick=frame.says["tick"])


def memory() -> float:
    """Return the resident memory of this process, in MiB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


def soak(make: Callable[[], Session], room: str, pages: int, minutes: float) -> None:
    """Let pages live for so long; print a line a minute, and one at the end."""
    tally, samples = Tally(), []
    with served(make) as server:
        cookie = exchanged(server, server.key.token)[1]
        start, until = time.monotonic(), time.monotonic() + 60 * minutes
        before = threading.active_count(), _files()
        lives = [
            threading.Thread(target=live, args=(server, cookie, room, until, seed, tally))
            for seed in range(pages)
        ]
        for life in lives:
            life.start()
        while any(life.is_alive() for life in lives):
            time.sleep(min(60.0, max(1.0, 6 * minutes)))
            samples.append((time.monotonic() - start, memory()))
            _report(samples[-1], tally)
        soon(lambda: len(server.pages) == 0)
        time.sleep(1.0)
        after = threading.active_count(), _files()
    _conclude(samples, tally, before, after)


def _report(sample: tuple[float, float], tally: Tally) -> None:
    middle, high = _quantiles(tally.latencies)
    gap, long_gap = _quantiles(tally.gaps)
    print(
        f"{sample[0] / 60:6.1f} min  {sample[1]:7.1f} MiB  {tally.opened:5} pages  {tally.ticks:8,} ticks"
        f"  answer p50 {middle:5.1f} p99 {high:6.1f} ms  between ticks p50 {gap:5.1f} p99 {long_gap:6.1f} ms"
        f"  {len(tally.errors)} errors",
        flush=True,
    )
    tally.latencies.clear()
    tally.gaps.clear()


def _quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    if not seconds:
        return float("nan"), float("nan")
    middle, high = np.quantile(np.asarray(seconds), [0.5, 0.99]) * 1_000
    return float(middle), float(high)


def _conclude(
    samples: Sequence[tuple[float, float]], tally: Tally, before: tuple[int, int], after: tuple[int, int]
) -> None:
    late = [(at, size) for at, size in samples if at >= samples[-1][0] / 10]
    seconds, sizes = np.asarray(late).T
    growth = np.polyfit(seconds, sizes, 1)[0] * 3_600 if len(late) > 2 else float("nan")
    print(
        f"memory grows by {growth:.2f} MiB an hour; threads {before[0]} -> {after[0]}, files {before[1]} -> "
        f"{after[1]}; {len(tally.errors)} errors {tally.errors[:3]}"
    )


def main(args: Sequence[str] | None = None) -> None:
    """Soak, and print what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--room", default="network")
    said = parser.parse_args(args)
    soak(counting_session if said.room == "counting" else make_session, said.room, said.pages, said.minutes)


if __name__ == "__main__":
    main()
