"""`minicolumn playground`: the options of the page in which networks are built and trained live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import CommandOptions, Option, as_command
from minicolumn.registry import Integer

BEGIN, SERVER, PAGE = "What to begin with", "Where it is served", "The page"


@dataclass(frozen=True, kw_only=True)
class PlaygroundOptions(CommandOptions):
    """The options of `minicolumn playground`, as they were written."""

    GROUPS: ClassVar = (BEGIN, SERVER, PAGE)

    file: Annotated[
        str | None,
        Option(
            BEGIN, "[DATA | MODEL]", help="A table, a built-in one by name, or a model file.", argument=True
        ),
    ] = None
    target: Annotated[str | None, Option(BEGIN, "COLUMN", help="Of a table: the column to learn.")] = None
    port: Annotated[
        int | None,
        Integer(help="The port; 0 is any free one.", ge=0, le=65_535),
        Option(SERVER, "N", "the first free one from 8089 on"),
    ] = None
    host: Annotated[
        str, Option(SERVER, "HOST", "127.0.0.1", "Serve others too, at this address of the machine.")
    ] = "127.0.0.1"
    no_browser: Annotated[bool, Option(PAGE, help="Open no browser.")] = False
    lang: Annotated[
        str | None, Option(PAGE, "LANGUAGE", "the browser's", "Language of the page: en or ko.")
    ] = None


def playground(options: PlaygroundOptions) -> int:
    """Build, train and take apart networks live, on a page in the browser.

    The page is served by this machine for this machine, and needs no network. Its address is the one
    line on stdout; it holds a key, so that only who has it gets in. What is asked of the page is done by
    the engine of the library. Ctrl-C ends it.
    A table begins with its columns as inputs, a model with its network; without either the page begins
    with points in a plane.

    Examples
      minicolumn playground
      minicolumn playground penguins
      minicolumn playground houses.csv --target price
      minicolumn playground penguins.safetensors
      minicolumn playground --port 9000 --no-browser
    """
    from minicolumn.cli.playground_job import run_playground

    return run_playground(options)


command = as_command(playground, PlaygroundOptions, check_room_for_tables)
