"""`minicolumn zoo`: pretrained networks, to be listed, looked at, copied, rebuilt and checked.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import CommandOptions, Option, as_command
from minicolumn.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from minicolumn.model import Model
    from minicolumn.zoo import Zoo

WHAT, PLACES, OUTPUT = "What to do", "Where things lie", "What comes out"


@dataclass(frozen=True, kw_only=True)
class ZooOptions(CommandOptions):
    """The options of `minicolumn zoo`, as they were written."""

    GROUPS: ClassVar = (WHAT, PLACES, OUTPUT)

    action: Annotated[str, Option(WHAT, "list|show|get|train|verify", help="What to do.")]
    name: Annotated[str | None, Option(WHAT, "[NAME]", help="A network of the zoo.", argument=True)] = None
    data: Annotated[
        str | None, Option(PLACES, "FOLDER", help="With the files of data that a recipe names.")
    ] = None
    zoo: Annotated[
        str | None, Option(PLACES, "FOLDER", "the one that comes with minicolumn", "Another zoo.")
    ] = None
    out: Annotated[
        str | None, Option(OUTPUT, "FILE", "NAME.safetensors", "Where get and train write the model file.")
    ] = None
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout; words go to stderr.", flags=("--json",))
    ] = False
    quiet: Annotated[bool, Option(OUTPUT, help="Say nothing but errors.", flags=("--quiet", "-q"))] = False


def zoo(options: ZooOptions) -> int:
    """Use networks that are trained already, or rebuild them from their recipes.

    Actions
      list            what there is, with scores
      show NAME       what a network is for, its data and licence, its recipe and scores
      get NAME        its model file, for predict, evaluate, export and playground
      train NAME      trained anew by its recipe; on the same kind of machine the same bytes
      verify [NAME]   the file is the recipe's, and its scores are those of its test rows

    Data that may not be passed on is not here: --data says where it lies, and its sha256 is checked.

    Examples
      minicolumn zoo list
      minicolumn zoo get penguins && minicolumn predict penguins.safetensors penguins
      minicolumn zoo train digits --out digits.safetensors
      minicolumn zoo verify
    """
    from minicolumn.cli.run import DONE
    from minicolumn.cli.screen import open_console
    from minicolumn.zoo.catalogue import zoo_in

    if options.action not in ACTIONS:
        hint = did_you_mean(options.action, ACTIONS) or f"; expected {', '.join(ACTIONS)}"
        raise DataError(f"zoo: unknown action {options.action!r:.60}{hint}")
    if options.name is None and options.action not in ("list", "verify"):
        raise DataError(f"zoo {options.action}: say which network; minicolumn zoo list shows them")
    console = open_console(to_stderr=options.as_json, quiet=options.quiet)
    return ACTIONS[options.action](options, zoo_in(options.zoo), console) or DONE


command = as_command(zoo, ZooOptions, check_room_for_tables)


def _list(options: ZooOptions, found: Zoo, console: Console) -> int:
    from rich.table import Table

    from minicolumn.cli.screen import print_json, short

    rows = [_told(found, entry.name) for entry in found.entries]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("network", "score", "kB", "what it tells"):
        table.add_column(name, justify="right" if name == "kB" else "left", no_wrap=True)
    left = (
        console.width - max((len(row["name"]) for row in rows), default=0) - 24
    )  # score, kB and what is between
    for row in rows:
        size = f"{row['bytes'] / 1000:,.0f}"
        table.add_row(row["name"], _score(row["metrics"]), size, short(row["title"], max(left, 20)))
    console.print(table)
    if options.as_json:
        print_json({"entries": rows})
    return 0


def _told(found: Zoo, name: str) -> dict[str, Any]:
    """Return what a line of the list tells."""
    entry, path = found.entry(name), found.path(name)
    there = path.exists()
    model = found.load(name) if there else None
    return {
        "name": name,
        "title": entry.title,
        "task": None if model is None else _task(model),
        "metrics": {} if model is None else dict(model.metrics.get("test", {})),
        "bytes": path.stat().st_size if there else 0,
        "licence": entry.source.licence,
    }


def _task(model: Model) -> str:
    from minicolumn.nn.outputs import ClassOutputs

    if model.table is not None:
        return model.table.task
    if not isinstance(model.outputs, ClassOutputs):
        return "regression"
    return "multiclass" if model.outputs.describes_one else "binary"


def _score(scores: Mapping[str, float]) -> str:
    for name, words in (("accuracy", "accuracy"), ("r2", "R2")):
        if name in scores:
            return f"{words} {scores[name]:.3f}"
    return "not built"


def _show(options: ZooOptions, found: Zoo, console: Console) -> int:
    from minicolumn.cli.screen import print_json

    assert options.name is not None
    entry = found.entry(options.name)
    told = _told(found, options.name)
    data = entry.source
    scores = ", ".join(f"{name} {value:.4g}" for name, value in told["metrics"].items())
    lines = [
        (entry.name, entry.title),
        ("about", entry.about),
        ("limits", entry.limits),
        ("data", f"{data.name}, {data.origin}, {data.licence}"),
        *((f"  {name}", f"sha256 {sha256}") for name, sha256 in data.files.items()),
        ("recipe", ", ".join(f"{name} {value}" for name, value in entry.settings.items())),
        ("scores", scores or "not built"),
        ("file", f"{told['bytes']:,} bytes, sha256 {entry.sha256 or 'not written down'}"),
        ("rebuild", entry.card["rebuild"] + " --data FOLDER" * bool(data.files)),
    ]
    for name, words in lines:
        console.print(f"[bold]{name:<10}[/bold] ", end="", highlight=False)
        console.print(words, markup=False, highlight=False, soft_wrap=True)
    if options.as_json:
        print_json({**entry.card, **told, "settings": dict(entry.settings)})
    return 0


def _get(options: ZooOptions, found: Zoo, console: Console) -> int:
    from minicolumn.model.files import write_atomically

    assert options.name is not None
    out = options.out or f"{options.name}.safetensors"
    write_atomically(out, [found.file(options.name)])
    return _written(options, console, out)


def _train(options: ZooOptions, found: Zoo, console: Console) -> int:
    import hashlib
    from pathlib import Path

    from minicolumn.cli.screen import working
    from minicolumn.zoo.rebuild import train

    assert options.name is not None
    entry = found.entry(options.name)
    with working(console, f"Training {entry.name}"):
        model = train(entry, None if options.data is None else Path(options.data))
    out = options.out or f"{options.name}.safetensors"
    model.save(out)
    same = hashlib.sha256(Path(out).read_bytes()).hexdigest() == entry.sha256
    words = "the same bytes as the zoo's" if same else "other bytes than the zoo's: another kind of machine"
    return _written(
        options, console, out, words, {"same_bytes": same, "metrics": model.metrics.get("test", {})}
    )


def _written(
    options: ZooOptions, console: Console, out: str, words: str = "", more: Mapping[str, Any] | None = None
) -> int:
    from minicolumn.cli.screen import print_json

    console.print(f"wrote {out}" + f" ({words})" * bool(words), markup=False, highlight=False, soft_wrap=True)
    if options.as_json:
        print_json({"name": options.name, "model": out, **(more or {})})
    return 0


def _verify(options: ZooOptions, found: Zoo, console: Console) -> int:
    from pathlib import Path

    from minicolumn.cli.screen import print_json
    from minicolumn.zoo.verify import verify

    names = [options.name] if options.name else [entry.name for entry in found.entries]
    folder = None if options.data is None else Path(options.data)
    verdicts = [verify(name, found, folder) for name in names]
    for verdict in verdicts:
        if verdict.found is None:
            words = f"the file is the recipe's; its scores need {verdict.missing}"
        elif verdict.holds:
            words = "the file is the recipe's, and has the scores that it tells"
        else:
            words = f"its scores are others than it tells: {verdict.off}"
        console.print(f"{verdict.name:<20} {words}", markup=False, highlight=False, soft_wrap=True)
    if options.as_json:
        print_json(
            {
                "entries": [
                    {"name": v.name, "holds": v.holds, "computed": v.found is not None} for v in verdicts
                ]
            }
        )
    if not all(verdict.holds for verdict in verdicts):
        raise DataError("zoo verify: some networks do not have the scores that they tell")
    return 0


ACTIONS: Mapping[str, Callable[[ZooOptions, Any, Any], int]] = {
    "list": _list,
    "show": _show,
    "get": _get,
    "train": _train,
    "verify": _verify,
}
