"""The work of `minicolumn zoo` on networks: listing, showing, copying, rebuilding and checking them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from minicolumn.cli.card import show_card
from minicolumn.cli.run import DONE
from minicolumn.cli.screen import open_console
from minicolumn.cli.zoo import ZooOptions
from minicolumn.cli.zoo_places import add_zoo, list_zoos, push_model, remove_zoo, write_index
from minicolumn.errors import DataError, MinicolumnError, did_you_mean
from minicolumn.model.hub.address import is_hub
from minicolumn.zoo.lookup import found, zoo_in

if TYPE_CHECKING:
    from rich.console import Console

    from minicolumn.model import Model
    from minicolumn.zoo import Zoo

_WANTED = {
    "add": "the name it gets, and where it lies: zoo add school https://...",
    "remove": "which zoo; minicolumn zoo zoos shows them",
    "push": "which model file, and where to: zoo push digits.safetensors hf://OWNER/NAME",
}
_WITHOUT_NAME = ("list", "verify", "zoos", "index")


def run_zoo(options: ZooOptions) -> int:
    """Do what was asked for, and return the exit code."""
    if options.action not in ACTIONS:
        hint = did_you_mean(options.action, ACTIONS) or f"; expected {', '.join(ACTIONS)}"
        raise DataError(f"zoo: unknown action {options.action!r:.60}{hint}")
    if options.name is None and options.action not in _WITHOUT_NAME:
        wanted = _WANTED.get(options.action, "which network; minicolumn zoo list shows them")
        raise DataError(f"zoo {options.action}: say {wanted}")
    if options.address is not None and options.action not in ("add", "push"):
        raise DataError(f"zoo {options.action}: {options.address!r:.60} is one word too many")
    console = open_console(to_stderr=options.as_json, quiet=options.quiet)
    return ACTIONS[options.action](options, console) or DONE


def _list(options: ZooOptions, console: Console) -> int:
    from rich.table import Table

    from minicolumn.cli.screen import print_json, short

    rows, troubles = _rows(options)
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
    for trouble in troubles:
        console.print(trouble, markup=False, highlight=False, soft_wrap=True)
    if options.as_json:
        print_json({"entries": rows})
    return 0


def _rows(options: ZooOptions) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the lines of the list, of one zoo or of all, and what went wrong with those that were added."""
    from minicolumn.zoo.known import zoos

    here = zoo_in(options.zoo)
    rows, troubles = [_told(here, name) for name in here.names], []
    for added in zoos() if options.zoo is None else ():
        try:
            own = added.open()
            rows += [{**_told(own, name), "name": f"{added.name}:{name}"} for name in own.names]
        except MinicolumnError as error:
            troubles.append(f"{added.name}: {error}")
    return rows, troubles


def _told(zoo: Zoo, name: str) -> dict[str, Any]:
    """Return what a line of the list tells; nothing is fetched for it but the recipe."""
    entry = zoo.entry(name)
    model = zoo.load(name) if zoo.path(name).exists() else None
    return {
        "name": name,
        "title": entry.title,
        "task": None if model is None else _task(model),
        "metrics": {} if model is None else dict(model.metrics.get("test", {})),
        "bytes": zoo.size(name),
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
    return "not here"


def _show(options: ZooOptions, console: Console) -> int:
    from minicolumn.cli.screen import print_json

    zoo, name = _network(options)
    entry = zoo.entry(name)
    told = _told(zoo, name)
    scores = ", ".join(f"{name} {value:.4g}" for name, value in told["metrics"].items())
    more = {
        "recipe": ", ".join(f"{name} {value}" for name, value in entry.settings.items()),
        "scores": scores or "not here",
        "file": f"{told['bytes']:,} bytes, sha256 {entry.sha256 or 'not written down'}",
    }
    card = replace(entry.card, rebuild=entry.card.rebuild + " --data FOLDER" * bool(entry.source.files))
    show_card(console, card, more)
    if options.as_json:
        print_json({**entry.card.to_json(), **told, "settings": dict(entry.settings)})
    return 0


def _network(options: ZooOptions) -> tuple[Zoo, str]:
    """Return the zoo and the name of the network that was asked for."""
    assert options.name is not None
    if is_hub(options.name):
        raise DataError(f"zoo {options.action}: {options.name} has no recipe; get it: zoo get {options.name}")
    return found(options.name, options.zoo)


def _get(options: ZooOptions, console: Console) -> int:
    from minicolumn.model.files import write_atomically

    assert options.name is not None
    if is_hub(options.name):
        return _get_from_hub(options, console)
    zoo, name = _network(options)
    out = options.out or _file_of(name)
    write_atomically(out, [zoo.file(name)])
    return _written(options, console, out)


def _get_from_hub(options: ZooOptions, console: Console) -> int:
    """Copy a model file of the hub, once it has been read as one."""
    from minicolumn.cli.screen import working
    from minicolumn.model.container import MAX_FILE_BYTES, decode
    from minicolumn.model.files import read_whole, write_atomically
    from minicolumn.model.hub.download import fetched, moving

    assert options.name is not None
    with working(console, f"Fetching {options.name}"):
        file = fetched(options.name)
    data = bytes(read_whole(file.path, MAX_FILE_BYTES))
    decode(data)
    out = options.out or f"{file.address.repository.split('/')[-1]}.safetensors"
    write_atomically(out, [data])
    words = "" if file.asked.is_pinned else moving(file)
    return _written(options, console, out, words, {"commit": file.address.revision})


def _file_of(name: str) -> str:
    """Return the name of the file of a network, without its family."""
    return f"{name.rsplit('/', 1)[-1]}.safetensors"


def _train(options: ZooOptions, console: Console) -> int:
    import hashlib
    from pathlib import Path

    from minicolumn.cli.screen import working
    from minicolumn.zoo.rebuild import train

    zoo, name = _network(options)
    entry = zoo.entry(name)
    with working(console, f"Training {entry.name}"):
        model = train(entry, None if options.data is None else Path(options.data))
    out = options.out or _file_of(name)
    model.save(out)
    same = hashlib.sha256(Path(out).read_bytes()).hexdigest() == entry.sha256
    words = "the same bytes as the zoo's" if same else _of_others(model)
    return _written(
        options, console, out, words, {"same_bytes": same, "metrics": model.metrics.get("test", {})}
    )


def _of_others(model: Model) -> str:
    """Return why the bytes may be others, and the score, which should be as good."""
    score = _score(model.metrics.get("test", {}))
    return f"other bytes than the zoo's, as another processor or other versions of libraries make; {score}"


def _written(
    options: ZooOptions, console: Console, out: str, words: str = "", more: Mapping[str, Any] | None = None
) -> int:
    from minicolumn.cli.screen import print_json

    console.print(f"wrote {out}" + f" ({words})" * bool(words), markup=False, highlight=False, soft_wrap=True)
    if options.as_json:
        print_json({"name": options.name, "model": out, **(more or {})})
    return 0


def _verify(options: ZooOptions, console: Console) -> int:
    from pathlib import Path

    from minicolumn.cli.screen import print_json
    from minicolumn.zoo.verification import verify

    zoo, name = _network(options) if options.name else (zoo_in(options.zoo), "")
    names = [name] if name else zoo.names
    folder = None if options.data is None else Path(options.data)
    verdicts = [verify(name, zoo, folder) for name in names]
    width = max((len(verdict.name) for verdict in verdicts), default=0)
    for verdict in verdicts:
        if verdict.found is None:
            words = f"the file is the recipe's; its scores need {verdict.missing}"
        elif verdict.holds:
            words = "the file is the recipe's, and has the scores that it tells"
        else:
            words = f"its scores are others than it tells: {verdict.off}"
        console.print(f"{verdict.name:<{width}} {words}", markup=False, highlight=False, soft_wrap=True)
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


ACTIONS: Mapping[str, Callable[[ZooOptions, Any], int]] = {
    "list": _list,
    "show": _show,
    "get": _get,
    "train": _train,
    "verify": _verify,
    "push": push_model,
    "add": add_zoo,
    "remove": remove_zoo,
    "zoos": list_zoos,
    "index": write_index,
}
