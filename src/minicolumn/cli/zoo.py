"""`minicolumn zoo`: pretrained networks, to be listed, looked at, copied, rebuilt, checked and published.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import CommandOptions, Option, as_command

WHAT, PLACES, OUTPUT = "What to do", "Where things lie", "What comes out"


@dataclass(frozen=True, kw_only=True)
class ZooOptions(CommandOptions):
    """The options of `minicolumn zoo`, as they were written."""

    GROUPS: ClassVar = (WHAT, PLACES, OUTPUT)

    action: Annotated[
        str, Option(WHAT, "list|show|get|train|verify|push|add|remove|zoos|index", help="What to do.")
    ]
    name: Annotated[
        str | None, Option(WHAT, "[NAME]", help="A network, a file to push, or a zoo.", argument=True)
    ] = None
    address: Annotated[
        str | None,
        Option(WHAT, "[ADDRESS]", help="Of a zoo to add, or hf://OWNER/NAME to push to.", argument=True),
    ] = None
    sha256: Annotated[
        str | None,
        Option(PLACES, "HEX", "that of the index there is", "Of the index of a zoo to add."),
    ] = None
    data: Annotated[
        str | None, Option(PLACES, "FOLDER", help="With the files of data that a recipe names.")
    ] = None
    zoo: Annotated[
        str | None,
        Option(PLACES, "FOLDER", "the one that comes with minicolumn", "Another zoo, or one added, by name."),
    ] = None
    out: Annotated[
        str | None, Option(OUTPUT, "FILE", "NAME.safetensors", "Where get and train write the model file.")
    ] = None
    license: Annotated[
        str | None,
        Option(OUTPUT, "ID", "that of the data", "Of a model to push: apache-2.0, mit, cc-by-4.0, ..."),
    ] = None
    private: Annotated[bool, Option(OUTPUT, help="Push to a repository that its owner alone sees.")] = False
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout; words go to stderr.", flags=("--json",))
    ] = False
    quiet: Annotated[bool, Option(OUTPUT, help="Say nothing but errors.", flags=("--quiet", "-q"))] = False


def zoo(options: ZooOptions) -> int:
    """Use networks that are trained already, or rebuild them from their recipes.

    Networks
      list               what there is, with scores
      show NAME          what a network is for, its data and licence, its recipe and scores
      get NAME           its model file, for predict, evaluate, export and playground
      train NAME         trained anew by its recipe; on the same kind of machine the same bytes
      verify [NAME]      the file is the recipe's, and its scores are those of its test rows
      push FILE ADDRESS  publish a model file, or a network of the zoo, with a page: hf://OWNER/NAME

    Zoos
      add NAME ADDRESS   a zoo of someone else, in a folder or at https://...; its networks are NAME:...
      remove NAME        forget it
      zoos               those that were added
      index              write index.json into the folder --zoo, so that others can add it by address

    NAME is penguins, playground/circle, school:digits of a zoo that was added, or hf://OWNER/NAME.
    A zoo is pinned by the sha256 of its index, which has those of all files; each is checked before it
    is opened, and kept, so that it is there offline. The zoos are listed in zoos.json in the folder
    for settings, ~/.config/minicolumn on Linux.
    Data that may not be passed on is not here: --data says where it lies, and its sha256 is checked.

    Examples
      minicolumn zoo list
      minicolumn zoo get penguins && minicolumn predict penguins.safetensors penguins
      minicolumn zoo train digits --out digits.safetensors
      minicolumn zoo verify
      minicolumn zoo add school https://example.org/zoo/ --sha256 5b41...
      minicolumn zoo get school:digits
      minicolumn zoo get hf://someone/digits@v1
      minicolumn zoo push digits.safetensors hf://someone/digits --license cc-by-4.0
    """
    from minicolumn.cli.zoo_job import run_zoo

    return run_zoo(options)


command = as_command(zoo, ZooOptions, check_room_for_tables)
