"""The playground's server, over real sockets: pages, their workers, limits, and what ends them."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from page_samples import CountingRoom, Page, counting_session, exchanged, page, served, soon
from websockets.exceptions import ConnectionClosed, InvalidStatus

from minicolumn.errors import DataError
from minicolumn.playground.room import Session
from minicolumn.playground.server.connection import BUSY, FAULT, POLICY
from minicolumn.playground.server.serving import PlaygroundServer, bind, host_names
from minicolumn.playground.server.worker import OVERHEAD
from minicolumn.playground.sessions import make_session


def test_messages_go_in_and_frames_come_out(server: PlaygroundServer) -> None:
    with page(server) as opened:
        assert opened.ask("hello", None).says["rooms"] == ["counting"]
        assert opened.ask("open", n=3).says["count"] == 3
        assert "did you mean 'open'" in opened.ask("opne").says["message"]


def test_two_ticks_are_under_way_and_work_goes_on(server: PlaygroundServer) -> None:
    with page(server) as opened:
        opened.say("run")
        first, second = opened.hear(), opened.hear()
        assert [first.says["tick"], second.says["tick"]] == [1, 2]
        with pytest.raises(TimeoutError):
            opened.hear(0.4)
        opened.say("seen", None, tick=7)  # none that was sent
        with pytest.raises(TimeoutError):
            opened.hear(0.2)
        opened.say("seen", None, tick=2)
        third, fourth = opened.hear(), opened.hear()
        assert third.says["count"] > 8, "it ran on while nothing was drawn"
        assert fourth.says["tick"] == third.says["tick"] + 1
        opened.say("seen", "elsewhere", tick=fourth.says["tick"])  # of another room
        with pytest.raises(TimeoutError):
            opened.hear(0.2)


@pytest.mark.parametrize("room", ["network", "overfitting", "topology", "digits"])
def test_a_step_of_a_million_epochs_holds_nobody_up(room: str) -> None:
    with served(make_session) as server, page(server) as opened:

        def tick(number: int, do: str, **said: Any) -> Any:
            opened.say(do, room, id=number, **said)
            frames = iter(opened.hear, None)
            return next(f.says for f in frames if f.kind == "tick" and f.says.get("id") == number)

        tick(1, "open")
        tick(2, "step", epochs=1)  # all is compiled
        began = time.monotonic()
        assert tick(3, "step", epochs=10**6)["running"]
        assert opened.ask("hello", None).kind == "hello"
        told = tick(4, "pause")
        assert time.monotonic() - began < 5.0  # some slices of a thirtieth of a second; hours without them
        assert not told["running"]
        assert told["epoch"] < 10**6


def test_ticks_without_a_number_get_one(server: PlaygroundServer) -> None:
    with page(server) as opened:
        opened.say("unnumbered")
        assert [frame.says["tick"] for frame in opened.hear_all(0.4)] == [1, 2]
        opened.say("seen", None, tick=1)
        assert [frame.says["tick"] for frame in opened.hear_all(0.4)] == [3]


def test_the_last_tick_of_a_run_is_always_sent(server: PlaygroundServer) -> None:
    with page(server) as opened:
        opened.say("run", n=8)
        assert [opened.hear().says["count"] for _ in range(3)] == [1, 2, 8]


def test_pages_are_independent_and_a_closed_one_frees_its_work(server: PlaygroundServer) -> None:
    assert soon(lambda: CountingRoom.alive == 0)
    threads = threading.active_count()
    with page(server) as left:
        with page(server) as right:
            left.say("run")
            assert right.ask("open", n=5).says["count"] == 5
            assert left.hear().says["count"] == 1
            assert (len(server.pages), CountingRoom.alive) == (2, 2)
        assert soon(lambda: len(server.pages) == 1, 1.0)
        assert soon(lambda: CountingRoom.alive == 1, 1.0)
        left.say("seen", None, tick=2)
        assert left.hear().says["count"] > 1
        left.socket.socket.shutdown(socket.SHUT_RDWR)  # no good-bye, as of a browser that was killed
        assert soon(lambda: len(server.pages) == 0)
    assert soon(lambda: CountingRoom.alive == 0)
    assert soon(lambda: threading.active_count() <= threads)


def test_an_error_of_our_own_is_one_line_and_the_session_lives_on(
    server: PlaygroundServer, caplog: pytest.LogCaptureFixture
) -> None:
    with page(server) as opened:
        opened.ask("open", n=4)
        for do in ("fault", "bad_frame"):
            said = opened.ask("fault").says if do == "fault" else (opened.say(do), opened.hear().says)[1]
            assert said["message"].startswith("this is our fault")
            assert "secret" not in said["message"]
            assert said["fault"] is True
        opened.say("fault_at_work")
        assert opened.hear().says["do"] == "work"
        with pytest.raises(TimeoutError):
            opened.hear(0.2)  # said once: the room has stopped
        assert opened.ask("pause").says["count"] == 4
    assert "a secret of the inside" in caplog.text
    assert "page_samples.py" in caplog.text, "with its traceback"


@pytest.mark.parametrize("at", ["start", "work"])
def test_a_page_whose_session_ended_by_a_fault_is_told(at: str, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Session):
        def __init__(self) -> None:
            if at == "start":
                raise ZeroDivisionError("a secret of the inside")
            super().__init__({"counting": CountingRoom})

        @property
        def running(self) -> bool:
            raise RuntimeError("a secret of the inside")

    with served(Broken) as server, page(server) as opened:
        with pytest.raises(ConnectionClosed) as closed:
            opened.hear()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, "secret" in closed.value.rcvd.reason) == (FAULT, False)
        assert soon(lambda: len(server.pages) == 0)
    assert "a session of the playground ended" in caplog.text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "this message is no JSON"),
        ("{", "this message is no JSON"),
        ("[" * 100_000, "this message is no JSON: too deep"),
        ("9" * 5_000, "this message is no JSON: too deep, or too long a number"),
        ('{"do": NaN}', "NaN is no number of JSON"),
        ("[]", "a message is an object"),
        ("null", "a message is an object"),
        ('{"room": "\\ud800", "do": "\\ud800"}', "there is no room"),
        ('{"room": "counting"}', "counting: there is no 'None'"),
        ('{"room": "counting", "do": ["open"]}', "counting: there is no"),
        ('{"room": "counting", "do": "open", "n": 1e999}', "counting: open"),
        ('{"room": "counting", "do": "open", "m": 1}', "unknown setting 'm'; there are n"),
        ('{"room": {"a": 1}, "do": "open"}', "there is no room"),
        (b"\x00\x01", "messages are text"),
    ],
)
def test_a_message_that_is_none_gets_one_line(server: PlaygroundServer, text: Any, line: str) -> None:
    with page(server) as opened:
        opened.socket.send(text)
        said = opened.hear()
        assert said.kind == "error"
        assert line in said.says["message"]
        assert "\n" not in said.says["message"]
        assert opened.ask("open", n=1).says["count"] == 1


@pytest.mark.parametrize(
    "message", ["x" * (2**20 + 1), ["x" * 600_000, "x" * 600_000]], ids=["one", "in pieces"]
)
def test_a_message_over_the_limit_ends_the_page(server: PlaygroundServer, message: Any) -> None:
    with page(server) as opened:
        opened.socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            opened.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    with page(server) as opened:
        opened.socket.send("x" * 2**20)
        assert "no JSON" in opened.hear().says["message"]


def test_nothing_is_compressed(server: PlaygroundServer) -> None:
    with page(server, compression="deflate") as opened:
        assert opened.socket.protocol.extensions == []
        opened.socket.socket.sendall(b"\xc1\x80\0\0\0\0")  # text, and the bit that says compressed
        with pytest.raises(ConnectionClosed) as closed:
            opened.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1002


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
def test_a_socket_of_another_site_is_refused(server: PlaygroundServer, origin: Any) -> None:
    with pytest.raises(InvalidStatus, match="403"), page(server, origin=origin):
        pass


def _flood(opened: Page) -> None:
    for n in range(100_000):
        opened.say("open", n=n)
        opened.say("seen", None, tick=n)  # always taken


def test_more_messages_than_may_come_are_refused() -> None:
    with served(rate=0.001, burst=5) as server, page(server) as opened:
        for n in range(20):
            opened.say("open", n=n)
        frames = [opened.hear() for _ in range(6)]
        assert sorted(frame.says["count"] for frame in frames if frame.kind == "state") == [0, 1, 2, 3, 4]
        errors = [frame.says["message"] for frame in frames if frame.kind == "error"]
        assert errors == ["too many messages at once; what they said was not done"], "said once"
        with pytest.raises(ConnectionClosed) as closed:
            _flood(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == POLICY


def test_what_was_drawn_may_be_said_however_often() -> None:
    with served(rate=0.001, burst=1) as server, page(server) as opened:
        opened.say("run")
        for _ in range(8):
            frame = opened.hear()
            assert frame.kind == "tick"
            opened.say("seen", None, tick=frame.says["tick"])


def test_what_waits_for_a_session_has_a_limit() -> None:
    with served(waiting_bytes=20_000) as server, page(server) as opened:
        CountingRoom.asleep.clear()
        CountingRoom.wake.clear()
        opened.say("sleep", n=60_000)
        assert CountingRoom.asleep.wait(30), "it is taken, so that what follows waits"
        for n in range(30):
            opened.say("open", n=n, id=9, name="x" * 1_000)
        frames = [opened.hear()]
        time.sleep(0.3)  # the rest has come, too
        CountingRoom.wake.set()
        frames += opened.hear_all(0.5)
        assert sum("too much waits" in frame.says.get("message", "") for frame in frames) == 1
        assert sum(frame.says.get("id") == 9 for frame in frames) == 20_000 // (1_070 + OVERHEAD)
        assert opened.ask("open", n=9).says["count"] == 9


def test_a_page_that_takes_nothing_costs_little_and_is_let_go() -> None:
    size, unsent = 2**20, 4 * 2**20
    with served(patience=1.0, unsent_bytes=unsent, pages=2) as server:
        before = CountingRoom.made
        with page(server, max_queue=1, close_timeout=0.1) as slow, page(server) as other:
            for _ in range(200):
                slow.say("big", n=size)
            time.sleep(0.3)
            assert other.ask("open", n=2).says["count"] == 2, "others are served meanwhile"
            # What the sockets of both sides hold is the kernel's to say: 32 MiB where it lets them grow.
            assert CountingRoom.made - before <= 100, "answers are made as they are taken"
            assert soon(lambda: len(server.pages) == 1)
            assert other.ask("open", n=3).says["count"] == 3


def test_further_pages_are_refused_with_a_reason() -> None:
    with served(pages=2) as server:
        cookie = exchanged(server, server.key.token)[1]
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(page(server, cookie)).ask("hello", None)
            with page(server, cookie) as third, pytest.raises(ConnectionClosed) as closed:
                third.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == BUSY
        assert soon(lambda: len(server.pages) == 0)
        with page(server, cookie) as opened:
            assert opened.ask("open", n=1).says["count"] == 1


def test_a_storm_of_pages_leaves_nothing_behind(server: PlaygroundServer) -> None:
    assert soon(lambda: CountingRoom.alive == 0)
    cookie, threads = exchanged(server, server.key.token)[1], threading.active_count()
    files = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    for _ in range(60):
        with page(server, cookie) as opened:
            opened.say("run")
    assert soon(lambda: len(server.pages) == 0)
    assert soon(lambda: CountingRoom.alive == 0)
    assert soon(lambda: threading.active_count() <= threads)
    if files:
        assert soon(lambda: len(os.listdir("/proc/self/fd")) <= files)


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1",
     b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"],
    ids=["nothing", "a line", "a header", "a body"],
)  # fmt: skip
def test_a_client_that_does_not_finish_its_request_is_let_go(begun: bytes, within: Any) -> None:
    with served(patience=0.3) as server, socket.create_connection(("127.0.0.1", server.port)) as link:
        link.settimeout(30)
        link.sendall(begun)
        with within(2.5), suppress(ConnectionResetError):
            while link.recv(1_000):
                pass


def test_an_idle_page_is_kept() -> None:
    with served(patience=0.2) as server, page(server) as opened:
        assert opened.ask("open", n=1).says["count"] == 1
        time.sleep(0.7)
        assert opened.ask("open", n=2).says["count"] == 2


def test_the_server_ends_within_a_second_whatever_pages_do(within: Any) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(served(patience=60.0))
        slow = stack.enter_context(page(server, max_queue=1, close_timeout=0.1))
        for _ in range(30):
            slow.say("big", n=2**20)
        running = stack.enter_context(page(server))
        running.say("run")
        running.hear()
        with within(1.0):
            server.stop()
        with pytest.raises(ConnectionClosed) as closed:
            running.hear_all(1.0)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert soon(lambda: CountingRoom.alive == 0)


def test_a_page_goes_on_after_the_server_was_restarted() -> None:
    with served() as first:
        stale = exchanged(first, first.key.token)[1]
        with page(first, stale) as opened:
            setup = opened.ask("open", n=42).says["count"]
    again = PlaygroundServer(counting_session, port=first.port, assets={})
    again.start()
    try:
        assert stale.partition("=")[0] == again.key.cookie_name
        with pytest.raises(InvalidStatus, match="403"), page(again, stale):
            pass
        assert exchanged(again, first.key.token) == (403, "")
        with page(again) as opened:  # which has opened the new address
            assert opened.ask("open", n=setup).says["count"] == 42
    finally:
        again.stop()


@pytest.mark.parametrize(
    ("words", "kind", "count"), [(["open", "pause"], "state", 8), (["open", "opne", "open"], "error", 8)]
)
def test_what_the_command_was_given_is_done_when_the_page_says_so(
    words: list[str], kind: str, count: int
) -> None:
    opening = [{"room": "counting", "do": do, **({"n": 8} if do == "open" else {})} for do in words]
    with (
        served(lambda: Session({"counting": CountingRoom}, opening=opening)) as server,
        page(server) as opened,
    ):
        assert opened.ask("hello", None).says["opening"] == len(words)
        opened.say("opening", None, id=5)
        frames = opened.hear_all(0.2)
        assert [(frame.kind, frame.says["id"]) for frame in frames] == [(kind, 5)]
        assert opened.ask("pause").says["count"] == count


@pytest.mark.filterwarnings("ignore:Exception in thread:pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_does_not_start_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    server = PlaygroundServer(counting_session, port=0, assets={})
    monkeypatch.setattr(server._server, "run", lambda sockets: sockets[0].close() or 1 / 0)
    with pytest.raises(DataError, match="ended as it began"):
        server.start()


def test_a_port_in_use_is_said_with_one_that_is_free() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DataError, match=rf"^--port: {port} is in use; \d+ is free$") as said:
            bind("127.0.0.1", port)
        free = int(str(said.value).split()[5])
        bind("127.0.0.1", free).close()


def test_without_a_port_the_first_free_one_is_taken() -> None:
    with bind("127.0.0.1", None) as first, bind("127.0.0.1", None) as second:
        assert 8089 <= first.getsockname()[1] < second.getsockname()[1]


def test_only_this_machine_is_served() -> None:
    with served() as server:
        address = server._socket.getsockname()[0]
        assert address == "127.0.0.1"
    assert host_names("0.0.0.0")[-3:] == ["127.0.0.1", "localhost", "[::1]"]
    assert host_names("192.168.1.7") == ["192.168.1.7"]
    assert host_names("fe80::1") == ["[fe80::1]"]


def test_messages_are_json_of_the_page(server: PlaygroundServer) -> None:
    with page(server) as opened:
        opened.socket.send(json.dumps({"room": "counting", "do": "open", "n": 7, "id": True}))
        assert opened.hear().says["count"] == 7
