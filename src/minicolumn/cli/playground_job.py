"""The work of `minicolumn playground`: read what it begins with, serve the page, open a browser."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from minicolumn.cli.inspect_job import is_model_file
from minicolumn.cli.process import raise_interrupts
from minicolumn.cli.run import Interrupted
from minicolumn.cli.screen import open_console, visible
from minicolumn.cli.source import find_target, model_file, read_source, short_name
from minicolumn.errors import DataError, did_you_mean
from minicolumn.playground.browser import open_browser
from minicolumn.playground.room import Session
from minicolumn.playground.sessions import make_session
from minicolumn.playground.uploads import MOST_BYTES, model_messages, table_messages

if TYPE_CHECKING:
    from minicolumn.cli.playground import PlaygroundOptions

LANGUAGES = ("en", "ko")
LOCAL = ("127.0.0.1", "localhost", "::1")
_LOGS = ("minicolumn.playground", "uvicorn.error")  # which tell of faults


def run_playground(options: PlaygroundOptions) -> int:
    """Serve the playground until it is interrupted."""
    from minicolumn.playground.server.serving import PlaygroundServer

    if options.lang is not None and options.lang not in LANGUAGES:
        hint = did_you_mean(options.lang, LANGUAGES) or f"; there are {' and '.join(LANGUAGES)}"
        raise DataError(f"--lang: the page does not speak {options.lang!r}{hint}")
    console = open_console(to_stderr=True)
    opening = opening_messages(options.file, options.target, console)
    server = PlaygroundServer(_maker(opening), host=options.host, port=options.port)
    query = "" if options.lang is None else f"?lang={options.lang}"
    raise_interrupts()
    sys.stdout.write(server.address(query) + "\n")
    sys.stdout.flush()
    if options.host not in LOCAL:
        _say(console, "others in your network can open it too, who know the address; it is not encrypted")
    if not options.no_browser:
        open_browser(server.address(query, once=True), lambda line: _say(console, line))
    _say(console, "the playground is open; Ctrl-C ends it")
    with _faults_shown():
        try:
            server.run()
        except KeyboardInterrupt:
            raise Interrupted("the playground is closed") from None
    return 0


def opening_messages(file: str | None, target: str | None, console: Console) -> list[dict[str, Any]]:
    """Return the messages that a page begins with: a table and its target, or a model.

    Errors      DataError for a file that is neither, for a target that is not there or cannot be learnt,
                and for more than 32 MiB; ModelFileError for a damaged model
    """
    if file is None:
        if target is not None:
            raise DataError("--target is a column of a table; name the table too")
        return []
    file = model_file(file, bare=False)
    if not is_model_file(file):
        return _table(file, target, console)
    if target is not None:
        raise DataError(f"--target is a column of a table, and {file!r} is a network")
    return _model(file)


def _table(file: str, target: str | None, console: Console) -> list[dict[str, Any]]:
    from minicolumn.cli.playground import PlaygroundOptions
    from minicolumn.cli.predict import writable
    from minicolumn.cli.table_options import by_option
    from minicolumn.tables import builtin_names, infer_schema

    frame = read_source(file, console)
    builtin = file in builtin_names() and not os.path.exists(file)
    if target is not None or builtin:
        target = find_target(target, file, frame)
        with by_option(PlaygroundOptions):
            infer_schema(frame, target)
    text = writable(frame, ".csv").write_csv()
    _check_size(file, len(text.encode()))
    messages = list(table_messages(f"{short_name(file)}.csv", text))
    if target is not None:
        messages.append({"room": "network", "do": "target", "column": target})
    return messages


def _model(file: str) -> list[dict[str, Any]]:
    from minicolumn.model import load

    load(file)
    data = Path(file).read_bytes()
    _check_size(file, len(data))
    return list(model_messages(Path(file).name, data))


def _check_size(file: str, size: int) -> None:
    if size > MOST_BYTES:
        most = MOST_BYTES >> 20
        raise DataError(f"{file!r} has {size >> 20:,} MiB, and the playground takes {most}; take fewer rows")


def _maker(opening: list[dict[str, Any]]) -> Callable[[], Session]:
    held: tuple[Mapping[str, Any], ...] = tuple(opening)
    return lambda: make_session(held)


def _say(console: Console, line: str) -> None:
    console.print(Text(visible(line), "dim"), soft_wrap=True)


@contextmanager
def _faults_shown() -> Iterator[None]:
    """Let errors of our own come to the terminal with their tracebacks; else no logs are shown."""
    handler, level = logging.StreamHandler(sys.stderr), logging.root.manager.disable
    loggers = [logging.getLogger(name) for name in _LOGS]
    logging.disable(logging.WARNING)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        logging.disable(level)
