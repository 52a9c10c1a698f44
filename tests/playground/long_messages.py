"""Random and mutated messages, over a real socket: none may harm a session.

    python tests/playground/long_messages.py --messages 1000000 [--seed 1] [--rooms]

Each frame that comes back must be one, each error one line, none a fault of our own; at the end the session
answers as ever. --rooms speaks to all the rooms that there are, else to a small one.
"""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib import import_module

from message_samples import Vocabulary, messages, vocabulary
from page_samples import CountingRoom, Page, counting_session, page, served

from minicolumn.playground.frames import Frame
from minicolumn.playground.room import Session
from minicolumn.playground.sessions import ROOMS, make_session

UNKIND = ("fault", "fault_at_work", "bad_frame", "sleep", "big")  # which the small room does on purpose
BLOCK, AHEAD = 500, 8  # messages after which the sender says hello; blocks it may be ahead of the answers


def campaign(make: Callable[[], Session], words: Vocabulary, count: int, seed: int) -> Counter[str]:
    """Send so many messages to a session, and return how many frames of each kind came back."""
    kinds: Counter[str] = Counter()
    blocks = threading.Semaphore(AHEAD)
    with served(make, rate=1e9, burst=1e9) as server, page(server) as opened:
        sending = threading.Thread(target=_send, args=(opened, words, count, seed, blocks), daemon=True)
        sending.start()
        while True:
            frame = opened.hear(600)
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


def _send(opened: Page, words: Vocabulary, count: int, seed: int, blocks: threading.Semaphore) -> None:
    for number, text in enumerate(itertools.islice(messages(seed, words), count)):
        opened.socket.send(text)
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
    said = parser.parse_args(args)
    make, words = counting_session, vocabulary({"counting": CountingRoom}, UNKIND)
    if said.rooms:
        names = make_session().receive({"do": "hello"})[0].says["rooms"]
        make = make_session
        words = vocabulary({n: getattr(import_module(ROOMS[n][0]), ROOMS[n][1]) for n in names})
    start = time.perf_counter()
    kinds = campaign(make, words, said.messages, said.seed)
    seconds = time.perf_counter() - start
    print(f"{said.messages:,} messages in {seconds:.0f} s, seed {said.seed}: {dict(kinds)}")


if __name__ == "__main__":
    main()
