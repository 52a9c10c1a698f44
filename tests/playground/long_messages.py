"""Random and mutated messages, over a real socket: none may harm a session.

    python tests/playground/long_messages.py --messages 1000000 [--seed 1] [--rooms] [--minutes 60]

Each frame that comes back must be one, each error one line, none a fault of our own; at the end the session
answers as ever. --rooms speaks to all the rooms that there are, else to a small one. A line every half minute
says how far it is; it ends by itself after so many messages or minutes, and its last line says what was done.
"""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from message_samples import Vocabulary, messages, vocabulary
from page_samples import CountingRoom, Page, counting_session, page, served

from minicolumn.playground.frames import Frame
from minicolumn.playground.room import Session
from minicolumn.playground.sessions import ROOMS, make_session

UNKIND = ("fault", "fault_at_work", "bad_frame", "sleep", "big")  # which the small room does on purpose
BLOCK, AHEAD = 100, 8  # messages after which the sender says hello; blocks it may be ahead of the answers


@dataclass
class Progress:
    """How far a campaign is: messages that were sent, frames that came back by their kind."""

    sent: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)
    slowest: float = 0.0  # seconds between two frames

    def tell(self, every: float = 30.0) -> None:
        """Print a line, once in so many seconds."""
        now = time.monotonic()
        if now - self.told >= every:
            self.told = now
            print(self, flush=True)

    def __str__(self) -> str:
        seconds = time.monotonic() - self.began
        sent = f"{self.sent:,} messages in {seconds:.0f} s"
        return f"{sent}, longest wait {self.slowest:.1f} s: {dict(self.kinds)}"


def campaign(
    make: Callable[[], Session],
    words: Vocabulary,
    count: int,
    seed: int,
    seconds: float = 1e9,
    progress: Progress | None = None,
) -> Counter[str]:
    """Send so many messages to a session, or for so long; return how many frames of each kind came back."""
    progress = progress or Progress()
    kinds, until = progress.kinds, time.monotonic() + seconds
    blocks = threading.Semaphore(AHEAD)
    with served(make, rate=1e9, burst=1e9) as server, page(server) as opened:
        args = (opened, words, count, seed, blocks, until, progress)
        sending = threading.Thread(target=_send, args=args, daemon=True)
        sending.start()
        while True:
            asked = time.monotonic()
            frame = opened.hear(600)
            progress.slowest = max(progress.slowest, time.monotonic() - asked)
            progress.tell()
            if frame.kind == "hello" and frame.says.get("id") == -1:
                break
            if frame.kind == "hello" and frame.says.get("id") == -2:
                blocks.release()
                continue
            _check(frame)
            kinds[frame.kind] += 1
            if frame.kind == "tick":
                opened.say("seen", frame.room, tick=frame.says["tick"])
        sending.join()
    return kinds


def _send(
    opened: Page,
    words: Vocabulary,
    count: int,
    seed: int,
    blocks: threading.Semaphore,
    until: float,
    progress: Progress,
) -> None:
    for number, text in enumerate(itertools.islice(messages(seed, words), count)):
        if time.monotonic() > until:
            break
        opened.socket.send(text)
        progress.sent += 1
        if number % BLOCK == BLOCK - 1:  # else more would wait for the session than a server holds
            opened.say("hello", None, id=-2)
            blocks.acquire()
    opened.say("hello", None, id=-1)


def _check(frame: Frame) -> None:
    if frame.kind == "error":
        line = frame.says["message"]
        assert "fault" not in frame.says, line
        assert line, frame
        assert "\n" not in line, line
        assert "Traceback" not in line, line


def main(args: Sequence[str] | None = None) -> None:
    """Run a campaign and print what came back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", action="store_true")
    parser.add_argument("--minutes", type=float, default=60.0)
    said = parser.parse_args(args)
    make, words = counting_session, vocabulary({"counting": CountingRoom}, UNKIND)
    if said.rooms:
        names = make_session().receive({"do": "hello"})[0].says["rooms"]
        make = make_session
        words = vocabulary({n: getattr(import_module(ROOMS[n][0]), ROOMS[n][1]) for n in names})
    progress = Progress()
    print(f"{said.messages:,} messages, {said.minutes:g} minutes at most, seed {said.seed}", flush=True)
    try:
        campaign(make, words, said.messages, said.seed, 60 * said.minutes, progress)
    except TimeoutError:
        print(f"no frame for ten minutes; {progress}", flush=True)
        raise SystemExit(1) from None
    print(f"ended: {progress}", flush=True)


if __name__ == "__main__":
    main()
