"""Frames of the playground's page while it trains, by the browser's own tracing.

    python benchmarks/playground_frames.py [--seconds 10] [--browser /usr/bin/chromium]

For the default network and for 8 layers of 32 neurons, both training at full speed: frames a second, the
median and the 99th percentile of the time between frames, and tasks of the page's main thread over 50 ms,
from the events that Chromium writes while it draws (`Tracing.start` of the DevTools protocol). A frame is one
that the page was asked to draw (`FireAnimationFrame`, of which several callbacks within 8 ms are one); those
in which something had changed and was shown (`DrawFrame` of the compositor) are counted beside. Without a
screen the browser draws by the processor alone, of which the network that trains takes a core.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.bench.machine import describe
from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.playground.sessions import make_session

CATEGORIES = (
    "devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "disabled-by-default-devtools.timeline",
)
NETWORKS = {"2-4-2-1": "4,2", "8 layers of 32": ",".join(["32"] * 8)}
LONG = 50.0  # ms: what the browser calls a long task
ONE = 8.0  # ms within which callbacks are of one frame
WARM = 4_000  # ms until programs are compiled and curves have begun
Event = dict[str, Any]


@dataclass(frozen=True)
class Frames:
    """What a trace says: ms between frames, how many were shown, long tasks in ms; within so many seconds."""

    seconds: float
    gaps: np.ndarray
    shown: int
    long_tasks: np.ndarray

    @property
    def rate(self) -> float:
        """Frames a second."""
        return len(self.gaps) / self.seconds


def frames_of(events: Sequence[Event]) -> Frames:
    """Return the frames of a trace: of the process that ran the page's animation frames.

    >>> asked = (0, 1, 20, 40, 80)  # ms
    >>> fired = [{"name": "FireAnimationFrame", "pid": 7, "tid": 1, "ts": 1000 * t} for t in asked]
    >>> drawn = [{"name": "DrawFrame", "pid": 7, "tid": 2, "ts": 1000 * t} for t in (0, 40)]
    >>> task = [{"name": "RunTask", "pid": 7, "tid": 1, "ph": "X", "ts": 5000, "dur": 60000}]
    >>> found = frames_of(fired + drawn + task)
    >>> found.gaps.tolist(), found.shown, found.long_tasks.tolist(), found.seconds
    ([20.0, 20.0, 40.0], 2, [60.0], 0.08)
    """
    fired = [event for event in events if event["name"] == "FireAnimationFrame"]
    if not fired:
        raise SystemExit("the trace has no animation frame: was the page hidden?")
    page, thread = fired[0]["pid"], fired[0]["tid"]
    times = np.sort([event["ts"] for event in fired]) / 1_000
    frames = times[np.diff(times, prepend=-np.inf) > ONE]
    shown = sum(event["name"] == "DrawFrame" and event["pid"] == page for event in events)
    seconds = float(frames[-1] - frames[0]) / 1_000
    tasks = [e["dur"] / 1_000 for e in events if _is_task(e) and (e["pid"], e["tid"]) == (page, thread)]
    long_tasks = np.asarray([task for task in tasks if task > LONG])
    return Frames(seconds, np.diff(frames), shown, long_tasks)


def _is_task(event: Event) -> bool:
    return event["name"] == "RunTask" and event.get("ph") == "X" and "dur" in event


@contextmanager
def traced(page: Any) -> Iterator[list[Event]]:
    """Trace what the browser does; the events are there at the end."""
    session, events = page.context.new_cdp_session(page), []
    ended: list[bool] = []
    session.on("Tracing.dataCollected", lambda told: events.extend(told["value"]))
    session.on("Tracing.tracingComplete", lambda told: ended.append(True))
    session.send("Tracing.start", {"categories": ",".join(CATEGORIES), "transferMode": "ReportEvents"})
    try:
        yield events
    finally:
        session.send("Tracing.end")
        while not ended:
            page.wait_for_timeout(50)
        session.detach()


def frames(
    browser: Any, server: PlaygroundServer, units: str, seconds: float
) -> tuple[Frames, dict[str, Any]]:
    """Return the frames of a page whose network trains, with such hidden layers, and what it reached."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{server.origin}/#t={server.key.token}&/network?units={units}")
    page.wait_for_selector(".neuron")
    page.wait_for_timeout(WARM)
    if not page.locator(".run.running").count():
        page.keyboard.press("Space")
    page.wait_for_selector(".run.running")
    page.wait_for_timeout(WARM)
    before = epochs(page)
    with traced(page) as events:
        page.wait_for_timeout(1_000 * seconds)
    reached = {"epochs": epochs(page) - before, "layers": page.locator(".layer-head").count()}
    page.close()
    return frames_of(events), reached


def epochs(page: Any) -> int:
    """Return the count of epochs that the page shows."""
    return int(page.locator(".bar .epoch").inner_text().replace(",", ""))


def told(name: str, found: Frames, reached: dict[str, Any]) -> str:
    """Return the figures of a network as a line of the table."""
    middle, late = np.quantile(found.gaps, [0.5, 0.99])
    rate = reached["epochs"] / found.seconds
    longest = f", longest {found.long_tasks.max():.0f} ms" if len(found.long_tasks) else ""
    return (
        f"{name:<16}{found.rate:>10.1f}{found.shown / found.seconds:>12.1f}{middle:>10.1f}{late:>10.1f}"
        f"{len(found.long_tasks):>8} over {LONG:.0f} ms{longest}; {rate:,.0f} epochs/s"
    )


def main(args: Sequence[str] | None = None) -> None:
    """Print the table."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--browser", default=shutil.which("chromium"))
    said = parser.parse_args(args)
    machine = describe()
    print(", ".join(f"{name} {machine[name]}" for name in ("cpu", "cores") if name in machine))
    print(f"{'network':<16}{'frames/s':>10}{'shown/s':>12}{'p50 ms':>10}{'p99 ms':>10}   tasks")
    server = PlaygroundServer(make_session, port=0)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=said.browser, args=["--no-sandbox"])
            print("Chromium", browser.version)
            for name, units in NETWORKS.items():
                print(told(name, *frames(browser, server, units, said.seconds)), flush=True)
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
