"""The speed of the playground: its session beside the engine and its model's arithmetic, and its page.

    python benchmarks/playground.py [--rounds 5] [--seconds 2] [--browser /usr/bin/chromium] [--monitor]

The default network, 2-4-2-1 on 250 points by batches of 10. Engine: `Trainer.advance` alone. Session: the
room `network` as the server drives it, 30 ticks a second with maps, losses and scores. TensorFlow Playground:
its arithmetic in Node.js, one object a node and a link as it has them (`playground_peer.mjs`), as fast as it
goes and by its clock of 60 frames a second. Sides take turns; minimum and median. Then what
`mc.fit(..., monitor=True)` costs without a page, by the wall's clock and the processor's, with --monitor that
alone. With a browser also: first paint, frames a second with 8 layers of 32 while they train, and the time
from a step to the screen.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn import fit, nn
from minicolumn.bench.machine import describe
from minicolumn.playground.frames import encoded
from minicolumn.playground.network.room import NetworkRoom
from minicolumn.playground.network.setup import Setup
from minicolumn.playground.room import Session

CLOCK = 60.0  # frames a second of TensorFlow Playground, one epoch each
STEPS = 25  # an epoch
TICKS = 30
EPOCH = 0.05  # seconds of one of the monitored training, about
PEER = Path(__file__).with_name("playground_peer.mjs")


def opened(units: Sequence[int] = Setup().units) -> tuple[Session, NetworkRoom]:
    """Return a session whose room `network` was opened and has trained a little."""
    room = NetworkRoom()
    page = Session({"network": lambda: room})
    page.receive({"room": "network", "do": "open", "setup": {"units": list(units)}})
    room.learner.trainer.prepare()
    room.learner.advance(seconds=0.3)
    return page, room


def engine(seconds: float) -> float:
    """Return steps a second of the training alone."""
    learner = opened()[1].learner
    began, first = time.perf_counter(), learner.step
    learner.trainer.advance(seconds=seconds)
    return (learner.step - first) / (time.perf_counter() - began)


def session(seconds: float) -> float:
    """Return steps a second of the room as the server drives it, with 30 ticks a second."""
    page, room = opened()
    page.receive({"room": "network", "do": "run"})
    began, first = time.perf_counter(), room.learner.step
    while time.perf_counter() - began < seconds:
        for frame in page.work(1 / TICKS):
            encoded(frame)
    return (room.learner.step - first) / (time.perf_counter() - began)


def maps(units: Sequence[int]) -> float:
    """Return milliseconds of a tick: maps of all neurons in one pass, losses and scores, as bytes."""
    page, _ = opened(units)
    took = []
    for _ in range(50):
        began = time.perf_counter()
        [frame] = page.receive({"room": "network", "do": "pause"})
        encoded(frame)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def peer(seconds: float) -> dict[str, float]:
    """Return what the peer's arithmetic reaches, from Node.js."""
    command = ["node", str(PEER), str(seconds)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def in_browser(chromium: str) -> dict[str, float]:
    """Return first paint in ms, frames a second with 8 layers of 32, and ms from a step to the screen."""
    from playwright.sync_api import sync_playwright

    from minicolumn.playground.server.serving import PlaygroundServer
    from minicolumn.playground.sessions import make_session

    server = PlaygroundServer(make_session, port=0)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(server.address())
            page.wait_for_selector("main .room.network")
            page.wait_for_timeout(2000)
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            page.keyboard.press("Space")  # it runs on arrival
            page.wait_for_timeout(500)
            latencies = [to_the_screen(page) for _ in range(20)]
            wide = ",".join(["32"] * 8)
            page.goto(f"{server.origin}/#/network?units={wide}")
            page.reload()
            page.wait_for_selector("main .room.network")
            page.wait_for_timeout(4000)
            page.keyboard.press("Space")
            page.wait_for_timeout(2000)
            frames = page.evaluate(COUNT_FRAMES)
            browser.close()
    finally:
        server.stop()
    return {"first_paint": paint, "latency": statistics.median(latencies), "frames": frames}


def fitted(monitor: bool, seconds: float) -> tuple[float, float]:
    """Return the seconds that a fit of about so many takes, by the wall's clock and by the processor's."""
    X = np.random.default_rng(0).uniform(size=(20_000, 20)).astype(np.float32)
    y = (X.sum(axis=1) > 10).astype(np.int32)
    network = nn.Sequential(nn.Dense(64, "relu"), nn.Dense(64, "relu"), nn.Dense(2))
    epochs = max(1, round(seconds / EPOCH))
    wall, processor = time.perf_counter(), time.process_time()
    fit(network, X, y, epochs=epochs, batch_size=128, seed=0, monitor=monitor)
    return time.perf_counter() - wall, time.process_time() - processor


def cost_of_monitor(rounds: int, seconds: float) -> None:
    """Print what a training takes that is shown live, no page open, beside one that is not."""
    fitted(False, EPOCH)  # all is compiled
    fitted(True, EPOCH)
    plain, shown_live = [], []
    for turn in range(rounds):
        for watched in (False, True) if turn % 2 == 0 else (True, False):
            (shown_live if watched else plain).append(fitted(watched, seconds))
    for place, clock in enumerate(("wall", "processor")):
        without, beside = [t[place] for t in plain], [t[place] for t in shown_live]
        print(f"{f'fit, s, {clock} time':<52}{min(without):>16.3f}{statistics.median(without):>16.3f}")
        name = f"fit with monitor=True, s, {clock} time"
        print(f"{name:<52}{min(beside):>16.3f}{statistics.median(beside):>16.3f}")
        ratio = min(beside) / min(without), statistics.median(beside) / statistics.median(without)
        print(f"{'with / without':<52}{ratio[0]:>16.3f}{ratio[1]:>16.3f}")


COUNT_FRAMES = """() => new Promise((done) => {
  let count = 0;
  const began = performance.now();
  const next = (now) => {
    count++;
    if (now - began < 4000) requestAnimationFrame(next); else done(1000 * count / (now - began));
  };
  requestAnimationFrame(next);
})"""
LISTEN = """() => {
  const counter = document.querySelector(".bar .epoch");
  let began = 0;
  window.latency = null;
  addEventListener("keydown", () => { began = performance.now(); }, { capture: true, once: true });
  const seen = new MutationObserver(() => {
    seen.disconnect();
    requestAnimationFrame(() => { window.latency = performance.now() - began; });
  });
  seen.observe(counter, { childList: true, characterData: true, subtree: true });
}"""


def to_the_screen(page: Any) -> float:
    """Return the milliseconds from the key of a step to the frame that shows its epoch."""
    page.evaluate(LISTEN)
    page.keyboard.press("s")
    for _ in range(200):
        found = page.evaluate("window.latency")
        if found is not None:
            return float(found)
        page.wait_for_timeout(10)
    return float("nan")


def shown(name: str, rates: Sequence[float]) -> str:
    """Return a line: the least and the median of some rates."""
    return f"{name:<52}{min(rates):>16,.0f}{statistics.median(rates):>16,.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--browser", default=shutil.which("chromium"))
    parser.add_argument(
        "--monitor", action="store_true", help="measure what the monitor costs, and nothing else"
    )
    said = parser.parse_args()
    if said.monitor:
        cost_of_monitor(said.rounds, said.seconds)
        return
    has_node = shutil.which("node") is not None
    engines, sessions, peers = [], [], []
    for _ in range(said.rounds):
        engines.append(engine(said.seconds))
        sessions.append(session(said.seconds))
        if has_node:
            peers.append(peer(said.seconds))
    found = describe()
    print(", ".join(f"{name} {found[name]}" for name in ("cpu", "cores") if name in found))
    print(f"{'steps a second, 2-4-2-1 by batches of 10':<52}{'min':>16}{'median':>16}")
    print(shown("engine: Trainer.advance alone", engines))
    print(shown("session: with 30 ticks a second", sessions))
    ratios = [a / b for a, b in zip(sessions, engines, strict=True)]
    print(f"{'session / engine':<52}{min(ratios):>16.2f}{statistics.median(ratios):>16.2f}")
    if has_node:
        alone = [STEPS * found["epochs_alone"] for found in peers]
        drawn = [STEPS * min(CLOCK, found["frames"]) for found in peers]
        print(shown("TensorFlow Playground's arithmetic, training alone", alone))
        print(shown("the same by its clock, with maps and losses", drawn))
        print(f"{'session / by its clock':<52}{_ratio(sessions, drawn)}")
        print(f"{'session / training alone':<52}{_ratio(sessions, alone)}")
    for units in ((4, 2), (32,) * 8):
        name = f"a tick of {'-'.join(map(str, units))}, ms, median"
        print(f"{name:<52}{'':>16}{maps(units):>16.1f}")
    cost_of_monitor(said.rounds, said.seconds)
    if said.browser:
        page = in_browser(said.browser)
        print(f"{'first paint, ms':<52}{'':>16}{page['first_paint']:>16.0f}")
        print(f"{'from a step to the screen, ms, median':<52}{'':>16}{page['latency']:>16.0f}")
        print(f"{'frames a second, 8 layers of 32, training':<52}{'':>16}{page['frames']:>16.0f}")


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{min(ratios):>16,.0f}{statistics.median(ratios):>16,.0f}"


if __name__ == "__main__":
    main()
